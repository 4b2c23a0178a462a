"""Argument schemas: what is understood, and that nothing in them is ignored."""

from __future__ import annotations

from decimal import Decimal

import pytest

from intercept.policy.validators import KEYWORDS, Flaw, argument_schema, pattern
from intercept.values import Json, MalformedError


def accepts(schema: dict[str, Json], arguments: dict[str, Json]) -> bool:
    compiled = argument_schema(schema)
    assert not isinstance(compiled, list), compiled
    return compiled(arguments)


def flaws(schema: dict[str, Json]) -> list[Flaw]:
    found = argument_schema(schema)
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize(
    ("schema", "arguments", "accepted"),
    [
        ({"required": ["a"]}, {"a": None}, True),
        ({"required": ["a"]}, {}, False),
        ({"properties": {"a": {"type": "integer"}}}, {"a": 1.0}, True),
        ({"properties": {"a": {"type": "integer"}}}, {"a": True}, False),
        ({"properties": {"a": {"const": 1}}}, {"a": "1"}, False),
        ({"properties": {"a": {"maximum": Decimal("0.3")}}}, {"a": 0.3}, True),
        ({"properties": {"a": {"maximum": Decimal("0.3")}}}, {"a": 0.30000000000000004}, False),
        ({"properties": {"a": {"maximum": 2**53}}}, {"a": 2**53 + 1}, False),
        ({"properties": {"a": {"multipleOf": Decimal("0.01")}}}, {"a": 19.99}, True),
        ({"properties": {"a": {"multipleOf": Decimal("0.01")}}}, {"a": 19.999}, False),
        ({"properties": {"a": {"format": "ipv4"}}}, {"a": "0177.0.0.1"}, False),
        ({"properties": {"a": {"pattern": "^(a+)+$"}}}, {"a": "a" * 100_000 + "!"}, False),
        ({"properties": {"a": {"maxLength": 1}}}, {"a": "\N{GRINNING FACE}"}, True),
        ({"additionalProperties": False, "properties": {"a": {}}}, {"b": 1}, False),
        ({"unevaluatedProperties": False, "allOf": [{"properties": {"a": {}}}]}, {"a": 1, "b": 1}, False),
        ({"$defs": {"d": {"type": "string"}}, "properties": {"a": {"$ref": "#/$defs/d"}}}, {"a": 1}, False),
        ({"properties": {"a": {"uniqueItems": True}}}, {"a": [1, 1.0]}, False),
    ],
)
def test_arguments_are_judged_exactly(schema: dict[str, Json], arguments: dict[str, Json], accepted: bool) -> None:
    assert accepts(schema, arguments) is accepted


def test_a_schema_can_refer_to_itself_for_nested_values() -> None:
    schema: dict[str, Json] = {
        "$ref": "#/$defs/node",
        "$defs": {"node": {"properties": {"v": {"type": "string"}}, "additionalProperties": {"$ref": "#/$defs/node"}}},
    }
    deep: dict[str, Json] = {"v": 1}
    for _ in range(100):
        deep = {"child": deep}

    assert not accepts(schema, deep)


@pytest.mark.parametrize(
    ("schema", "where", "message", "advice"),
    [
        ({"maxLenght": 1}, ("maxLenght",), "unsupported keyword `maxLenght`", "did you mean `maxLength`?"),
        ({"properties": {"a": {"minimun": 1}}}, ("properties", "a", "minimun"), "`minimun`", "did you mean `minimum`?"),
        ({"allOf": [{}, {"reqired": []}]}, ("allOf", 1, "reqired"), "`reqired`", "did you mean `required`?"),
        ({"items": {"x": 1}}, ("items", "x"), "unsupported keyword `x`", ""),
        ({"definitions": {}}, ("definitions",), "`definitions`", "write `$defs`"),
        ({"$id": "x"}, ("$id",), "`$id`", "leave it out"),
        ({"$dynamicRef": "#a"}, ("$dynamicRef",), "`$dynamicRef`", ""),
        ({"contentEncoding": "base64"}, ("contentEncoding",), "`contentEncoding`", ""),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, ("$schema",), "is not supported", "2020-12"),
        ({"$ref": "https://example.com/x"}, ("$ref",), "outside the schema", "#/$defs/name"),
        ({"$ref": "file:///etc/passwd"}, ("$ref",), "outside the schema", "#/$defs/name"),
        ({"$ref": "#anchor"}, ("$ref",), "outside the schema", "#/$defs/name"),
        ({"$ref": 5}, ("$ref",), "outside the schema", "#/$defs/name"),
        ({"$ref": "#/$defs/missing"}, ("$ref",), "`#/$defs/missing` is not in the schema", ""),
        ({"$ref": "#/allOf/1", "allOf": [{}]}, ("$ref",), "is not in the schema", ""),
        ({"$ref": "#"}, ("$ref",), "leads back to itself", ""),
        (
            {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}},
            ("$ref",),
            "leads back to itself",
            "",
        ),
        ({"properties": {"a": 5}}, ("properties", "a"), "expected a schema", "a mapping"),
        ({"not": []}, ("not",), "expected a schema", "a mapping"),
        ({"anyOf": [5]}, ("anyOf", 0), "expected a schema", "a mapping"),
    ],
)
def test_what_would_be_ignored_or_reach_outside_is_a_flaw(
    schema: dict[str, Json], where: tuple[str | int, ...], message: str, advice: str
) -> None:
    found = flaws(schema)

    assert found[0][0] == where
    assert message in found[0][1]
    assert advice in found[0][2]


@pytest.mark.parametrize(
    ("schema", "where"),
    [
        ({"type": "strin"}, ("type",)),
        ({"minLength": -1}, ("minLength",)),
        ({"properties": {"a": {"minLength": "3"}}}, ("properties", "a", "minLength")),
        ({"required": "a"}, ("required",)),
        ({"allOf": {}}, ("allOf",)),
        ({"allOf": []}, ("allOf",)),
        ({"properties": []}, ("properties",)),
        ({"properties": {"a": {"pattern": "("}}}, ("properties", "a", "pattern")),
        ({"pattern": "(?=a)"}, ("pattern",)),
        ({"patternProperties": {"(": {}}}, ("patternProperties", "(")),
        ({"items": {"format": "no-such-format"}}, ("items", "format")),
    ],
)
def test_what_does_not_compile_is_a_flaw_where_it_stands(schema: dict[str, Json], where: tuple[str | int, ...]) -> None:
    [(found, message, _)] = flaws(schema)

    assert message.startswith("not a JSON Schema: ")
    assert found == where


def test_the_keywords_are_those_of_the_dialect_that_have_an_effect_or_only_describe() -> None:
    dialect = {"$anchor", "$dynamicAnchor", "$dynamicRef", "$id", "$vocabulary", "contentEncoding", "contentMediaType",
               "contentSchema", "readOnly", "writeOnly"}  # fmt: skip

    assert not dialect & KEYWORDS


def test_a_pattern_that_needs_backtracking_is_a_mistake() -> None:
    with pytest.raises(MalformedError) as refused:
        pattern(r"(a)\1")

    assert refused.value.advice == "look-around and backreferences are not part of the language"
