"""The JSON Schema (draft 2020-12) of policy files, for editors: generated from the models that read them.

The models say which keys there are and of what kind they are. What they check beyond that, and a schema can say, is
added here: which keys go together, and which value an operator takes. The schema accepts whatever the models accept.
It cannot tell a whole number from `1.0`, does not know how long `9999d` or `0.0001s` is, and leaves to `intercept lint`
what needs more than one look: paths, globs, patterns, time zones, argument schemas, names that refer to something else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, TypeAlias

from . import schema as declared
from .notations import MONTH, PERIODS
from .schema import OPERANDS, PolicyFile, RateLimit
from .shape import Field, Model

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_Schema: TypeAlias = dict[str, Any]

_NEVER: Final = False
"""The schema of a key that must not be there."""
_LEAF: Final = ("path", "op", "value", "optional")
_GROUPS: Final = ("all", "any", "not")
_OPERANDS: Final[dict[str, _Schema]] = {
    "list": {"type": "array"},
    "number": {"type": "number"},
    "length": {"type": "integer", "minimum": 0},
    "text": {"type": "string"},
    "texts": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
    "boolean": {"type": "boolean"},
}
"""What `value` has to be, by the kinds of `schema.OPERANDS`; `any` is anything but null."""
_OF_DENY: Final = ("require", "arguments", "rate_limit", "limits", "state")
"""What a `deny` rule does not take."""
_OF_ASKING: Final = ("approval", "approval_timeout")
"""What only a `require_approval` rule takes."""
_OWN: Final = ("action", "require", "conditions", "arguments", "rate_limit", "limits", "state")
_OWN_DETAILS: Final = ("name", "when", "after", "on_deny", "reason", "mode")
"""What modifies an entry's own rule, and so needs one."""
_LONGEST: Final = 3_660 * 86_400
_CITATION: Final = re.compile(r"\s*\(POLICY sections? [^)]*\)")


def json_schema() -> _Schema:
    """The schema, ready to be written as JSON."""
    schema = _definition(PolicyFile)
    models = {name: _definition(model) for name, model in sorted(_parts())}
    for name in ("Condition", "Clause", "Requirement"):
        _condition(models[name])
    for name in ("Rule", "Entry"):
        _rule(models[name])
    _excludes(models["DenyIf"], "on_deny", "reason")
    _entry(models["Entry"])
    _limit(models["Limit"])
    for name in ("Limit", "State"):
        _excludes(models[name], *(key for key in ("cost", "increment", "increment_from") if key in _keys(models[name])))
    schema = {"$defs": models, **schema}
    for duration in _durations(schema):
        _bound(duration)
    return {
        "$schema": DIALECT,
        "title": "intercept policy",
        **schema,
        "description": "A policy for intercept: which tools of an MCP server may be called, how often, and with which "
        "arguments. What it means is in policies/README.md.",
    }


def _parts() -> Iterator[tuple[str, type[Model]]]:
    """The models of what is below the top of the file; what starts with an underscore is only inherited from."""
    for name, model in vars(declared).items():
        if isinstance(model, type) and issubclass(model, Model) and model not in {Model, PolicyFile} and name[0] != "_":
            yield name, model


def _definition(model: type[Model]) -> _Schema:
    """The schema of the mappings that `model` reads, without citations for developers."""
    definition: _Schema = {
        "additionalProperties": False,
        "description": _CITATION.sub("", model.__doc__ or ""),
        "properties": {name: _property(field) for name, field in model.fields.items()},
    }
    if model.required:
        definition["required"] = [*model.required]
    return {**definition, "type": "object"}


def _property(field: Field) -> _Schema:
    """The schema of one key; a default that stands for "not given" is left out."""
    schema = field.kind.json_schema()
    if field.description:
        schema["description"] = field.description
    default = field.default.content() if isinstance(field.default, Model) else field.default
    if not field.is_required and default not in (None, "", [], {}):
        schema["default"] = default
    return schema


def _keys(model: _Schema) -> _Schema:
    properties: _Schema = model["properties"]
    return properties


def _excludes(model: _Schema, *keys: str) -> None:
    """Let at most one of `keys` stand in `model`."""
    for index, key in enumerate(keys[:-1]):
        _given(model, [key], keys[index + 1 :])


def _given(model: _Schema, given: Iterable[str], refused: Iterable[str]) -> None:
    """Where one of the keys `given` stands, `refused` must not."""
    for key in given:
        model.setdefault("dependentSchemas", {})[key] = {"properties": dict.fromkeys(refused, _NEVER)}


def _condition(model: _Schema) -> None:
    keys = _keys(model)
    leaf = [key for key in _LEAF if key in keys]
    keys["value"]["type"] = ["string", "number", "boolean", "array", "object"]
    for group in _GROUPS:
        _given(model, [group], [*(other for other in _GROUPS if other != group), *leaf])
    model["dependentRequired"] = {key: [other for other in _LEAF[:3] if other != key] for key in leaf}
    model["anyOf"] = [{"required": [key]} for key in ("path", *_GROUPS)]
    model["allOf"] = [
        {
            "if": {"properties": {"op": {"enum": [op for op in OPERANDS if OPERANDS[op] == kind]}}, "required": ["op"]},
            "then": {"properties": {"value": value}},
        }
        for kind, value in _OPERANDS.items()
    ]


def _rule(model: _Schema) -> None:
    _excludes(model, "on_deny", "reason")
    model["dependentRequired"] = {"after_scope": ["after"]}
    model["allOf"] = [
        {
            "if": {"properties": {"action": {"const": "deny"}}, "required": ["action"]},
            "then": {"properties": dict.fromkeys(_OF_DENY, _NEVER)},
        },
        {
            "if": {"properties": {"action": {"const": "require_approval"}}, "required": ["action"]},
            "then": {"properties": {"state": _NEVER}},
            "else": {"properties": dict.fromkeys(_OF_ASKING, _NEVER)},
        },
    ]
    model["dependentSchemas"]["approval_timeout"] = {"properties": {"approval": {"properties": {"timeout": _NEVER}}}}
    rate = _keys(model)["rate_limit"]
    _keys(model)["rate_limit"] = {
        "description": rate["description"],
        "anyOf": [{"$ref": rate["$ref"]}, {"type": "string", "pattern": _rate_pattern()}],
    }


def _rate_pattern() -> str:
    """`10/minute`: whatever `window` takes as text may stand behind the slash."""
    window = next(_durations(_definition(RateLimit)))["anyOf"][1]["pattern"]
    return rf"^(?!0+/)[0-9]{{1,12}}/{_not_zero(window).removeprefix('^')}"


def _entry(model: _Schema) -> None:
    others = {"anyOf": [{"required": [key], "properties": {key: {"minItems": 1}}} for key in ("rules", "deny_if")]}
    own = {"anyOf": [{"required": [key]} for key in _OWN]}
    model["allOf"].append(
        {
            "if": {"allOf": [others, {"not": own}]},
            "then": {"properties": dict.fromkeys(_OWN_DETAILS, _NEVER)},
        }
    )


def _limit(model: _Schema) -> None:
    model["if"] = {"properties": {"align": {"const": "calendar"}}, "required": ["align"]}
    model["then"] = {"properties": {"window": {"enum": [*PERIODS]}}}
    model["else"] = {"properties": {"window": {"not": {"const": MONTH}}, "timezone": _NEVER}}


def _durations(part: Any) -> Iterator[_Schema]:  # noqa: ANN401  # any part of a schema
    """Every part that takes a length of time: a number of seconds, or a text with a unit."""
    if isinstance(part, list):
        for item in part:
            yield from _durations(item)
    elif isinstance(part, dict):
        match part.get("anyOf"):
            case [{"type": "number"}, {"type": "string", "pattern": str(pattern)}] if "[smhd]" in pattern:
                yield part
            case _:
                for below in part.values():
                    yield from _durations(below)


def _bound(duration: _Schema) -> None:
    seconds, text = duration["anyOf"]
    seconds["maximum"] = _LONGEST
    if seconds.get("minimum") != 0:  # a window, which has a length
        text["pattern"] = _not_zero(text["pattern"])


def _not_zero(pattern: str) -> str:
    return pattern.replace("^", "^(?![0.]+[smhd]$)", 1)
