"""What a declaration takes and refuses; the sentences of the real file's mistakes are in `tests/cases/broken`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from intercept.policy.shape import (
    Anything,
    Flag,
    Kind,
    Later,
    Model,
    Name,
    Object,
    Refusal,
    Text,
    field,
    many,
    one_of,
    refuse,
    whole,
)


class Leaf(Model):
    """A mapping with a key that must be there."""

    size = field(whole(1, 9), missing="write `size: 1`")
    word = field(one_of("a", "b"), "a")


class Branch(Model):
    """A mapping that holds others, and its like."""

    leaves = field(many(Leaf), [])
    not_: Branch | None = field(Later(lambda: Branch), None)

    def check(self) -> None:
        """A branch has leaves."""
        if not self.leaves and not self.not_:
            refuse("this branch is bare", at=("leaves",))


def refused(kind: Kind[Any], value: object) -> list[tuple[tuple[str | int, ...], str]]:
    with pytest.raises(Refusal) as refusal:
        kind.read(value)
    return [(complaint.path, complaint.message) for complaint in refusal.value.complaints]


def test_a_model_has_what_was_written_and_the_defaults() -> None:
    branch = Branch.read({"leaves": [{"size": 2}, {"size": 3, "word": "b"}]})

    assert [(leaf.size, leaf.word) for leaf in branch.leaves] == [(2, "a"), (3, "b")]
    assert branch.not_ is None
    assert [leaf.has("word") for leaf in branch.leaves] == [False, True]


def test_a_model_may_hold_its_like_under_a_word_of_python() -> None:
    inner = Branch.read({"not": {"leaves": [{"size": 1}]}}).not_

    assert inner is not None
    assert inner.leaves[0].size == 1
    assert refused(Branch, {"not_": {"leaves": [{"size": 1}]}}) == [(("not_",), "unknown key `not_`")]


def test_all_mistakes_are_told_each_at_its_place() -> None:
    found = refused(Branch, {"leaves": [{"size": 0}, 5, {"size": 1, "word": "x"}], "not": {"leaves": [{}]}})

    assert found == [
        (("leaves", 0, "size"), "expected at least 1, found the number `0`"),
        (("leaves", 1), "expected a mapping, found the number `5`"),
        (("leaves", 2, "word"), "expected `a` or `b`, found the string `x`"),
        (("not", "leaves", 0), "`size` is missing"),
    ]


def test_keys_are_looked_at_together_only_when_each_is_sound() -> None:
    assert refused(Branch, {}) == [(("leaves",), "this branch is bare")]
    assert refused(Branch, {"leaves": [], "leafs": []}) == [(("leafs",), "unknown key `leafs`")]


@pytest.mark.parametrize(
    ("kind", "takes", "refuses"),
    [
        (Text, ["", "x"], [None, 1, True, ["x"]]),
        (Name, ["x"], ["", None, 1]),
        (Flag, [True, False], [0, 1, "true", None]),
        (Object, [{}, {"a": 1}], [[], None, "{}"]),
        (whole(0, 9), [0, 9], [True, -1, 10, Decimal(1), "1", None]),
        (one_of("1", "2"), ["1"], [1, None, ["1"], "3"]),
        (many(Text), [[], ["x"]], ["x", {}, None, [1]]),
        (Leaf, [{"size": 1}], [None, [], "size", {}, {"size": None}]),
    ],
)
def test_a_kind_takes_its_own_type_and_nothing_that_could_be_made_into_it(
    kind: Kind[Any], takes: list[object], refuses: list[object]
) -> None:
    for value in takes:
        kind.read(value)
    for value in refuses:
        assert refused(kind, value)


def test_anything_is_anything() -> None:
    values: list[object] = [None, 1, "x", [{}]]
    for value in values:
        assert Anything.read(value) is value


def test_models_are_equal_if_they_mean_the_same() -> None:
    assert Leaf.read({"size": 1}) == Leaf.read({"size": 1, "word": "a"})
    assert Leaf.read({"size": 1}) != Leaf.read({"size": 2})
    assert Branch.of() != Leaf.of(size=1)


def test_a_model_that_nobody_wrote_has_what_it_is_given() -> None:
    leaf = Leaf.of(size=7)

    assert (leaf.size, leaf.word, leaf.has("word")) == (7, "a", False)


def test_models_cannot_be_changed() -> None:
    leaf = Leaf.read({"size": 1})

    with pytest.raises(AttributeError, match="size"):
        leaf.size = 2
    assert leaf.size == 1
