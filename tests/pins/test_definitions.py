"""Which definitions are the same, and which names can be mistaken for each other."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercept.pins.definitions import UNREADABLE, differing, digests_of, skeleton
from intercept.policy import Kind

TOOL: dict[str, Any] = {
    "name": "add",
    "title": "Add",
    "description": "Adds two numbers.",
    "inputSchema": {
        "type": "object",
        "properties": {"a": {"type": ["number", "null"], "title": "A"}, "b": {"enum": ["x", "y"], "default": 1.0}},
        "required": ["a", "b"],
    },
    "outputSchema": {"type": "object"},
    "annotations": {"readOnlyHint": True},
    "_meta": {"started": 1},
}


def changed(**members: object) -> tuple[str, ...]:
    """The parts of TOOL that differ once it has these members."""
    return differing(Kind.TOOL, digests_of(Kind.TOOL, TOOL), digests_of(Kind.TOOL, TOOL | members))


def shuffled(value: object, chance: random.Random) -> Any:
    if isinstance(value, dict):
        keys = list(value)
        chance.shuffle(keys)
        return {key: shuffled(value[key], chance) for key in keys}
    return [shuffled(item, chance) for item in value] if isinstance(value, list) else value


@given(st.integers(0, 10_000))
def test_the_order_of_keys_and_the_spelling_of_json_are_no_change(seed: int) -> None:
    other = json.loads(json.dumps(shuffled(TOOL, random.Random(seed)), indent=seed % 5))

    assert digests_of(Kind.TOOL, other) == digests_of(Kind.TOOL, TOOL)


def test_what_servers_make_from_sets_and_source_code_is_no_change() -> None:
    schema = copy.deepcopy(TOOL["inputSchema"])
    schema["required"].reverse()
    schema["properties"]["a"]["type"].reverse()
    schema["properties"]["b"]["enum"].reverse()
    schema["properties"]["b"]["default"] = 1
    schema["properties"]["a"]["title"] = " A\n"

    assert changed(inputSchema=schema, description="Adds\n    two numbers.\n", _meta={"started": 2}, icons=[1]) == ()
    assert changed(outputSchema={"type": "object"}, title="Add ") == ()


@pytest.mark.parametrize(
    ("members", "parts"),
    [
        ({"description": "Adds two numbers!"}, ("description",)),
        ({"description": "Adds two numbers.\u200b"}, ("description",)),
        ({"description": None}, ("description",)),
        ({"title": "Sum"}, ("title",)),
        ({"inputSchema": {}}, ("inputSchema",)),
        ({"outputSchema": None, "annotations": {}}, ("outputSchema", "annotations")),
        ({"name": "sum"}, ("name",)),
    ],
)
def test_every_other_change_is_one_and_is_named(members: dict[str, object], parts: tuple[str, ...]) -> None:
    assert changed(**members) == parts


def test_a_value_in_a_schema_is_no_title() -> None:
    one = changed(inputSchema={"properties": {"title": {"const": "a  b"}}})
    schemas = [{"properties": {"title": {"const": text}}} for text in ("a  b", "a b")]
    digests = [digests_of(Kind.TOOL, TOOL | {"inputSchema": schema}) for schema in schemas]

    assert one == ("inputSchema",)
    assert digests[0] != digests[1]
    assert differing(Kind.TOOL, *digests) == ("inputSchema",)


def test_the_order_of_a_prompts_arguments_is_no_change_but_what_they_are_is() -> None:
    arguments = [{"name": "a", "required": True}, {"name": "b"}]

    def prompt(*items: Any) -> dict[str, str]:
        return digests_of(Kind.PROMPT, {"name": "p", "arguments": list(items)})

    assert prompt(*arguments) == prompt(*reversed(arguments))
    assert prompt(*arguments) != prompt(arguments[0])


def test_what_is_too_deep_to_be_looked_at_is_never_the_same() -> None:
    deep: Any = 1
    for _ in range(5_000):
        deep = [deep]
    digests = digests_of(Kind.TOOL, TOOL | {"inputSchema": deep})

    assert digests["inputSchema"] == UNREADABLE
    assert differing(Kind.TOOL, digests, digests) == ("inputSchema",)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("read_file", "re\u0430d_file"),
        ("read_file", "read-file"),
        ("read_file", "ReadFile"),
        ("read_file", "read_fi1e"),
        ("read_file", "read_fiIe"),
        ("read_file", "read\u200b_file"),
        ("read_file", "\uff52ead_file"),
        ("read_file", "r\u00e9ad_file"),
        ("return_money", "retum_money"),
        ("list0", "listo"),
    ],
)
def test_names_that_look_alike(one: str, other: str) -> None:
    assert skeleton(one) == skeleton(other)


def test_names_that_do_not() -> None:
    names = ["read_file", "write_file", "read_files", "read", "file_read", "add", "odd"]

    assert len({skeleton(name) for name in names}) == len(names)
