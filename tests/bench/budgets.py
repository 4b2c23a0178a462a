"""The budgets, as data, and the tables that put a measurement beside each."""

from __future__ import annotations

import platform
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure as it came out: median and quartiles of its samples."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, samples: Sequence[float]) -> Spread:
        if len(samples) < 2:
            return cls(samples[0], samples[0], samples[0])
        low, median, high = statistics.quantiles(samples, n=4, method="inclusive")
        return cls(median, low, high)


@dataclass(frozen=True, slots=True)
class Budget:
    """What a figure may cost; ratios (unit `x`) are to no proxy unless the figure says otherwise."""

    figure: str
    limit: float
    unit: str
    aim: float | None = None
    at_least: bool = False

    def met(self, value: float, bound: float) -> bool:
        return value >= bound if self.at_least else value <= bound


RELAY = (
    Budget("round trip to direct", 3.2, "x"),
    Budget("pipelined", 30_000, "calls/s", at_least=True),
    Budget("1 MiB echo to direct", 1.6, "x"),
    Budget("10 MB result (text) to two `cat`", 3.0, "x"),
    Budget("10 MB result (JSON in text) to two `cat`", 3.0, "x"),
    Budget("start before a server that boots in 20 ms, over direct", 230, "ms", aim=60),
    Budget("start before server-everything, over direct", 60, "ms"),
    Budget("processor time of a start", 300, "ms", aim=150),
    Budget("memory in steady state", 40, "MB", aim=32),
    Budget("memory growth over 1,000,000 calls", 5, "MB"),
    Budget("hot reload, from saving to the first call judged by it", 1000, "ms"),
    Budget("slowest call during a hot reload", 10, "ms"),
)

_DIFFERENT = {
    "intercept-audit": (
        Budget("round trip to direct", 4.0, "x"),
        Budget("pipelined", 10_000, "calls/s", at_least=True),
    ),
    "intercept-durable": (
        Budget("round trip to direct", 6.0, "x", aim=4.9),
        Budget("pipelined", 10_000, "calls/s", at_least=True),
    ),
}
"""Where more is done for a call than a decision that nobody keeps."""


def relay(subject: str) -> tuple[Budget, ...]:
    """The budgets of one way to run the proxy."""
    others = {budget.figure: budget for budget in _DIFFERENT.get(subject, ())}
    return tuple(others.get(budget.figure, budget) for budget in RELAY)


DECIDE = (
    Budget("decide, 6 conditions", 15, "µs"),
    Budget("decide, argument schema", 40, "µs"),
    Budget("decide, 1,000 listed tools to 10", 1.25, "x"),
    Budget("load, 50 tools", 25, "ms"),
    Budget("load, 1,000 tools with 5,000 rules", 500, "ms"),
    Budget("reserve in memory, one limit", 5, "µs"),
    Budget("reserve in memory, 100,000 live keys to 1", 2, "x"),
    Budget("audit, a decision record", 25, "µs"),
)

RESERVE = (
    Budget("memory, one limit", 5, "µs"),
    Budget("memory, 100,000 live keys to 1", 2, "x"),
    Budget("SQLite, one limit", 40, "µs"),
    Budget("SQLite, three limits", 80, "µs"),
    Budget("SQLite, 100,000 live keys to 1", 2, "x"),
    Budget("Redis, one limit", 200, "µs"),
    Budget("Redis, 100,000 live keys to 1", 2, "x"),
)


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def number(value: float) -> str:
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def comparison(budgets: Sequence[Budget], measured: Mapping[str, Spread]) -> str:
    """Each budget beside its figure: reached (and whether the aim is), missed, or not measured."""
    rows = []
    for budget in budgets:
        spread = measured.get(budget.figure)
        sign = ">=" if budget.at_least else "<="
        aim = "" if budget.aim is None else f", aim {number(budget.aim)}"
        allowed = f"{sign} {number(budget.limit)} {budget.unit}{aim}"
        if spread is None:
            rows.append([budget.figure, allowed, "", "not measured"])
            continue
        found = f"{number(spread.median)} ({number(spread.low)} to {number(spread.high)})"
        verdict = "reached" if budget.met(spread.median, budget.limit) else "**missed**"
        if budget.aim is not None and budget.met(spread.median, budget.aim):
            verdict = "reached, and the aim"
        rows.append([budget.figure, allowed, found, verdict])
    return markdown(["figure", "budget", "measured: median (quartiles)", ""], rows)


def report(budgets: Sequence[Budget], found: Mapping[str, Spread]) -> str:
    """What was measured beside its budget, and in µs what has none."""
    known = {budget.figure for budget in budgets}
    others = [[name, f"{one.median:.2f} µs"] for name, one in found.items() if name not in known]
    rest = markdown(["without a budget", "median"], others)
    return f"{measured()}\n{comparison(budgets, found)}\n\n{rest}"


def measured() -> str:
    """What the Python that runs this measures, for the head of a report."""
    import intercept
    from intercept import relay

    form = "interpreted" if str(relay.__file__).endswith(".py") else "compiled"
    return f"intercept {intercept.__version__}, {form}, Python {platform.python_version()}\n"
