# Reference answers for the parametric models: survreg with tight convergence, and written-out likelihoods maximised by
# optim and polished by Newton steps where survreg has no such model. Writes tests/golden/parametric/*.json.
# Run from the root of the repository: Rscript tests/golden/parametric.R
suppressMessages({ library(survival); library(jsonlite); library(numDeriv) })
dir.create("tests/golden/parametric", showWarnings = FALSE)
read <- function(name) read.csv(file.path("tests/data", paste0(name, ".csv")))
control <- survreg.control(rel.tolerance = 1e-13, maxiter = 200)
emit <- function(case, d, entry, exit, upper, event, weight, x, distribution, names, estimate, covariance, loglik, null = NULL,
                 ancillary = integer(0), knots = NULL, breaks = NULL, tolerance = 1e-7, covariance_tolerance = NULL, curve = NULL) {
  plain <- function(v) if (is.null(v)) NULL else I(as.numeric(v))
  write_json(list(case = case, data = d, distribution = distribution, knots = plain(knots), breaks = plain(breaks),
    ancillary = I(as.integer(ancillary)), entry = plain(entry), exit = plain(exit), upper = plain(upper),
    event = I(as.integer(event)), weight = plain(weight), x = unname(split(x, row(x))), names = I(names),
    estimate = plain(estimate), covariance = plain(covariance), log_likelihood = unbox(loglik),
    log_likelihood_null = if (is.null(null)) NULL else unbox(null), tolerance = unbox(tolerance), covariance_tolerance = if (is.null(covariance_tolerance)) NULL else unbox(covariance_tolerance), curve = curve),
    file.path("tests/golden/parametric", paste0(case, ".json")), digits = NA, auto_unbox = FALSE, null = "null", na = "null")
}
by_survreg <- function(case, d, frame, x, dist, weight = NULL, interval = FALSE) {
  w <- if (is.null(weight)) rep(1, nrow(frame)) else weight
  y <- if (interval) Surv(ifelse(frame$left == 0, NA, frame$left), frame$right, type = "interval2") else Surv(frame$time, frame$event)
  fit <- if (ncol(x)) survreg(y ~ x, weights = w, dist = dist, control = control) else survreg(y ~ 1, weights = w, dist = dist, control = control)
  null <- survreg(y ~ 1, weights = w, dist = dist, control = control)
  scale <- if (dist == "exponential") NULL else log(fit$scale)
  at <- if (interval) quantile(frame$left, c(.3, .6, 1) , names = FALSE) + 1 else quantile(frame$time, c(.2, .5, .9, 1)) * c(1, 1, 1, 1.5)
  emit(case, d, NULL, if (interval) frame$left else frame$time, if (interval) frame$right else NULL,
    if (interval) rep(0, nrow(frame)) else frame$event, weight, x, dist, c("(Intercept)", colnames(x), if (!is.null(scale)) "log(scale)"),
    c(coef(fit), scale), fit$var, fit$loglik[2], null$loglik[2])
}
# A written-out likelihood, maximised to the last digits: Newton steps until the score is 0, which is exact (by complex
# steps, or written out where R has no complex function), with its Jacobian by Richardson (numDeriv).
# `unit` turns the parameters of the likelihood into ours.
by_hand <- function(case, d, loglik, start, distribution, names, ..., tolerance = 1e-7, unit = rep(1, length(start)), score = NULL) {
  f <- function(b) { v <- -loglik(b); if (is.finite(v)) v else 1e10 }
  g <- if (is.null(score)) function(b) grad(function(b) -loglik(b), b, method = "complex") else function(b) -score(b)
  b <- start
  for (i in 1:3) b <- optim(b, f, method = "BFGS", control = list(reltol = 1e-15, maxit = 2000))$par
  for (i in 1:6) b <- b - solve(jacobian(g, b), g(b))
  V <- solve(jacobian(g, b))
  cat(case, "score in standard errors", max(abs(g(b)) * sqrt(diag(V))), "\n")
  emit(case, d, names = names, estimate = b * unit, covariance = diag(unit, length(b)) %*% V %*% diag(unit, length(b)), loglik = -f(b), distribution = distribution, ..., tolerance = tolerance)
}
complete <- function(d) d[complete.cases(d), ]
lung <- complete(with(read("lung"), data.frame(time, event, age, sex, ecog = ph_ecog)))
# Standardised, for the sake of the optimiser.
Z <- function(d, ...) { x <- as.matrix(d[, c(...), drop = FALSE]); x <- sweep(x, 2, colMeans(x)); round(sweep(x, 2, apply(x, 2, sd), `/`), 6) }
none <- function(d) matrix(0, nrow(d), 0)
X <- function(d, ...) as.matrix(d[, c(...), drop = FALSE])
rossi <- with(read("rossi"), data.frame(time = week, event = arrest, fin, age, race, wexp, mar, paro, prio))
ovarian <- with(read("ovarian"), data.frame(time = futime, event = fustat, age, rx, ecog = ecog_ps))
veteran <- with(read("veteran"), data.frame(time, event = status, trt, karno, diagtime, age))
sets <- list(lung = list(lung, c("age", "sex", "ecog")), rossi = list(rossi, c("fin", "age", "race", "wexp", "mar", "paro", "prio")),
  ovarian = list(ovarian, c("ecog", "rx")), veteran = list(veteran, c("trt", "karno", "diagtime", "age")))
for (name in names(sets)) for (dist in c("exponential", "weibull", "lognormal", "loglogistic")) {
  d <- sets[[name]][[1]]
  by_survreg(paste(name, dist, sep = "_"), name, d, X(d, sets[[name]][[2]]), dist)
  if (dist == "weibull") {
    by_survreg(paste(name, "weighted", dist, sep = "_"), name, d, X(d, sets[[name]][[2]]), dist, weight = rep_len(c(1, 2, .5), nrow(d)))
    by_survreg(paste(name, "alone", dist, sep = "_"), name, d, none(d), dist)
  }
}
diabetes <- with(read("diabetes_interval_censored"), data.frame(left, right, male = as.integer(gender == "male")))
exact <- diabetes$left == diabetes$right
# survreg takes exact times among intervals; ours come as events.
for (dist in c("weibull", "lognormal", "loglogistic")) {
  y <- Surv(ifelse(diabetes$left == 0, NA, diabetes$left), ifelse(is.finite(diabetes$right), diabetes$right, NA), type = "interval2")
  fit <- survreg(y ~ male, diabetes, dist = dist, control = control)
  emit(paste0("diabetes_", dist), "diabetes", NULL, diabetes$left, ifelse(exact | !is.finite(diabetes$right), NA, diabetes$right),
    as.integer(exact), NULL, X(diabetes, "male"), dist, c("(Intercept)", "male", "log(scale)"), c(coef(fit), log(fit$scale)), fit$var, fit$loglik[2])
}
# Generalized gamma (Prentice 1974), Gompertz, spline, left truncation, ancillary, cure.
lgg <- function(t, mu, sigma, q) { w <- (log(t) - mu) / sigma; k <- 1 / q^2
  log(abs(q)) - log(sigma) - log(t) + k * log(k) - lgamma(k) + k * (q * w - exp(q * w)) }
sgg <- function(t, mu, sigma, q) { w <- (log(t) - mu) / sigma; k <- 1 / q^2
  if (q > 0) pgamma(k * exp(q * w), k, lower.tail = FALSE, log.p = TRUE) else pgamma(k * exp(q * w), k, log.p = TRUE) }
# The score of the generalized gamma, written out; that of the tail in the shape as the integral of the density's, by
# Gauss and Legendre (nodes by Golub & Welsch 1969) on panels that reach to where nothing is left.
gauss <- { n <- 24; i <- 1:(n - 1); J <- matrix(0, n, n); J[cbind(i, i + 1)] <- J[cbind(i + 1, i)] <- i / sqrt(4 * i^2 - 1); e <- eigen(J, symmetric = TRUE)
  list(x = (e$values + 1) / 2, w = e$vectors[1, ]^2) }
lf <- function(w, q) { k <- 1 / q^2; log(abs(q)) + k * log(k) - lgamma(k) + k * (q * w - exp(q * w)) }
lf_q <- function(w, q) { k <- 1 / q^2; 1 / q - 2 / q^3 * (log(k) + 1 - digamma(k) + q * w - exp(q * w)) + k * w * (1 - exp(q * w)) }
tail_q <- function(w, q) { s <- if (q > 0) pgamma(exp(q * w) / q^2, 1 / q^2, lower.tail = FALSE, log.p = TRUE) else pgamma(exp(q * w) / q^2, 1 / q^2, log.p = TRUE)
  panels <- 24; out <- 0 * w
  far <- function(from) { f <- lf(pmax(from, 0), q); reach <- 1; while (any(lf(pmax(from, 0) + reach, q) - f > -50)) reach <- reach * 1.3; reach }
  width <- (pmax(w, 0) + far(w) - w) / panels
  for (p in 1:panels) for (i in seq_along(gauss$x)) { v <- w + (p - 1 + gauss$x[i]) * width; out <- out + gauss$w[i] * width * exp(lf(v, q) - s) * lf_q(v, q) }
  out }
gg_score <- function(d, x) function(b) { p <- ncol(x); mu <- drop(cbind(1, x) %*% b[1:(p + 1)]); s <- exp(b[p + 2]); q <- b[p + 3]
  w <- (log(d$time) - mu) / s; had <- d$event == 1
  in_w <- ifelse(had, (1 - exp(q * w)) / q, -s * d$time * exp(lgg(d$time, mu, s, q) - sgg(d$time, mu, s, q)))
  c(-colSums(cbind(1, x) * in_w) / s, -sum(in_w * w) - sum(had), sum(lf_q(w[had], q)) + sum(tail_q(w[!had], q))) }
flag <- function(v, yes) as.integer(v == yes)
gbsg2 <- with(read("gbsg2_lifelines"), data.frame(time, event = cens, hormone = flag(hor_th, "yes"), size = tsize, nodes = pnodes))
telco <- with(read("telco_customer_churn"), data.frame(time = tenure, event = flag(churn, "Yes"), partner = flag(partner, "Yes"), paperless = flag(paperless_billing, "Yes")))
telco <- telco[telco$time > 0, ]
unemployment <- with(read("unemp_dur_mccall"), data.frame(time = spell, event = censor1, insured = flag(ui, "yes"), age))
sets <- c(sets, list(gbsg2 = list(gbsg2, c("hormone", "size", "nodes")), telco = list(telco, c("partner", "paperless")), unemployment = list(unemployment, c("insured", "age"))))
for (dist in c("exponential", "weibull", "lognormal", "loglogistic")) by_survreg(paste("gbsg2", dist, sep = "_"), "gbsg2", gbsg2, X(gbsg2, sets$gbsg2[[2]]), dist)
by_survreg("telco_loglogistic", "telco", telco, X(telco, sets$telco[[2]]), "loglogistic")
for (dist in c("weibull", "lognormal")) by_survreg(paste("unemployment", dist, sep = "_"), "unemployment", unemployment, X(unemployment, sets$unemployment[[2]]), dist)
# Tobin's durable goods (1958), normal and censored at 0, as log-normal times of which some are known to be at most 1.
with(tobin, { fit <- survreg(Surv(durable, durable > 0, type = "left") ~ age + quant, dist = "gaussian", control = control); bought <- durable > 0
  emit("tobin_lognormal", "tobin", NULL, ifelse(bought, exp(durable), 0), ifelse(bought, NA, 1), as.integer(bought), NULL, cbind(age, quant), "lognormal",
    c("(Intercept)", "age", "quant", "log(scale)"), c(coef(fit), log(fit$scale)), fit$var, fit$loglik[2] - sum(durable[bought])) })
# Not for unemployment: with spells in whole weeks its likelihood rises on and on as the shape falls to -Inf.
for (name in c("lung", "veteran", "rossi", "ovarian", "gbsg2", "telco")) {
  # With ecog and rx the 26 rows of ovarian take the shape to -26, where R's tail has few digits left.
  d <- sets[[name]][[1]]; x <- if (name == "ovarian") Z(d, "age") else if (name == "telco") X(d, sets$telco[[2]]) else Z(d, sets[[name]][[2]]); p <- ncol(x); base <- survreg(Surv(time, event) ~ x, d, dist = "lognormal")
  by_hand(paste0(name, "_generalized-gamma"), name, function(b) { mu <- drop(cbind(1, x) %*% b[1:(p + 1)]); s <- exp(b[p + 2]); q <- b[p + 3]
    sum(ifelse(d$event == 1, lgg(d$time, mu, s, q), sgg(d$time, mu, s, q))) }, c(coef(base), log(base$scale), 0.5), "generalized-gamma",
    c("(Intercept)", colnames(x), "log(scale)", "shape"), entry = NULL, exit = d$time, upper = NULL, event = d$event, weight = NULL, x = x, score = gg_score(d, x),
    covariance_tolerance = if (name == "telco") 1e-6) # They differ by 4e-7; probably the error of Richardson's Jacobian.
  if (name != "telco") by_hand(paste0(name, "_gompertz"), name, function(b) { lb <- drop(cbind(1, x) %*% b[1:(p + 1)]); a <- b[p + 2] / max(d$time)
    sum(d$event * (lb + a * d$time) - exp(lb) * (exp(a * d$time) - 1) / a) }, c(log(sum(d$event) / sum(d$time)), rep(0, p), 0.1), "gompertz",
    c("(Intercept)", colnames(x), "shape"), entry = NULL, exit = d$time, upper = NULL, event = d$event, weight = NULL, x = x, unit = c(rep(1, p + 1), 1 / max(d$time)))
}
weibull <- function(d, x, z) function(b) { p <- ncol(x); mu <- drop(cbind(1, x) %*% b[1:(p + 1)]); s <- exp(drop(cbind(1, z) %*% b[-(1:(p + 1))]))
  w <- (log(d$time) - mu) / s; e <- if (is.null(d$entry)) 0 else ifelse(d$entry > 0, exp((log(pmax(d$entry, 1e-300)) - mu) / s), 0)
  sum(d$event * (w - log(s) - log(d$time)) - exp(w) + e) }
late <- rossi; late$entry <- ifelse(late$time > 10, 2, 0); x <- Z(late, "fin", "age", "race", "wexp", "mar", "paro", "prio")
by_hand("rossi_entry_weibull", "rossi", weibull(late, x, none(late)), c(4, rep(0, 7), -0.3), "weibull", c("(Intercept)", colnames(x), "log(scale)"),
  entry = late$entry, exit = late$time, upper = NULL, event = late$event, weight = NULL, x = x)
x <- Z(rossi, "fin", "age", "prio")
by_hand("rossi_ancillary_weibull", "rossi", weibull(rossi, x, x[, c(1, 3)]), c(4, rep(0, 3), -0.3, 0, 0), "weibull", c("(Intercept)", colnames(x), "log(scale)", "fin", "prio"),
  entry = NULL, exit = rossi$time, upper = NULL, event = rossi$event, weight = NULL, x = x, ancillary = c(0, 2))
# Royston & Parmar (2002): a natural cubic spline of ln t.
rp <- function(y, k) { low <- min(k); high <- max(k); cube <- function(v) pmax(v, 0)^3; square <- function(v) 3 * pmax(v, 0)^2
  lambda <- function(j) (high - j) / (high - low); inner <- k[-c(1, length(k))]
  list(v = cbind(1, y, sapply(inner, function(j) cube(y - j) - lambda(j) * cube(y - low) - (1 - lambda(j)) * cube(y - high))),
    s = cbind(0, 1, sapply(inner, function(j) square(y - j) - lambda(j) * square(y - low) - (1 - lambda(j)) * square(y - high)))) }
for (scale in c("spline", "spline-odds", "spline-normal")) for (n in 0:2) {
  d <- lung; x <- Z(d, "age", "sex", "ecog"); y <- log(d$time); k <- quantile(y[d$event == 1], seq(0, 1, length.out = n + 2), names = FALSE)
  B <- if (n) rp(y, k) else list(v = cbind(1, y), s = cbind(0, rep(1, length(y)))); m <- n + 2
  like <- function(b) { eta <- drop(B$v %*% b[1:m]) + drop(x %*% b[-(1:m)]); slope <- drop(B$s %*% b[1:m])
    S <- switch(scale, spline = -exp(eta), "spline-odds" = -log(1 + exp(eta)), "spline-normal" = pnorm(-eta, log.p = TRUE))
    f <- switch(scale, spline = eta - exp(eta), "spline-odds" = eta - 2 * log(1 + exp(eta)), "spline-normal" = dnorm(eta, log = TRUE))
    sum(ifelse(d$event == 1, f + log(slope) - y, S)) }
  normal <- function(b) { eta <- drop(B$v %*% b[1:m]) + drop(x %*% b[-(1:m)]); slope <- drop(B$s %*% b[1:m])
    in_eta <- ifelse(d$event == 1, -eta, -exp(dnorm(eta, log = TRUE) - pnorm(-eta, log.p = TRUE)))
    c(colSums(B$v * in_eta) + colSums(B$s * d$event / slope), colSums(x * in_eta)) }
  s0 <- survreg(Surv(time, event) ~ age + sex + ecog, d, dist = c(spline = "weibull", "spline-odds" = "loglogistic", "spline-normal" = "lognormal")[[scale]])
  start <- c(-coef(s0)[1] / s0$scale, 1 / s0$scale, rep(0, n), -coef(s0)[-1] / s0$scale)
  by_hand(paste0("lung_", scale, "_", n), "lung", like, start, scale, c("(Intercept)", paste0("gamma", seq_len(m - 1)), colnames(x)), knots = k, score = if (scale == "spline-normal") normal,
    entry = NULL, exit = d$time, upper = NULL, event = d$event, weight = NULL, x = x)
}
# Piecewise exponential as the Poisson regression that it is.
breaks <- c(15, 30, 40); d <- rossi; x <- Z(d, "fin", "age", "prio"); long <- survSplit(Surv(time, event) ~ ., cbind(d[, c("time", "event")], x), cut = breaks, episode = "piece")
g <- glm(event ~ factor(piece) + fin + age + prio + offset(log(time - tstart)), poisson, long, control = glm.control(epsilon = 1e-14, maxit = 100))
emit("rossi_piecewise", "rossi", NULL, d$time, NULL, d$event, NULL, x, "piecewise-exponential", c("(Intercept)", paste0("ratio", 1:3), colnames(x)), coef(g), vcov(g),
  as.numeric(logLik(g)) - sum(long$event * log(long$time - long$tstart)), breaks = breaks)
# A cured share with Weibull times.
by_hand("rossi_cure_weibull", "rossi", function(b) { s <- exp(b[2]); pi <- 1 / (1 + exp(-b[3])); w <- (log(rossi$time) - b[1]) / s; Su <- exp(-exp(w))
  sum(ifelse(rossi$event == 1, log(1 - pi) + w - log(s) - log(rossi$time) - exp(w), log(pi + (1 - pi) * Su))) }, c(4, -0.4, 0.2), "weibull-cure", c("(Intercept)", "log(scale)", "logit"),
  entry = NULL, exit = rossi$time, upper = NULL, event = rossi$event, weight = NULL, x = none(rossi))
