"""The operators of conditions (POLICY section 4): one function each, in one table.

A function takes what the policy compares with and makes a test of one value that is there. It is called at load, where
a pattern that does not compile, or an address that is none, is a mistake. A test answers `None` for a value of a type
that it cannot take. Types are strict: `"5"` is not `5`, `true` is not `1`; numbers are exact.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final, TypeAlias

from ..values import Json, MalformedError, canonical_text, number
from .names import Glob

Verdict: TypeAlias = bool | None
"""Holds, does not hold, or cannot be evaluated."""
Operand: TypeAlias = Any
"""What a policy compares with: `source.Data`, of the type that `schema.OPERANDS` gives for the operator."""
Test: TypeAlias = Callable[[Json], Verdict]
"""Judges a value that is there."""


def eq(operand: Operand) -> Test:
    """The same value, in type too."""
    if isinstance(operand, str):
        return lambda value: value == operand
    if isinstance(operand, bool):
        return lambda value: value is operand
    if isinstance(operand, int | Decimal):
        return lambda value: number(value) == operand
    kind, text = type(operand), canonical_text(operand)
    return lambda value: isinstance(value, kind) and canonical_text(value) == text


def in_(operand: Operand) -> Test:
    """The same as one of a list."""
    texts = frozenset(item for item in operand if isinstance(item, str))
    others = frozenset(canonical_text(item) for item in operand if not isinstance(item, str))
    return lambda value: value in texts if isinstance(value, str) else canonical_text(value) in others


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Operand], Test]:
    def ordered(operand: Operand) -> Test:
        def test(value: Json) -> Verdict:
            if type(value) is int:
                return compare(value, operand)
            exact = number(value)
            return None if exact is None else compare(exact, operand)

        return test

    return ordered


def contains(operand: Operand) -> Test:
    """A text that has this in it, or a list that has this as an element."""
    same = eq(operand)

    def test(value: Json) -> Verdict:
        if isinstance(value, str):
            return operand in value if isinstance(operand, str) else None
        if isinstance(value, list):
            return any(same(element) for element in value)
        return None

    return test


def exists(operand: Operand) -> Test:
    """There is a value, or (with `false`) there is none."""
    return lambda _: operand is True


def _on_text(test: Callable[[str], Verdict]) -> Test:
    return lambda value: test(value) if isinstance(value, str) else None


def starts_with(operand: Operand) -> Test:
    """A text that begins so."""
    return _on_text(lambda value: value.startswith(operand))


def ends_with(operand: Operand) -> Test:
    """A text that ends so."""
    return _on_text(lambda value: value.endswith(operand))


def glob(operand: Operand) -> Test:
    """A text that fits as a whole; `*` matches any characters."""
    return _on_text(Glob.parse(operand).matches)


def regex(operand: Operand) -> Test:
    """A text in which the pattern is found, in time linear in the text."""
    from .validators import pattern

    return _on_text(pattern(operand))


def _length(compare: Callable[[int, int], bool]) -> Callable[[Operand], Test]:
    def length(operand: Operand) -> Test:
        return lambda value: compare(len(value), operand) if isinstance(value, str | list) else None

    return length


def host_in(operand: Operand) -> Test:
    """An absolute URL whose host is one of these."""
    from .places import Hosts

    return _on_text(Hosts.parse(_texts(operand)).hold)


def path_within(operand: Operand) -> Test:
    """An absolute path at or below one of these, however it is written."""
    from .places import Roots

    return _on_text(Roots.parse(_texts(operand)).hold)


def cidr_in(operand: Operand) -> Test:
    """An address or block inside one of these."""
    from .places import Networks

    return _on_text(Networks.parse(_texts(operand)).hold)


def _texts(operand: Operand) -> list[str]:
    texts = [operand] if isinstance(operand, str) else list(operand)
    if not texts:
        raise MalformedError("expected at least one text, found an empty list")
    return texts


def _not(make: Callable[[Operand], Test]) -> Callable[[Operand], Test]:
    def negated(operand: Operand) -> Test:
        test = make(operand)

        def opposite(value: Json) -> Verdict:
            verdict = test(value)
            return None if verdict is None else not verdict

        return opposite

    return negated


OPERATORS: Final[Mapping[str, Callable[[Operand], Test]]] = {
    "eq": eq,
    "neq": _not(eq),
    "in": in_,
    "not_in": _not(in_),
    "lt": _ordered(operator.lt),
    "lte": _ordered(operator.le),
    "gt": _ordered(operator.gt),
    "gte": _ordered(operator.ge),
    "regex": regex,
    "not_regex": _not(regex),
    "contains": contains,
    "not_contains": _not(contains),
    "exists": exists,
    "starts_with": starts_with,
    "ends_with": ends_with,
    "glob": glob,
    "length_lte": _length(operator.le),
    "length_gte": _length(operator.ge),
    "host_in": host_in,
    "path_within": path_within,
    "cidr_in": cidr_in,
}
"""Every operator by its name in a policy. Absent values never come here; see `conditions.One.absent`."""
