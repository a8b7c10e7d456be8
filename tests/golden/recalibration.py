"""Reference answers for recalibration maps.

Run in this directory: python recalibration.py. Needs numpy, scikit-learn and statsmodels. Each case holds its rows. isotonic: scikit-learn's IsotonicRegression, read at
points between its thresholds. platt: its LogisticRegression without penalty on the logit, which statsmodels' binomial GLM confirms and carries to the last digits. beta:
the GLM on ln p and -ln(1 - p) (Kull, Silva Filho & Flach 2017). intercept: the GLM with the complementary log-log link and the offset ln(-ln(1 - p)). smoothed: the sigmoid of scikit-learn's
CalibratedClassifierCV on the logit, which differs from platt by Platt's targets (N1 + 1) / (N1 + 2) and 1 / (N0 + 2) in place of 1 and 0, and by nothing else. Censored cases
are first weighed by the inverse of the Kaplan-Meier curve of the censoring, events before censorings at a tie, written out here.
"""

import json
from pathlib import Path

import numpy as np
import statsmodels.api as sm
from sklearn.calibration import _sigmoid_calibration
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

OUT = Path(__file__).parent / "recalibration"


def maps(p, y, w):
    logit = np.log(p) - np.log1p(-p)
    family = sm.families.Binomial()
    fit = lambda x, f, **k: sm.GLM(y, x, family=f, freq_weights=w, **k).fit(tol=1e-15, maxiter=200).params
    platt = fit(sm.add_constant(logit), family)
    peer = LogisticRegression(C=np.inf, tol=1e-12, max_iter=10000).fit(logit[:, None], y, sample_weight=w)
    assert abs(peer.intercept_[0] - platt[0]) < 1e-4 and abs(peer.coef_[0, 0] - platt[1]) < 1e-4
    targets = np.where(y == 1, (w[y == 1].sum() + 1) / (w[y == 1].sum() + 2), 1 / (w[y == 0].sum() + 2))
    glm = sm.GLM(targets, sm.add_constant(logit), family=family, freq_weights=w).fit(tol=1e-15, maxiter=200).params
    sigmoid = _sigmoid_calibration(logit, y.astype(float), w)
    assert abs(sigmoid[1] + glm[0]) < 1e-4 and abs(sigmoid[0] + glm[1]) < 1e-4
    beta = fit(np.column_stack([np.ones_like(p), np.log(p), -np.log1p(-p)]), family)
    cloglog = sm.families.Binomial(link=sm.families.links.CLogLog())
    intercept = fit(np.ones((len(p), 1)), cloglog, offset=np.log(-np.log1p(-p)))
    steps = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(p, y, sample_weight=w)
    at = np.linspace(p.min(), p.max(), 41)
    return {
        "platt": platt.tolist(), "smoothed": {"no": float(targets.min()), "yes": float(targets.max()), "coefficients": glm.tolist()}, "beta": beta.tolist(), "intercept": intercept.tolist(),
        "isotonic": {"at": at.tolist(), "observed": steps.predict(at).tolist()},
    }


def censoring_weights(time, event, h):
    order = np.lexsort((~event, time))
    weights, g, left = np.zeros(len(time)), 1.0, len(time)
    t, e = time[order], event[order]
    at_risk, i = len(t), 0
    while i < len(t):
        j = i
        while j < len(t) and t[j] == t[i]:
            j += 1
        if t[i] > h:
            break
        died = e[i:j].sum()
        for k in range(i, j):
            weights[order[k]] = 1 / g if e[k] else 0
        at_risk -= died
        lost = (j - i) - died
        if lost and at_risk:
            g *= (at_risk - lost) / at_risk
        at_risk -= lost
        i = j
    weights[time > h] = 1 / g
    return weights


def write(name, case):
    (OUT / f"{name}.json").write_text(json.dumps(case) + "\n")


r = np.random.default_rng(11)
for name, n in [("small", 60), ("tilted", 800), ("weighted", 400)]:
    p = r.uniform(0.02, 0.95, n).round(3 if name == "tilted" else 6)
    truth = 1 / (1 + np.exp(-(0.4 + 1.2 * np.log(p) - 0.7 * np.log1p(-p))))
    y = (r.uniform(size=n) < truth).astype(int)
    w = r.integers(1, 5, n).astype(float) if name == "weighted" else np.ones(n)
    write(name, {"probability": p.tolist(), "outcome": y.tolist(), "weight": w.tolist()} | maps(p, y, w))
n, h = 500, 12.0
x = r.normal(size=n)
time = 20 * (-np.log(r.uniform(size=n)) / np.exp(x)) ** (1 / 1.3)
lost = r.uniform(1, 40, n)
event, time = time <= lost, np.minimum(time, lost).round(1)
survival = np.exp(-((h / 15) ** 1.1) * np.exp(0.6 * x)).round(5)
w = censoring_weights(time, event, h)
keep = w > 0
y = (event & (time <= h)).astype(int)
write("censored", {"survival": survival.tolist(), "time": time.tolist(), "event": event.tolist(), "horizon": h,
                   "known": float(w[keep].sum()), "positives": float(w[keep & (y == 1)].sum())}
      | maps(1 - survival[keep], y[keep], w[keep]))
