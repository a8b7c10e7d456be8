# Reference answers for competing risks: Rscript tests/golden/competing_risks.R (R 4.2.2, survival 3.5-3, cmprsk 2.2-11).
# Writes tests/golden/competing_risks/<set>.json; crates/engine/tests/competing_risks reads them with the rows they name.
suppressPackageStartupMessages({ library(survival); library(cmprsk); library(jsonlite) })
here <- dirname(normalizePath(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE)[1])))
read <- function(file) read.csv(file.path(here, "../data", file), stringsAsFactors = FALSE)
tight <- coxph.control(eps = 1e-13, iter.max = 60, toler.chol = 1e-14)

# Rows of a set: entry (or NULL), time, cause (0 censored), weight (or NULL), group (or NULL), x (matrix or NULL).
sets <- list(
  mgus2 = function() {
    d <- read("mgus2.csv")
    list(time = d$etime, cause = d$event_type, group = d$sex, x = cbind(age = d$age, male = d$sex == "M"),
         times = c(0, 12, 60, 120, 180, 240, 300), tau = 240, fine_gray = c(1, 2))
  },
  mgus2_blood = function() {
    d <- read("mgus2.csv"); d <- d[complete.cases(d[c("hgb", "creat", "mspike")]), ]
    list(time = d$etime, cause = d$event_type, group = cut(d$dxyr, c(0, 1975, 1985, 3000), labels = FALSE),
         x = as.matrix(d[c("age", "hgb", "creat", "mspike")]), times = c(24, 100.5, 200), tau = 150, fine_gray = c(1, 2))
  },
  transplant = function() {
    d <- read("transplant.csv"); d <- d[!is.na(d$age), ]
    list(time = d$futime, cause = d$event_type, group = d$abo,
         x = cbind(age = d$age, male = d$sex == "m", year = d$year, o = d$abo == "O"),
         times = c(30, 90, 180, 365, 730, 1095), tau = 730, fine_gray = 1:3)
  },
  unemployment = function() {
    d <- read("unemp_dur_mccall.csv")
    cause <- ifelse(d$censor1 == 1, 1, ifelse(d$censor2 == 1, 2, ifelse(d$censor3 == 1, 3, 0)))
    list(time = d$spell, cause = cause, group = d$ui,
         x = cbind(age = d$age, ui = d$ui == "yes", reprate = d$reprate, logwage = d$logwage, tenure = d$tenure),
         times = c(1, 5, 10, 20), tau = 25, fine_gray = 1:2)
  },
  colon = function() {
    d <- read("colon.csv"); r <- d[d$etype == 1, ]; s <- d[d$etype == 2, ]; s <- s[match(r$id, s$id), ]
    cause <- ifelse(r$status == 1, 1, ifelse(s$status == 1 & s$time == r$time, 2, 0))
    list(time = r$time, cause = cause, group = r$rx, x = cbind(age = r$age, lev = r$rx == "Lev", fu = r$rx == "Lev+5FU",
         sex = r$sex, node4 = r$node4), times = c(200, 1000, 2500), tau = 2000, fine_gray = 1:2)
  },
  jasa = function() {  # waiting for a heart: transplanted, or died before
    d <- read("jasa.csv")
    time <- ifelse(d$transplant == 1, d$wait_time, d$futime)
    cause <- ifelse(d$transplant == 1, 1, ifelse(d$fustat == 1, 2, 0))
    list(time = time, cause = cause, group = d$surgery, x = cbind(age = d$age, surgery = d$surgery),
         times = c(5, 30, 100), tau = 100, fine_gray = 1:2)
  },
  mgus2_by_age = function() {  # on the clock of age, seen from the diagnosis on: delayed entry
    d <- read("mgus2.csv"); d <- d[d$age >= 60, ]
    list(entry = 12 * d$age, time = 12 * d$age + d$etime, cause = d$event_type, x = cbind(male = d$sex == "M", year = d$dxyr),
         times = 12 * c(62.5, 65, 70, 80, 90), tau = 12 * 80, fine_gray = 1:2)
  },
  mgus2_weighted = function() {  # each row so often: R is given the rows repeated
    d <- read("mgus2.csv")[1:400, ]
    list(time = d$etime, cause = d$event_type, weight = 1 + d$id %% 3, x = cbind(age = d$age, male = d$sex == "M"),
         times = c(12, 60, 120), tau = 120, fine_gray = 1)
  },
  one_by_one = function()  # SAS PROC LIFETEST's and lifelines' small case
    list(time = 1:6, cause = c(0, 1, 1, 2, 2, 0), times = 1:6, tau = 5, fine_gray = integer()),
  all_ended = function()  # nobody is left, so that everything is known for ever
    list(time = c(2, 2, 3, 4, 4, 4, 7, 9), cause = c(1, 2, 1, 1, 2, 3, 2, 1), group = rep(1:2, 4), times = c(1, 2, 4, 9, 20),
         tau = 12, fine_gray = integer())
)

incidence_with_entry <- function(s) {
  causes <- sort(unique(s$cause[s$cause > 0]))
  fit <- survfit(Surv(s$entry, s$time, factor(s$cause, c(0, causes))) ~ 1, id = seq_along(s$time))
  at <- summary(fit, times = s$times, extend = TRUE)
  list(subjects = length(s$time), events = as.vector(table(factor(s$cause, c(0, causes)))), causes = causes, times = s$times,
       at_risk = sapply(s$times, function(t) { next_exit <- min(s$time[s$time >= t], max(s$time)); sum(s$time >= t & s$entry < min(c(s$time, s$entry)[c(s$time, s$entry) >= t])) }),
       incidence = t(at$pstate[, -1, drop = FALSE]), event_free = at$pstate[, 1], tau = s$tau)
}

repeated <- function(s) {
  again <- rep(seq_along(s$time), s$weight)
  list(time = s$time[again], cause = s$cause[again], x = s$x[again, , drop = FALSE], times = s$times, tau = s$tau, fine_gray = s$fine_gray)
}

incidence <- function(s) {
  if (!is.null(s$entry)) return(incidence_with_entry(s))
  causes <- sort(unique(s$cause[s$cause > 0]))
  fit <- survfit(Surv(s$time, factor(s$cause, c(0, causes))) ~ 1)
  at <- summary(fit, times = s$times, extend = TRUE)
  log_log <- survfit(Surv(s$time, factor(s$cause, c(0, causes))) ~ 1, conf.type = "log-log")
  at_log_log <- summary(log_log, times = s$times, extend = TRUE)
  # The areas under the curves up to tau, and their infinitesimal jackknife.
  each <- survfit(Surv(s$time, factor(s$cause, c(0, causes))) ~ 1, influence = TRUE)
  steps <- diff(c(0, pmin(each$time, s$tau), max(s$tau, each$time)))
  area <- function(rows, start) as.vector(rbind(start, rows)[seq_along(steps), , drop = FALSE] |> sweep(1, pmin(steps, pmax(0, s$tau - c(0, each$time))), "*") |> colSums())
  mean_time <- area(each$pstate, c(1, rep(0, length(causes))))
  influence <- each$influence.pstate
  if (dim(influence)[2] == length(each$time) + 1) influence <- influence[, -1, , drop = FALSE]
  mean_time_se <- sqrt(colSums(t(apply(influence, 1, function(u) area(matrix(u, nrow = length(each$time)), rep(0, length(causes) + 1))))^2))
  cum <- cuminc(s$time, s$cause)
  aalen <- lapply(causes, function(k) {
    curve <- cum[[paste("1", k)]]
    sapply(s$times, function(t) curve$var[max(which(curve$time <= t))])
  })
  list(subjects = length(s$time), events = as.vector(table(factor(s$cause, c(0, causes)))), causes = causes, times = s$times,
       at_risk = sapply(s$times, function(t) sum(s$time >= t)),
       incidence = t(at$pstate[, -1, drop = FALSE]), std_err = t(at$std.err[, -1, drop = FALSE]), event_free = at$pstate[, 1],
       lower_log_log = t(at_log_log$lower[, -1, drop = FALSE]), upper_log_log = t(at_log_log$upper[, -1, drop = FALSE]),
       std_err_aalen = sqrt(do.call(rbind, aalen)), tau = s$tau, mean_time = mean_time, mean_time_se = mean_time_se)
}

gray <- function(s) lapply(c(0, 1, -0.5), function(rho) {
  tests <- cuminc(s$time, s$cause, s$group, rho = rho)$Tests
  list(rho = rho, cause = as.integer(rownames(tests)), chi_squared = tests[, "stat"], df = tests[, "df"], p_value = tests[, "pv"])
})

expand <- function(s, k, x = s$x) {
  d <- data.frame(time = s$time, cause = factor(s$cause, sort(unique(c(0, s$cause)))), id = seq_along(s$time), x)
  if (is.null(s$entry)) return(finegray(Surv(time, cause) ~ ., data = d, etype = as.character(k)))
  d$entry <- s$entry; d$row <- d$id
  rows <- finegray(Surv(entry, time, cause) ~ ., data = d, etype = as.character(k), id = row)
  rows[rows$fgstop > rows$fgstart, ]
}

fine_gray <- function(s, k) {
  rows <- expand(s, k)
  terms <- colnames(s$x)
  formula <- reformulate(terms, "Surv(fgstart, fgstop, fgstatus)")
  fits <- lapply(c(efron = "efron", breslow = "breslow"), function(ties) {
    f <- coxph(formula, rows, weights = fgwt, cluster = id, ties = ties, control = tight)
    by_row <- coxph(formula, rows, weights = fgwt, ties = ties, control = tight)
    profile <- as.data.frame(rbind(colMeans(s$x), s$x[1, ]))
    curve <- survfit(f, newdata = profile, se.fit = TRUE)
    at <- summary(curve, times = s$times[s$times > 0], extend = TRUE)
    list(coef = unname(coef(f)), robust_se = unname(sqrt(diag(f$var))), naive_se = unname(sqrt(diag(f$naive.var))),
         robust_se_without_cluster = unname(sqrt(diag(by_row$var))), var = f$var, loglik = f$loglik,
         wald = f$wald.test, profile = as.matrix(profile), times = s$times[s$times > 0],
         incidence = t(1 - at$surv), log_std_err = t(at$std.err / at$surv))
  })
  centred <- scale(s$x * 1, scale = FALSE)  # crr's Newton needs small numbers
  if (!is.null(s$entry)) return(c(list(cause = k, terms = terms), fits))
  crr <- crr(s$time, s$cause, centred, failcode = k, gtol = 1e-12, maxiter = 100)
  c(list(cause = k, terms = terms), fits,
    list(crr = list(coef = unname(crr$coef), se = unname(sqrt(diag(crr$var))), loglik = crr$loglik)))
}

cause_specific <- function(s, k) {
  d <- data.frame(time = s$time, status = as.integer(s$cause == k), s$x)
  if (!is.null(s$entry)) d$entry <- s$entry
  f <- coxph(reformulate(colnames(s$x), if (is.null(s$entry)) "Surv(time, status)" else "Surv(entry, time, status)"), d, control = tight)
  list(cause = k, coef = unname(coef(f)), se = unname(sqrt(diag(f$var))), loglik = f$loglik)
}

dir.create(file.path(here, "competing_risks"), showWarnings = FALSE)
for (name in names(sets)) {
  s <- sets[[name]]()
  s$time <- as.numeric(s$time)
  out <- list(set = name, software = paste(R.version.string, "survival", packageVersion("survival"), "cmprsk", packageVersion("cmprsk")),
              rows = c(list(time = s$time, cause = s$cause), if (!is.null(s$entry)) list(entry = s$entry), if (!is.null(s$weight)) list(weight = s$weight), if (!is.null(s$group)) list(group = as.character(s$group)),
                       if (!is.null(s$x)) list(x = unname(s$x * 1))),
              incidence = incidence(if (is.null(s$weight)) s else repeated(s)))
  if (!is.null(s$group)) out$gray <- gray(s)
  # Efron's ties and robust errors tell a weighted row from a repeated one; Breslow's coefficients do not.
  out$fine_gray <- if (is.null(s$weight)) lapply(s$fine_gray, function(k) fine_gray(s, k)) else
    lapply(s$fine_gray, function(k) { f <- fine_gray(repeated(s), k); list(cause = k, breslow = f$breslow[c("coef", "naive_se", "loglik")]) })
  if (is.null(s$weight)) out$cause_specific <- lapply(s$fine_gray, function(k) cause_specific(s, k))
  write(toJSON(out, digits = NA, auto_unbox = TRUE, na = "null", matrix = "rowmajor"), file.path(here, "competing_risks", paste0(name, ".json")))
}
