"""Reference answers for limits of expected amounts and of single ones, and for what features contribute.

Run in this directory with statsmodels and scipy: python amount_outcomes.py. Linear: statsmodels' OLS get_prediction (by Student's t,
of the mean and of the outcome). Gamma: statsmodels' GLM get_prediction on the log scale, its errors times the quantile of t (it takes the
normal one itself, R's summary.glm t), and quantiles of scipy's gamma law at the estimated mean and Pearson's dispersion. Two parts: a logit and such a gamma, the
quantiles of the mixture with 0 by scipy's brentq on its distribution function, the parts along the straight line from the average row by
scipy's quad on the definition of Aumann & Shapley.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import integrate, optimize, stats

DATA = Path("../data")
LUNG = ["age", "sex", "ph_ecog"]
CALLS = ["complains", "subscription_length", "age"]
LEVELS = [0.95, 0.8]


def rows(table: pd.DataFrame, columns: list[str], amount: str) -> tuple[np.ndarray, np.ndarray]:
    table = table[[*columns, amount]].apply(pd.to_numeric, errors="coerce").dropna()
    return table[columns].to_numpy(float), table[amount].to_numpy(float)


def glm(family: sm.families.Family, x: np.ndarray, y: np.ndarray) -> object:
    return sm.GLM(y, sm.add_constant(x), family=family).fit(maxiter=300, tol=1e-14)


def points(x: np.ndarray) -> list[np.ndarray]:
    return [x[0], x[7], x.mean(axis=0) + 3 * x.std(axis=0)]


Path("amount_outcomes").mkdir(exist_ok=True)
cases = []
lung = pd.read_csv(DATA / "lung.csv")
x, y = rows(lung, LUNG, "meal_cal")
gamma = lambda: sm.families.Gamma(link=sm.families.links.Log())  # noqa: E731
linear, positive = sm.OLS(y, sm.add_constant(x)).fit(), glm(gamma(), x, y)
for at in points(x):
    row = np.concatenate([[1.0], at])[None, :]
    for level in LEVELS:
        said = linear.get_prediction(row)
        mean, limits = said.predicted_mean[0], said.conf_int(alpha=1 - level)[0]
        lower, upper = said.conf_int(obs=True, alpha=1 - level)[0]
        parts = linear.params[1:] * (at - x.mean(axis=0))
        cases.append({"csv": "lung.csv", "columns": LUNG, "amount": "meal_cal", "family": "linear", "x": list(at), "level": level, "mean": mean, "mean_limits": list(limits),
                      "outcome_limits": [lower, upper], "baseline": float(linear.predict(np.concatenate([[1.0], x.mean(axis=0)])[None, :])[0]), "link_parts": list(parts), "parts": list(parts)})
        said = positive.get_prediction(row)
        mean = said.predicted_mean[0]
        width = stats.t.ppf(0.5 + level / 2, positive.df_resid) * said.linpred.se_mean[0]
        limits = mean * np.exp([-width, width])
        shape = 1 / positive.scale
        parts = positive.params[1:] * (at - x.mean(axis=0))
        baseline = float(np.exp(positive.params @ np.concatenate([[1.0], x.mean(axis=0)])))
        slope = (mean - baseline) / np.log(mean / baseline)
        cases.append({"csv": "lung.csv", "columns": LUNG, "amount": "meal_cal", "family": "gamma", "x": list(at), "level": level, "mean": mean, "mean_limits": list(limits),
                      "outcome_limits": [stats.gamma.ppf(q, shape, scale=mean / shape) for q in ((1 - level) / 2, (1 + level) / 2)], "baseline": baseline, "link_parts": list(parts), "parts": list(parts * slope)})

x, y = rows(pd.read_csv(DATA / "iranian_churn.csv"), CALLS, "customer_value")
some = y > 0
odds, size = glm(sm.families.Binomial(), x, some.astype(float)), glm(gamma(), x[some], y[some])
average = x.mean(axis=0)
one = lambda v: np.concatenate([[1.0], v])  # noqa: E731
chance = lambda v: 1 / (1 + np.exp(-odds.params @ one(v)))  # noqa: E731
expected = lambda v: chance(v) * np.exp(size.params @ one(v))  # noqa: E731
for at in points(x):
    p, m, shape = chance(at), np.exp(size.params @ one(at)), 1 / size.scale
    below = lambda v, q: (1 - p) + p * stats.gamma.cdf(v, shape, scale=m / shape) - q  # noqa: B023, E731
    steps = [integrate.quad(lambda t, j=j: (at - average)[j] * (odds.params[1 + j] * (1 - chance(average + t * (at - average))) + size.params[1 + j]) * expected(average + t * (at - average)), 0, 1, epsabs=1e-12, epsrel=1e-13)[0]
             for j in range(len(CALLS))]
    logs = (at - average) * (odds.params[1:] * (np.log(p / chance(average)) / (odds.params[1:] @ (at - average))) + size.params[1:])
    for level in LEVELS:
        limits = [0.0 if below(0, q) >= 0 else optimize.brentq(below, 0, 1e6, args=(q,), xtol=1e-12, rtol=1e-14) for q in ((1 - level) / 2, (1 + level) / 2)]
        cases.append({"csv": "iranian_churn.csv", "columns": CALLS, "amount": "customer_value", "family": "two_part", "x": list(at), "level": level, "mean": p * m, "outcome_limits": limits,
                      "baseline": expected(average), "link_parts": list(logs), "parts": steps})

Path("amount_outcomes/statsmodels.json").write_text(json.dumps(cases, indent=1, default=float) + "\n")
print(len(cases))
