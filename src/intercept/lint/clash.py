"""Conditions that exclude each other, found without guessing.

Where values can be listed (`eq`, `in`, the hours of a day) each is tried against all the other conditions; otherwise
only bounds, lengths, beginnings and ends that cannot meet count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, Final

from ..policy.operators import OPERATORS
from ..policy.reading import WEEKDAYS
from .subject import Condition

_NUMERIC: Final = frozenset({"lt", "lte", "gt", "gte"})
_TEXTUAL: Final = frozenset(
    {"regex", "not_regex", "starts_with", "ends_with", "glob", "host_in", "path_within", "cidr_in"}
)
_CLOCK: Final[dict[str, tuple[Any, ...]]] = {
    "now.hour": tuple(range(24)),
    "now.minute": tuple(range(60)),
    "now.weekday": WEEKDAYS,
}


def clashing(conditions: Iterable[Condition]) -> Iterator[tuple[Condition, str]]:
    """The conditions that cannot hold together with those before them about the same path, and why, as a clause.

    At most one for each path. Alternatives are left out: they need not all hold.
    """
    by_path: dict[str, list[Condition]] = {}
    for condition in conditions:
        if not condition.in_any:
            by_path.setdefault(str(condition.path), []).append(condition)
    for path, together in by_path.items():
        for count in range(1, len(together) + 1):
            if because := _clash(path, together[:count]):
                yield together[count - 1], because
                break


def _clash(path: str, conditions: Sequence[Condition]) -> str:
    *others, last = conditions
    plain = [each for each in conditions if not each.negated]
    if (values := _candidates(path, plain)) is not None:
        if any(all(_holds(each, value) for each in conditions) for value in values):
            return ""
        return "nothing satisfies both it and what stands before it" if others else "nothing satisfies it"
    if last.negated:
        return ""
    if any(_are_apart(last, other) for other in plain if other is not last):
        return f"`{last.path.text}` cannot be this and what is asked of it before"
    return ""


def _candidates(path: str, conditions: Iterable[Condition]) -> list[Any] | None:
    """All values that could be meant, if a condition lists them."""
    listed = [
        list(each.written.value) if each.op == "in" else [each.written.value]
        for each in conditions
        if each.op in {"eq", "in"}
    ]
    if listed:
        return min(listed, key=len)
    clock = next((values for name, values in _CLOCK.items() if path == _spelt(name)), None)
    return None if clock is None else list(clock)


def _spelt(path: str) -> str:
    root, _, name = path.partition(".")
    return f'{root}["{name}"]'


def _holds(condition: Condition, value: Any) -> bool:  # noqa: ANN401  # whatever an author compares with
    if condition.op == "exists":
        return condition.written.value is not condition.negated
    verdict = OPERATORS[condition.op](condition.written.value)(value)
    # What an operator cannot take denies; then it does not hold either.
    return verdict is not None and verdict is not condition.negated


def _are_apart(one: Condition, other: Condition) -> bool:
    return _excludes(one, other) or _excludes(other, one)


def _excludes(one: Condition, other: Condition) -> bool:
    mine, theirs = one.written.value, other.written.value
    match one.op, other.op:
        case "exists", "exists":
            return bool(mine is not theirs)
        case "exists", _:
            return mine is False
        case ("gt" | "gte") as low, ("lt" | "lte") as high:
            return bool(Decimal(mine) > Decimal(theirs) or (mine == theirs and (low, high) != ("gte", "lte")))
        case "length_gte", "length_lte":
            return bool(mine > theirs)
        case "starts_with", "starts_with":
            return not (mine.startswith(theirs) or theirs.startswith(mine))
        case "ends_with", "ends_with":
            return not (mine.endswith(theirs) or theirs.endswith(mine))
        case op, text if op in _NUMERIC:
            return text in _TEXTUAL
        case _:
            return False
