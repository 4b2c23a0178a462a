"""Conditions: what a policy asks of a call, compiled into small objects that answer `holds`.

The answer is three-valued. A value of a type that an operator cannot take is neither true nor false (`None`), whatever
stands around it, because servers coerce what a policy would have to guess (POLICY section 4); whoever asks denies then.
All parts of a condition are always looked at, so that the order of writing never matters.
"""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

from ..values import Each, Found, Gap, Json
from .model import Circumstances, ToolCall
from .operators import OPERATORS, Operand, Test, Verdict
from .reading import Read, ReadEach, Reading


class One(NamedTuple):
    """A test of the one value that a path finds."""

    path: str
    read: Read
    test: Test
    absent: bool
    """The answer where there is no value."""
    is_fixed: bool
    """Whether the answer depends on the name of the tool alone."""

    def holds(self, call: ToolCall, circumstances: Circumstances) -> Verdict:
        """Whether the value passes."""
        found = self.read(call, circumstances)
        return _judge(found, self.test, self.absent)


class Many(NamedTuple):
    """A test of all the values that a path with `[*]` finds."""

    path: str
    read: ReadEach
    test: Test
    absent: bool
    every: bool
    """Every value has to pass; otherwise one is enough."""
    is_fixed: bool = False

    def holds(self, call: ToolCall, circumstances: Circumstances) -> Verdict:
        """Whether every value passes, or one."""
        verdicts = {_judge(found, self.test, self.absent) for found in self.read(call, circumstances)}
        if None in verdicts:
            return None
        return False not in verdicts if self.every else True in verdicts


def _judge(found: Found, test: Test, absent: bool) -> Verdict:  # noqa: FBT001
    if isinstance(found, Gap):
        return absent if found is Gap.MISSING else None
    return test(found)


class Group(NamedTuple):
    """`all` and `any`."""

    parts: tuple[Condition, ...]
    every: bool
    is_fixed: bool

    def holds(self, call: ToolCall, circumstances: Circumstances) -> Verdict:
        """Whether every part holds, or one."""
        verdicts = [part.holds(call, circumstances) for part in self.parts]
        if None in verdicts:
            return None
        return all(verdicts) if self.every else any(verdicts)


class Negation(NamedTuple):
    """`not`."""

    part: Condition
    is_fixed: bool

    def holds(self, call: ToolCall, circumstances: Circumstances) -> Verdict:
        """Whether the part does not hold."""
        verdict = self.part.holds(call, circumstances)
        return None if verdict is None else not verdict


Condition: TypeAlias = One | Many | Group | Negation


def all_hold(conditions: tuple[Condition, ...], call: ToolCall, circumstances: Circumstances) -> Verdict:
    """Whether all `conditions` hold; every one is looked at."""
    verdict: Verdict = True
    for condition in conditions:
        answer = condition.holds(call, circumstances)
        if answer is None:
            return None
        verdict = verdict and answer
    return verdict


def leaf(reading: Reading, op: str, operand: Operand, *, every: bool, optional: bool = False) -> One | Many:
    """`{path, op, value}`: `every` says how `[*]` is meant here, `optional` lets an absent value pass.

    Raises:
        MalformedError: `operand` is of the right type for `op` and still not what it should be.
    """
    test = OPERATORS[op](operand)
    absent = optional or (op == "exists" and operand is False)
    path = reading.path
    if not path.is_plural:
        return One(path.text, reading.one, test, absent, reading.is_fixed)
    if path.steps[-1] is Each.EACH and op in _COMPARING and not _compares_lists(op, operand):
        test = _refusing_lists(test)
    return Many(path.text, reading.each, test, absent, every)


_COMPARING: Final = frozenset({"eq", "neq", "in", "not_in"})


def _compares_lists(op: str, operand: Operand) -> bool:
    return any(isinstance(item, list) for item in (operand if op in {"in", "not_in"} else [operand]))


def _refusing_lists(test: Test) -> Test:
    """`test` for the elements of a list: one that is a list itself would hide its elements from the comparison."""

    def refusing(value: Json) -> Verdict:
        return None if isinstance(value, list) else test(value)

    return refusing
