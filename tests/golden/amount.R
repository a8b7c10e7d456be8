# Reference answers for models of amounts: R's glm (gaussian, Gamma(log), statmod's tweedie(p, 0), binomial) on the rows of a CSV file.
# Run in this directory: Rscript amount.R. Needs jsonlite and statmod.
#
# Weights are repetitions: the dispersion divides by sum(w) - rank, where glm divides by n - rank. The Tweedie density is written out as a Poisson number of gammas
# (not as the series of the engine), its dispersion found by optimize; the penalised fits are Newton's method on the penalised quasi-likelihood.
suppressMessages({ library(jsonlite); library(statmod) })
number <- function(x) if (length(x) == 0) NULL else I(as.numeric(x))

read <- function(case) {
  d <- if (case$csv == "longley") longley else read.csv(file.path("..", "data", case$csv), stringsAsFactors = FALSE)
  X <- sapply(case$covariates, function(c) if (is.null(c$level)) suppressWarnings(as.numeric(d[[c$column]])) else as.numeric(d[[c$column]] == c$level))
  X <- matrix(X, nrow = nrow(d))
  i <- seq_len(nrow(d))
  y <- suppressWarnings(as.numeric(d[[case$amount]]))
  w <- if (isTRUE(case$weights)) 1 + i %% 3 else rep(1, nrow(d))
  o <- if (isTRUE(case$offsets)) 0.1 * (i %% 5) else rep(0, nrow(d))
  keep <- !is.na(y) & !apply(is.na(X), 1, any) & (y > 0 | !isTRUE(case$positive))
  list(X = X[keep, , drop = FALSE], y = y[keep], w = w[keep], o = o[keep])
}

family_of <- function(case) switch(case$family, linear = gaussian(), gamma = Gamma("log"), tweedie = tweedie(case$power, 0))
power_of <- function(case) switch(case$family, linear = 0, gamma = 2, tweedie = case$power)

# ln f of a Poisson number of gammas: lambda = mu^(2-p)/(phi (2-p)), each of shape a = (2-p)/(p-1) and scale phi (p-1) mu^(p-1).
tweedie_log_density <- function(y, mu, phi, p) {
  lambda <- mu^(2 - p) / (phi * (2 - p)); a <- (2 - p) / (p - 1); s <- phi * (p - 1) * mu^(p - 1)
  mapply(function(y, l, s) {
    if (y == 0) return(-l)
    n <- 1:max(200, ceiling(3 * max(y^(2 - p) / (phi * (2 - p)), l)))
    t <- dpois(n, l, log = TRUE) + dgamma(y, n * a, scale = s, log = TRUE)
    max(t) + log(sum(exp(t - max(t))))
  }, y, lambda, s)
}

climb <- function(d, p, ridge) {
  B <- cbind(1, scale(d$X, TRUE, FALSE)); b <- c(if (p == 0) mean(d$y) else log(weighted.mean(d$y, d$w)), rep(0, ncol(d$X)))
  # Ridge on the coefficients per standard deviation about the weighted mean.
  sds <- apply(d$X, 2, function(x) sqrt(weighted.mean((x - weighted.mean(x, d$w))^2, d$w)))
  P <- diag(c(0, ridge * sds^2), length(b))
  for (k in 1:200) {
    eta <- drop(B %*% b) + d$o
    if (p == 0) { u <- d$y - eta; h <- rep(1, length(u)) }
    else { u <- d$y * exp((1 - p) * eta) - exp((2 - p) * eta); h <- (p - 1) * d$y * exp((1 - p) * eta) + (2 - p) * exp((2 - p) * eta) }
    step <- solve(crossprod(B, B * (d$w * h)) + P, drop(crossprod(B, d$w * u)) - drop(P %*% b))
    b <- b + step
  }
  eta <- drop(B %*% b) + d$o; h <- if (p == 0) rep(1, length(eta)) else exp((2 - p) * eta)
  A <- diag(length(b)); A[1, -1] <- -colMeans(d$X)
  list(b = drop(A %*% b), V = A %*% solve(crossprod(B, B * (d$w * h)) + P) %*% t(A), mu = if (p == 0) eta else exp(eta))
}

one <- function(case, d) {
  p <- power_of(case)
  if (is.null(case$penalty)) {
    f <- suppressWarnings(glm(d$y ~ d$X, family = family_of(case), weights = d$w, offset = d$o, epsilon = 1e-9, maxit = 200, mustart = if (case$family == "tweedie") pmax(d$y, 0.1) else NULL))
    # Scoring steps from where glm stopped: its own criterion looks at the deviance only, and a tighter one (its qr has tol epsilon / 1000) would see no collinearity.
    X <- model.matrix(f)[, !is.na(coef(f)), drop = FALSE]; b <- coef(f)[!is.na(coef(f))]
    for (k in 1:80) {
      eta <- drop(X %*% b) + d$o
      if (p == 0) { u <- d$y - eta; h <- rep(1, length(u)) } else { u <- d$y * exp((1 - p) * eta) - exp((2 - p) * eta); h <- exp((2 - p) * eta) }
      q <- qr(X * sqrt(d$w * h), tol = 1e-14)
      b <- b + qr.coef(q, sqrt(d$w / h) * u)
    }
    eta <- drop(X %*% b) + d$o; mu <- if (p == 0) eta else exp(eta)
    h <- if (p == 0) rep(1, length(eta)) else exp((2 - p) * eta)
    q <- qr(X * sqrt(d$w * h), tol = 1e-14); R <- qr.R(q); V <- chol2inv(R)[order(q$pivot), order(q$pivot)]
    rank <- length(b); coefficients <- coef(f); coefficients[!is.na(coefficients)] <- b
    dev <- sum(f$family$dev.resids(d$y, mu, d$w)); null <- f$null.deviance
  } else {
    c <- climb(d, p, case$penalty); mu <- c$mu; V <- c$V; coefficients <- c$b; rank <- length(c$b); b <- c$b
    dev <- sum(family_of(case)$dev.resids(d$y, mu, d$w))
    null <- suppressWarnings(glm(d$y ~ 1, family = family_of(case), weights = d$w, offset = d$o, epsilon = 1e-15, maxit = 100))$deviance
  }
  n <- sum(d$w)
  phi <- sum(d$w * (d$y - mu)^2 / mu^p) / (n - rank)
  se <- rep(NA, length(coefficients)); se[!is.na(coefficients)] <- sqrt(diag(V) * phi)
  ll <- switch(case$family,
    linear = -n / 2 * (log(2 * pi * dev / n) + 1),
    gamma = sum(d$w * dgamma(d$y, n / dev, scale = mu * dev / n, log = TRUE)),
    tweedie = if (length(d$y) > 1000) NULL else {
      at <- function(t) sum(d$w * tweedie_log_density(d$y, mu, exp(t), case$power))
      optimize(at, log(phi) + c(-1.5, 1.5), maximum = TRUE, tol = 1e-10)$objective })
  x <- colMeans(d$X) + apply(d$X, 2, sd); eta <- coefficients[1] + sum(coefficients[-1] * x, na.rm = TRUE)
  direction <- c(1, x)[!is.na(coefficients)]
  list(x = number(x), coefficients = number(coefficients[-1]), se = number(se[-1]), intercept = coefficients[[1]], intercept_se = se[[1]], dispersion = phi, deviance = dev,
       null_deviance = null, log_likelihood = ll, eta = eta, eta_se = sqrt(phi * drop(direction %*% V %*% direction)), expected = if (p == 0) eta else exp(eta), rows = length(d$y))
}

telco <- list(list(column = "tenure"), list(column = "senior_citizen"), list(column = "contract", level = "One year"), list(column = "contract", level = "Two year"), list(column = "internet_service", level = "Fiber optic"))
calls <- list(list(column = "call_failure"), list(column = "complains"), list(column = "subscription_length"), list(column = "frequency_of_use"), list(column = "age"))
body <- list(list(column = "age"), list(column = "sex"), list(column = "ph_ecog"))
cases <- list(
  list(name = "linear_telco", csv = "telco_customer_churn.csv", amount = "monthly_charges", covariates = telco, family = "linear"),
  list(name = "linear_telco_weights", csv = "telco_customer_churn.csv", amount = "monthly_charges", covariates = telco, family = "linear", weights = TRUE, offsets = TRUE),
  list(name = "linear_lung_negative", csv = "lung.csv", amount = "wt_loss", covariates = body, family = "linear"),
  list(name = "linear_longley", csv = "longley", amount = "Employed", covariates = lapply(names(longley)[1:6], function(c) list(column = c)), family = "linear"),
  list(name = "linear_lung_collinear", csv = "lung.csv", amount = "meal_cal", covariates = c(body, list(list(column = "sex", level = 1), list(column = "age"))), family = "linear"),
  list(name = "linear_lung_ridge", csv = "lung.csv", amount = "meal_cal", covariates = body, family = "linear", penalty = 25),
  list(name = "gamma_telco", csv = "telco_customer_churn.csv", amount = "monthly_charges", covariates = telco, family = "gamma"),
  list(name = "gamma_telco_weights", csv = "telco_customer_churn.csv", amount = "monthly_charges", covariates = telco, family = "gamma", weights = TRUE, offsets = TRUE),
  list(name = "gamma_lung", csv = "lung.csv", amount = "meal_cal", covariates = body, family = "gamma"),
  list(name = "gamma_lung_ridge", csv = "lung.csv", amount = "meal_cal", covariates = body, family = "gamma", penalty = 10),
  list(name = "gamma_iranian_positive", csv = "iranian_churn.csv", amount = "customer_value", covariates = calls, family = "gamma", positive = TRUE),
  list(name = "tweedie_iranian", csv = "iranian_churn.csv", amount = "customer_value", covariates = calls, family = "tweedie", power = 1.5),
  list(name = "tweedie_iranian_low", csv = "iranian_churn.csv", amount = "customer_value", covariates = calls, family = "tweedie", power = 1.15, weights = TRUE, offsets = TRUE),
  list(name = "tweedie_lung", csv = "lung.csv", amount = "time", covariates = body, family = "tweedie", power = 1.8),
  list(name = "tweedie_heart_ridge", csv = "heart.csv", amount = "stop", covariates = list(list(column = "age"), list(column = "year")), family = "tweedie", power = 1.4, penalty = 5),
  list(name = "tweedie_heart", csv = "heart.csv", amount = "start", covariates = list(list(column = "age"), list(column = "year"), list(column = "surgery")), family = "tweedie", power = 1.6),
  list(name = "two_part_iranian", csv = "iranian_churn.csv", amount = "customer_value", covariates = calls[c(2, 3, 5)], family = "gamma", two_part = TRUE),
  list(name = "two_part_heart", csv = "heart.csv", amount = "start", covariates = list(list(column = "age"), list(column = "year")), family = "linear", two_part = TRUE))
dir.create("amount", showWarnings = FALSE)
for (case in cases) {
  d <- read(case)
  answer <- if (isTRUE(case$two_part)) {
    k <- d$y > 0
    f <- glm(k ~ d$X, family = binomial(), weights = d$w, epsilon = 1e-14, maxit = 100); V <- vcov(f)
    part <- one(case, list(X = d$X[k, , drop = FALSE], y = d$y[k], w = d$w[k], o = d$o[k]))
    x <- colMeans(d$X) + apply(d$X, 2, sd); log_odds <- sum(coef(f) * c(1, x)); p <- plogis(log_odds)
    g <- if (case$family == "linear") gaussian() else Gamma("log")
    h <- glm(d$y[k] ~ d$X[k, ], family = g, weights = d$w[k], epsilon = 1e-16, maxit = 100)
    eta <- sum(coef(h) * c(1, x)); m <- g$linkinv(eta)
    list(x = number(x), occurrence = number(coef(f)[-1]), occurrence_se = number(sqrt(diag(V))[-1]), occurrence_intercept = coef(f)[[1]], part = part,
         probability = p, expected = p * m, variances = number(c(drop(c(1, x) %*% V %*% c(1, x)), drop(c(1, x) %*% vcov(h) %*% c(1, x)))))
  } else one(case, d)
  if (case$csv == "longley") case$rows_given <- unname(as.matrix(longley))
  write_json(c(case, answer), file.path("amount", paste0(case$name, ".json")), digits = NA, auto_unbox = TRUE, null = "null", na = "null")
  cat(case$name, "\n")
}
