# Reference answers for what is read off a fitted Cox model: robust variance, residuals, the test of proportional
# hazards, concordance. Run in tests/golden with R 4.2, survival 3.5-3 and jsonlite:
#   Rscript cox_inference.R
# Each case goes to cox_inference/<case>.json with the design that the engine is to fit, so that no reader has to know
# the data set. Data: R's survival package, Therneau's validation vignette, and random rows with a fixed seed.

suppressMessages({ library(survival); library(jsonlite) })
control <- suppressWarnings(coxph.control(eps = 1e-13, iter.max = 60, toler.chol = .Machine$double.eps^.75))
# Residuals of at most so many rows are kept, evenly spread.
most_rows <- 40

digits <- function(x) unname(x)

# `terms`: the columns of each term; `data` has columns time (or start, time), status, and what the formula names.
write_case <- function(case, formula, data, weights = NULL, cluster = NULL, robust = NULL, ties = "efron",
                       transforms = c("km", "rank", "identity", "log"), source = "") {
  # The call is built with its arguments in it, so that what refits it later finds them.
  arguments <- list(as.name("coxph"), formula, data = quote(data), ties = ties, x = TRUE, model = TRUE,
                    control = quote(control))
  data$.weight <- if (is.null(weights)) 1 else weights
  data$.cluster <- if (is.null(cluster)) NA else cluster
  if (!is.null(weights)) arguments$weights <- quote(.weight)
  if (!is.null(cluster)) arguments$cluster <- quote(.cluster)
  if (!is.null(robust)) arguments$robust <- robust
  fit <- eval(as.call(arguments))
  y <- fit$y
  late <- ncol(y) == 3
  frame <- model.frame(fit)
  n <- nrow(y)
  offset <- model.offset(frame)
  stratum <- fit$strata
  used_cluster <- if (is.null(cluster)) NULL else as.character(frame[["(cluster)"]])
  kept <- unique(round(seq(1, n, length.out = min(n, most_rows))))
  design <- list(
    entry = if (late) y[, 1], exit = y[, ncol(y) - 1], event = y[, ncol(y)],
    weight = model.weights(frame), offset = offset,
    stratum = if (!is.null(stratum)) as.character(stratum), cluster = used_cluster,
    x = lapply(seq_len(n), function(i) digits(fit$x[i, ])))
  test <- function(value, df) list(chi_squared = unname(value), df = df)
  is_robust <- !is.null(fit$naive.var)
  p <- sum(!is.na(fit$coefficients))
  robust_score <- if (is_robust) c(fit$rscore)
  if (is_robust && !is.null(offset)) {
    # R's robust score test forgets the offset (it sets the whole linear predictor to 0, where the hypothesis sets the
    # coefficients to 0), so it is made here from the score residuals of a fit of no iterations, which keeps it.
    arguments$init <- rep(0, length(fit$coefficients))
    arguments$control <- quote(coxph.control(iter.max = 0))
    parts <- as.matrix(residuals(eval(as.call(arguments)), "score", weighted = TRUE))
    if (!is.null(used_cluster)) parts <- rowsum(parts, used_cluster)
    robust_score <- c(colSums(parts) %*% solve(crossprod(parts), colSums(parts)))
  }
  answer <- list(
    coefficients = digits(fit$coefficients),
    std_error = digits(sqrt(diag(as.matrix(if (is_robust) fit$naive.var else fit$var)))),
    likelihood_ratio = 2 * diff(fit$loglik), score = fit$score, df = p,
    wald = unname(fit$wald.test),
    robust_std_error = if (is_robust) digits(sqrt(diag(fit$var))),
    robust_covariance = if (is_robust) digits(c(fit$var)),
    robust_score = if (is_robust) robust_score)
  rows_of <- function(x) lapply(kept, function(i) digits(as.matrix(x)[i, ]))
  residuals <- list(row = kept, martingale = digits(residuals(fit, "martingale")[kept]),
                    deviance = digits(residuals(fit, "deviance")[kept]))
  if (ties != "exact") {
    status <- y[, ncol(y)]
    exit <- y[, ncol(y) - 1]
    order <- if (is.null(stratum)) order(exit, -status) else order(as.numeric(stratum), exit, -status)
    deaths <- order[status[order] == 1]
    kept_deaths <- unique(round(seq(1, length(deaths), length.out = min(length(deaths), most_rows))))
    at_deaths <- function(kind) {
      x <- as.matrix(residuals(fit, kind))
      lapply(kept_deaths, function(i) digits(x[i, ]))
    }
    residuals <- c(residuals, list(
      score = rows_of(residuals(fit, "score")), dfbeta = rows_of(residuals(fit, "dfbeta")),
      dfbetas = rows_of(residuals(fit, "dfbetas")),
      death = deaths[kept_deaths], schoenfeld = at_deaths("schoenfeld"), scaled_schoenfeld = at_deaths("scaledsch")))
  }
  # With exact ties the engine has no test of proportional hazards: the score is not 0 in the sense of the test.
  tests <- lapply(setNames(transforms, transforms), function(transform) {
    table <- cox.zph(fit, transform = transform)$table
    lapply(seq_len(nrow(table)), function(i) list(chi_squared = table[i, 1], df = table[i, 2], p_value = table[i, 3]))
  })
  agreement <- concordance(fit)
  counts <- if (is.matrix(agreement$count)) colSums(agreement$count) else agreement$count
  result <- list(
    case = case, source = source, formula = paste(deparse(formula), collapse = " "), ties = ties, robust = is_robust,
    terms = unname(lapply(fit$assign, I)), design = design, fit = answer, residuals = residuals,
    proportional_hazards = tests,
    concordance = list(
      concordance = unname(agreement$concordance), std_error = sqrt(unname(agreement$var)),
      concordant = counts[["concordant"]], discordant = counts[["discordant"]], tied_risk = counts[["tied.x"]],
      tied_time = counts[["tied.y"]], tied_both = counts[["tied.xy"]]))
  result$design <- Filter(Negate(is.null), result$design)
  result$fit <- Filter(Negate(is.null), result$fit)
  text <- toJSON(result, auto_unbox = TRUE, digits = NA, na = "null", null = "null")
  # auto_unbox turns lists of one into numbers: rows of one covariate are numbers, which the reader takes.
  writeLines(text, file.path("cox_inference", paste0(case, ".json")))
  cat(sprintf("%-28s n %5d  events %5d  %s\n", case, n, sum(y[, ncol(y)]), deparse(formula)[1]))
}

book1 <- data.frame(time = c(1, 1, 6, 6, 8, 9), status = c(1, 0, 1, 1, 0, 1), x = c(1, 1, 1, 0, 0, 0))
book2 <- data.frame(start = c(1, 2, 5, 2, 1, 7, 3, 4, 8, 8), stop = c(2, 3, 6, 7, 8, 9, 9, 9, 14, 17),
                    event = c(1, 1, 1, 1, 1, 1, 1, 0, 0, 0), x = c(1, 0, 0, 1, 0, 1, 1, 1, 0, 0))
book3 <- data.frame(time = c(1, 1, 2, 2, 2, 2, 3, 4, 5), status = c(1, 0, 1, 1, 1, 0, 0, 1, 0),
                    x = c(2, 0, 1, 1, 0, 1, 0, 1, 0), wt = c(1, 2, 3, 4, 3, 2, 1, 2, 1))
for (ties in c("efron", "breslow")) {
  at <- function(name) paste(name, ties, sep = "_")
  write_case(at("book1"), Surv(time, status) ~ x, book1, ties = ties, source = "validate.Rnw, test data 1")
  write_case(at("book2"), Surv(start, stop, event) ~ x, book2, ties = ties, source = "validate.Rnw, test data 2")
  write_case(at("book2_cluster"), Surv(start, stop, event) ~ x, book2, cluster = c(1, 1, 2, 2, 3, 3, 4, 4, 5, 5),
             ties = ties, source = "validate.Rnw, test data 2, in pairs")
  write_case(at("book3"), Surv(time, status) ~ x, book3, weights = book3$wt, robust = TRUE, ties = ties,
             source = "validate.Rnw, test data 3")
}

write_case("lung", Surv(time, status) ~ age + sex + ph.ecog, lung)
write_case("lung_breslow", Surv(time, status) ~ age + sex + ph.ecog, lung, ties = "breslow")
write_case("lung_robust", Surv(time, status) ~ age + sex + ph.ecog, lung, robust = TRUE)
with_inst <- subset(lung, !is.na(inst))
write_case("lung_cluster_inst", Surv(time, status) ~ age + sex + ph.ecog, with_inst, cluster = with_inst$inst)
write_case("lung_strata_sex", Surv(time, status) ~ age + ph.ecog + strata(sex), lung)
write_case("lung_strata_inst_cluster", Surv(time, status) ~ age + sex + ph.ecog + strata(inst), with_inst,
           cluster = with_inst$ph.karno)
karno <- subset(lung, !is.na(ph.karno))
write_case("lung_fractional_weights", Surv(time, status) ~ age + sex, karno, weights = karno$ph.karno / 100)
write_case("lung_whole_weights", Surv(time, status) ~ age + sex, karno, weights = karno$ph.karno / 10, ties = "breslow")
write_case("lung_offset", Surv(time, status) ~ sex + ph.ecog + offset(age / 50), lung, robust = TRUE)
write_case("lung_exact", Surv(time, status) ~ age + sex + ph.ecog, lung, ties = "exact", transforms = character(0))
write_case("lung_coarse_exact", Surv(round(time / 60), status) ~ age + sex + strata(ph.ecog), lung, ties = "exact",
           transforms = character(0))
write_case("ovarian", Surv(futime, fustat) ~ age + ecog.ps, ovarian)
write_case("veteran", Surv(time, status) ~ trt + celltype + karno + diagtime + age + prior, veteran)
write_case("veteran_strata", Surv(time, status) ~ trt + karno + age + strata(celltype), veteran)
rossi <- read.csv("../data/rossi.csv")
write_case("rossi", Surv(week, arrest) ~ fin + age + race + wexp + mar + paro + prio, rossi)
heart2 <- heart
heart2$transplant <- as.numeric(heart2$transplant) - 1
write_case("heart", Surv(start, stop, event) ~ age + year + surgery + transplant, heart2)
write_case("heart_cluster", Surv(start, stop, event) ~ age + year + surgery + transplant, heart2, cluster = heart2$id)
write_case("heart_strata", Surv(start, stop, event) ~ age + year + strata(surgery), heart2, cluster = heart2$id)
b2 <- subset(bladder2)
write_case("bladder2", Surv(start, stop, event) ~ rx + size + number, b2, cluster = b2$id,
           transforms = c("km", "rank", "identity"))
write_case("bladder2_pwp", Surv(start, stop, event) ~ rx + size + number + strata(enum), b2, cluster = b2$id,
           transforms = c("km", "rank", "identity"))
write_case("bladder_wlw", Surv(stop, event) ~ rx + size + number + strata(enum), bladder, cluster = bladder$id,
           transforms = c("km", "rank", "identity"))
write_case("kidney", Surv(time, status) ~ age + sex + disease, kidney, cluster = kidney$id)
write_case("rats", Surv(time, status) ~ rx + sex, rats, cluster = rats$litter)
write_case("cgd", Surv(tstart, tstop, status) ~ treat + inherit + age + strata(hos.cat), cgd, cluster = cgd$id)
write_case("retinopathy", Surv(futime, status) ~ trt + risk + type, retinopathy, cluster = retinopathy$id)
write_case("pbc", Surv(time, status == 2) ~ age + edema + log(bili) + log(protime) + log(albumin), pbc)
death <- subset(colon, etype == 2)
write_case("colon", Surv(time, status) ~ rx + sex + age + obstruct + nodes, death)
write_case("colon_both", Surv(time, status) ~ rx + nodes + strata(etype), subset(colon, id <= 300),
           cluster = subset(colon, id <= 300)$id)
tied <- subset(mgus2, !is.na(mspike) & !is.na(hgb))[1:600, ]
write_case("mgus2", Surv(futime, death) ~ age + sex + hgb + mspike, tied, weights = round(tied$hgb / 10, 1))
write_case("stanford2", Surv(time + 0.5, status) ~ age + t5, stanford2)

# Everything at once: heavy ties, late entry, fractional weights, strata, clusters, an offset.
set.seed(20261122)
n <- 400
all <- data.frame(x1 = round(rnorm(n), 2), x2 = rbinom(n, 1, .4), g = sample(letters[1:3], n, TRUE))
all$entry <- pmax(0, sample(-4:6, n, TRUE))
all$time <- all$entry + sample(1:12, n, TRUE)
all$status <- rbinom(n, 1, .6)
all$weight <- round(runif(n, .3, 3), 2)
all$id <- sample(1:120, n, TRUE)
all$s <- sample(c("north", "south", "west"), n, TRUE)
all$o <- round(rnorm(n, 0, .3), 2)
for (ties in c("efron", "breslow"))
  write_case(paste("everything", ties, sep = "_"),
             Surv(entry, time, status) ~ x1 + x2 + factor(g) + strata(s) + offset(o), all, weights = all$weight,
             cluster = all$id, ties = ties)
write_case("entry_weights", Surv(entry, time, status) ~ x1 + x2, all, weights = all$weight)
twice <- all
twice$x3 <- 2 * twice$x1 - twice$x2
write_case("collinear", Surv(time, status) ~ x1 + x2 + x3, twice, robust = TRUE)
