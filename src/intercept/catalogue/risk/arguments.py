"""What the input schema says: which argument chooses an action, holds a command, an address or an amount."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from ...values import Json
from .language import words
from .lexicon import each

_DEPTH: Final = 3
"""How deep arguments are looked for: some servers nest all of them under one object."""
_CHOOSING: Final = each("action actions command function kind method mode op operation subcommand task verb")
_QUOTED: Final = re.compile(r"""['"`“]([A-Za-z][A-Za-z_-]{1,40})['"`”]""")


class Argument(NamedTuple):
    """One argument, wherever it stands."""

    path: tuple[str, ...]
    schema: dict[str, Json]

    @property
    def name(self) -> str:
        """Its own key."""
        return self.path[-1]

    @property
    def description(self) -> str:
        """Empty if there is none."""
        text = self.schema.get("description")
        return text if isinstance(text, str) else ""

    @property
    def kinds(self) -> frozenset[str]:
        """The JSON types that it takes; empty if the schema does not tell."""
        return _kinds(self.schema)

    @property
    def is_text(self) -> bool:
        """Whether it can hold text."""
        return not self.kinds or "string" in self.kinds

    @property
    def is_list(self) -> bool:
        """Whether it holds a list and nothing else."""
        return self.kinds == {"array"}

    @property
    def values(self) -> tuple[str, ...]:
        """The texts that it is restricted to; empty if it is not."""
        return tuple(dict.fromkeys(_values(self.schema)))


def arguments(schema: Json) -> tuple[Argument, ...]:
    """All arguments that `schema` tells of, from the top down."""
    return tuple(_walk(schema, (), schema if isinstance(schema, dict) else {}))


def _walk(schema: Json, path: tuple[str, ...], root: dict[str, Json]) -> Iterator[Argument]:
    if not isinstance(schema, dict) or len(path) >= _DEPTH:
        return
    schema = _resolved(schema, root)
    properties = schema.get("properties")
    if isinstance(properties, dict):
        for key, part in properties.items():
            own = _resolved(part, root) if isinstance(part, dict) else {}
            yield Argument((*path, key), own)
            yield from _walk(own, (*path, key), root)
    for word in ("oneOf", "anyOf", "allOf"):
        parts = schema.get(word)
        for part in parts if isinstance(parts, list) else ():
            yield from _walk(part, path, root)


def _resolved(schema: dict[str, Json], root: dict[str, Json]) -> dict[str, Json]:
    reference = schema.get("$ref")
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return schema
    found: Json = root
    for key in reference[2:].split("/"):
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) and "$ref" not in found else schema


def _kinds(schema: dict[str, Json]) -> frozenset[str]:
    kind = schema.get("type")
    if isinstance(kind, str):
        return frozenset({kind})
    if isinstance(kind, list):
        return frozenset(part for part in kind if isinstance(part, str))
    for word in ("anyOf", "oneOf"):
        parts = schema.get(word)
        if isinstance(parts, list):
            return frozenset().union(*(_kinds(part) for part in parts if isinstance(part, dict)))
    return frozenset()


def _values(schema: dict[str, Json]) -> Iterator[str]:
    listed = schema.get("enum")
    if isinstance(listed, list):
        yield from (value for value in listed if isinstance(value, str))
    if isinstance(constant := schema.get("const"), str):
        yield constant
    for word in ("anyOf", "oneOf"):
        parts = schema.get(word)
        for part in parts if isinstance(parts, list) else ():
            if isinstance(part, dict):
                yield from _values(part)
    if isinstance(items := schema.get("items"), dict):
        yield from _values(items)


def chooses(argument: Argument) -> bool:
    """Whether its name says that it chooses what the tool does."""
    return not _CHOOSING.isdisjoint(words(argument.name)[-1:])


def quoted(argument: Argument) -> tuple[str, ...]:
    """The values that its description puts in quotes."""
    return tuple(dict.fromkeys(_QUOTED.findall(argument.description[:1500])))
