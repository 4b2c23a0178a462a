"""Tool definitions as a server lists them: which arguments a tool takes, and of what type.

Definitions are untrusted and often sloppy. What a schema does not say for sure is unknown, and rules stay silent then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Literal, TypeAlias

from ..values import Each, Json, MalformedError, Step

Schema: TypeAlias = dict[str, Json]
"""A JSON Schema that is a mapping."""


class Unclear(Enum):
    """The schema does not tell."""

    UNCLEAR = "unclear"


UNCLEAR: Final = Unclear.UNCLEAR


@dataclass(frozen=True, slots=True)
class Absent:
    """There is no such argument."""

    name: str
    """The part of the path that does not exist."""
    known: tuple[str, ...]
    """What exists in its place."""


Looked: TypeAlias = "Schema | Absent | Literal[Unclear.UNCLEAR]"


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool of a server."""

    name: str
    schema: Schema = field(default_factory=dict)
    """Of its arguments."""

    @property
    def arguments(self) -> dict[str, Schema]:
        """The arguments at the top level by name; empty if the schema does not tell."""
        properties = self.schema.get("properties")
        if not isinstance(properties, dict):
            return {}
        return {name: _plain(part, self.schema) or {} for name, part in properties.items()}

    @property
    def required(self) -> frozenset[str]:
        """Arguments that a call must have."""
        required = self.schema.get("required")
        return (
            frozenset(name for name in required if isinstance(name, str)) if isinstance(required, list) else frozenset()
        )

    def look(self, steps: Sequence[Step]) -> Looked:
        """The schema of the argument at the end of `steps`, as paths in a policy take them."""
        schema = self.schema
        for step in steps:
            part = _step(schema, step, self.schema)
            if not isinstance(part, dict):
                return part
            plain = _plain(part, self.schema)
            if plain is None:
                return UNCLEAR
            schema = plain
        return schema


def types_of(schema: Schema) -> frozenset[str]:
    """The JSON types that a value may have but `null`, which counts as absent; empty if the schema does not tell."""
    found = schema.get("type")
    names = found if isinstance(found, list) else [found]
    if all(isinstance(name, str) for name in names):
        return frozenset(name for name in names if isinstance(name, str) and name != "null")
    values = choices_of(schema)
    return frozenset({"string"}) if values and all(isinstance(value, str) for value in values) else frozenset()


def choices_of(schema: Schema) -> list[Json] | None:
    """The values that `enum` or `const` leave; None if any may come."""
    if isinstance(values := schema.get("enum"), list):
        return values
    return [schema["const"]] if "const" in schema else None


def parse_tools(value: Json) -> tuple[Tool, ...]:
    """The tools in a list of definitions, in an object with a `tools` member, or in a saved answer to `tools/list`.

    Raises:
        MalformedError: `value` is none of these.
    """
    if isinstance(value, dict) and isinstance(value.get("result"), dict):
        value = value["result"]
    if isinstance(value, dict):
        value = value.get("tools")
    if not isinstance(value, list):
        raise MalformedError("no list of tools", "save the result of `tools/list`, or an object with a `tools` member")
    tools: list[Tool] = []
    for definition in value:
        if not isinstance(definition, dict) or not isinstance(name := definition.get("name"), str):
            raise MalformedError("a tool without a name", "save the result of `tools/list` as the server gave it")
        schema = definition.get("inputSchema")
        tools.append(Tool(name, schema if isinstance(schema, dict) else {}))
    return tuple(tools)


def _step(schema: Schema, step: Step, root: Schema) -> Looked:
    types = types_of(schema)
    if isinstance(step, str):
        return _property(schema, step)
    if "array" not in types:
        # A plain value counts as a list of one where `[*]` looks.
        return schema if step is Each.EACH and types else UNCLEAR
    items = _plain(schema.get("items"), root)
    return UNCLEAR if items is None or len(types) > 1 else items


def _property(schema: Schema, name: str) -> Looked:
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return UNCLEAR
    if name in properties:
        part = properties[name]
        return part if isinstance(part, dict) else UNCLEAR
    combined = {"patternProperties", "allOf", "anyOf", "oneOf", "$ref"} & schema.keys()
    if combined or schema.get("additionalProperties", False) is not False:
        return UNCLEAR
    return Absent(name, tuple(properties))


def _plain(schema: Json, root: Schema) -> Schema | None:
    """`schema` with local references followed and `null` alternatives left out; None if it stays unclear."""
    for _ in range(8):
        if not isinstance(schema, dict):
            return None
        if isinstance(reference := schema.get("$ref"), str):
            schema = _referred(reference, root)
            continue
        branches = schema.get("anyOf", schema.get("oneOf"))
        if not isinstance(branches, list):
            return schema
        rest = [branch for branch in branches if not (isinstance(branch, dict) and branch.get("type") == "null")]
        if len(rest) != 1:
            return None
        schema = rest[0]
    return None


def _referred(reference: str, root: Schema) -> Json:
    if not reference.startswith("#/"):
        return None
    found: Json = root
    for name in reference[2:].split("/"):
        if not isinstance(found, dict):
            return None
        found = found.get(name.replace("~1", "/").replace("~0", "~"))
    return found
