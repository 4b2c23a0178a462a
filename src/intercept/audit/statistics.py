"""What happened, in figures: calls, denials, the rules behind them, how long things took. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil

from ..policy import Effect, RuleRef
from .selection import Call


@dataclass(frozen=True, slots=True)
class OfTool:
    """The calls of one tool. Times are in microseconds, from the decision to the answer; None: no answers."""

    tool: str
    calls: int
    denied: int
    asked: int
    failed: int
    """Answered with an error, of the tool or of the protocol."""
    median: int | None
    p95: int | None
    longest: int | None


@dataclass(frozen=True, slots=True)
class OfRule:
    """How often a rule decided against a call; one without a name stands for `default` and `hide`."""

    rule: RuleRef | None
    denied: int
    asked: int


@dataclass(frozen=True, slots=True)
class Statistics:
    """All calls together."""

    sessions: int
    first: int | None
    last: int | None
    decisions: dict[str, int]
    outcomes: dict[str, int]
    unanswered: int
    """Allowed, and nothing is known of what became of them."""
    tools: tuple[OfTool, ...]
    """Most calls first."""
    rules: tuple[OfRule, ...]
    """Most denials first."""
    deciding: tuple[int, int] | None
    """Microseconds that decisions took: median, and what one of a hundred took or more."""


def statistics(calls: Sequence[Call]) -> Statistics:
    """The figures of `calls`, oldest first."""
    by_tool: dict[str, list[Call]] = {}
    for call in calls:
        by_tool.setdefault(call.decided.tool, []).append(call)
    tools = sorted((_of_tool(tool, found) for tool, found in by_tool.items()), key=lambda one: (-one.calls, one.tool))
    taken = sorted(call.decided.duration for call in calls)
    return Statistics(
        sessions=len({call.decided.session for call in calls}),
        first=calls[0].decided.time if calls else None,
        last=calls[-1].decided.time if calls else None,
        decisions={str(effect): sum(call.decided.effect is effect for call in calls) for effect in Effect},
        outcomes=dict(Counter(call.outcome for call in calls if call.outcome is not None)),
        unanswered=sum(call.outcome is None and call.decided.effect is Effect.ALLOW for call in calls),
        tools=tuple(tools),
        rules=tuple(_of_rules(calls)),
        deciding=(share(taken, 0.5), share(taken, 0.99)) if taken else None,
    )


def _of_tool(tool: str, calls: Sequence[Call]) -> OfTool:
    took = sorted(call.duration for call in calls if call.duration is not None and call.outcome != "cancelled")
    return OfTool(
        tool,
        len(calls),
        sum(call.decided.effect is Effect.DENY for call in calls),
        sum(call.decided.effect is Effect.ASK for call in calls),
        sum(call.outcome in {"tool_error", "rpc_error"} for call in calls),
        share(took, 0.5) if took else None,
        share(took, 0.95) if took else None,
        took[-1] if took else None,
    )


def _of_rules(calls: Iterable[Call]) -> list[OfRule]:
    denied: Counter[tuple[str, str, int] | None] = Counter()
    asked: Counter[tuple[str, str, int] | None] = Counter()
    names: dict[tuple[str, str, int] | None, RuleRef | None] = {None: None}
    for call in calls:
        one = call.decided
        if one.effect is Effect.ALLOW:
            continue
        counter = denied if one.effect is Effect.DENY else asked
        for rule in one.rules:
            key = (rule.path, rule.name, rule.line)
            names[key] = rule
            counter[key] += 1
        if not one.rules:
            counter[None] += 1
    keys = sorted(denied.keys() | asked.keys(), key=lambda key: (-denied[key], -asked[key], key or ("", "", 0)))
    return [OfRule(names[key], denied[key], asked[key]) for key in keys]


def share(ordered: Sequence[int], part: float) -> int:
    """What `part` of the values, which are in order and not none, are at most."""
    return ordered[max(0, ceil(len(ordered) * part) - 1)]
