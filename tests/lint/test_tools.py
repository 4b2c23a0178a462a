"""Tool definitions: which shapes are read, and what is known about an argument."""

from __future__ import annotations

import pytest

from intercept.lint.tools import UNCLEAR, Absent, Tool, choices_of, parse_tools, types_of
from intercept.values import Json, MalformedError, parse_path

DEFINITION: Json = {"name": "get", "inputSchema": {"type": "object", "properties": {"id": {"type": "string"}}}}


@pytest.mark.parametrize(
    "saved",
    [
        [DEFINITION],
        {"tools": [DEFINITION]},
        {"server": "x", "tools": [DEFINITION]},
        {"result": {"tools": [DEFINITION]}},
    ],
)
def test_a_list_of_tools_is_read_however_it_was_saved(saved: Json) -> None:
    (tool,) = parse_tools(saved)

    assert tool.name == "get"
    assert list(tool.arguments) == ["id"]


@pytest.mark.parametrize("saved", [{}, "tools", {"tools": {}}, [1], [{"name": 1}], {"result": []}, None])
def test_what_is_no_list_of_tools_is_refused(saved: Json) -> None:
    with pytest.raises(MalformedError):
        parse_tools(saved)


def looked(schema: dict[str, Json], path: str) -> object:
    return Tool("tool", schema).look(parse_path(path).steps)


@pytest.mark.parametrize(
    ("schema", "path", "found"),
    [
        ({"properties": {"a": {"type": "string"}}}, "args.a", {"type": "string"}),
        ({"properties": {"a": {"type": "string"}}}, "args.b", Absent("b", ("a",))),
        ({"properties": {"a": {"type": "string"}}, "additionalProperties": True}, "args.b", UNCLEAR),
        ({"properties": {"a": {"type": "string"}}, "patternProperties": {}}, "args.b", UNCLEAR),
        ({"type": "object"}, "args.a", UNCLEAR),
        ({"properties": {"a": True}}, "args.a", UNCLEAR),
        ({"properties": {"a": {"type": "array", "items": {"type": "string"}}}}, "args.a[*]", {"type": "string"}),
        ({"properties": {"a": {"type": "array", "items": {"type": "string"}}}}, "args.a[0]", {"type": "string"}),
        ({"properties": {"a": {"type": "string"}}}, "args.a[*]", {"type": "string"}),
        ({"properties": {"a": {}}}, "args.a[*]", UNCLEAR),
        ({"properties": {"a": {"anyOf": [{"type": "string"}, {"type": "null"}]}}}, "args.a", {"type": "string"}),
        ({"properties": {"a": {"anyOf": [{"type": "string"}, {"type": "number"}]}}}, "args.a", UNCLEAR),
        (
            {"$defs": {"x": {"type": "number"}}, "properties": {"a": {"$ref": "#/$defs/x"}}},
            "args.a",
            {"type": "number"},
        ),
        ({"properties": {"a": {"$ref": "#/$defs/gone"}}}, "args.a", UNCLEAR),
        ({"properties": {"a": {"$ref": "https://example.com/x"}}}, "args.a", UNCLEAR),
        ({"properties": {"a": {"$ref": "#/properties/a"}}}, "args.a", UNCLEAR),
    ],
)
def test_an_argument_is_known_absent_or_unclear(schema: dict[str, Json], path: str, found: object) -> None:
    assert looked(schema, path) == found


def test_types_leave_out_null_and_are_empty_where_nothing_is_said() -> None:
    assert types_of({"type": ["string", "null"]}) == {"string"}
    assert types_of({"enum": ["a", "b"]}) == {"string"}
    assert types_of({"enum": ["a", 1]}) == types_of({}) == types_of({"type": 1}) == frozenset()


def test_choices_are_those_of_enum_or_const() -> None:
    assert choices_of({"enum": [1, 2]}) == [1, 2]
    assert choices_of({"const": None}) == [None]
    assert choices_of({"type": "string"}) is None


def test_required_arguments_are_names() -> None:
    assert Tool("t", {"required": ["a", 1]}).required == {"a"}
    assert Tool("t", {"required": "a"}).required == frozenset()
