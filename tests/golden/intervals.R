# Answers for crates/engine/tests/intervals: Rscript tests/golden/intervals.R, from the root of the repository.
#
# `npmle` is the textbook's self-consistency iteration (Turnbull 1976), squared (SQUAREM, Varadhan & Roland 2008) and run
# until Gentleman & Geyer's conditions hold to `gap`; it shares no code and no method with the engine. R's survfit stops
# at 1e-4: its curve is kept beside it (`survfit`), read at the right ends.
suppressMessages(library(survival))
library(jsonlite)

npmle <- function(left, right, w) {
  exact <- left == right
  # Starts and ends in order: closed starts, ends, open starts of one time.
  start <- data.frame(t = left, k = ifelse(exact | left == 0, 0, 2))
  end <- data.frame(t = right, k = 1)
  ends <- unique(rbind(start, end)); ends <- ends[order(ends$t, ends$k), ]
  n <- nrow(ends)
  inner <- which(ends$k[-n] != 1 & ends$k[-1] == 1)
  a <- ends[inner, ]; b <- ends[inner + 1, ]
  before <- function(t1, k1, t2, k2) t1 < t2 | (t1 == t2 & k1 <= k2)
  A <- sapply(seq_along(inner), function(j) before(start$t, start$k, a$t[j], a$k[j]) & b$t[j] <= right) * 1
  A <- matrix(A, nrow = length(left))
  key <- apply(A, 1, paste, collapse = ""); w <- as.numeric(tapply(w, key, sum)); A <- A[!duplicated(key), , drop = FALSE]
  w <- w[rank(sort(unique(key))[match(unique(key), sort(unique(key)))])]; W <- sum(w)
  p <- rep(1 / ncol(A), ncol(A))
  em <- function(p) p * drop(crossprod(A, w / drop(A %*% p))) / W
  loglik <- function(p) sum(w * log(drop(A %*% p)))
  gap <- Inf
  for (i in 1:30000) {
    p1 <- em(p); p2 <- em(p1); r <- p1 - p; v <- p2 - p1 - r
    p3 <- p2
    if (sum(v^2) > 0) {
      q <- p + 2 * sqrt(sum(r^2) / sum(v^2)) * r + sum(r^2) / sum(v^2) * v
      if (all(q >= 0)) { q <- em(q / sum(q)); if (is.finite(loglik(q)) && loglik(q) >= loglik(p2)) p3 <- q }
    }
    p <- p3
    d <- drop(crossprod(A, w / drop(A %*% p))) / W
    gap <- max(max(d) - 1, sum(p * abs(d - 1)))
    if (gap < 1e-13) break
  }
  list(to = b$t, survival = pmax(0, 1 - cumsum(p)), gap = gap, iterations = i, loglik = loglik(p))
}

case <- function(name, left, right, w = rep(1, length(left)), tolerance = 1e-7) {
  left[is.na(left)] <- 0; right[is.na(right)] <- Inf
  f <- npmle(left, right, w)
  s <- survfit(Surv(ifelse(left == 0 & right > 0, NA, left), ifelse(is.finite(right), right, NA), type = "interval2") ~ 1, weights = w)
  finite <- is.finite(f$to)
  at <- f$to[finite]
  message(name, ": gap ", signif(f$gap, 3), " after ", f$iterations, ", survfit off by ",
          signif(max(abs(summary(s, times = at, extend = TRUE)$surv - f$survival[finite])), 3))
  list(name = name, left = left, right = ifelse(is.finite(right), right, NA), weight = w, gap = f$gap, tolerance = tolerance, loglik = f$loglik,
       to = at, survival = f$survival[finite], survfit = summary(s, times = at, extend = TRUE)$surv)
}

set.seed(1)
d <- read.csv("tests/data/diabetes_interval_censored.csv")
lung <- read.csv("tests/data/lung.csv"); veteran <- read.csv("tests/data/veteran.csv")
visits <- function(t, e, every) list(left = floor((t - 1) / every) * every, right = ifelse(e == 1, floor((t - 1) / every) * every + every, NA))
v <- visits(veteran$time, veteran$status, 30)
l <- visits(lung$time, lung$event, 60); exact <- seq_along(lung$time) %% 3 == 0
# Turnbull 1974: at time 1 to 4 so many exact, right- and left-censored.
n <- c(12, 3, 2, 6, 2, 4, 2, 0, 2, 3, 3, 5)
t <- rep(1:4, each = 3)[n > 0]; kind <- rep(c("exact", "right", "left"), 4)[n > 0]; m <- n[n > 0]
answer <- list(software = paste(R.version.string, "survival", packageVersion("survival")), script = "tests/golden/intervals.R", cases = list(
  case("Turnbull 1974 (G30)", ifelse(kind == "left", NA, t), ifelse(kind == "right", NA, t), m),
  case("lifelines' ten (G31)", c(1, 8, 8, 7, 7, 17, 37, 46, 46, 45), c(7, 8, 10, 16, 14, NA, 44, NA, NA, NA)),
  case("lifelines' ten, weighted", c(1, 8, 8, 7, 7, 17, 37, 46, 46, 45), c(7, 8, 10, 16, 14, NA, 44, NA, NA, NA), c(2, 2, 2, 1, 1, 1, 1, 1, 1, 1)),
  case("icenReg's six (G32)", c(0, 4, 2, 0, 2, 5), c(1, 6, 6, 3, 4, 7)),
  case("diabetes", d$left, d$right),
  case("diabetes, men", d$left[d$gender == "male"], d$right[d$gender == "male"]),
  case("diabetes, women", d$left[d$gender == "female"], d$right[d$gender == "female"]),
  case("veteran seen every 30 days", v$left, v$right),
  case("lung seen every 60 days", l$left, l$right),
  case("lung, a third exactly", ifelse(exact, lung$time, l$left), ifelse(exact & lung$event == 1, lung$time, ifelse(exact, NA, l$right))),
  {
    x <- rweibull(300, 1.4, 20); a <- pmax(0, x - rexp(300, 0.2)); b <- x + rexp(300, 0.2)
    late <- runif(300) < 0.2
    case("300 random intervals", round(a, 2), ifelse(late, NA, round(b, 2)))
  }))
write_json(answer, "tests/golden/intervals/npmle.json", digits = NA, auto_unbox = TRUE, na = "null", pretty = 1)
