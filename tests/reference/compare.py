"""The package and the reference side by side: where they differ, and the smallest case in which they still do."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from glob import glob
from itertools import product
from pathlib import Path
from typing import Any, Self

from intercept.actions import Ended, Judge, Outcome
from intercept.enforcement import Enforcer
from intercept.errors import PolicyError
from intercept.limits.scoped import ScopedStore
from intercept.limits.sqlite import SQLiteStore
from intercept.policy import CalendarWindow, Charge, Decision, InFlight, Kind, PolicySet, ToolCall, load
from intercept.wire import Request, parse_client

from .clock import Window as Length
from .evaluator import OUTRIGHT, Call, Reference, Refusal, RuleName, Verdict
from .generate import Case

_REQUEST = parse_client(b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "any"}}')


MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
"""A folder for files that are made by the thousand and need survive nothing, where there is one."""


@dataclass(frozen=True)
class Difference:
    """The call about which the two do not agree."""

    index: int
    package: str
    reference: str


def text_of(tree: Any) -> str:
    """`tree` as JSON text, with decimals as they are written."""
    match tree:
        case dict():
            return "{" + ", ".join(f"{json.dumps(key)}: {text_of(value)}" for key, value in tree.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(text_of, tree)) + "]"
        case Decimal():
            return str(tree)
        case _:
            return json.dumps(tree)


class Package:
    """Sessions under the package's own reading of the policies at `paths`, each of a grant, with one state file."""

    def __init__(self, paths: list[str], grants: Sequence[str], folder: str) -> None:
        self.paths = paths
        self.policy: PolicySet = load(paths)
        self._now = 0.0
        self._admitted: dict[int, object] = {}
        self._state = f"{folder}/state.sqlite"
        self._stores = [ScopedStore(partial(SQLiteStore, self._state, grant=grant)) for grant in grants]
        self._enforcers = [
            Enforcer(store, grant=grant, clock=lambda: self._now)
            for store, grant in zip(self._stores, grants, strict=True)
        ]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for store in self._stores:
            store.close()
        for path in glob(f"{self._state}*"):
            os.unlink(path)

    def judge(self, number: int, call: Call, answered: AbstractSet[str]) -> Decision:
        """Decide about call number `number`, and charge it if it is allowed; `answered` is that of its session."""
        assert isinstance(_REQUEST, Request)
        self._now = call.at
        for store in self._stores:
            store.renew(call.at)  # every session lives, whatever time has passed
        use = ToolCall(call.name, call.arguments, Kind(call.kind))
        judge = Judge(_REQUEST, (use,), self.policy, call.annotations, frozenset(answered))
        verdict = self._enforcers[call.session].admit(judge)
        self._admitted[number] = verdict.admission
        return verdict.decision

    def ended(self, number: int, call: Call) -> None:
        """The call with this number is answered."""
        outcome = Outcome.OK if call.answered else Outcome.RPC_ERROR
        self._enforcers[call.session].ended(Ended(self._admitted.pop(number), outcome))


class Answers:
    """Which tools were answered, in which session."""

    def __init__(self, grants: Sequence[str]) -> None:
        self._grants = grants
        self._all: list[tuple[int, str]] = []

    def add(self, call: Call) -> None:
        """`call` has ended."""
        if call.kind == "tool" and call.answered:
            self._all.append((call.session, call.name))

    def here(self, call: Call) -> set[str]:
        """In the session of `call`."""
        return {tool for session, tool in self._all if session == call.session}

    def before(self, call: Call) -> set[str]:
        """In any session of its grant."""
        grant = self._grants[call.session]
        return {tool for session, tool in self._all if self._grants[session] == grant}


def compare(case: Case, folder: str) -> Iterator[tuple[Verdict, Difference | None]]:
    """What the reference says of each call, and whether the package differs; ends with the first difference.

    Raises:
        PolicyError: a policy does not load.
    """
    paths = [f"{folder}/{number}.json" for number in range(len(case.policies))]
    for path, tree in zip(paths, case.policies, strict=True):
        Path(path).write_text(text_of(tree), encoding="utf-8")
    reference, answers = Reference(case.policies, case.grants), Answers(case.grants)
    in_flight: dict[int, Call] = {}
    with Package(paths, case.grants, folder) as package:
        for index, call in enumerate(case.calls):
            for number in [one for one, other in in_flight.items() if one + other.lasts < index]:
                package.ended(number, in_flight[number])
                reference.ended(number)
                answers.add(in_flight.pop(number))
            decision = package.judge(index, call, answers.here(call))
            verdict = reference.judge(index, call, answers.here(call), answers.before(call))
            difference = differs(decision, verdict, package.paths)
            shown = package.policy.shows(Kind(call.kind), call.name)
            if verdict.effect == "allow" and not shown:
                difference = ("left out of lists", "allowed")
            if verdict.cause == "hidden" and shown:
                difference = ("in lists", "hidden")
            yield verdict, Difference(index, *difference) if difference else None
            if difference:
                return
            if verdict.effect == "allow":
                in_flight[index] = call


def differs(decision: Decision, verdict: Verdict, paths: list[str]) -> tuple[str, str] | None:
    """How the two look where they are not the same."""
    rules = {(paths.index(rule.path), rule.name) for rule in decision.rules}
    shadow = {
        (paths.index(rule.path), OUTRIGHT if rule.name in ("default", "hide", "look-alike") else rule.name)
        for rule in decision.shadow
    }
    found = f"{decision.effect} by {sorted(rules)}"
    expected = f"{verdict.effect} by {sorted(verdict.rules)} ({verdict.cause})"
    agree = decision.effect == verdict.effect
    if decision.exhausted:
        charge, wait = decision.exhausted.charge, decision.exhausted.retry_after
        rule, window, left = (paths.index(charge.rule.path), charge.rule.name), length(charge), decision.exhausted.left
        found += f", limit {charge.max} in {window} of {rule}, wait {wait}, left {left}"
        told = (rule, charge.max, window, None if wait is None else Decimal(wait), left)
        agree &= rules == {rule} and told in longest(verdict.refused)
    else:
        agree &= not verdict.refused and _named_alike(rules, verdict.rules, verdict.always)
    if verdict.refused:
        expected += f", one of {[tuple(map(str, refusal)) for refusal in verdict.refused]}"
    if decision.effect == "ask":
        agree &= _named_alike(shadow, verdict.shadow, verdict.always)
    if decision.effect == "allow":
        offers = [
            verdict.shadow | {refusal.rule for refusal in chosen}
            for chosen in product(*[longest(group) for group in verdict.doubted])
        ]
        agree &= any(_named_alike(shadow, offer, verdict.always) for offer in offers)
        found, expected = (
            f"{found}, shadow {sorted(shadow)}",
            f"{expected}, shadow one of {[sorted(o) for o in offers]}",
        )
    return None if agree else (found, expected)


def length(charge: Charge) -> Length:
    """The window of `charge`, as the reference has it."""
    match charge.window:
        case InFlight():
            return None
        case CalendarWindow(unit, timezone):
            return str(unit), timezone
        case window:
            return Decimal(window.seconds)


def longest(refusals: tuple[Refusal, ...]) -> list[Refusal]:
    """Those with the longest wait; the others do not say when the call will pass."""
    waits = [refusal.retry_after for refusal in refusals]
    last = None if None in waits else max((wait for wait in waits if wait is not None), default=None)
    return [refusal for refusal in refusals if refusal.retry_after == last]


def _named_alike(found: AbstractSet[RuleName], expected: AbstractSet[RuleName], always: AbstractSet[RuleName]) -> bool:
    """Whether `found` has of each policy all that is `expected`, or of these some that deny every call of the tool."""
    for policy in {policy for policy, _ in found | expected}:
        here, wanted = ({rule for rule in rules if rule[0] == policy} for rules in (found, expected))
        if here != wanted and not (here and here <= always & wanted):
            return False
    return True


def first_difference(case: Case) -> Difference | None:
    """The first call about which the two do not agree."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        return next((difference for _, difference in compare(case, folder) if difference), None)


def shrink(case: Case) -> Case:
    """The smallest part of `case` in which the two still differ, found by leaving out one part after another."""
    difference = first_difference(case)
    assert difference
    case = case._replace(calls=case.calls[: difference.index + 1])
    while smaller := next((one for one in smaller_cases(case) if _still_differs(one)), None):
        case = smaller
    return case


def _still_differs(case: Case) -> bool:
    try:
        return first_difference(case) is not None
    except PolicyError:
        return False


def smaller_cases(case: Case) -> Iterator[Case]:
    """Every case that has one part less."""
    for policies in without_one(case.policies, depth=0):
        if policies:
            yield case._replace(policies=policies)
    for index, call in enumerate(case.calls):
        yield case._replace(calls=case.calls[:index] + case.calls[index + 1 :])
        for arguments in without_one(call.arguments, depth=0):
            yield case._replace(
                calls=[*case.calls[:index], replace(call, arguments=arguments), *case.calls[index + 1 :]]
            )


def without_one(tree: Any, depth: int) -> Iterator[Any]:
    """`tree` without one of its parts, the large ones first."""
    if isinstance(tree, dict):
        for key in tree:
            yield {k: v for k, v in tree.items() if k != key}
        for key, value in tree.items():
            for part in without_one(value, depth + 1):
                yield {**tree, key: part}
    if isinstance(tree, list):
        for index, value in enumerate(tree):
            yield tree[:index] + tree[index + 1 :]
            for part in without_one(value, depth + 1):
                yield [*tree[:index], part, *tree[index + 1 :]]


def report(case: Case) -> str:
    """The smallest form of `case`, to be read and to be put into a test."""
    case = shrink(case)
    difference = first_difference(case)
    assert difference
    lines = [f"policy {number}: {text_of(tree)}" for number, tree in enumerate(case.policies)]
    lines += [f"call {n}: {call}" for n, call in enumerate(case.calls)]
    lines += [f"grants: {case.grants}", f"package: {difference.package}", f"reference: {difference.reference}"]
    return "\n".join(lines)
