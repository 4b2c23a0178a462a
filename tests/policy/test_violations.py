from __future__ import annotations

from intercept.policy.violations import violations


def test_each_violation_has_its_place_in_schema_and_arguments() -> None:
    schema = {"properties": {"a": {"items": {"type": "integer"}}}, "required": ["b"]}

    assert sorted(violations(schema, {"a": [1, "x"]})) == [
        (("properties", "a", "items", "type"), ("a", 1), '"x" is not of type "integer"'),
        (("required",), (), '"b" is a required property'),
    ]


def test_arguments_that_satisfy_the_schema_violate_nothing() -> None:
    assert list(violations({"required": ["a"]}, {"a": 1})) == []
