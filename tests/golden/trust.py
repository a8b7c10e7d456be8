"""Reference answers for what tells whether forecasts can be trusted: rankings, calibration, survival forecasts under censoring.

Run in this directory: python trust.py. Needs numpy, scikit-learn, scikit-survival, scipy, and R 4.2 with survival (concordance with its standard errors, the Cox and logistic
smoothers of the calibration index). Each case holds its rows, so that nothing but numbers is compared. IPCW scores are written out here after their papers with
G(T-), events before censorings at a tie; where no times are tied they are checked against scikit-survival, which has G(T).
"""

import csv
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from scipy.stats import chi2
from sklearn import metrics
from sklearn.calibration import calibration_curve
from sklearn.isotonic import IsotonicRegression
from sksurv.metrics import brier_score, concordance_index_censored, concordance_index_ipcw, cumulative_dynamic_auc, integrated_brier_score
from sksurv.util import Surv

HERE = Path(__file__).parent
OUT = HERE / "trust"
DATA = HERE.parent / "data"

R = r"""
library(survival)
arguments <- commandArgs(TRUE); d <- read.csv(arguments[1]); h <- as.numeric(arguments[2]); n <- nrow(d)
spline <- function(x, k) { p <- function(a) pmax(x - a, 0)^3
  cbind(x, (p(k[1]) - p(k[2]) * (k[3] - k[1]) / (k[3] - k[2]) + p(k[3]) * (k[2] - k[1]) / (k[3] - k[2])) / (k[3] - k[1])^2) }
errors <- function(e) c(ici = mean(e), e50 = unname(quantile(e, .5)), e90 = unname(quantile(e, .9)), e_max = max(e))
say <- function(name, v) cat(name, format(v, digits = 17), "\n")
clip <- function(p) pmin(pmax(p, 1e-8), 1 - 1e-8)
if ("y" %in% names(d)) {
  d <- d[rep(1:n, d$w), ]; x <- qlogis(clip(d$p)); X <- spline(x, quantile(x, c(.1, .5, .9)))
  f <- glm(d$y ~ X, family = binomial, epsilon = 1e-14, maxit = 100); say("ici", errors(abs(fitted(f) - d$p)))
} else {
  con <- function(...) { c <- concordance(Surv(time, event) ~ p, d, weights = w, ...); c(c$concordance, sqrt(c$var), c$count) }
  say("harrell", con()); say("uno", con(timewt = "n/G2")); say("until", con(timewt = "n/G2", ymax = h))
  d <- d[rep(1:n, d$w), ]; x <- log(-log(clip(d$p))); X <- spline(x, quantile(x, c(.1, .5, .9)))
  f <- coxph(Surv(time, event) ~ X, d, control = coxph.control(eps = 1e-12, iter.max = 50))
  b <- basehaz(f, centered = FALSE); H <- max(c(0, b$hazard[b$time <= h])); say("ici", errors(abs(exp(-H * exp(X %*% coef(f))) - d$p)))
}
"""


def of_r(columns, horizon):
    with tempfile.TemporaryDirectory() as folder:
        table, script = Path(folder) / "d.csv", Path(folder) / "s.R"
        script.write_text(R)
        with open(table, "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows(zip(*[[repr(float(x)) for x in column] for column in columns.values()]))
        said = subprocess.run(["Rscript", str(script), str(table), repr(horizon)], check=True, capture_output=True, text=True).stdout
    return {line.split()[0]: [float(x) for x in line.split()[1:]] for line in said.splitlines()}


def table(name):
    with open(DATA / name, newline="") as file:
        return list(csv.DictReader(file))


def in_bins(p, w, k, method):
    """The bin of each row, from 0: of equal number with equal predictions together, by the middle of what they weigh, or of equal width."""
    levels, at = np.unique(p, return_inverse=True)
    of_level = np.bincount(at, w)
    middle = (np.cumsum(of_level) - of_level / 2)[at]
    return np.minimum((middle * k / w.sum() if method == "quantile" else p * k).astype(int), k - 1)


def calibration_error(p, w, k, method, observed):
    """Naeini, Cooper & Hauskrecht 2015; observed: of the rows of a bin, None where nobody knows."""
    bins, error = in_bins(p, w, k, method), 0.0
    for b in np.unique(bins):
        here = bins == b
        seen = observed(here)
        if seen is None:
            return None
        error += w[here].sum() / w.sum() * abs(seen - np.average(p[here], weights=w[here]))
    return error


def delong(p, y):
    pos, neg = p[y == 1], p[y == 0]
    psi = (pos[:, None] > neg) + 0.5 * (pos[:, None] == neg)
    return np.sqrt(psi.mean(1).var(ddof=1) / len(pos) + psi.mean(0).var(ddof=1) / len(neg))


def binary(name, p, y, w):
    p, y, w = np.array(p, float), np.array(y, int), np.array(w, int)
    pr, yr = np.repeat(p, w), np.repeat(y, w)
    rate, mean = calibration_curve(yr, pr, n_bins=10, strategy="uniform")
    iso = IsotonicRegression(out_of_bounds="clip").fit(p, y, sample_weight=w)
    fpr, tpr, thresholds = metrics.roc_curve(yr, pr, drop_intermediate=False)
    precision, recall, at = metrics.precision_recall_curve(yr, pr)
    return {
        "case": name, "kind": "binary", "p": p.tolist(), "y": y.tolist(), "w": w.tolist(),
        "auc": metrics.roc_auc_score(yr, pr), "std_error": delong(pr, yr), "average_precision": metrics.average_precision_score(yr, pr),
        "brier": metrics.brier_score_loss(yr, pr), "log_loss": metrics.log_loss(yr, np.c_[1 - pr, pr]) if ((pr > 0) & (pr < 1)).all() else None,
        "uniform_observed": rate.tolist(), "uniform_predicted": mean.tolist(), "isotonic": iso.predict(p).tolist(),
        "thresholds": at.tolist(), "precision": precision[:-1].tolist(), "recall": recall[:-1].tolist(),
        "ece": [calibration_error(p, w, 10, how, lambda here: np.average(y[here], weights=w[here])) for how in ("quantile", "uniform")],
        "roc": [[float(t), float(f)] for t, f in zip(thresholds[1:], fpr[1:])], "ici": of_r({"p": p, "y": y, "w": w}, 0.0)["ici"],
    }  # fmt: skip


def censoring(time, event, w):
    """G as a function of t and side: after, or just before."""
    times, g, still = np.unique(time), [], 1.0
    for t in times:
        risk = w[time >= t].sum() - w[(time == t) & event].sum()
        lost = w[(time == t) & ~event].sum()
        still *= 1 - lost / risk if risk > 0 else 1
        g.append(still)
    g = np.array([1.0, *g])
    return lambda t: g[np.searchsorted(times, t, side="right")], lambda t: g[np.searchsorted(times, t, side="left")]


def km(time, event, w, h):
    s = 1.0
    for t in np.unique(time[event & (time <= h)]):
        s *= 1 - w[(time == t) & event].sum() / w[time >= t].sum()
    return s


def brier(p, time, event, w, h):
    after, before = censoring(time, event, w)
    died, lives = (time <= h) & event, time > h
    return (np.sum((w * p**2 / before(time))[died]) + np.sum((w * (1 - p) ** 2)[lives]) / after(h)) / w.sum()


def area(p, time, event, w, h):
    _, before = censoring(time, event, w)
    died, lives = (time <= h) & event, time > h
    a, b = (w / before(time))[died], w[lives]
    psi = (p[died][:, None] < p[lives]) + 0.5 * (p[died][:, None] == p[lives])
    return (a[:, None] * b * psi).sum() / a.sum() / b.sum()


def known(p, time, event, w, h, grouped):
    """The weight of each row at the horizon, 0 where its status is not known: one curve of the censoring, or one for each group of like predictions."""
    if not grouped:
        after, before = censoring(time, event, w)
        return np.where((time <= h) & event, w / before(time), np.where(time > h, w / max(after(h), 1e-300), 0.0))
    levels, at = np.unique(p, return_inverse=True)
    of_level = np.bincount(at, w)
    middle = (np.cumsum(of_level) - of_level / 2)[at]
    for k in range(min(20, int(w[(time <= h) & event].sum() / 20)), 1, -1):
        group = np.minimum((middle * k / w.sum()).astype(int), k - 1)
        parts = [group == g for g in range(k) if (group == g).any()]
        if all(censoring(time[g], event[g], w[g])[0](h) > 0 for g in parts):
            weights = np.zeros(len(p))
            for g in parts:
                weights[g] = known(p[g], time[g], event[g], w[g], h, False)
            return weights
    return known(p, time, event, w, h, False)


def flagged(p, time, event, w, h, grouped):
    """By scikit-learn with these weights as those of the rows; how many are flagged is a plain count."""
    weights, score, y = known(p, time, event, w, h, grouped), 1 - p, (time <= h) & event
    seen = weights > 0
    precision, recall, at = metrics.precision_recall_curve(y[seen], score[seen], sample_weight=weights[seen])
    fpr, _, thresholds = metrics.roc_curve(y[seen], score[seen], sample_weight=weights[seen], drop_intermediate=False)
    return {
        "weights": weights.tolist(), "at": at.tolist(), "precision": precision[:-1].tolist(), "recall": recall[:-1].tolist(), "false_positive_rate": fpr[1:][::-1].tolist(),
        "flagged": [float(w[score >= t].sum()) for t in at], "brier": metrics.brier_score_loss(y[seen], score[seen], sample_weight=weights[seen]),
        "auc": metrics.roc_auc_score(y[seen], score[seen], sample_weight=weights[seen]), "log_loss": metrics.log_loss(y[seen], np.clip(score[seen], 1e-300, 1), sample_weight=weights[seen]) if ((score > 0) & (score < 1)).all() else None,
    }  # fmt: skip


def money(p, time, event, w, h):
    """What is kept of a value that goes with the prediction, against what was foreseen of it."""
    value = np.round(20 + 100 * p + 7 * np.arange(len(p)) % 31)
    weights = known(p, time, event, w, h, False)
    kept, seen = value * (time > h), weights > 0
    return {"value": value.tolist(), "mae": metrics.mean_absolute_error(kept[seen], (value * p)[seen], sample_weight=weights[seen]), "rmse": metrics.root_mean_squared_error(kept[seen], (value * p)[seen], sample_weight=weights[seen])}  # fmt: skip


def survival_error(p, time, event, w, h, k, method):
    """Observed by Kaplan-Meier within the bin: undefined beyond the last time, unless nobody is left then."""
    def observed(here):
        s = km(time[here], event[here], w[here], h)
        return s if (time[here] >= h).any() or s < 1e-12 else None
    return calibration_error(p, w, k, method, observed)


def d_calibration(s, event, w, k):
    n = np.zeros(k)
    edges = np.arange(k + 1) / k
    for s_i, e_i, w_i in zip(s, event, w):
        at = min(int(np.searchsorted(edges, s_i, side="right")) - 1, k - 1)
        if e_i or s_i == 0:
            n[at] += w_i
        else:
            n[at] += w_i * (s_i - edges[at]) / s_i
            n[:at] += w_i / k / s_i
    x = float((((n - w.sum() / k) ** 2) / (w.sum() / k)).sum())
    return n.tolist(), x, float(chi2.sf(x, k - 1))


def survival(name, p, time, event, w, h, horizons, own, tied):
    p, time, event, w = np.array(p, float), np.array(time, float), np.array(event, bool), np.array(w, float)
    scores = [brier(p, time, event, w, t) for t in horizons]
    base = [brier(np.full(len(p), km(time, event, w, t)), time, event, w, t) for t in horizons]
    n, x, p_value = d_calibration(np.array(own), event, w, 10)
    said = of_r({"p": p, "time": time, "event": event, "w": w}, h)
    a = area(p, time, event, w, h)
    assert abs(flagged(p, time, event, w, h, False)["brier"] - brier(p, time, event, w, h)) < 1e-12
    if not tied:
        y = Surv.from_arrays(event, time)
        assert abs(concordance_index_censored(event, time, -p)[0] - said["harrell"][0]) < 1e-12
        assert abs(concordance_index_ipcw(y, y, -p, tau=h)[0] - said["until"][0]) < 1e-12
        assert abs(cumulative_dynamic_auc(y, y, -p, [h])[0][0] - a) < 1e-12
        assert abs(brier_score(y, y, np.c_[p], [h])[1][0] - brier(p, time, event, w, h)) < 1e-12
        assert abs(integrated_brier_score(y, y, np.tile(p[:, None], len(horizons)), horizons) - np.trapezoid(scores, horizons) / (horizons[-1] - horizons[0])) < 1e-12
    return {
        "case": name, "kind": "survival", "p": p.tolist(), "time": time.tolist(), "event": event.tolist(), "w": w.tolist(), "horizon": h, "horizons": horizons,
        "brier": brier(p, time, event, w, h), "integrated": float(np.trapezoid(scores, horizons)) / (horizons[-1] - horizons[0]),
        "integrated_reference": float(np.trapezoid(base, horizons)) / (horizons[-1] - horizons[0]), "auc": a, "own": list(map(float, own)),
        "ece": [survival_error(p, time, event, w, h, 10, "quantile"), survival_error(p, time, event, w, h, 5, "quantile"), survival_error(p, time, event, w, h, 10, "uniform")],
        "d_numbers": n, "d_chi_squared": x, "d_p_value": p_value, **said,
        "marginal": flagged(p, time, event, w, h, False), "grouped": flagged(p, time, event, w, h, True), "money": money(p, time, event, w, h),
    }  # fmt: skip


def cases():
    rows = table("pysurvival_saas_churn.csv")[:900]
    score = [round(1 / (1 + np.exp(0.4 - 0.35 * float(r["csat_score"] or 0) + 0.012 * float(r["articles_viewed"] or 0))), 3) for r in rows]
    churned = [int(float(r["churned"])) for r in rows]
    yield binary("saas_churn", score, churned, [1] * len(rows))
    rng = np.random.default_rng(5)
    p = rng.uniform(0.02, 0.97, 250)
    yield binary("untied", p, rng.uniform(size=250) < p**1.3, np.ones(250))
    p = rng.integers(1, 12, 80) / 12
    yield binary("tied_weighted", p, rng.uniform(size=80) < p, rng.integers(1, 6, 80))

    rows = table("gbsg2_lifelines.csv")
    lp = np.array([0.05 * float(r["pnodes"]) - 0.002 * float(r["progrec"]) + 0.01 * float(r["tsize"]) for r in rows])
    time, event = np.array([float(r["time"]) for r in rows]), np.array([float(r["cens"]) for r in rows]) == 1
    yield survival("gbsg2", np.round(np.exp(-0.45 * np.exp(lp - lp.mean())), 3), time, event, np.ones(len(rows)), 1500.0, [500.0, 1000.0, 1500.0, 2000.0], np.exp(-((time / 3000) ** 1.2) * np.exp(lp - lp.mean())), True)
    n = 300
    x = rng.normal(size=n)
    t, c = rng.weibull(1.4, n) * 12 * np.exp(-0.5 * x), rng.uniform(2, 25, n)
    time, event = np.minimum(t, c), t <= c
    yield survival("untied_weibull", np.exp(-((9 / 13) ** 1.3) * np.exp(0.6 * x)), time, event, np.ones(n), 9.0, [3.0, 6.0, 9.0, 12.0], np.exp(-((time / 12) ** 1.4) * np.exp(0.7 * x)), False)
    p, time, event, w = rng.integers(1, 9, 120) / 10, rng.integers(1, 15, 120).astype(float), rng.uniform(size=120) < 0.6, rng.integers(1, 4, 120)
    yield survival("tied_weighted_months", p, time, event, w, 6.0, [2.0, 5.0, 6.0, 9.5], rng.integers(0, 11, 120) / 10, True)


OUT.mkdir(exist_ok=True)
for case in cases():
    (OUT / f"{case['case']}.json").write_text(json.dumps(case, indent=None) + "\n")
    print(case["case"], {k: v for k, v in case.items() if isinstance(v, float)})
