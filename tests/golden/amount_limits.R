# Reference answers for tests and limits of small models of amounts, where Student's t is not the normal law: R's summary, confint and
# predict of lm, and summary of glm (Gamma(log), statmod's tweedie(p, 0)) with t limits of its predictions on the scale of the link, each on
# rows repeated by their weights. Two parts: the limits of the product by the delta method with Satterthwaite's degrees of freedom.
# Run in this directory: Rscript amount_limits.R. Needs jsonlite and statmod.
suppressMessages({ library(jsonlite); library(statmod) })
lung <- read.csv("../data/lung.csv"); lung <- lung[complete.cases(lung[, c("age", "sex", "ph_ecog", "meal_cal")]), ]
numbers <- function(x) I(as.numeric(x))
data <- function(d, amount, columns, weights = FALSE) list(y = as.numeric(d[[amount]]), X = unname(as.matrix(d[, columns])), w = if (weights) 1 + seq_len(nrow(d)) %% 3 else rep(1, nrow(d)))
repeated <- function(d) { i <- rep(seq_along(d$y), d$w); r <- data.frame(y = d$y[i]); r$X <- d$X[i, , drop = FALSE]; r }
at <- function(d) list(d$X[1, ], colMeans(d$X), colMeans(d$X) + 2 * apply(d$X, 2, sd))

fitted_glm <- function(rows, family) {
  f <- suppressWarnings(glm(y ~ X, data = rows, family = family, epsilon = 1e-15, maxit = 500, mustart = if (family$family == "Tweedie") pmax(rows$y, 0.1) else NULL))
  # Fisher's scoring to the end: glm stops by the deviance.
  M <- model.matrix(f); b <- coef(f)
  for (k in 1:50) { mu <- exp(drop(M %*% b)); h <- mu^2 / family$variance(mu); b <- b + drop(solve(crossprod(M, M * h), crossprod(M, h * (rows$y - mu) / mu))) }
  mu <- exp(drop(M %*% b)); h <- mu^2 / family$variance(mu); df <- nrow(M) - ncol(M); phi <- sum((rows$y - mu)^2 / family$variance(mu)) / df
  list(b = b, V = phi * solve(crossprod(M, M * h)), df = df, glm = f)
}

one <- function(name, d, family, level, power = NULL) {
  rows <- repeated(d); a <- (1 + level) / 2
  if (family == "linear") {
    f <- lm(y ~ X, data = rows); s <- summary(f)$coefficients; k <- confint(f, level = level); df <- f$df.residual; p <- s[, 4]; t <- s[, 3]
    said <- lapply(at(d), function(x) {
      new <- data.frame(y = 0); new$X <- matrix(x, 1); m <- predict(f, new, interval = "confidence", level = level); o <- predict(f, new, interval = "prediction", level = level)
      list(x = numbers(x), value = m[1], limits = numbers(m[2:3]), outcome = numbers(o[2:3])) })
  } else {
    g <- fitted_glm(rows, if (family == "gamma") Gamma("log") else tweedie(power, 0)); se <- sqrt(diag(g$V)); t <- g$b / se; df <- g$df
    p <- 2 * pt(-abs(t), df); k <- cbind(g$b - qt(a, df) * se, g$b + qt(a, df) * se)
    # The law of the test is that of summary.glm.
    stopifnot(max(abs(p - summary(g$glm)$coefficients[, 4])) < 1e-5, colnames(summary(g$glm)$coefficients)[4] == "Pr(>|t|)")
    said <- lapply(at(d), function(x) { v <- c(1, x); eta <- sum(v * g$b); e <- qt(a, df) * sqrt(drop(v %*% g$V %*% v)); list(x = numbers(x), value = exp(eta), limits = numbers(exp(eta + c(-e, e)))) })
  }
  list(name = name, family = family, power = power, level = level, y = numbers(d$y), X = d$X, w = numbers(d$w), df = df, t = numbers(t), p = numbers(p), lower = numbers(k[, 1]), upper = numbers(k[, 2]), said = said)
}

two <- function(name, d, family, level) {
  rows <- repeated(d); some <- rows$y > 0; a <- (1 + level) / 2
  o <- glm(some ~ X, data = rows, family = binomial(), epsilon = 1e-15, maxit = 100); M <- model.matrix(o); odds <- coef(o)
  for (k in 1:50) { p <- plogis(drop(M %*% odds)); V <- solve(crossprod(M, M * p * (1 - p))); odds <- odds + drop(V %*% crossprod(M, some - p)) }
  z <- odds / sqrt(diag(V))
  if (family == "linear") { f <- lm(y ~ X, data = rows[some, ]); g <- list(b = coef(f), V = vcov(f), df = f$df.residual) } else g <- fitted_glm(rows[some, ], Gamma("log"))
  t <- g$b / sqrt(diag(g$V))
  said <- lapply(at(d), function(x) {
    v <- c(1, x); p <- plogis(sum(v * odds)); eta <- sum(v * g$b); m <- if (family == "linear") eta else exp(eta)
    one <- (1 - p)^2 * drop(v %*% V %*% v) * (if (family == "linear") m^2 else 1); other <- drop(v %*% g$V %*% v)
    df <- (one + other)^2 / (other^2 / g$df); e <- qt(a, df) * sqrt(one + other)
    list(x = numbers(x), value = p * m, limits = numbers(if (family == "linear") p * (m + c(-e, e)) else p * m * exp(c(-e, e)))) })
  list(name = name, family = paste("two_part", family), level = level, y = numbers(d$y), X = d$X, w = numbers(d$w), df = g$df, t = numbers(c(z, t)),
       p = numbers(c(2 * pnorm(-abs(z)), 2 * pt(-abs(t), g$df))), said = said)
}

body <- c("age", "sex", "ph_ecog")
losses <- subset(lung, !is.na(wt_loss))[1:30, ]; losses$wt_loss <- pmax(losses$wt_loss, 0)
cases <- list(
  one("lm, 20 rows", data(lung[1:20, ], "meal_cal", body), "linear", 0.9),
  one("lm, 6 rows", data(lung[c(2, 5, 6, 9, 15, 17), ], "meal_cal", body), "linear", 0.95),
  one("lm, 5 rows: one degree of freedom", data(lung[c(2, 5, 9, 13, 20), ], "meal_cal", body), "linear", 0.99),
  one("lm, longley", data(longley, "Employed", names(longley)[1:6]), "linear", 0.95),
  one("lm, repeated", data(lung[20:34, ], "meal_cal", body, TRUE), "linear", 0.8),
  one("glm Gamma(log), 20 rows", data(lung[1:20, ], "meal_cal", body), "gamma", 0.9),
  one("glm Gamma(log), repeated", data(lung[20:31, ], "meal_cal", body, TRUE), "gamma", 0.95),
  one("tweedie(1.5, 0), 30 rows", data(losses, "wt_loss", c("age", "sex")), "tweedie", 0.95, 1.5),
  two("binomial and Gamma(log), 30 rows", data(losses, "wt_loss", c("age", "sex")), "gamma", 0.9),
  two("binomial and lm, repeated", data(losses, "wt_loss", c("age", "sex"), TRUE), "linear", 0.95))
write_json(cases, "amount_limits.json", digits = I(17), auto_unbox = TRUE, null = "null")
cat(length(cases), "cases\n")
