"""An explanation in words and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ..answers import limit_details, plain_number, printable
from ..policy import Effect, Kind, reasons

if TYPE_CHECKING:
    from . import Account, Explanation, LimitState, Part, Place

_LISTS: Final = {Kind.TOOL: "tools/list", Kind.RESOURCE: "resources/list", Kind.PROMPT: "prompts/list"}


def lines(explanation: Explanation, kind: Kind) -> Iterator[str]:
    """For people: one fact a line, behind the place in a policy that it rests on."""
    decision = explanation.decision
    name = f"`{printable(decision.tool)}`"
    yield f"{decision.effect} {name}{f': {_one_line(decision.reason)}' if decision.reason else ''}"
    if not explanation.is_judged:
        yield f"no policy speaks of {kind}s: all of them pass"
        return
    for account in explanation.rules:
        yield from _account(account, _VERBS[account.rule.effect], decision.reason)
    if not explanation.rules:
        yield f"nothing in the policy restricts {name}"
    for limit in explanation.limits:
        yield f"{_place(limit.charge.rule.path, limit.charge.rule.line)}: {_limit(limit)}"
    for account in explanation.also:
        yield from _account(account, f"{_would(account)} too", decision.reason)
    for account in explanation.shadow:
        yield from _account(account, f"{_would(account)}, but for shadow mode")
    for account in explanation.skipped:
        yield from _account(account, "does not apply")
    denied = ", but not allowed for the reason above" if explanation.decision.reason else ""
    for place in explanation.listed:
        yield f"{_place(place.path, place.line)}: listed under `{printable(place.text)}`{denied}"
    for place in explanation.near:
        yield f"{_place(place.path, place.line)}: near miss: `{printable(place.text)}` {place.why}"
    yield f"{_LISTS[kind]}: {'shown' if explanation.in_list else f'left out, because {explanation.list_reason}'}"
    if explanation.told:
        unless = "unless a person agrees, " if explanation.decision.effect is Effect.ASK else ""
        yield f"{unless}the model reads: {_one_line(explanation.told)}"


_VERBS: Final = {Effect.ALLOW: "allows", Effect.ASK: "asks a person", Effect.DENY: "denies"}


def _would(account: Account) -> str:
    return "would ask a person" if account.rule.effect is Effect.ASK else "would deny"


def _account(account: Account, verb: str, known: str = "") -> Iterator[str]:
    """What a rule did, and why; its reason is left out where it is `known` or says nothing."""
    rule = account.rule
    name = printable(rule.name)
    text = _NO_RULES[rule.name] if account.is_no_rule else f"rule `{name}` {verb}"
    if rule.reason not in {"", known, reasons.denied(rule.name), reasons.asked(rule.name)}:
        text += f": {_one_line(rule.reason)}"
    yield f"{_place(rule.path, rule.line)}: {text}"
    for part in account.parts:
        yield f"{_place(rule.path, part.line)}:   {part}"


_NO_RULES: Final = {
    "hide": "hidden here",
    "default": "no entry lists it, and what no entry lists is denied",
    "name": "refused for the name alone",
}


def _limit(limit: LimitState) -> str:
    charge = limit.charge
    text = (
        f"limit `{printable(charge.counter)}`: {reasons.amount(limit.used)} of {reasons.extent(charge)} used, "
        f"{reasons.amount(limit.left)} left; the call takes {reasons.amount(charge.cost)}"
    )
    if not limit.refuses:
        return text
    return f"{text}, {'which can never fit' if limit.retry_after is None else f'free in {limit.retry_after} s'}"


def _one_line(text: str) -> str:
    """What an author wrote, whole, and without what would end a line or change a terminal."""
    return "".join(c if c.isprintable() else " " for c in text).strip()


def _place(path: str, line: int) -> str:
    return f"{path}:{line}" if line else path


def as_json(explanation: Explanation, kind: Kind) -> dict[str, object]:
    """For programs: an object that can be written as JSON; its members are a documented interface."""
    decision = explanation.decision
    return {
        "decision": decision.effect,
        "tool": decision.tool,
        "kind": kind,
        "rules": [_rule_json(account) for account in explanation.rules],
        "limits": [_limit_json(limit) for limit in explanation.limits],
        "reason": decision.reason,
        "told": explanation.told,
        "policy": decision.policy,
        "judged": explanation.is_judged,
        "also": [_rule_json(account) for account in explanation.also],
        "shadow": [_rule_json(account) for account in explanation.shadow],
        "skipped": [_rule_json(account) for account in explanation.skipped],
        "listed_by": [{"entry": place.text, "path": place.path, "line": place.line} for place in explanation.listed],
        "near_misses": [_near_json(place) for place in explanation.near],
        "in_list": explanation.in_list,
        "list_reason": explanation.list_reason,
    }


def _rule_json(account: Account) -> dict[str, object]:
    rule = account.rule
    return {
        "rule": rule.name,
        "effect": None if account.skipped else rule.effect,
        "path": rule.path,
        "line": rule.line,
        "reason": rule.reason,
        "conditions": [_part_json(part) for part in account.parts],
    }


def _part_json(part: Part) -> dict[str, object]:
    return {"text": part.text, "line": part.line, "holds": part.holds, "found": part.found}


def _limit_json(limit: LimitState) -> dict[str, object]:
    charge = limit.charge
    return {
        **limit_details(charge),
        "used": plain_number(limit.used),
        "left": plain_number(limit.left),
        "refuses": limit.refuses,
        "retry_after_s": limit.retry_after,
        "rule": charge.rule.name,
        "path": charge.rule.path,
        "line": charge.rule.line,
    }


def _near_json(place: Place) -> dict[str, object]:
    return {"name": place.text, "path": place.path, "line": place.line, "why": place.why}
