"""Reference answers for the transactional models: likelihoods as the papers print them, maximised with exact gradients.

Run with any Python that has numpy and scipy; writes transactional/*.json beside this file. The likelihoods use the
textbook's closed forms where those are sound (log gamma and beta functions, 2F1), and fixed Gauss-Legendre rules of 400
nodes for the integral of the Pareto/NBD. Gradients are complex steps, exact to rounding; the maximum is the root of the
gradient, and standard errors come from central differences of it.
"""

import csv
import datetime
import json
import math
from pathlib import Path

import numpy as np
import scipy
from scipy.integrate import quad
from scipy.optimize import minimize, root
from scipy.special import betaln, hyp2f1, loggamma

HERE = Path(__file__).resolve().parent
NODES, RULE = np.polynomial.legendre.leggauss(400)


def customers():
    """x, t_x, T in exact weeks and the mean value of repeat purchases, from the transactions until 1997-09-30."""
    end = datetime.date(1997, 9, 30)
    days = {}
    with open(HERE.parent / "data" / "cdnow_transactions.csv") as lines:
        for row in csv.DictReader(lines):
            at = datetime.date.fromisoformat(row["date"])
            if at <= end:
                mine = days.setdefault(int(row["customer_id"]), {})
                mine[at] = mine.get(at, 0.0) + float(row["amount"])
    rows = []
    for _, mine in sorted(days.items()):
        first, last, x = min(mine), max(mine), len(mine) - 1
        mean = sum(v for at, v in mine.items() if at > first) / x if x else 0.0
        rows.append((x, (last - first).days / 7, (end - first).days / 7, mean))
    return np.array(rows)


def logaddexp(a, b):
    """ln(e^a + e^b) that keeps imaginary parts."""
    larger = np.where(np.real(a) > np.real(b), a, b)
    return larger + np.log(np.exp(a - larger) + np.exp(b - larger))


def lbeta(a, b):
    return loggamma(a) + loggamma(b) - loggamma(a + b)


def bg_nbd(p, x, tx, t):
    r, alpha, a, b = p
    common = loggamma(r + x) - loggamma(r) + r * np.log(alpha)
    alive = lbeta(a, b + x) - lbeta(a, b) - (r + x) * np.log(alpha + t)
    with np.errstate(invalid="ignore"):
        gone = lbeta(a + 1, np.maximum(b + x - 1, b)) - lbeta(a, b) - (r + x) * np.log(alpha + tx)
    return common + np.where(x > 0, logaddexp(alive, gone), alive)


def mbg_nbd(p, x, tx, t):
    r, alpha, a, b = p
    common = loggamma(r + x) - loggamma(r) + r * np.log(alpha) - lbeta(a, b)
    return common + logaddexp(lbeta(a, b + x + 1) - (r + x) * np.log(alpha + t), lbeta(a + 1, b + x) - (r + x) * np.log(alpha + tx))


def pareto_nbd(p, x, tx, t):
    r, alpha, s, beta = p
    common = loggamma(r + x) - loggamma(r) + r * np.log(alpha) + s * np.log(beta)
    alive = -(r + x) * np.log(alpha + t) - s * np.log(beta + t)
    half = ((t - tx) / 2)[:, None]
    tau = tx[:, None] + half * (1 + NODES)
    f = np.exp(-(r + x)[:, None] * np.log(alpha + tau) - (s + 1) * np.log(beta + tau) - alive[:, None])
    return common + alive + np.log(1 + s * np.sum(f * half * RULE, axis=1))


def gamma_gamma(p, x, z):
    p, q, v = p
    return loggamma(p * x + q) - loggamma(p * x) - loggamma(q) + q * np.log(v) + (p * x - 1) * np.log(z) + p * x * np.log(x) - (p * x + q) * np.log(v + x * z)


def fit(density, start, data, weight):
    """Parameters, standard errors and log-likelihood."""

    def value(logs):
        return np.sum(weight * density(np.exp(logs), *data))

    def gradient(logs):
        step = 1e-30
        return np.array([np.imag(value(logs + step * 1j * unit)) / step for unit in np.eye(len(logs))])

    logs = minimize(lambda at: -np.real(value(at)), np.log(start), jac=lambda at: -gradient(at), method="BFGS", options={"gtol": 1e-6}).x
    solved = root(gradient, logs, tol=1e-14)
    logs = solved.x
    assert np.max(np.abs(gradient(logs))) < 1e-6, gradient(logs)
    h = 1e-4
    hessian = np.array([(8 * (gradient(logs + h * u) - gradient(logs - h * u)) - (gradient(logs + 2 * h * u) - gradient(logs - 2 * h * u))) / (12 * h) for u in np.eye(len(logs))])
    errors = np.sqrt(np.diag(np.linalg.inv(-(hessian + hessian.T) / 2)))
    parameters = np.exp(logs)
    return {"parameters": parameters.tolist(), "std_errors": (parameters * errors).tolist(), "log_likelihood": float(np.real(value(logs)))}


HISTORIES = [(0, 0, 38.86), (2, 30.43, 38.86), (7, 29.43, 38.86), (26, 30.86, 31.0), (1, 1.71, 38.86), (3, 10.0, 10.0), (120, 150.0, 160.0)]
HORIZONS = [1.0, 13.0, 39.0, 200.0]
DELTA = 0.0027


def bg_alive(p, x, tx, t, modified):
    r, alpha, a, b = p
    if x + modified == 0:
        return 1.0
    return 1 / (1 + a / (b + x - 1 + modified) * ((alpha + t) / (alpha + tx)) ** (r + x))


def bg_expected(r, alpha, a, b, t):
    """The closed form with 2F1 of a customer who has not left (equation 9 of Fader, Hardie & Lee 2005)."""
    return (a + b - 1) / (a - 1) * (1 - (alpha / (alpha + t)) ** r * hyp2f1(r, b, a + b - 1, t / (alpha + t)))


def discounted(expected, delta=DELTA):
    """The integral of delta e^(-delta t) E[X(t)]."""
    return sum(quad(lambda t: delta * math.exp(-delta * t) * expected(t), lo, hi, epsabs=0, epsrel=1e-12, limit=400)[0] for lo, hi in [(0, 50), (50, 500), (500, 3000), (3000, 12000)])


def bg_answers(p, modified):
    r, alpha, a, b = p
    rows = []
    for x, tx, t in HISTORIES:
        alive = bg_alive(p, x, tx, t, modified)

        def coming(horizon, x=x, t=t):
            return bg_expected(r + x, alpha + t, a, b + x + modified, horizon)

        rows.append({"history": [x, tx, t], "alive": alive, "expected": [alive * coming(h) for h in HORIZONS], "discounted": alive * discounted(coming)})
    stay = b / (a + b) if modified else 1.0
    new = [stay * bg_expected(r, alpha, a, b + modified, h) for h in HORIZONS]
    chances = []
    for x, t in [(0, 39.0), (1, 39.0), (5, 39.0), (30, 100.0)]:
        below = sum(math.exp(loggamma(r + j).real - loggamma(r).real - loggamma(j + 1).real) * (alpha / (alpha + t)) ** r * (t / (alpha + t)) ** j for j in range(x))
        exactly = math.exp(loggamma(r + x).real - loggamma(r).real - loggamma(x + 1).real) * (alpha / (alpha + t)) ** r * (t / (alpha + t)) ** x
        n = x + modified
        stays = math.exp(betaln(a, b + n) - betaln(a, b))
        leaves = math.exp(betaln(a + 1, b + n - 1) - betaln(a, b)) if n > 0 else 0.0
        chances.append([x, t, stays * exactly + leaves * (1 - below)])
    return {"histories": rows, "horizons": HORIZONS, "delta": DELTA, "new": new, "chances": chances}


def pareto_answers(p):
    r, alpha, s, beta = p
    rows = []
    for x, tx, t in HISTORIES:
        def f(tau, x=x, t=t):
            return math.exp((r + x) * math.log((alpha + t) / (alpha + tau)) + s * math.log((beta + t) / (beta + tau)) - math.log(beta + tau))

        gone = s * quad(f, tx, t, epsabs=0, epsrel=1e-13, limit=400)[0] if tx < t else 0.0
        alive = 1 / (1 + gone)

        def coming(h, x=x, t=t):
            return (r + x) * (beta + t) / ((alpha + t) * (s - 1)) * (1 - ((beta + t) / (beta + t + h)) ** (s - 1))

        rows.append({"history": [x, tx, t], "alive": alive, "expected": [alive * coming(h) for h in HORIZONS], "discounted": alive * discounted(coming)})
    new = [r * beta / (alpha * (s - 1)) * (1 - (beta / (beta + h)) ** (s - 1)) for h in HORIZONS]
    chances = []
    for x, t in [(0, 39.0), (1, 39.0), (5, 39.0), (30, 100.0)]:
        def bought(u, x=x):
            return math.exp(loggamma(r + x).real - loggamma(r).real - loggamma(x + 1).real) * (alpha / (alpha + u)) ** r * (u / (alpha + u)) ** x

        chances.append([x, t, bought(t) * (beta / (beta + t)) ** s + quad(lambda u: bought(u) * s / (beta + u) * (beta / (beta + u)) ** s, 0, t, epsabs=0, epsrel=1e-12)[0]])
    return {"histories": rows, "horizons": HORIZONS, "delta": DELTA, "new": new, "chances": chances}


def write(name, case):
    case["software"] = {"numpy": np.__version__, "scipy": scipy.__version__}
    (HERE / "transactional" / f"{name}.json").write_text(json.dumps(case, indent=1) + "\n")


def main():
    data = customers()
    numbers = np.arange(len(data))
    cases = {"cdnow": np.ones(len(data)), "cdnow_weighted": 1 + (numbers % 3) / 2, "cdnow_part": (numbers % 3 == 1) * 1.0}
    models = {
        "bg_nbd": (bg_nbd, [0.3, 4, 1, 2], lambda p: bg_answers(p, 0)),
        "mbg_nbd": (mbg_nbd, [0.5, 6, 1, 2], lambda p: bg_answers(p, 1)),
        "pareto_nbd": (pareto_nbd, [0.5, 10, 0.6, 11], pareto_answers),
    }
    for case, weight in cases.items():
        kept = weight > 0
        x, tx, t, mean = data[kept].T
        for model, (density, start, answers) in models.items():
            fitted = fit(density, start, (x, tx, t), weight[kept])
            write(f"{case}_{model}", {"case": case, "model": model, **fitted, **answers(fitted["parameters"])})
        again = mean > 0
        fitted = fit(gamma_gamma, [6, 4, 15], (x[again], mean[again]), weight[kept][again])
        p, q, v = fitted["parameters"]
        spend = [[n, z, p * (v + n * z) / (p * n + q - 1)] for n, z in [(0, 0), (1, 11.77), (7, 73.74), (2, 22.35)]]
        write(f"{case}_gamma_gamma", {"case": case, "model": "gamma_gamma", **fitted, "spend": spend})


main()
