"""Reference answers for standard errors by clusters, without a correction for small samples.

Run in this directory with statsmodels and pandas: python clusters.py. Decisions, person-periods and amounts: statsmodels'
GLM(...).fit(cov_type="cluster", cov_kwds={"groups": g, "use_correction": False}), its default correction G / (G - 1) (N - 1) / (N - k)
left out; weights are rows repeated. A row of weight and cluster is as many rows of that cluster. Weibull models, of which
statsmodels has none: scores and Hessian of the log-likelihood in complex steps (Squire & Trapp 1998) at the maximum by Newton's
method, multiplied out: what R's survreg(..., cluster =) is by definition.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import optimize
from statsmodels.genmod.families import links

DATA = Path("../data")
cases = []


def fitted(y: np.ndarray, x: np.ndarray, family: sm.families.Family, groups: np.ndarray, weights: np.ndarray | None = None, offset: np.ndarray | None = None, levels: bool = False):
    """Without an intercept where the levels of the periods are among the columns."""
    exog = x if levels else sm.add_constant(x, has_constant="add")
    if weights is not None:
        exog, y, groups = (np.repeat(values, weights, axis=0) for values in (exog, y, groups))
        offset = None if offset is None else np.repeat(offset, weights)
    codes = np.unique(groups, return_inverse=True)[1].astype(int)
    model = sm.GLM(y, exog, family=family, offset=offset)
    options = {"maxiter": 300, "tol": 1e-15, "tol_criterion": "params"}
    own = model.fit(**options)
    return own, model.fit(cov_type="cluster", cov_kwds={"groups": codes, "use_correction": False}, **options), len(np.unique(codes))


def case(kind: str, csv: str, columns: list[str], cluster: str, found, **more) -> None:
    own, robust, clusters = found
    cases.append({"kind": kind, "csv": csv, "columns": columns, "cluster": cluster, **more, "estimate": list(robust.params), "std_error": list(own.bse), "robust_std_error": list(robust.bse),
                  "covariance": [list(row) for row in np.asarray(robust.cov_params())], "clusters": clusters})


# Renewal decisions: of 5,000 subscriptions of 500 accounts, kept or not.
LINKS = {"logit": links.Logit(), "cloglog": links.CLogLog()}
contracts = pd.read_csv(DATA / "ravenstack/subscriptions.csv")
contracts["renewed"] = (~contracts["churn_flag"].astype(bool)).astype(float)
contracts["annual"] = (contracts["billing_frequency"] == "annual").astype(float)
contracts["enterprise"] = (contracts["plan_tier"] == "Enterprise").astype(float)
RENEWAL = ["seats", "annual", "enterprise"]
x, y, g = contracts[RENEWAL].to_numpy(float), contracts["renewed"].to_numpy(), contracts["account_id"].to_numpy()
places = np.arange(len(contracts))
for name, link in LINKS.items():
    family = sm.families.Binomial(link)
    case("renewal", "ravenstack/subscriptions.csv", RENEWAL, "account_id", fitted(y, x, family, g), link=name)
    case("renewal", "ravenstack/subscriptions.csv", RENEWAL, "account_id", fitted(y, x, family, g, 1 + places % 3, 0.1 * (places % 5)), link=name, weighted=True)
    # Each row its own cluster: White's HC0.
    case("renewal", "ravenstack/subscriptions.csv", RENEWAL, "", fitted(y, x, family, places), link=name)

# Amounts: bilirubin of 312 patients at up to 16 visits each.
visits = pd.read_csv(DATA / "pbcseq.csv")
visits["female"] = (visits["sex"] == "f").astype(float)
AMOUNT = ["age", "female", "trt", "albumin"]
x, y, g = visits[AMOUNT].to_numpy(float), visits["bili"].to_numpy(float), visits["id"].to_numpy()
places = np.arange(len(visits))
families = {"linear": sm.families.Gaussian(), "gamma": sm.families.Gamma(links.Log()), "tweedie": sm.families.Tweedie(links.Log(), var_power=1.5)}
for name, family in families.items():
    # Every third visit of nothing at all, for a family of which that may be.
    amounts = np.where(places % 3 == 0, 0.0, y) if name == "tweedie" else y
    case("amount", "pbcseq.csv", AMOUNT, "id", fitted(amounts, x, family, g), family=name)
    case("amount", "pbcseq.csv", AMOUNT, "id", fitted(amounts, x, family, g, 1 + places % 3, 0.1 * (places % 5)), family=name, weighted=True)

# Person-periods: both eyes of 197 patients, in half years.
eyes = pd.read_csv(DATA / "retinopathy.csv")
EYES = ["trt", "age", "risk"]
eyes["periods"] = np.ceil(eyes["futime"] / 6).astype(int)
for name, link in LINKS.items():
    rows = []
    for place, eye in enumerate(eyes.itertuples()):
        for period in range(1, eye.periods + 1):
            rows.append((place, eye.id, period, float(eye.status == 1 and period == eye.periods), eye.trt, eye.age, eye.risk))
    long = pd.DataFrame(rows, columns=["place", "id", "period", "event", *EYES])
    # A period without events has no level of its own.
    events = long.groupby("period")["event"].sum()
    for baseline in ("period", "linear"):
        kept = long[long["period"].isin(events[events > 0].index)] if baseline == "period" else long
        levels = pd.get_dummies(kept["period"]).to_numpy(float) if baseline == "period" else np.column_stack([np.ones(len(kept)), kept["period"]])
        exog = np.column_stack([levels, kept[EYES].to_numpy(float)])
        found = fitted(kept["event"].to_numpy(), exog, sm.families.Binomial(link), kept["id"].to_numpy(), levels=True)
        case("discrete_time", "retinopathy.csv", EYES, "id", found, link=name, baseline=baseline, period=6)


def weibull(theta: np.ndarray, x: np.ndarray, t: np.ndarray, event: np.ndarray) -> np.ndarray:
    """The log-likelihood of each row: location x'b, then log(scale)."""
    w = (np.log(t) - x @ theta[:-1]) * np.exp(-theta[-1])
    return event * (w - theta[-1] - np.log(t)) - np.exp(w)


def scores(theta: np.ndarray, *rows) -> np.ndarray:
    return np.column_stack([weibull(theta + 1e-30j * np.eye(len(theta))[k], *rows).imag / 1e-30 for k in range(len(theta))])


def hessian(theta: np.ndarray, x: np.ndarray, t: np.ndarray, event: np.ndarray, weights: np.ndarray) -> np.ndarray:
    s, w = np.exp(-theta[-1]), (np.log(t) - x @ theta[:-1]) * np.exp(-theta[-1])
    e = np.exp(w)
    second = -(s * s) * (x * (weights * e)[:, None]).T @ x
    cross = -s * x.T @ (weights * (e * w + e - event))
    last = -np.sum(weights * w * (e * w + e - event))
    return np.block([[second, cross[:, None]], [cross[None, :], np.array([[last]])]])


for name, csv, columns, time, cluster in [("weibull", "retinopathy.csv", EYES, "futime", "id"), ("weibull", "rats.csv", ["rx"], "time", "litter")]:
    table = pd.read_csv(DATA / csv)
    t, event, g = table[time].to_numpy(float), (table["status"] == 1).to_numpy(float), table[cluster].to_numpy()
    x = sm.add_constant(table[columns].to_numpy(float))
    for weighted in (False, True):
        weights = 1.0 + np.arange(len(t)) % 3 if weighted else np.ones(len(t))
        start = np.concatenate([[np.log(t).mean()], np.zeros(x.shape[1])])
        theta = optimize.minimize(lambda v: -(weights @ weibull(v, x, t, event)), start, jac=lambda v: -(weights @ scores(v, x, t, event)), method="BFGS").x
        for _ in range(20):
            theta = theta - np.linalg.solve(hessian(theta, x, t, event, weights), weights @ scores(theta, x, t, event))
        bread = np.linalg.inv(-hessian(theta, x, t, event, weights))
        sums = pd.DataFrame(scores(theta, x, t, event) * weights[:, None]).groupby(g).sum().to_numpy()
        robust = bread @ sums.T @ sums @ bread
        cases.append({"kind": "parametric", "csv": csv, "columns": columns, "cluster": cluster, "time": time, "distribution": name, "weighted": weighted, "estimate": list(theta),
                      "std_error": list(np.sqrt(np.diag(bread))), "robust_std_error": list(np.sqrt(np.diag(robust))), "covariance": [list(row) for row in robust], "clusters": len(sums)})

Path("clusters/statsmodels.json").write_text(json.dumps(cases, indent=1, default=float) + "\n")
print(len(cases))
for one in cases:
    print(one["kind"], one.get("link") or one.get("family") or "", one["clusters"], np.round(np.array(one["robust_std_error"]) / np.array(one["std_error"]), 3)[:8])
