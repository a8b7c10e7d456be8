"""Reference answers for the contractual models, with 40 digits: the likelihood as Fader & Hardie (2007) and Fader et al. (2018) write it, its maximum found by scipy without derivatives and polished by mpmath's Newton method on
numeric derivatives. Run in this directory: python contractual.py. Needs numpy, scipy, mpmath.

Of the limit in which customers do not differ (dw) S(t) = exp(-h t^c). Else
ll = sum d_t ln P(T = t) + sum c_t ln S(t) - sum e_t ln S(t) (customers lost at renewal t, last seen after renewal t, first seen after renewal t); S(t) = B(a, b + t^c) / B(a, b).
"""

import csv
import json
from pathlib import Path
from sys import argv

import numpy as np
from mpmath import beta, diff, exp, findroot, hyp2f1, inf, log, matrix, mp, mpf, nsum, sqrt
from scipy.optimize import minimize
from scipy.special import betaln

mp.dps = 40
HERE = Path(__file__).parent
DATA = HERE.parent / "data"


def table(name):
    with open(DATA / name, newline="") as file:
        return list(csv.DictReader(file))


def add(counts, duration, what, weight=1):
    counts.setdefault(duration, {"lost": 0, "kept": 0, "entered": 0})[what] += weight


def of_survivors(survivors, counts=None):
    counts = {} if counts is None else counts
    for t in range(1, len(survivors)):
        add(counts, t, "lost", survivors[t - 1] - survivors[t])
    add(counts, len(survivors) - 1, "kept", survivors[-1])
    return counts


def cases():
    by_cohort = {name: [int(row["n_alive"]) for row in table("fader_hardie_counts.csv") if row["cohort"] == name] for name in ("regular", "high_end")}
    for cohort, survivors in by_cohort.items():
        for years in (4, 7, 12):
            for family in ("sbg", "bdw"):
                yield f"{cohort}_{years}_{family}", family, of_survivors(survivors[: years + 1])
    # Cohorts of unequal ages.
    pooled = of_survivors(by_cohort["high_end"][:5], of_survivors(by_cohort["regular"]))
    yield "unequal_ages_sbg", "sbg", pooled
    yield "unequal_ages_bdw", "bdw", pooled
    # Censored durations, each row by itself.
    regimes = table("dd_regimes.csv")
    for kind in ("Democracy", "Non-democracy"):
        counts = {}
        for row in regimes:
            if row["democracy"] == kind:
                add(counts, int(row["duration"]), "lost" if row["observed"] == "1" else "kept")
        yield f"regimes_{kind.lower().replace('-', '_')}_sbg", "sbg", counts
        # The beta-discrete-Weibull runs to this limit, where all are alike: S(t) = q^(t^c).
        yield f"regimes_{kind.lower().replace('-', '_')}_dw", "dw", counts
    # Seen from the third year on only.
    counts = {}
    for row in regimes:
        if row["democracy"] == "Non-democracy" and int(row["duration"]) > 2:
            add(counts, int(row["duration"]), "lost" if row["observed"] == "1" else "kept")
            add(counts, 2, "entered")
    yield "late_entry_sbg", "sbg", counts
    yield "late_entry_dw", "dw", counts


def start(family, counts):
    times = np.array(sorted(counts), dtype=float)
    lost, kept, entered = (np.array([counts[t][what] for t in sorted(counts)], dtype=float) for what in ("lost", "kept", "entered"))

    def minus(p):
        if family == "dw":
            s = lambda t: t ** np.exp(p[1]) * -np.exp(p[0])  # noqa: E731
            before, after = s(times - 1), s(times)
            return -np.sum(np.where(lost > 0, lost * np.log(np.exp(before) - np.exp(after)), 0) + (kept - entered) * after)
        a, b = np.exp(p[0]), np.exp(p[1])
        c = np.exp(p[2]) if family == "bdw" else 1.0
        s = lambda t: betaln(a, b + t**c) - betaln(a, b)  # noqa: E731
        before, after = s(times - 1), s(times)
        with np.errstate(all="ignore"):
            value = np.sum(np.where(lost > 0, lost * np.log(np.exp(before) - np.exp(after)), 0)) + np.sum((kept - entered) * after)
        return -value if np.isfinite(value) else 1e12

    best = None
    for first in ([-2.0, -0.1], [-1.0, 0.2]) if family == "dw" else ([0.0, 0.0, 0.0], [0.0, 2.0, 0.3], [-1.0, 0.5, -0.3]):
        found = minimize(minus, first[: 2 + (family == "bdw")], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-10, "maxiter": 20000, "maxfev": 20000})
        if best is None or found.fun < best.fun:
            best = found
    return best.x


def fit(family, counts):
    q = 3 if family == "bdw" else 2

    def survival(p, t):
        if family == "dw":
            return exp(-p[0] * mpf(t) ** p[1])
        c = p[2] if q == 3 else mpf(1)
        return beta(p[0], p[1] + mpf(t) ** c) / beta(p[0], p[1]) if t > 0 else mpf(1)

    def value(*p):
        total = mpf(0)
        for t, count in counts.items():
            if count["lost"]:
                total += count["lost"] * log(survival(p, t - 1) - survival(p, t))
            if count["kept"] != count["entered"]:
                total += (count["kept"] - count["entered"]) * log(survival(p, t))
        return total

    unit = [tuple(int(i == j) for j in range(q)) for i in range(q)]
    of_logs = lambda *p: value(*(exp(x) for x in p))  # noqa: E731
    gradient = lambda *p: [diff(of_logs, p, order) for order in unit]  # noqa: E731
    found = findroot(gradient, [mpf(float(x)) for x in start(family, counts)], tol=1e-30, maxsteps=30)
    p = tuple(exp(x) for x in found)
    information = matrix(q, q)
    for i in range(q):
        for j in range(q):
            information[i, j] = -diff(value, p, tuple(a + b for a, b in zip(unit[i], unit[j])))
    covariance = information**-1
    at = lambda t: survival(p, t)  # noqa: E731
    answer = {
        "parameters": list(p),
        "std_errors": [sqrt(covariance[i, i]) for i in range(q)],
        "log_likelihood": value(*p),
        "survival": [at(t) for t in range(1, 25)],
        "retention": [at(t) / at(t - 1) for t in range(1, 25)],
        "conditional": [{"made": n, "next": k, "value": at(n + k) / at(n)} for n in (0, 1, 4, 20) for k in (1, 2, 10)],
        "derl": [],
        "expected_lifetime": [],
    }
    for rate in ("0", "0.01", "0.1", "0.25"):
        for months in (12, 1):
            v = (1 + mpf(rate)) ** (-mpf(months) / 12)
            for made in (0, 1, 4, 20):
                if rate == "0" and family == "dw":
                    lifetime = sum(at(made + j) for j in range(3000)) / at(made)
                    derl = lifetime - 1
                elif rate == "0":
                    power = p[0] * (p[2] if q == 3 else 1)
                    # Of the beta-geometric in closed form; a slow sum tells nothing that the finite ones do not.
                    if q == 2:
                        lifetime = (p[0] + p[1] + made - 1) / (p[0] - 1) if power > 1 else None
                    elif power > 1:
                        continue
                    else:
                        lifetime = None
                    derl = None if lifetime is None else lifetime - 1
                elif family == "sbg":
                    lifetime = hyp2f1(1, p[1] + made, p[0] + p[1] + made, v)
                    derl = at(made + 1) / at(made) * hyp2f1(1, p[1] + made + 1, p[0] + p[1] + made + 1, v)
                elif rate == "0.01" and months == 1:
                    continue
                else:
                    terms = int(-100 / log(v, 10)) + 1 if rate != "0.01" else 5000
                    lifetime = sum(v**j * at(made + j) for j in range(min(terms, 5000))) / at(made)
                    derl = (lifetime - 1) / v
                where = {"rate": float(rate), "months": months, "made": made}
                answer["expected_lifetime"].append({**where, "value": lifetime})
                answer["derl"].append({**where, "value": derl})
    return answer


def plain(value):
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    return value if value is None or isinstance(value, (int, str)) else float(value)


if __name__ == "__main__":
    assert nsum(lambda j: mpf("0.9") ** j, [0, inf]) == 10
    for name, family, counts in cases():
        if len(argv) > 1 and not name.startswith(argv[1]):
            continue
        rows = [{"duration": t, **counts[t]} for t in sorted(counts)]
        answer = {"case": name, "family": family, "counts": rows, "answer": plain(fit(family, counts))}
        (HERE / "contractual" / f"{name}.json").write_text(json.dumps(answer, indent=1) + "\n")
        print(name, answer["answer"]["parameters"], answer["answer"]["log_likelihood"])
