"""What the input schema says: which argument chooses an action, holds a command, an address or an amount."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from typing import Final, NamedTuple

from ...values import Json
from .language import words
from .lexicon import each

_DEPTH: Final = 5
"""How deep arguments are looked for: some servers nest all of them under one object, or take a list of changes."""
_MOST: Final = 2000
"""Parts of a schema that are looked at: one that refers to itself has no end."""
ITEMS: Final = "[*]"
"""In the path of an argument: in every element of the list."""
_CHOOSING: Final = each("action actions command function kind method mode op operation operations subcommand task verb")
_QUOTED: Final = re.compile(r"""['"`“]([A-Za-z][A-Za-z_-]{1,40})['"`”]""")


class Argument(NamedTuple):
    """One argument, wherever it stands."""

    path: tuple[str, ...]
    schema: dict[str, Json]
    required: bool = False
    """Whether what it stands in has to have it, whatever alternative is chosen."""

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
    """All arguments that `schema` tells of, from the top down, those of lists and of alternatives among them.

    Where alternatives have an argument of the same name, it is one that takes what any of them takes.
    """
    root = schema if isinstance(schema, dict) else {}
    found: dict[tuple[str, ...], list[dict[str, Json]]] = {}
    needed: set[tuple[str, ...]] = set()
    waiting = deque[tuple[tuple[str, ...], Json, int, bool]]([((), root, 0, True)])
    for _ in range(_MOST):
        if not waiting or len(found) >= _MOST:
            break
        path, part, depth, sure = waiting.popleft()
        if not isinstance(part, dict):
            continue
        part = _resolved(part, root)
        below: list[tuple[tuple[str, ...], Json, bool]] = [(path, each, False) for each in _alternatives(part)]
        if path:
            below.append(((*path, ITEMS), part.get("items"), sure))
        properties, required = part.get("properties"), part.get("required")
        for key, own in properties.items() if isinstance(properties, dict) else ():
            where = (*path, key)
            if key != ITEMS and len(found) < _MOST:
                found.setdefault(where, []).append(_whole(own, root) if isinstance(own, dict) else {})
                below.append((where, own, sure))
                if sure and isinstance(required, list) and key in required:
                    needed.add(where)
        if depth < _DEPTH:
            waiting.extend((where, own, depth + 1, firm) for where, own, firm in below[: _MOST - len(waiting)])
    return tuple(Argument(path, _either(parts), path in needed) for path, parts in found.items())


def _alternatives(schema: dict[str, Json]) -> Iterator[Json]:
    for word in ("oneOf", "anyOf", "allOf"):
        parts = schema.get(word)
        yield from parts if isinstance(parts, list) else ()


def _either(parts: list[dict[str, Json]]) -> dict[str, Json]:
    if len(parts) == 1:
        return parts[0]
    return {"anyOf": list(parts), "description": parts[0].get("description")}


def _whole(schema: dict[str, Json], root: dict[str, Json]) -> dict[str, Json]:
    """`schema` with what it and its direct alternatives refer to."""
    schema = _resolved(schema, root)
    for word in ("anyOf", "oneOf"):
        parts = schema.get(word)
        if isinstance(parts, list):
            whole: list[Json] = [_resolved(part, root) if isinstance(part, dict) else part for part in parts]
            schema = schema | {word: whole}
    return schema


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


def quoted(argument: Argument, description: str) -> tuple[str, ...]:
    """The values that its description puts in quotes, or the line on it in the `description` of the tool."""
    told = argument.description[:1500]
    if not told and (
        line := re.search(rf"^[ \t]*{re.escape(argument.name)}\b[^:\n]*:(.+)", description[:8000], re.MULTILINE)
    ):
        told = line[1]
    return tuple(dict.fromkeys(_QUOTED.findall(told)))
