# Reference answers of R's survival (and glmnet) for Cox models with strata, offsets, ties, penalties and rows in parts.
#
#   cd tests && Rscript golden/cox.R
#
# Each case tells the rows it is fitted to: a CSV file of tests/data, the columns of entry, exit, event, weight, stratum and
# offset, and the covariates ("age" is a column, "celltype=large" is 1 where the column holds that). Rows with an empty
# field in any of them are left out. crates/engine/tests/cox/cases_of_r.rs builds the same rows from the same words.

suppressPackageStartupMessages({ library(survival); library(jsonlite) })
set.seed(1)

# Sets that R ships, as CSV; an empty field is a missing value.
export <- function(data, file) {
  names(data) <- tolower(gsub("[.]", "_", names(data)))
  path <- file.path("data", file)
  if (!file.exists(path)) write.csv(data, path, row.names = FALSE, na = "", quote = FALSE)
}
export(infert, "infert.csv")
export(pbc, "pbc.csv")
export(survival::kidney, "kidney.csv")
export(survival::rats, "rats.csv")
export(survival::retinopathy, "retinopathy.csv")
export(survival::cgd[, c("id", "center", "treat", "sex", "age", "height", "weight", "inherit", "steroids", "propylac",
                         "tstart", "tstop", "status", "enum")], "cgd.csv")
# pbcseq as start and stop: each visit's values hold until the next one.
local({
  s <- survival::pbcseq
  stop <- with(s, ave(day, id, FUN = function(d) c(d[-1], NA)))
  last <- is.na(stop)
  s$tstart <- s$day
  s$tstop <- ifelse(last, s$futime, stop)
  s$death <- as.integer(last & s$status == 2)
  export(s[s$tstop > s$tstart, c("id", "trt", "age", "sex", "edema", "bili", "albumin", "protime", "tstart", "tstop", "death")],
         "pbcseq.csv")
})

control <- coxph.control(eps = 1e-13, iter.max = 60, toler.chol = 1e-14)

column <- function(table, word) {
  part <- strsplit(word, "=", fixed = TRUE)[[1]]
  value <- table[[part[1]]]
  if (length(part) == 1) return(as.numeric(value))
  ifelse(is.na(value) | value == "", NA, as.numeric(as.character(value) == part[2]))
}

rows <- function(case) {
  table <- read.csv(file.path("data", case$csv), na.strings = "", colClasses = "character")
  for (filter in case$filter) {
    part <- strsplit(filter, "=", fixed = TRUE)[[1]]
    table <- table[!is.na(table[[part[1]]]) & table[[part[1]]] == part[2], ]
  }
  x <- sapply(case$covariates, function(word) column(table, word))
  stratum <- if (is.null(case$strata)) rep("", nrow(table)) else do.call(paste, c(lapply(case$strata, function(name) ifelse(is.na(table[[name]]), NA, table[[name]])), sep = "|"))
  if (!is.null(case$strata)) for (name in case$strata) stratum[is.na(table[[name]])] <- NA
  data <- list(
    entry = if (is.null(case$entry)) rep(0, nrow(table)) else as.numeric(table[[case$entry]]),
    exit = if (case$exit == "1") rep(1, nrow(table)) else as.numeric(table[[case$exit]]),
    event = column(table, case$event),
    weight = if (is.null(case$weight)) rep(1, nrow(table)) else as.numeric(table[[case$weight]]),
    offset = if (is.null(case$offset)) rep(0, nrow(table)) else as.numeric(table[[case$offset$column]]) * case$offset$factor,
    stratum = stratum, x = unname(x))
  kept <- complete.cases(data.frame(data[c("entry", "exit", "event", "weight", "offset", "stratum")], x)) & data$exit > data$entry
  lapply(data, function(part) if (is.matrix(part)) part[kept, , drop = FALSE] else part[kept])
}

fit_r <- function(case) {
  d <- rows(case)
  surv <- if (any(d$entry > 0)) Surv(d$entry, d$exit, d$event) else Surv(d$exit, d$event)
  x <- d$x
  colnames(x) <- paste0("x", seq_len(ncol(x)))
  frame <- data.frame(x)
  frame$surv <- surv; frame$w <- d$weight; frame$o <- d$offset; frame$s <- factor(d$stratum, sort(unique(d$stratum), method = "radix"))
  terms <- colnames(x)
  if (!is.null(case$theta)) {
    theta <- case$theta
    terms <- paste0("ridge(", paste(terms, collapse = ", "), ", theta = ", theta, ", scale = FALSE)")
  }
  if (!is.null(case$strata)) terms <- c(terms, "strata(s)")
  if (!is.null(case$offset)) terms <- c(terms, "offset(o)")
  formula <- as.formula(paste("surv ~", paste(terms, collapse = " + ")))
  call <- list(formula, data = frame, ties = case$ties, control = control)
  if (!is.null(case$weight)) call$weights <- frame$w
  fit <- do.call(coxph, call)
  answer <- list(rows = fit$n, events = fit$nevent, coef = unname(fit$coefficients), vcov = unname(fit$var),
                 loglik_null = fit$loglik[1], loglik = fit$loglik[2])
  if (is.null(case$theta)) { answer$score <- fit$score; answer$wald <- unname(fit$wald.test) }
  if (isTRUE(case$curves)) {
    # The curve of one row in each stratum; its offset is 0.
    profile <- x[1 + nrow(x) %/% 3, ]
    new <- data.frame(t(profile), o = 0)
    if (!is.null(case$strata)) new <- data.frame(new[rep(1, nlevels(frame$s)), , drop = FALSE], s = factor(levels(frame$s), levels(frame$s)))
    fit$call$data <- frame
    curve <- survfit(fit, newdata = new, se.fit = TRUE, conf.type = "log")
    one <- function(i) {
      part <- if (is.null(case$strata)) curve else curve[i]
      at <- unique(pmin(length(part$time), c(1, 2, 5, ceiling(length(part$time) * c(.25, .5, .75, 1)))))
      list(stratum = if (is.null(case$strata)) NULL else levels(frame$s)[i], time = I(part$time[at]), cumhaz = I(as.vector(part$cumhaz)[at]), std_err = I(as.vector(part$std.err)[at]))
    }
    answer$profile <- unname(profile)
    answer$curves <- lapply(seq_len(if (is.null(case$strata)) 1 else nlevels(frame$s)), one)
  }
  answer
}

lung <- list(csv = "lung.csv", exit = "time", event = "event")
rossi <- list(csv = "rossi.csv", exit = "week", event = "arrest")
veteran <- list(csv = "veteran.csv", exit = "time", event = "status")
case <- function(base, ...) modifyList(modifyList(list(ties = "efron"), base), list(...))
all_rossi <- c("fin", "age", "race", "wexp", "mar", "paro", "prio")
cell <- c("celltype=large", "celltype=smallcell", "celltype=squamous")
heart <- list(csv = "heart.csv", entry = "start", exit = "stop", event = "event", covariates = c("age", "year", "surgery", "transplant"))
cgd <- list(csv = "cgd.csv", entry = "tstart", exit = "tstop", event = "status", covariates = c("treat=rIFN-g", "age", "steroids", "sex=male"))
bladder <- list(csv = "bladder2.csv", entry = "start", exit = "stop", event = "event", covariates = c("rx", "size", "number"))
pbcseq <- list(csv = "pbcseq.csv", entry = "tstart", exit = "tstop", event = "death", covariates = c("age", "edema", "bili", "albumin", "protime"))
pbc <- list(csv = "pbc.csv", exit = "time", event = "status=2", covariates = c("age", "edema", "bili", "albumin", "protime"))
colon <- list(csv = "colon.csv", filter = "etype=2", exit = "time", event = "status", covariates = c("rx=Lev", "rx=Lev+5FU", "age", "obstruct", "nodes"))
infert <- list(csv = "infert.csv", exit = "1", event = "case", strata = "stratum", covariates = c("spontaneous", "induced"))

cases <- list(
  # Strata.
  lung_strata_sex = case(lung, covariates = c("age", "ph_ecog"), strata = "sex", curves = TRUE),
  lung_strata_sex_breslow = case(lung, covariates = c("age", "ph_ecog"), strata = "sex", ties = "breslow", curves = TRUE),
  lung_strata_inst = case(lung, covariates = c("age", "sex", "ph_ecog"), strata = "inst"),
  rossi_strata = case(rossi, covariates = c("fin", "age", "prio"), strata = c("race", "paro", "mar", "wexp")),
  veteran_strata_cell = case(veteran, covariates = c("trt", "karno", "age"), strata = "celltype", curves = TRUE),
  veteran_strata_weighted = case(veteran, covariates = c("trt", "karno"), strata = "celltype", weight = "diagtime"),
  heart_strata = case(heart, strata = "transplant", covariates = c("age", "year", "surgery"), curves = TRUE),
  heart_strata_breslow = case(heart, strata = "transplant", covariates = c("age", "year", "surgery"), ties = "breslow", curves = TRUE),
  bladder2_strata_enum = case(bladder, strata = "enum", curves = TRUE),
  cgd_strata_enum = case(cgd, strata = "enum"),
  cgd_strata_center_offset = case(cgd, strata = "center", offset = list(column = "age", factor = 0.02)),
  colon_strata_extent = case(colon, strata = "extent", curves = TRUE),
  colon_strata_two = case(colon, strata = c("sex", "surg"), ties = "breslow"),
  pbc_strata_edema = case(pbc, strata = "edema", covariates = c("age", "bili", "albumin", "protime"), curves = TRUE),
  pbcseq_strata_sex = case(pbcseq, strata = "sex", curves = TRUE),
  kidney_strata_disease = case(list(csv = "kidney.csv", exit = "time", event = "status", covariates = c("age", "sex")), strata = "disease"),
  rats_litter = case(list(csv = "rats.csv", exit = "time", event = "status", covariates = "rx"), strata = "litter"),
  retinopathy_pairs = case(list(csv = "retinopathy.csv", exit = "futime", event = "status", covariates = c("trt", "risk")), strata = "id"),
  gehan_pairs = case(list(csv = "gehan.csv", exit = "time", event = "cens", covariates = "treat=control"), strata = "pair"),
  # Offsets.
  lung_offset = case(lung, covariates = c("sex", "ph_ecog"), offset = list(column = "age", factor = 0.01), curves = TRUE),
  lung_offset_breslow = case(lung, covariates = c("sex", "ph_ecog"), offset = list(column = "age", factor = 0.3), ties = "breslow"),
  heart_offset = case(heart, covariates = c("year", "transplant"), offset = list(column = "age", factor = -0.05), curves = TRUE),
  rossi_offset_weighted = case(rossi, covariates = c("fin", "prio"), offset = list(column = "age", factor = -0.06), weight = "age"),
  # Rows in parts: covariates that change with time.
  heart_parts = case(heart, curves = TRUE),
  bladder2_parts = case(bladder, curves = TRUE),
  cgd_parts = case(cgd, curves = TRUE),
  pbcseq_parts = case(pbcseq, curves = TRUE),
  pbcseq_parts_breslow = case(pbcseq, ties = "breslow"),
  # Exact ties.
  lung_exact = case(lung, covariates = c("age", "sex", "ph_ecog"), ties = "exact", curves = TRUE),
  rossi_exact = case(rossi, covariates = all_rossi, ties = "exact"),
  gehan_exact = case(list(csv = "gehan.csv", exit = "time", event = "cens", covariates = "treat=control"), ties = "exact"),
  veteran_exact = case(veteran, covariates = c("trt", cell, "karno", "age"), ties = "exact"),
  veteran_exact_strata = case(veteran, covariates = c("trt", "karno", "age"), strata = "celltype", ties = "exact"),
  colon_exact = case(colon, ties = "exact"),
  pbc_exact_offset = case(pbc, ties = "exact", offset = list(column = "age", factor = 0.03), covariates = c("edema", "bili")),
  infert_clogit = case(infert, ties = "exact"),
  infert_education = case(infert, ties = "exact", strata = "education", covariates = c("age", "spontaneous", "induced", "parity")),
  unemployment_exact = case(list(csv = "unemp_dur_mccall.csv", exit = "spell", event = "censor3", covariates = c("age", "ui=yes", "logwage"), strata = "ui"), ties = "exact", covariates = c("age", "logwage", "tenure"))
)
# Penalties on the squares: log-likelihood − theta/2 Σ β².
for (theta in c(0.1, 1, 25)) cases[[paste0("rossi_ridge_", theta)]] <- case(rossi, covariates = all_rossi, ties = "breslow", theta = theta)
cases$lung_ridge <- case(lung, covariates = c("age", "sex", "ph_ecog"), theta = 3)
cases$heart_ridge <- case(heart, theta = 5)
cases$veteran_ridge_strata <- case(veteran, covariates = c("trt", "karno", "age"), strata = "celltype", theta = 10)
cases$pbc_ridge_offset <- case(pbc, covariates = c("edema", "bili", "albumin"), offset = list(column = "age", factor = 0.03), theta = 2)

# Penalties on the absolute values too: glmnet maximises log-likelihood / rows − lambda (…), by ties as Breslow has them.
# glmnet 4.1-6 lets those who are censored at the time of a death leave before it (its answer does not satisfy its own
# conditions by the score of coxph); a thousandth later they are at risk, as everywhere else. Times here are whole or halves.
fit_glmnet <- function(case) {
  suppressPackageStartupMessages(library(glmnet))
  glmnet.control(epsnr = 1e-15, mxitnr = 1000)
  d <- rows(case)
  exit <- d$exit + ifelse(d$event == 1, 0, 0.001)
  y <- if (any(d$entry > 0)) Surv(d$entry, exit, d$event) else Surv(exit, d$event)
  if (!is.null(case$strata)) y <- stratifySurv(y, as.integer(factor(d$stratum)))
  arguments <- list(d$x, y, family = "cox", alpha = case$l1_ratio, lambda = case$theta / nrow(d$x), standardize = FALSE,
                    thresh = 1e-16, maxit = 1e7)
  if (!is.null(case$offset)) arguments$offset <- d$offset
  fit <- do.call(glmnet, arguments)
  list(rows = nrow(d$x), events = sum(d$event), coef = as.numeric(coef(fit)), spread = unname(apply(d$x, 2, sd)))
}
for (ratio in c(1, 0.5)) for (theta in c(2, 10, 60)) {
  cases[[paste0("rossi_net_", ratio, "_", theta)]] <- case(rossi, covariates = all_rossi, ties = "breslow", theta = theta, l1_ratio = ratio)
  cases[[paste0("pbc_net_", ratio, "_", theta)]] <- case(pbc, ties = "breslow", theta = theta, l1_ratio = ratio)
}
cases$heart_lasso <- case(heart, ties = "breslow", theta = 3, l1_ratio = 1)
cases$veteran_lasso_strata <- case(veteran, covariates = c("trt", "karno", "age", "diagtime"), strata = "celltype", ties = "breslow", theta = 20, l1_ratio = 1)
cases$lung_lasso_offset <- case(lung, covariates = c("sex", "ph_ecog", "wt_loss"), offset = list(column = "age", factor = 0.01), ties = "breslow", theta = 5, l1_ratio = 1)

for (name in names(cases)) {
  this <- cases[[name]]
  answer <- tryCatch(if (is.null(this$l1_ratio)) fit_r(this) else fit_glmnet(this), error = function(e) { message(name, ": ", conditionMessage(e)); NULL })
  if (is.null(answer)) next
  for (part in c("covariates", "strata", "filter")) if (!is.null(this[[part]])) this[[part]] <- I(this[[part]])
  for (part in c("coef", "profile", "spread")) if (!is.null(answer[[part]])) answer[[part]] <- I(answer[[part]])
  out <- list(name = name, software = paste(R.version.string, "survival", packageVersion("survival"), if (!is.null(this$l1_ratio)) paste("glmnet", packageVersion("glmnet"))), case = this, answer = answer)
  write(toJSON(out, digits = 17, auto_unbox = TRUE, null = "null", na = "null"), file.path("golden/cox", paste0(name, ".json")))
}
