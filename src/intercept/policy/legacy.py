"""Intercept 1.x: a `state` counter with a condition on it, read as the limit that it was.

There, `state.<tool>.<counter>` with `lt` or `lte` in a rule's conditions, beside a `state` block with that counter, is
the rule's limit; the engine reads no other use of `state` so. Any other use is a mistake here, with what to write
instead.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from ..values import MalformedError
from . import schema

_EVERYONE: Final = "_global"
"""What 1.x calls the tool of rules under `"*"`."""


def is_state(condition: schema.Condition) -> bool:
    """Whether `condition` looks at a counter."""
    return condition.path.partition(".")[0] == "state"


def counter_of(rule: schema.Rule, entry: str) -> str:
    """The counter that the rule keeps; it belongs to its tool or, under `"*"`, to all of them."""
    owner = _EVERYONE if entry == "*" else entry
    return f"{owner}.{rule.state.counter}" if rule.state else ""


def limiting(rule: schema.Rule, entry: str) -> int | None:
    """The index of the condition that limits the counter of `rule`."""
    path = f"state.{counter_of(rule, entry)}"
    for index, condition in enumerate(rule.conditions):
        if rule.state and condition.path == path and condition.op in {"lt", "lte"}:
            return index
    return None


def as_limit(state: schema.State, counter: str, condition: schema.Condition) -> schema.Limit:
    """The limit that `condition` puts on the counter of `state`.

    Raises:
        MalformedError: nothing could ever be counted.
    """
    limit = Decimal(condition.value)
    if condition.op == "lt":  # 1.x counts in whole numbers: below 10 is at most 9
        limit = limit - 1 if limit == limit.to_integral_value() else Decimal(int(limit))
    if limit <= 0:
        raise MalformedError("this refuses every call", "write `action: deny` if that is meant")
    return schema.Limit.of(
        max=limit,
        window=state.window,
        counter=counter,
        scope="grant",  # 1.x keeps its counters in a file
        increment=state.increment or None,  # 1.x takes 0 for left out
        increment_from=state.increment_from,
    )


def advice(rule: schema.Rule, condition: schema.Condition | None = None) -> str:
    """The `limits` to write instead of `state` and `condition`."""
    state = rule.state
    name = state.counter if state else condition.path.rpartition(".")[2] if condition else "calls"
    value = condition.value if condition else None
    amount = value if isinstance(value, int | Decimal) and not isinstance(value, bool) else "N"
    window = state.window.text if state else "day"
    source = state.increment_from if state else ""
    cost = f", cost: {{from: {source}}}" if source else ""
    return f"write `limits: [{{counter: {name}, max: {amount}, window: {window}{cost}}}]`"
