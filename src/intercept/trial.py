"""The tests that a policy carries (POLICY section 9), played in virtual time.

A test is a session of its own in which every allowed call is answered with success, so that `after` and limits mean
what they mean in the proxy. A call about which a person would be asked is not made, and charges nothing. Nothing of the
policy is read a second time here: decisions come from a `Rehearsal`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from math import isinf
from typing import TYPE_CHECKING, TypeAlias

from .answers import printable
from .errors import ProtocolError
from .limits.memory import MemoryStore
from .policy import Effect, Kind, PolicySet, RuleRef
from .protocol import INVALID_REQUEST
from .rehearsal import Rehearsal, Settled, request_for
from .values import Json

if TYPE_CHECKING:
    from .policy.loading import Source
    from .policy.schema import Call, Span, Test
    from .policy.tree import Data
    from .wire import Request

_RuleKey: TypeAlias = tuple[str, int, str]


@dataclass(frozen=True, slots=True)
class Failure:
    """A call that did not come out as its test says."""

    line: int
    column: int
    call: str
    """Which one, for people."""
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.call}: expected {self.expected}, found {self.found}"


@dataclass(frozen=True, slots=True)
class Case:
    """One test and what became of it; it ends with the first failure."""

    name: str
    path: str
    line: int
    column: int
    calls: int
    """How many were made."""
    failure: Failure | None


@dataclass(frozen=True, slots=True)
class Report:
    """What came of the tests of one policy."""

    path: str
    cases: tuple[Case, ...]
    rules: int
    """How many rules the policy has for tools; tests call nothing else."""
    uncovered: tuple[RuleRef, ...]
    """The rules that decided in no call of any test."""


def play(source: Source, *, grant: str = "") -> Report:
    """Play the tests of one policy file, with `grant` as the one whose limits count."""
    policy = PolicySet([source.policy], source.policy.digest)
    names = sorted({rule.name for rule in _rules(source)})
    decided: set[_RuleKey] = set()
    cases: list[Case] = []
    for index, test in enumerate(source.file.tests):
        player = _Player(source, index, test, Rehearsal(policy, MemoryStore(), grant=grant, now=0.0), names)
        cases.append(player.play())
        decided |= player.decided
    rules = {_key(rule): rule for rule in _rules(source)}
    uncovered = sorted(
        (rule for key, rule in rules.items() if key not in decided), key=lambda rule: (rule.line, rule.name)
    )
    return Report(source.policy.path, tuple(cases), len(rules), tuple(uncovered))


def _rules(source: Source) -> Iterator[RuleRef]:
    """The rules that a test can reach: those of tools."""
    section = source.policy.sections[Kind.TOOL]
    for rules in (*section.exact.values(), *(rules for _, rules in section.globs), section.everyone):
        for rule in rules:
            yield rule.ref


def _key(rule: RuleRef) -> _RuleKey:
    return rule.path, rule.line, rule.name


class _Player:
    def __init__(self, source: Source, index: int, test: Test, rehearsal: Rehearsal, names: list[str]) -> None:
        self.decided: set[_RuleKey] = set()
        self._source = source
        self._index = index
        self._test = test
        self._rehearsal = rehearsal
        self._names = names
        self._made = 0

    def play(self) -> Case:
        document, test = self._source.document, self._test
        line, column = document.position(("tests", self._index))
        failure = next(self._failures(), None)
        if not test.calls:
            failure = Failure(line, column, "the test", "at least one call", "none")
        return Case(test.name or f"test {self._index + 1}", document.path, line, column, self._made, failure)

    def _failures(self) -> Iterator[Failure]:
        now, clock = Decimal(0), "0s"
        for index, call in enumerate(self._test.calls):
            line, column = self._source.document.position(("tests", self._index, "calls", index))
            if call.at is not None:
                if call.at.seconds < now:
                    found = f"{_written(call.at)} after {clock}"
                    yield Failure(line, column, f"call of `{printable(call.tool)}`", "a time that is not before", found)
                    return
                now, clock = call.at.seconds, _written(call.at)
            what = f"call of `{printable(call.tool)}` at {clock}"
            try:
                request = request_for(Kind.TOOL, call.tool, json.dumps(_sent(call.arguments)))
            except ProtocolError as error:
                yield Failure(line, column, what, "a call that a client can send", str(error))
                return
            for number in range(1, call.repeat + 1):
                settled = self._use(request, now)
                for expected, found in self._differences(call, settled):
                    which = f"{what}, {number} of {call.repeat}" if call.repeat > 1 else what
                    yield Failure(line, column, which, expected, found)

    def _use(self, request: Request, now: Decimal) -> Settled:
        self._rehearsal.now = float(now)
        self._made += 1
        settled = self._rehearsal.use(request)
        self.decided |= {_key(rule) for rule in _deciding(settled)}
        return settled

    def _differences(self, call: Call, settled: Settled) -> Iterator[tuple[str, str]]:
        """What was expected and what was found instead."""
        decision = settled.decision
        if decision.effect is not Effect(call.expect):
            yield call.expect, _found(settled)
        deciding = [rule.name for rule in _deciding(settled)]
        if call.rule is not None and call.rule not in deciding:
            from .policy.wording import nearest

            found = _listed(deciding) or "no rule that decided"
            if call.rule not in self._names:
                near = nearest(call.rule, self._names)
                found += f"; no rule is called so{f', did you mean `{printable(near)}`?' if near else ''}"
            yield f"rule `{printable(call.rule)}`", found
        if call.reason is not None and call.reason not in settled.told:
            yield (
                f"a reason with `{printable(call.reason)}`",
                f"`{printable(settled.told)}`" if settled.told else "none",
            )
        if call.retry_after is not None:
            wait = decision.exhausted.retry_after if decision.exhausted else None
            # As long as it is, or as the model is told: in whole seconds.
            right = () if wait is None else (round(Decimal(wait), 6), settled.details["retry_after_s"])
            if call.retry_after.seconds not in right:
                found = "no time to wait" if wait is None else f"{round(Decimal(wait), 6).normalize():f}s"
                yield f"{_written(call.retry_after)} to wait", found


def _deciding(settled: Settled) -> tuple[RuleRef, ...]:
    """The rules that decided; those in shadow mode decided what would have been."""
    return settled.decision.rules + settled.decision.shadow


def _found(settled: Settled) -> str:
    decision = settled.decision
    if decision.effect is not Effect.ALLOW:
        by = f" by {_listed([rule.name for rule in decision.rules])}" if decision.rules else ""
        return f"{decision.effect}{by} (`{printable(settled.told)}`)"
    if decision.shadow:
        verb = "ask" if all(rule.effect is Effect.ASK for rule in decision.shadow) else "refuse"
        return f"{decision.effect}; {_listed([rule.name for rule in decision.shadow])} would {verb} but for shadow mode"
    return str(decision.effect)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{printable(name)}`" for name in names)


def _written(span: Span) -> str:
    return span.text if span.text[-1].isalpha() else f"{span.text}s"


def _sent(value: Data) -> Json:
    """`value` as a client can write it: of a fraction it sends the nearest double.

    Raises:
        ProtocolError: no client can.
    """
    match value:
        case Decimal():
            if isinf(number := float(value)):
                raise ProtocolError(INVALID_REQUEST, "a number that is too large for a double")
            return number
        case dict():
            return {key: _sent(part) for key, part in value.items()}
        case list():
            return [_sent(part) for part in value]
        case _:
            return value
