# Reference answers for logistic regression and discrete-time hazards: R's glm on the written-out person-periods.
# Run in this directory: Rscript discrete.R. Needs jsonlite and splines.
#
# Where everybody or nobody at risk in a period has the event, its own level is infinite and its person-periods say
# nothing of the other coefficients: they are left out of the glm (with them glm stops at a level of about 20).
# The penalised fits, which glm does not have, are Newton's method written out on the penalised likelihood.
suppressMessages({ library(jsonlite); library(splines) })
number <- function(x) if (length(x) == 0) NULL else I(as.numeric(x))

read <- function(case) {
  d <- read.csv(file.path("..", "data", case$csv), stringsAsFactors = FALSE)
  X <- sapply(case$covariates, function(c) {
    if (is.null(c$level)) suppressWarnings(as.numeric(d[[c$column]])) else as.numeric(d[[c$column]] == c$level)
  })
  colnames(X) <- sapply(case$covariates, function(c) paste0(c$column, c$level))
  n <- nrow(d)
  i <- seq_len(n)
  out <- list(X = X, y = as.numeric(d[[case$event]] == case$event_is),
       w = if (isTRUE(case$weights)) 1 + (i %% 3) / 2 else rep(1, n),
       o = if (isTRUE(case$offsets)) 0.1 * (i %% 5) else rep(0, n),
       time = if (is.null(case$time)) rep(1, n) else as.numeric(d[[case$time]]),
       entry = if (is.null(case$entry)) rep(0, n) else as.numeric(d[[case$entry]]))
  keep <- !apply(is.na(X), 1, any) & (out$entry < out$time | out$entry == 0)
  list(X = X[keep, , drop = FALSE], y = out$y[keep], w = out$w[keep], o = out$o[keep], time = out$time[keep], entry = out$entry[keep])
}

expand <- function(d, period) {
  up <- function(t) ceiling(t / period - 1e-9)
  first <- up(d$entry); end <- up(d$time)
  end <- ifelse(end == 0 & d$y == 1, 1, end)
  k <- pmax(end - first, 0)
  row <- rep(seq_along(k), k)
  t <- first[row] + sequence(k)
  list(row = row, t = t, y = as.numeric(d$y[row] == 1 & t == end[row]), T = max(end))
}

plain_basis <- function(case, t, deaths) {
  switch(case$baseline,
    linear = cbind(1, t), log = cbind(1, log(t)),
    polynomial = sapply(0:case$degree, function(k) t^k),
    spline = {
      share <- cumsum(deaths) / sum(deaths)
      at <- sapply(seq_len(case$degree - 1) / case$degree, function(p) which(share >= p * (1 - 1e-12) & deaths > 0)[1])
      outer <- range(which(deaths > 0))
      cbind(1, ns(t, knots = at, Boundary.knots = outer))
    })
}

evaluate <- function(link, B, y, w, o, beta) {
  eta <- drop(B %*% beta) + o
  L <- make.link(link)
  mu <- if (link == "cloglog") -expm1(-exp(eta)) else plogis(eta)
  comp <- if (link == "cloglog") exp(-exp(eta)) else plogis(-eta)
  d <- if (link == "cloglog") exp(eta) * comp else mu * comp
  list(ll = sum(w * ifelse(y == 1, log(mu), log(comp))), U = drop(crossprod(B, w * (y - mu) * d / (mu * comp))),
       I = crossprod(B, B * (w * d^2 / (mu * comp))))
}

climb <- function(link, B, y, w, o, start, penalty) {
  beta <- start
  for (i in 1:200) {
    e <- evaluate(link, B, y, w, o, beta)
    s <- 1 / sqrt(diag(e$I))
    step <- s * solve(s * t(s * (e$I + diag(penalty, length(beta)))), s * (e$U - penalty * beta), tol = 0)
    beta <- beta + step
    if (max(abs(step)) < 1e-14 * max(1, abs(beta))) break
  }
  beta
}

run <- function(case) {
  d <- read(case)
  p <- ncol(d$X)
  link <- case$link
  if (is.null(case$time)) {
    e <- list(row = seq_along(d$y), t = rep(1, length(d$y)), y = d$y, T = 1)
    period <- case$period <- 1
  } else {
    e <- expand(d, case$period)
  }
  w <- d$w[e$row]; o <- d$o[e$row]; X <- d$X[e$row, , drop = FALSE]
  by <- factor(e$t, levels = seq_len(e$T))
  at_risk <- as.vector(tapply(w, by, sum, default = 0)); deaths <- as.vector(tapply(w * e$y, by, sum, default = 0))
  alive <- as.vector(tapply(1 - e$y, by, sum, default = 0))
  smooth <- !is.null(case$baseline) && case$baseline != "period"
  free <- if (smooth) rep(TRUE, e$T) else deaths > 0 & alive > 0
  k <- free[e$t]
  levels <- which(free)
  base <- if (smooth) plain_basis(case, e$t[k], deaths) else outer(e$t[k], levels, "==") * 1
  q <- ncol(base)
  X <- X[k, , drop = FALSE]; w <- w[k]; o <- o[k]; y <- e$y[k]
  penalty <- c(rep(0, q), rep(0, p))
  if (!is.null(case$penalty)) {
    weight <- d$w / sum(d$w)
    variance <- colSums(weight * sweep(d$X, 2, colSums(weight * d$X))^2)
    penalty <- c(rep(0, q), case$penalty * variance)
  }
  glmfit <- function(B) suppressWarnings(glm.fit(B, y, weights = w, offset = o, family = binomial(link), control = glm.control(epsilon = 1e-10, maxit = 100)))
  null <- coef(glmfit(base))
  keep <- rep(TRUE, q + p)
  B <- cbind(base, X)
  first <- coef(glmfit(B))
  keep <- !is.na(first)
  theta <- climb(link, B[, keep], y, w, o, first[keep], penalty[keep])
  at <- evaluate(link, B[, keep], y, w, o, theta)
  at_null <- evaluate(link, B[, keep], y, w, o, c(climb(link, base, y, w, o, null, rep(0, q)), rep(0, sum(keep) - q)))
  inverse <- function(I) { s <- 1 / sqrt(diag(I)); s * t(s * solve(s * t(s * I), tol = 0)) }
  V <- inverse(at$I + diag(penalty[keep], sum(keep)))
  beta <- rep(NA, q + p); beta[keep] <- theta
  se <- rep(NA, q + p); se[keep] <- sqrt(diag(V))
  covariates <- (q + 1):(q + p)
  inner <- which(keep); slopes <- inner > q
  wald <- drop(theta[slopes] %*% inverse(V[slopes, slopes, drop = FALSE]) %*% theta[slopes])
  score <- drop(at_null$U %*% inverse(at_null$I + diag(penalty[keep], sum(keep))) %*% at_null$U)
  # The curve of one row, by the delta method on all of theta.
  x <- d$X[1, ]
  x[!keep[covariates]] <- 0
  full <- matrix(0, e$T, q + p)
  full[, 1:q] <- if (smooth) plain_basis(case, seq_len(e$T), deaths) else outer(seq_len(e$T), levels, "==") * 1
  full[, covariates] <- rep(x, each = e$T)
  eta <- drop(full[, keep, drop = FALSE] %*% theta)
  increment <- if (link == "logit") log1p(exp(eta)) else exp(eta)
  slope <- if (link == "logit") plogis(eta) else exp(eta)
  nothing <- !free & deaths == 0; sure <- !free & deaths > 0
  increment[nothing] <- 0; slope[!free] <- 0
  until <- if (any(sure)) which(sure)[1] - 1 else e$T
  H <- cumsum(increment[seq_len(until)])
  G <- apply(full[, keep, drop = FALSE] * slope, 2, cumsum)
  if (is.null(dim(G))) G <- matrix(G, nrow = 1)
  G <- G[seq_len(until), , drop = FALSE]
  variance <- rowSums((G %*% V) * G)
  answer <- c(case, list(
    x = number(d$X[1, ]), rows = length(d$y), person_periods = length(e$y), periods = e$T,
    coefficients = I(beta[covariates]), se = I(se[covariates]),
    intercept = if (q == 1 || smooth && case$baseline != "spline") I(beta[1:q]), intercept_se = if (q == 1 || smooth && case$baseline != "spline") I(se[1:q]),
    levels = if (!smooth) I(replace(rep(NA, e$T), levels, beta[1:q])), levels_se = if (!smooth) I(replace(rep(NA, e$T), levels, se[1:q])),
    log_likelihood = at$ll, log_likelihood_null = at_null$ll, wald = wald, score = score,
    cumulative_hazard = I(H), variance = I(variance)))
  write_json(answer, file.path("discrete", paste0(case$name, ".json")), auto_unbox = TRUE, digits = I(17), na = "null", null = "null")
  cat(case$name, length(e$y), "person-periods,", sum(keep), "parameters, log-likelihood", format(at$ll, digits = 12), "\n")
}

columns <- function(...) lapply(c(...), function(name) {
  parts <- strsplit(name, "=")[[1]]
  if (length(parts) == 2) list(column = parts[1], level = parts[2]) else list(column = parts[1], level = NULL)
})
case <- function(name, csv, covariates, event, event_is, ...) list(name = name, csv = csv, covariates = covariates, event = event, event_is = event_is, ...)

telco <- columns("tenure", "monthly_charges", "senior_citizen", "contract=One year", "contract=Two year", "payment_method=Electronic check")
lung <- columns("age", "sex", "ph_ecog", "wt_loss")
veteran <- columns("trt", "celltype=large", "celltype=smallcell", "celltype=squamous", "karno", "diagtime", "age", "prior")
rossi <- columns("fin", "age", "race", "wexp", "mar", "paro", "prio")
iranian <- columns("call_failure", "complains", "subscription_length", "charge_amount", "seconds_of_use", "frequency_of_use", "tariff_plan", "age")
unemp <- columns("age", "ui=yes", "reprate", "disrate", "logwage", "tenure")
heart <- columns("age", "year", "surgery", "transplant")
gbsg <- columns("hor_th=yes", "age", "menostat=Pre", "tsize", "tgrade=II", "tgrade=III", "pnodes", "progrec", "estrec")
mgus <- columns("age", "sex=M", "hgb", "creat", "mspike")
colon <- columns("rx=Lev", "rx=Lev+5FU", "sex", "age", "obstruct", "perfor", "adhere", "nodes", "surg")
cases <- list(
  case("renewal_telco", "telco_customer_churn.csv", telco, "churn", "No", link = "logit"),
  case("renewal_telco_cloglog", "telco_customer_churn.csv", telco, "churn", "No", link = "cloglog"),
  case("renewal_iranian", "iranian_churn.csv", iranian, "churn", "0", link = "logit", weights = TRUE),
  case("renewal_iranian_offset", "iranian_churn.csv", iranian, "churn", "1", link = "logit", offsets = TRUE, weights = TRUE),
  case("renewal_iranian_cloglog_offset", "iranian_churn.csv", iranian, "churn", "1", link = "cloglog", offsets = TRUE, weights = TRUE),
  case("renewal_lung_ridge", "lung.csv", lung, "event", "1", link = "logit", penalty = 3),
  case("renewal_lung_collinear", "lung.csv", columns("age", "sex", "sex=1", "ph_ecog", "age", "wt_loss"), "event", "1", link = "logit"),
  case("telco_logit", "telco_customer_churn.csv", telco[-1], "churn", "Yes", time = "tenure", period = 1, link = "logit"),
  case("telco_quarters_cloglog", "telco_customer_churn.csv", telco[-1], "churn", "Yes", time = "tenure", period = 3, link = "cloglog"),
  case("telco_spline", "telco_customer_churn.csv", telco[-1], "churn", "Yes", time = "tenure", period = 1, link = "cloglog", baseline = "spline", degree = 4),
  case("rossi_logit", "rossi.csv", rossi, "arrest", "1", time = "week", period = 1, link = "logit"),
  case("rossi_cloglog", "rossi.csv", rossi, "arrest", "1", time = "week", period = 1, link = "cloglog", weights = TRUE),
  case("rossi_linear", "rossi.csv", rossi, "arrest", "1", time = "week", period = 1, link = "logit", baseline = "linear"),
  case("rossi_polynomial", "rossi.csv", rossi, "arrest", "1", time = "week", period = 1, link = "logit", baseline = "polynomial", degree = 4, offsets = TRUE, weights = TRUE),
  case("lung_months", "lung.csv", lung, "event", "1", time = "time", period = 30, link = "cloglog"),
  case("lung_log", "lung.csv", lung, "event", "1", time = "time", period = 30, link = "cloglog", baseline = "log"),
  case("veteran_logit", "veteran.csv", veteran, "status", "1", time = "time", period = 7, link = "logit"),
  case("veteran_ridge", "veteran.csv", veteran, "status", "1", time = "time", period = 28, link = "cloglog", penalty = 5),
  case("unemployment_logit", "unemp_dur_mccall.csv", unemp, "censor1", "1", time = "spell", period = 1, link = "logit"),
  case("unemployment_cloglog_offset", "unemp_dur_mccall.csv", unemp, "censor1", "1", time = "spell", period = 1, link = "cloglog", offsets = TRUE),
  case("heart_entry", "heart.csv", heart, "event", "1", entry = "start", time = "stop", period = 30, link = "logit"),
  case("heart_entry_spline", "heart.csv", heart, "event", "1", entry = "start", time = "stop", period = 30, link = "logit", baseline = "spline", degree = 3),
  case("gbsg2_quarters", "gbsg2_lifelines.csv", gbsg, "cens", "1", time = "time", period = 91.3125, link = "cloglog"),
  case("mgus2_years", "mgus2.csv", mgus, "death", "1", time = "futime", period = 12, link = "logit", weights = TRUE),
  case("colon_polynomial", "colon.csv", colon, "status", "1", time = "time", period = 60, link = "cloglog", baseline = "polynomial", degree = 3),
  case("km_channing_entry", "km_channing.csv", columns("gender"), "death", "1", entry = "ageentry", time = "age", period = 12, link = "logit"))
wanted <- commandArgs(TRUE)
for (one in cases) if (length(wanted) == 0 || one$name %in% wanted) run(one)
