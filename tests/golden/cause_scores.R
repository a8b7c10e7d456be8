# Reference answers for scores of a predicted incidence: Rscript tests/golden/cause_scores.R (R 4.2.2, survival 3.5-3, jsonlite).
# Writes tests/golden/cause_scores/<case>.json; crates/engine/tests/assess/cause_scores.rs reads them with the rows they hold.
# The Brier score is written out after Schoop et al. (2011), formula (4), the concordance pair by pair after Wolbers et al. (2009),
# and once more by survival::concordance, with those of other causes moved beyond everybody.
suppressPackageStartupMessages({ library(survival); library(jsonlite) })
here <- dirname(normalizePath(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE)[1])))
read <- function(file) read.csv(file.path(here, "../data", file), stringsAsFactors = FALSE)

# G by the definition of the product: endings leave before censorings at the same time are at risk.
G <- function(d, t, before) {
  times <- sort(unique(d$time[d$cause == 0])); times <- if (before) times[times < t] else times[times <= t]
  prod(vapply(times, function(s) {
    at_risk <- sum(d$w[d$time > s | d$time == s & d$cause == 0])
    1 - sum(d$w[d$time == s & d$cause == 0]) / at_risk
  }, 0))
}

brier <- function(d, k, f, h) {
  terms <- sapply(seq_len(nrow(d)), function(i) {
    if (d$time[i] > h) return(f[i]^2 / G(d, h, FALSE))
    if (d$cause[i] == 0) return(0)
    ((d$cause[i] == k) - f[i])^2 / G(d, d$time[i], TRUE)
  })
  sum(d$w * terms) / sum(d$w)
}

wolbers <- function(d, k, f) {
  n <- nrow(d); won <- all <- 0
  for (i in which(d$cause == k)) {
    other <- d$cause != 0 & d$cause != k
    later <- d$time > d$time[i] | d$time == d$time[i] & d$cause == 0
    entered <- d$entry == 0 | d$entry < d$time[i]
    pairs <- (later | other) & entered
    weight <- d$w[i] * d$w[pairs]
    won <- won + sum(weight * ((f[i] > f[pairs]) + (f[i] == f[pairs]) / 2)); all <- all + sum(weight)
  }
  won / all
}

by_survival <- function(d, k, f) {
  time <- ifelse(d$cause != 0 & d$cause != k, 10 * max(d$time), d$time)
  s <- if (any(d$entry > 0)) Surv(d$entry, time, d$cause == k) else Surv(time, d$cause == k)
  unname(concordance(s ~ f, weights = d$w, reverse = TRUE)$concordance)
}

cases <- list(
  mgus2 = function() { d <- read("mgus2.csv"); list(d = data.frame(entry = 0, time = d$etime, cause = d$event_type, w = 1), f = plogis(-2 + (d$age - 70) / 40 + (d$sex == "M") / 5), h = c(60, 120, 240)) },
  transplant = function() { d <- read("transplant.csv"); d <- d[!is.na(d$age), ]; list(d = data.frame(entry = 0, time = d$futime, cause = d$event_type, w = 1), f = plogis((d$abo == "O") / 3 + (d$year - 1995) / 8), h = c(90.5, 365)) },
  weighted = function() { d <- read("mgus2.csv")[1:400, ]; list(d = data.frame(entry = 0, time = d$etime, cause = d$event_type, w = 0.25 + d$id %% 3), f = round(plogis(-2 + (d$age - 70) / 40), 1), h = c(60, 100)) },
  late = function() { d <- read("mgus2.csv"); list(d = data.frame(entry = d$id %% 7, time = d$etime + 7, cause = d$event_type, w = 1), f = plogis(d$age / 50 - 2), h = numeric()) }
)
dir.create(file.path(here, "cause_scores"), showWarnings = FALSE)
for (name in names(cases)) {
  s <- cases[[name]](); d <- s$d
  s$f <- round(s$f, 6)  # equal in theory is equal in numbers
  out <- list(entry = d$entry, time = d$time, cause = d$cause, weight = d$w, incidence = s$f,
       scores = lapply(sort(unique(d$cause[d$cause > 0])), function(k) {
         pairs <- wolbers(d, k, s$f); stopifnot(abs(pairs - by_survival(d, k, s$f)) < 1e-12)
         list(cause = k, concordance = pairs, horizons = I(s$h), brier = I(vapply(s$h, function(h) brier(d, k, s$f, h), 0)))
       }))
  write_json(out, file.path(here, "cause_scores", paste0(name, ".json")), digits = NA, auto_unbox = TRUE)
}
