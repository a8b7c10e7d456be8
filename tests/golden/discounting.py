"""Answers for crates/engine/tests/discounting.rs: python3 tests/golden/discounting.py, from the root of the repository (scipy, numpy).

Present values are in decimal arithmetic with 50 digits; internal rates by scipy's brentq, and by the eigenvalues of numpy's roots where there
are several; day counts by walking through the days one by one; slopes by scipy's linregress. `published` are the numbers that the
documentation of spreadsheets prints. Nothing is shared with the engine.
"""

import json
import random
from datetime import date, timedelta
from decimal import Decimal, getcontext
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats
from scipy.optimize import brentq

getcontext().prec = 50
chance = random.Random(20261122)


def walked(day_count: str, start: date, end: date) -> float:
    """Each day counts its share of a year; months of 30 days by their rule."""
    if day_count.startswith("ACT"):
        total = Decimal(0)
        day = start
        while day < end:
            leap = day.year % 4 == 0 and (day.year % 100 != 0 or day.year % 400 == 0)
            total += Decimal(1) / {"ACT/365F": 365, "ACT/360": 360, "ACT/ACT": 366 if leap else 365}[day_count]
            day += timedelta(days=1)
        return float(total)
    first, last = start.day, end.day
    february = lambda d: d.month == 2 and (d + timedelta(days=1)).month == 3  # noqa: E731
    if day_count == "30U/360" and february(start):
        last = 30 if february(end) else last
        first = 30
    first = 30 if first == 31 else first
    if day_count == "30E/360" or first == 30:
        last = 30 if last == 31 else last
    return ((end.year - start.year) * 360 + (end.month - start.month) * 30 + last - first) / 360


def xnpv(rate: float, times: list[float], cash: list[Decimal]) -> Decimal:
    growth = 1 + Decimal(rate)
    return sum((amount * growth ** -Decimal(time) for time, amount in zip(times, cash)), Decimal(0))


def cents(low: int, high: int) -> Decimal:
    return Decimal(chance.randint(low, high)) / 100


def some_day() -> date:
    return date(2000, 1, 1) + timedelta(days=chance.randint(0, 14000))


def case_of_flows(kind: str) -> dict[str, Any]:
    start, n = some_day(), chance.choice([2, 5, 12, 60])
    days = sorted(chance.sample(range(1, 3000), n))
    if kind == "investment":
        cash = [-cents(100000, 90000000)] + [cents(100, 3000000) for _ in days]
    elif kind == "loan":
        cash = [cents(100000, 90000000)] + [-cents(100, 3000000) for _ in days]
    else:
        cash = [cents(-900000, 900000) for _ in [0, *days]]
    dates = [start] + [start + timedelta(days=d) for d in days]
    day_count = chance.choice(["ACT/365F", "ACT/365F", "ACT/ACT", "ACT/360"])
    rate = chance.choice([-0.3, 0.0, 0.02, 0.1, 0.25, 1.5])
    times = [walked(day_count, start, day) for day in dates]
    case = {"dates": [str(day) for day in dates], "cash": [str(amount) for amount in cash], "day_count": day_count, "rate": rate}
    case["xnpv"] = float(xnpv(rate, times, cash))
    if kind != "any":
        scale = float(max(abs(amount) for amount in cash))
        value = lambda force: sum(float(amount) / scale * np.exp(-force * time) for time, amount in zip(times, cash))  # noqa: E731
        case["xirr"] = float(np.expm1(brentq(value, -30, 60, xtol=1e-15, rtol=1e-15, maxiter=1000)))
    return case


def case_of_periods() -> dict[str, Any]:
    cash = [cents(-90000, 90000) for _ in range(chance.choice([2, 3, 4, 5, 6]))]
    roots = np.roots([float(amount) for amount in cash]) if any(cash) else np.array([])
    real = [root.real - 1 for root in roots if abs(root.imag) < 1e-9 * abs(root) and root.real > 0]
    clear = all(abs(root.imag) < 1e-12 * abs(root) or abs(root.imag) > 1e-4 * abs(root) for root in roots)
    rate = chance.choice([-0.1, 0.01, 0.1])
    case = {"cash": [str(amount) for amount in cash], "rate": rate}
    for timing, shift in {"advance": 0, "mid-period": 0.5, "arrears": 1}.items():
        case[timing] = float(xnpv(rate, [k + shift for k in range(len(cash))], cash))
    case["rates"] = sorted(real) if clear else None
    return case


def case_of_days() -> dict[str, Any]:
    start = some_day()
    end = start + timedelta(days=chance.choice([0, 1, 30, 365, 366, chance.randint(0, 5000)]))
    if chance.random() < 0.4:
        start, end = (date(d.year, d.month, 28) + timedelta(days=chance.randint(0, 3)) for d in (start, end))
        start, end = min(start, end), max(start, end)
    counts = ["ACT/365F", "ACT/360", "ACT/ACT", "30/360", "30U/360", "30E/360"]
    return {"from": str(start), "to": str(end), "years": {count: walked(count, start, end) for count in counts}}


def case_of_slopes() -> dict[str, Any]:
    n = chance.choice([2, 5, 20, 60])
    t = [chance.uniform(8000, 9500) for _ in range(n)]
    x = [0.03 * time + chance.gauss(0, 20) for time in t]
    half_life = chance.choice([1.0, 7.0, 30.0, 365.0])
    weights = [Decimal(2) ** (Decimal(time - max(t)) / Decimal(half_life)) for time in t]
    average = sum(w * Decimal(value) for w, value in zip(weights, x)) / sum(weights)
    return {"t": t, "x": x, "half_life": half_life, "slope": float(stats.linregress(t, x).slope), "average": float(average)}


PUBLISHED = [
    {"what": "XNPV", "rate": 0.09, "cash": ["-10000", "2750", "4250", "3250", "2750"], "value": "2086.65",
     "dates": ["2008-01-01", "2008-03-01", "2008-10-30", "2009-02-15", "2009-04-01"]},
    {"what": "NPV", "rate": 0.10, "cash": ["-10000", "3000", "4200", "6800"], "value": "1188.44"},
    {"what": "NPV after an investment now", "rate": 0.08, "cash": ["-40000", "8000", "9200", "10000", "12000", "14500"], "value": "1922.06", "timing": "advance"},
    {"what": "NPV with a loss in the sixth year", "rate": 0.08, "cash": ["-40000", "8000", "9200", "10000", "12000", "14500", "-9000"], "value": "-3749.47", "timing": "advance"},
]  # fmt: skip

golden = {
    "published": PUBLISHED,
    "dated": [case_of_flows(kind) for kind in ["investment"] * 60 + ["loan"] * 30 + ["any"] * 60],
    "periods": [case_of_periods() for _ in range(150)],
    "days": [case_of_days() for _ in range(200)],
    "trends": [case_of_slopes() for _ in range(40)],
}
Path("tests/golden/discounting/discounting.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
