# Answers for crates/engine/tests/groups: Rscript tests/golden/groups.R, from the root of the repository.
#
# Where R has the test, R gives the answer: survdiff (rho = 0 and 1, strata); for delayed entry, weights and trend the
# score test of coxph(ties = "exact"), whose variance at beta = 0 is the hypergeometric one of the log-rank test, ties
# included. Weights are repetitions of rows. The other weight families have no function in R (survdiff knows rho only):
# `family` below is their definition, straight from the risk sets, and is itself checked against survdiff.
suppressMessages(library(survival))
library(jsonlite)

family <- function(d, groups, weight) {
  k <- length(groups)
  O <- E <- rep(0, k)
  V <- matrix(0, k, k)
  for (s in unique(d$stratum)) {
    x <- d[d$stratum == s, ]
    pooled <- peto <- 1
    for (t in sort(unique(x$stop[x$event == 1]))) {
      risk <- x$stop >= t & (x$start < t | x$start == 0)
      n <- sapply(groups, function(g) sum(x$w[risk & x$group == g]))
      e <- sapply(groups, function(g) sum(x$w[x$stop == t & x$event == 1 & x$group == g]))
      N <- sum(n); D <- sum(e)
      peto <- peto * (1 - D / (N + 1))
      w <- switch(weight, "log-rank" = 1, "wilcoxon" = N, "tarone-ware" = sqrt(N), "peto" = peto,
                  "fh10" = pooled, "fh01" = 1 - pooled, "fh11" = pooled * (1 - pooled))
      pooled <- pooled * (1 - D / N)
      O <- O + w * e
      E <- E + w * D * n / N
      if (N > 1) V <- V + w^2 * D * (N - D) / (N - 1) * (diag(n / N, k) - outer(n / N, n / N))
    }
  }
  list(observed = O, expected = E, variance = V)
}

chi <- function(f) {
  keep <- diag(f$variance) > 0
  if (sum(keep) < 2) return(list(chisq = NA, df = 0))
  v <- f$variance[keep, keep]; u <- (f$observed - f$expected)[keep]
  s <- sqrt(diag(v)); e <- eigen(v / outer(s, s), symmetric = TRUE)
  use <- e$values > 1e-9
  list(chisq = sum((crossprod(e$vectors[, use, drop = FALSE], u / s))^2 / e$values[use]), df = sum(use))
}

trend <- function(f, scores) sum(scores * (f$observed - f$expected))^2 / drop(t(scores) %*% f$variance %*% scores)

same <- function(a, b, what, tolerance = 1e-8)
  if (!isTRUE(all.equal(unname(a), unname(b), tolerance = tolerance))) stop(what, ": ", a, " is not ", b)

case <- function(name, csv, time, event, group, strata = NULL, start = NULL, weighted = FALSE, filter = NULL, big = FALSE) {
  raw <- read.csv(file.path("tests/data", csv), na.strings = c("NA", ""), colClasses = "character", check.names = FALSE)
  if (!is.null(filter)) raw <- raw[!is.na(raw[[filter[1]]]) & raw[[filter[1]]] == filter[2], ]
  d <- data.frame(stop = as.numeric(raw[[time]]), event = as.integer(raw[[event[1]]] == event[2]), group = raw[[group]])
  d$start <- if (is.null(start)) 0 else as.numeric(raw[[start]])
  d$stratum <- if (is.null(strata)) "all" else raw[[strata]]
  d$w <- if (weighted) (seq_len(nrow(d)) - 1) %% 3 + 1 else 1
  d <- d[complete.cases(d) & d$start < d$stop | (complete.cases(d) & is.null(start)), ]
  groups <- sort(unique(d$group), method = "radix")
  scores <- seq_along(groups)^2
  families <- lapply(setNames(nm = c("log-rank", "wilcoxon", "tarone-ware", "peto", "fh10", "fh01", "fh11")), function(w) {
    f <- family(d, groups, w)
    c(f, chi(f), list(trend = trend(f, seq_along(groups)), trend_scores = trend(f, scores)))
  })
  many <- d[rep(seq_len(nrow(d)), d$w), ]
  many$g <- factor(many$group, levels = groups)
  if (is.null(start)) {
    for (rho in 0:1) {
      f <- survdiff(Surv(stop, event) ~ g + strata(stratum), many, rho = rho)
      if (is.null(strata)) f <- survdiff(Surv(stop, event) ~ g, many, rho = rho)
      ours <- families[[if (rho == 0) "log-rank" else "fh10"]]
      sums <- function(x) if (is.matrix(x)) rowSums(x) else x
      same(f$chisq, ours$chisq, paste(name, "survdiff", rho))
      same(sums(f$obs), ours$observed, "observed"); same(sums(f$exp), ours$expected, "expected")
      same(f$var, ours$variance, "variance")
      # R's own numbers are the reference.
      families[[if (rho == 0) "log-rank" else "fh10"]]$chisq <- f$chisq
      families[[if (rho == 0) "log-rank" else "fh10"]]$observed <- as.numeric(sums(f$obs))
      families[[if (rho == 0) "log-rank" else "fh10"]]$expected <- as.numeric(sums(f$exp))
    }
  }
  if (!big) {
    # The exact partial likelihood takes long where many tie.
    many$one <- seq_along(groups)[many$g]
    many$other <- scores[many$g]
    y <- if (is.null(start)) with(many, Surv(stop, event)) else with(many, Surv(start, stop, event))
    control <- coxph.control(iter.max = 0)
    score <- function(rhs) suppressWarnings(coxph(as.formula(paste("y ~", rhs, "+ strata(stratum)")), many, ties = "exact", control = control))$score
    if (families[["log-rank"]]$df == length(groups) - 1) same(score("g"), families[["log-rank"]]$chisq, paste(name, "exact score"))
    families[["log-rank"]]$trend <- score("one")
    same(families[["log-rank"]]$trend, trend(family(d, groups, "log-rank"), seq_along(groups)), paste(name, "trend"))
    families[["log-rank"]]$trend_scores <- score("other")
  }
  pairs <- t(combn(length(groups), 2))
  p <- apply(pairs, 1, function(ab) {
    x <- d[d$group %in% groups[ab], ]
    f <- chi(family(x, groups[ab], "log-rank"))
    pchisq(f$chisq, 1, lower.tail = FALSE)
  })
  list(name = name, csv = csv, time = time, event = event, group = group, strata = strata, start = start, weighted = weighted,
       filter = filter, rows = nrow(d), groups = groups, subjects = sapply(groups, function(g) sum(d$w[d$group == g])), scores = scores,
       p_value = pchisq(families[["log-rank"]]$chisq, families[["log-rank"]]$df, lower.tail = FALSE),
       families = families,
       pairwise = list(none = p, holm = p.adjust(p, "holm"), bonferroni = p.adjust(p, "bonferroni"), `benjamini-hochberg` = p.adjust(p, "BH")))
}

write <- function(file, ...) {
  answer <- list(software = paste(R.version.string, "survival", packageVersion("survival")), script = "tests/golden/groups.R", cases = list(...))
  write_json(answer, file.path("tests/golden/groups", file), digits = NA, auto_unbox = TRUE, null = "null", na = "null", pretty = 1)
}

write("plain.json",
  case("aml", "aml.csv", "time", c("status", 1), "x"),
  case("lung by sex", "lung.csv", "time", c("event", 1), "sex"),
  case("lung by performance", "lung.csv", "time", c("event", 1), "ph_ecog"),
  case("ovarian by treatment", "ovarian.csv", "futime", c("fustat", 1), "rx"),
  case("veteran by cell type", "veteran.csv", "time", c("status", 1), "celltype"),
  case("larynx by stage", "km_larynx.csv", "time", c("delta", 1), "stage"),
  case("gehan", "gehan.csv", "time", c("cens", 1), "treat"),
  case("rossi by race", "rossi.csv", "week", c("arrest", 1), "race"),
  case("mgus2 by sex", "mgus2.csv", "futime", c("death", 1), "sex"),
  case("gbsg2 by grade", "gbsg2_lifelines.csv", "time", c("cens", 1), "tgrade"),
  case("telco by contract", "telco_customer_churn.csv", "tenure", c("churn_event", 1), "contract", big = TRUE),
  case("regimes", "dd_regimes.csv", "duration", c("observed", 1), "regime", big = TRUE))
write("stratified.json",
  case("lung by sex within performance (G16)", "lung.csv", "time", c("event", 1), "sex", "ph_ecog"),
  case("lung by patient's judgement within institution (G17)", "lung.csv", "time", c("event", 1), "pat_karno", "inst"),
  case("veteran by cell type within treatment", "veteran.csv", "time", c("status", 1), "celltype", "trt"),
  case("colon death by treatment within extent", "colon.csv", "time", c("status", 1), "rx", "extent", filter = c("etype", 2)),
  case("colon recurrence by extent within treatment", "colon.csv", "time", c("status", 1), "extent", "rx", filter = c("etype", 1)),
  case("gehan within pairs", "gehan.csv", "time", c("cens", 1), "treat", "pair"),
  case("gbsg2 by grade within therapy", "gbsg2_lifelines.csv", "time", c("cens", 1), "tgrade", "hor_th"),
  case("telco by contract within internet service", "telco_customer_churn.csv", "tenure", c("churn_event", 1), "contract", "internet_service", big = TRUE),
  case("regimes within continents", "dd_regimes.csv", "duration", c("observed", 1), "regime", "un_continent_name", big = TRUE))
write("entries_and_weights.json",
  case("heart by transplant", "heart.csv", "stop", c("event", 1), "transplant", start = "start"),
  case("heart by transplant within surgery", "heart.csv", "stop", c("event", 1), "transplant", "surgery", start = "start"),
  case("channing by gender", "km_channing.csv", "age", c("death", 1), "gender", start = "ageentry"),
  case("bladder by treatment within recurrence", "bladder2.csv", "stop", c("event", 1), "rx", "enum", start = "start", big = TRUE),
  case("bladder by number, weighted", "bladder2.csv", "stop", c("event", 1), "number", "enum", start = "start", weighted = TRUE, big = TRUE),
  case("lung by performance within institution, weighted", "lung.csv", "time", c("event", 1), "ph_ecog", "inst", weighted = TRUE, big = TRUE),
  case("veteran by cell type, weighted", "veteran.csv", "time", c("status", 1), "celltype", weighted = TRUE, big = TRUE),
  case("larynx by stage, weighted", "km_larynx.csv", "time", c("delta", 1), "stage", weighted = TRUE, big = TRUE))
