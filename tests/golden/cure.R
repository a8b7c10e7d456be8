# Reference answers for mixture cure models: the likelihood written out, maximised by optim and polished by Newton's
# method with its gradient written out and the Jacobian of that by numDeriv. Run in this directory: Rscript cure.R. Needs jsonlite and numDeriv.
#
# S(t) = pi + (1 - pi) S0(t), logit(pi) linear in the cure covariates, the location of ln t in the time covariates.
suppressMessages({ library(jsonlite); library(numDeriv) })

log_s0 <- function(dist, z) switch(dist, weibull = -exp(z), exponential = -exp(z), lognormal = pnorm(z, lower = FALSE, log = TRUE), loglogistic = plogis(-z, log = TRUE))
log_f0 <- function(dist, z) switch(dist, weibull = z - exp(z), exponential = z - exp(z), lognormal = dnorm(z, log = TRUE), loglogistic = dlogis(z, log = TRUE))
# As plogis, for complex numbers too.
logistic <- function(x) 1 / (1 + exp(-x))
# Slopes of ln S0 and ln f0 in z.
slope_s0 <- function(dist, z) switch(dist, weibull = -exp(z), exponential = -exp(z), lognormal = -exp(dnorm(z, log = TRUE) - pnorm(z, lower = FALSE, log = TRUE)), loglogistic = -logistic(z))
slope_f0 <- function(dist, z) switch(dist, weibull = 1 - exp(z), exponential = 1 - exp(z), lognormal = -z, loglogistic = 1 - 2 * logistic(z))

run <- function(case) {
  d <- read.csv(file.path("..", "data", case$csv), stringsAsFactors = FALSE)
  X <- sapply(case$covariates, function(c) if (is.null(c$level)) as.numeric(d[[c$column]]) else as.numeric(d[[c$column]] == c$level))
  if (length(case$covariates) == 0) X <- matrix(0, nrow(d), 0)
  time <- as.numeric(d[[case$time]]); y <- as.numeric(d[[case$event]] == case$event_is)
  keep <- !apply(is.na(X), 1, any) & time > 0
  X <- X[keep, , drop = FALSE]; time <- time[keep]; y <- y[keep]
  w <- if (isTRUE(case$weights)) 1 + (which(keep) %% 3) / 2 else rep(1, length(y))
  on_cure <- X[, unlist(case$cure), drop = FALSE]; on_time <- X[, unlist(case$location), drop = FALSE]
  a <- ncol(on_time); b <- ncol(on_cure); dist <- case$distribution
  shaped <- dist != "exponential"
  # Centred and scaled, so that optim and numDeriv have an easy time; the answer is turned back.
  s_t <- apply(on_time, 2, sd); s_c <- apply(on_cure, 2, sd)
  m_t <- colMeans(on_time); m_c <- colMeans(on_cure)
  Z_t <- sweep(sweep(on_time, 2, m_t), 2, s_t, "/"); Z_c <- sweep(sweep(on_cure, 2, m_c), 2, s_c, "/")
  minus <- function(theta, Zt = Z_t, Zc = Z_c) {
    mu <- theta[1] + drop(Zt %*% theta[1 + seq_len(a)])
    ls <- if (shaped) theta[a + 2] else 0
    k <- 1 + a + shaped
    eta <- theta[k + 1] + drop(Zc %*% theta[k + 1 + seq_len(b)])
    z <- (log(time) - mu) / exp(ls)
    alive <- plogis(-eta, log = TRUE)
    died <- alive + log_f0(dist, z) - ls - log(time)
    l1 <- plogis(eta, log = TRUE); l2 <- alive + log_s0(dist, z); m <- pmax(l1, l2)
    -sum(w * ifelse(y == 1, died, m + log(exp(l1 - m) + exp(l2 - m))))
  }
  slope <- function(theta) {
    mu <- theta[1] + drop(Z_t %*% theta[1 + seq_len(a)])
    ls <- if (shaped) theta[a + 2] else 0
    k <- 1 + a + shaped
    eta <- theta[k + 1] + drop(Z_c %*% theta[k + 1 + seq_len(b)])
    z <- (log(time) - mu) / exp(ls)
    s0 <- if (dist == "loglogistic") logistic(-z) else exp(log_s0(dist, z))
    share <- logistic(eta); s <- share + (1 - share) * s0
    in_z <- w * ifelse(y == 1, slope_f0(dist, z), (1 - share) * s0 / s * slope_s0(dist, z))
    in_eta <- w * ifelse(y == 1, -share, share * (1 - share) * (1 - s0) / s)
    -c(colSums(cbind(1, Z_t) * -in_z / exp(ls)), if (shaped) sum(-in_z * z - w * y), colSums(cbind(1, Z_c) * in_eta))
  }
  # By complex steps exact, but R has no complex normal distribution.
  curvature <- function(theta) if (dist == "lognormal") jacobian(slope, theta) else jacobian(slope, theta, method = "complex")
  best <- NULL
  for (share in c(0.1, 0.3, 0.5, 0.7)) for (spread in c(-1, 0)) {
    start <- c(mean(log(time[y == 1])), rep(0, a), if (shaped) spread, qlogis(share), rep(0, b))
    fit <- optim(start, minus, method = "BFGS", control = list(maxit = 2000, reltol = 1e-15))
    if (is.null(best) || fit$value < best$value) best <- fit
  }
  theta <- best$par
  for (i in 1:8) {
    step <- solve(curvature(theta), slope(theta))
    theta <- theta - step
  }
  back <- diag(c(1, 1 / s_t, if (shaped) 1, 1, 1 / s_c), length(theta))
  k <- 1 + a + shaped
  if (a > 0) back[1, 1 + seq_len(a)] <- -m_t / s_t
  if (b > 0) back[k + 1, k + 1 + seq_len(b)] <- -m_c / s_c
  V <- solve(curvature(theta))
  answer <- c(case, list(rows = length(y), parameters = I(drop(back %*% theta)), se = I(sqrt(diag(back %*% V %*% t(back)))), log_likelihood = -minus(theta)))
  write_json(answer, file.path("cure", paste0(case$name, ".json")), auto_unbox = TRUE, digits = I(17), na = "null", null = "null")
  cat(case$name, "log-likelihood", format(-minus(theta), digits = 13), "step", max(abs(step)), "gradient", max(abs(slope(theta))), ":", signif(drop(back %*% theta), 6), "\n")
}
columns <- function(...) lapply(c(...), function(name) {
  parts <- strsplit(name, "=")[[1]]
  if (length(parts) == 2) list(column = parts[1], level = parts[2]) else list(column = parts[1], level = NULL)
})
case <- function(name, csv, time, event, event_is, distribution, covariates = list(), location = integer(0), cure = integer(0), ...)
  list(name = name, csv = csv, time = time, event = event, event_is = event_is, distribution = distribution, covariates = covariates, location = I(location), cure = I(cure), ...)
telco <- columns("partner=Yes", "contract=One year", "contract=Two year", "monthly_charges")
colon <- columns("rx=Lev+5FU", "node4", "sex", "extent")
gbsg <- columns("hor_th=yes", "tsize", "pnodes")
cases <- list(
  case("colon_weibull", "colon.csv", "time", "status", "1", "weibull"),
  case("colon_lognormal", "colon.csv", "time", "status", "1", "lognormal"),
  case("colon_loglogistic", "colon.csv", "time", "status", "1", "loglogistic"),
  case("colon_exponential", "colon.csv", "time", "status", "1", "exponential"),
  case("colon_weibull_cure", "colon.csv", "time", "status", "1", "weibull", colon, cure = 1:4),
  case("colon_weibull_both", "colon.csv", "time", "status", "1", "weibull", colon, location = 1:4, cure = 1:4),
  case("colon_lognormal_both", "colon.csv", "time", "status", "1", "lognormal", colon, location = 1:4, cure = 1:4, weights = TRUE),
  case("telco_weibull", "telco_customer_churn.csv", "tenure", "churn", "Yes", "weibull"),
  case("gbsg2_lognormal", "gbsg2_lifelines.csv", "time", "cens", "1", "lognormal", gbsg, location = 1:3, cure = 1:3),
  case("unemployment_lognormal", "unemp_dur_mccall.csv", "spell", "censor1", "1", "lognormal"),
  case("rossi_weibull", "rossi.csv", "week", "arrest", "1", "weibull"))
wanted <- commandArgs(TRUE)
for (one in cases) if (length(wanted) == 0 || one$name %in% wanted) tryCatch(run(one), error = function(e) cat(one$name, "FAILED", conditionMessage(e), "\n"))
