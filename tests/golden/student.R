# Reference answers for Student's t: R's pt and qt, upper tails. Run in this directory: Rscript student.R. Needs jsonlite.
library(jsonlite)
dfs <- c(0.3, 0.7, 1, 1.5, 2, 3, 3.5, 4, 5, 7.25, 10, 16, 30, 100, 176, 499, 500, 501, 1000, 2001, 1e4, 1e5, 1e6, 1e8)
ts <- c(1e-6, 0.01, 0.1, 0.5, 1, 1.5, 1.7, 1.75, 1.8, 2, 2.5, 3, 4.5, 6, 10, 20, 40)
tails <- c(0.499, 0.49, 0.4, 0.25, 0.1, 0.05, 0.025, 0.005, 5e-4, 1e-6, 1e-10, 1e-15)
grid <- function(a, b, f) { g <- expand.grid(b = b, a = a); unname(as.matrix(cbind(g$a, g$b, mapply(f, g$a, g$b)))) }
above <- grid(dfs, ts, function(df, t) pt(t, df, lower.tail = FALSE))
# Below one degree of freedom qt itself has ten digits only.
far <- grid(dfs[dfs >= 1], tails, function(df, tail) qt(tail, df, lower.tail = FALSE))
write_json(list(tails = above[above[, 3] > 1e-290, ], quantiles = far), "student.json", digits = I(17))
