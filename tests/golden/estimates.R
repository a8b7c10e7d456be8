# The reference answers of tests/golden/estimates/: everything that is read off a survival curve, by R's survival.
#
#   Rscript tests/golden/estimates.R           (from the repository's root; R 4.2.2, survival 3.5-3, jsonlite)
#
# The data sets, their columns and preparations are those of tests/golden/*.json. What R has no function for – tests between
# two restricted means (the formulas of survRM2), at a fixed time (Klein et al. 2007), smoothed hazards (Ramlau-Hansen 1983,
# Mueller & Wang 1994) – is written out here from survfit's own numbers.
suppressMessages({library(survival); library(jsonlite)})
transforms <- c("log-log", "log", "plain", "logit", "arcsin")
estimators <- list("kaplan-meier" = c(1, 1), "nelson-aalen" = c(2, 1), "fleming-harrington" = c(2, 2))
level <- 0.95
critical <- qnorm(0.5 + level / 2)
number <- function(x) ifelse(is.finite(x), x, NA)

read_case <- function(golden) {
  d <- read.csv(file.path("tests/data", sub("^csv/", "", golden$csv)), stringsAsFactors = FALSE)
  p <- golden$preparation
  if (startsWith(p, "rows with etype == ")) d <- d[d$etype == as.integer(substr(p, 20, 20)), ]
  if (startsWith(p, "rows with age > ageentry")) d <- d[d$age > d$ageentry, ]
  if (startsWith(p, "food = ")) d$food <- as.integer(d$license_description == "Retail Food Establishment")
  if (startsWith(p, "days = (end_date")) {
    end <- ifelse(d$end_date == "", "2024-12-31", d$end_date)
    d$days <- as.integer(as.Date(end) - as.Date(d$start_date))
    d$event <- as.integer(d$churn_flag == "True")
  }
  column <- function(name) if (is.null(golden$columns[[name]])) NULL else d[[golden$columns[[name]]]]
  start <- column("start")
  group <- column("group")
  list(start = if (is.null(start)) rep(0, nrow(d)) else start, late = !is.null(start) && any(start > 0),
       time = column("time"), event = as.integer(column("event")), group = if (is.null(group)) NULL else as.character(group))
}

# Weights by the row's number, as the test makes them: quarters of which some are whole, and whole ones.
fractional <- function(n) 0.25 + (seq_len(n) * 7) %% 11 / 4
whole <- function(n) 1 + (seq_len(n) * 7) %% 3

fit <- function(d, weights = NULL, estimator = c(1, 1), type = "log-log", robust = NULL) {
  args <- list(formula = if (d$late) Surv(start, time, event) ~ 1 else Surv(time, event) ~ 1, data = as.data.frame(d[c("start", "time", "event")]),
               stype = estimator[1], ctype = estimator[2], conf.type = type, conf.int = level)
  if (!is.null(weights)) { args$data$w <- weights; args$weights <- quote(w) }
  if (!is.null(robust)) args$robust <- robust
  do.call(survfit, args)
}
take <- function(d, rows) list(start = d$start[rows], time = d$time[rows], event = d$event[rows], late = d$late, group = d$group[rows])

at_times <- function(f, times, with_limits = TRUE) {
  i <- sapply(times, function(t) sum(f$time <= t))
  pick <- function(x, before) number(c(before, x)[i + 1])
  se_s <- if (f$logse) f$std.err * f$surv else f$std.err
  se_s[f$surv == 0] <- NA
  r <- list(surv = pick(f$surv, 1), std_err = pick(se_s, 0), cumhaz = pick(f$cumhaz, 0), std_chaz = pick(f$std.chaz, 0))
  if (with_limits) { r$lower <- pick(f$lower, 1); r$upper <- pick(f$upper, 1) }
  r
}

rmst <- function(f, tau) { t <- survival:::survmean(f, rmean = tau)[[1]]; if (is.matrix(t)) t <- t[1, ]; c(mean = t[["rmean"]], se = t[["se(rmean)"]]) }

kernels <- list(
  uniform = function(x, q) 2 / (1 + q)^3 * (3 * (1 - q) * x + 2 * (1 - q + q^2)),
  epanechnikov = function(x, q) 12 / (1 + q)^4 * (x + 1) * (x * (1 - 2 * q) + (3 * q^2 - 2 * q + 1) / 2),
  biweight = function(x, q) 15 / (1 + q)^5 * (x + 1)^2 * (q - x) * (2 * x * (5 * (1 - q) / (1 + q) - 1) + (3 * q - 1) + 5 * (1 - q)^2 / (1 + q)))
smooth <- function(f, at, b, kernel) {
  jump <- diff(c(0, f$cumhaz)); v <- diff(c(0, f$std.chaz^2)); end <- max(f$time)
  t(sapply(at, function(t) {
    q <- min(t / b, (end - t) / b, 1); x <- (t - f$time) / b; if (end - t < b) x <- -x
    k <- ifelse(x >= -1 & x <= q, kernels[[kernel]](x, q), 0) / b
    c(max(0, sum(k * jump)), sqrt(sum(k^2 * v)))
  }))
}

# Silverman's rule for the event times.
default_bandwidth <- function(d, factor) {
  x <- d$time[d$event == 1]; iqr <- diff(as.numeric(quantile(x, c(0.25, 0.75), type = 1))) / 1.349
  s <- if (iqr > 0) min(sd(x), iqr) else sd(x)
  min(factor * s * length(x)^-0.2, max(d$time) / 2)
}
# The infinitesimal jackknife of a smoothed hazard, row by row.
smooth_robust <- function(d, w, at, b) {
  times <- sort(unique(d$time[d$event == 1])); end <- max(d$time)
  n <- sapply(times, function(s) sum(w[d$time >= s])); k <- sapply(times, function(s) sum(w[d$time == s & d$event == 1]))
  per_row <- outer(d$time, times, "==") * d$event / rep(n, each = length(w)) - outer(d$time, times, ">=") * rep(k / n^2, each = length(w))
  t(sapply(at, function(t) {
    q <- min(t / b, (end - t) / b, 1); x <- (t - times) / b; if (end - t < b) x <- -x
    kern <- ifelse(x >= -1 & x <= q, kernels$epanechnikov(x, q), 0) / b
    c(max(0, sum(kern * k / n)), sqrt(sum((w * (per_row %*% kern))^2)))
  }))
}

phi <- list("log-log" = list(function(s) log(-log(s)), function(s) 1 / (s * log(s))), "log" = list(log, function(s) 1 / s),
            "plain" = list(identity, function(s) 1), "logit" = list(qlogis, function(s) 1 / (s * (1 - s))),
            "arcsin" = list(function(s) asin(sqrt(s)), function(s) 0.5 / sqrt(s * (1 - s))))

answers <- function(d) {
  n <- length(d$time); end <- max(d$time); w <- fractional(n); k <- whole(n)
  times <- sort(unique(signif(as.numeric(quantile(d$time, c(0.05, 0.2, 0.4, 0.5, 0.6, 0.8, 0.9, 0.97), type = 1)), 12)))
  repeated <- take(d, rep(seq_len(n), k))
  curves <- lapply(estimators, function(e) {
    plain <- at_times(fit(d, estimator = e), times)
    list(plain = plain, fractional_model = at_times(fit(d, w, e, robust = FALSE), times), whole = at_times(fit(repeated, estimator = e), times),
         # R 3.5-3 takes the standard error of H for that of S when the variance is robust and S = exp(-H) with ctype = 1, so
         # S's error and limits are compared by Kaplan-Meier and by ctype = 2 only.
         fractional_robust = if (d$late) NULL else at_times(fit(d, w, e), times, with_limits = !identical(e, c(2, 1))),
         # Robust may be asked of whole weights too: each is then a sampling weight.
         whole_robust = if (d$late) NULL else at_times(fit(d, k, e, robust = TRUE), times, with_limits = !identical(e, c(2, 1))))
  })
  p <- c(0.1, 0.25, 0.5, 0.75, 0.9)
  quantiles <- lapply(setNames(transforms, transforms), function(type) {
    one <- function(f) { q <- quantile(f, p); list(quantile = number(as.numeric(q$quantile)), lower = number(as.numeric(q$lower)), upper = number(as.numeric(q$upper))) }
    c(list(plain = one(fit(d, type = type))), if (d$late) NULL else list(fractional = one(fit(d, w, type = type))))
  })
  taus <- signif(c(0.3, 0.6, 0.95) * end, 6)
  means <- lapply(taus, function(tau) {
    m <- rmst(fit(d), tau); whole <- rmst(fit(repeated), tau); model <- rmst(fit(d, w), tau)
    robust <- if (d$late) NA else { r <- residuals(fit(d, w), times = tau, type = "rmst"); sqrt(sum((w * r)^2)) }
    list(tau = tau, mean = m[["mean"]], se = m[["se"]], whole_mean = whole[["mean"]], whole_se = whole[["se"]],
         fractional_mean = model[["mean"]], fractional_model_se = model[["se"]], fractional_robust_se = robust)
  })
  f <- fit(d); b <- signif(end / 6, 4); grid <- signif(seq(0, 1, length.out = 11) * end, 8); grid[11] <- end
  smoothed <- lapply(setNames(names(kernels), names(kernels)), function(kernel) {
    s <- smooth(f, grid, b, kernel); list(hazard = s[, 1], se = s[, 2])
  })
  default <- smooth(f, grid, default_bandwidth(d, (8 * sqrt(pi) * 0.6 / (3 * 0.04))^0.2), "epanechnikov")
  smoothed$default <- list(hazard = default[, 1], se = default[, 2])
  if (!d$late && n <= 1500) { s <- smooth_robust(d, w, grid, b); smoothed$robust <- list(hazard = s[, 1], se = s[, 2]) }
  list(n = n, times = times, curves = curves, p = p, quantiles = quantiles, rmst = means, smooth = list(bandwidth = b, times = grid, kernels = smoothed))
}

comparison <- function(d) {
  groups <- sort(unique(d$group)); if (length(groups) < 2) return(NULL)
  a <- take(d, d$group == groups[2]); b <- take(d, d$group == groups[1])
  fa <- fit(a); fb <- fit(b); tau <- signif(0.8 * min(max(a$time), max(b$time)), 6)
  ma <- rmst(fa, tau); mb <- rmst(fb, tau)
  diff <- ma[[1]] - mb[[1]]; se <- sqrt(ma[[2]]^2 + mb[[2]]^2)
  ratio <- function(x, y) { r <- log(x / y); s <- sqrt(ma[[2]]^2 / x^2 + mb[[2]]^2 / y^2)
    list(ratio = exp(r), lower = exp(r - critical * s), upper = exp(r + critical * s), p = 2 * pnorm(-abs(r / s))) }
  t <- signif(as.numeric(quantile(d$time, 0.5, type = 1)), 12)
  one <- function(f) { x <- at_times(f, t, FALSE); c(x$surv, x$std_err) }
  sa <- one(fa); sb <- one(fb)
  fixed <- lapply(phi, function(p) {
    chi <- (p[[1]](sa[1]) - p[[1]](sb[1]))^2 / ((p[[2]](sa[1]) * sa[2])^2 + (p[[2]](sb[1]) * sb[2])^2)
    if (!is.finite(chi)) chi <- NA
    list(chi_squared = chi, p = pchisq(chi, 1, lower.tail = FALSE))
  })
  se_fixed <- sqrt(sa[2]^2 + sb[2]^2)
  list(a = groups[2], b = groups[1], tau = tau,
       difference = list(difference = diff, se = se, z = diff / se, p = 2 * pnorm(-abs(diff / se)), lower = diff - critical * se, upper = diff + critical * se),
       ratio = ratio(ma[[1]], mb[[1]]), lost_ratio = ratio(tau - ma[[1]], tau - mb[[1]]),
       fixed = list(t = t, difference = sa[1] - sb[1], se = se_fixed, lower = sa[1] - sb[1] - critical * se_fixed,
                    upper = sa[1] - sb[1] + critical * se_fixed, transforms = fixed))
}

dir.create("tests/golden/estimates", showWarnings = FALSE)
for (file in list.files("tests/golden", pattern = "[.]json$", full.names = TRUE)) {
  golden <- fromJSON(file, simplifyVector = FALSE)
  if (is.null(golden$km)) next
  name <- sub("[.]json$", "", basename(file)); cat(name, "\n")
  d <- read_case(golden)
  out <- list(script = "Rscript tests/golden/estimates.R", R = R.version.string, survival = as.character(packageVersion("survival")), overall = answers(d))
  if (!is.null(d$group)) out$comparison <- comparison(d)
  write_json(out, file.path("tests/golden/estimates", paste0(name, ".json")), auto_unbox = TRUE, digits = NA, na = "null", pretty = FALSE)
}
