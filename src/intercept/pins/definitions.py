"""What of a definition counts, as digests that no change of spelling alters. Pure.

Two definitions are the same if a reader of JSON could not tell them apart, and besides whatever the order of
`required`, `enum`, `type` and of a prompt's arguments, and however white space is set in titles and descriptions:
servers make these from sets and source code, and none of it says anything else to a model.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from typing import Final

from ..hashes import sha256_of
from ..policy import Kind
from ..values import Json, normal_form

PARTS: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.TOOL: ("name", "title", "description", "inputSchema", "outputSchema", "annotations"),
    Kind.PROMPT: ("name", "title", "description", "arguments"),
}
"""The members that are compared, one by one. What others a definition has is not looked at: `_meta` and icons change
from start to start, and no model is shown them."""
REPORTED: Final = frozenset({"annotations"})
"""Parts whose change is told and nothing else: hints that a policy may look at, but that no model acts upon."""
UNREADABLE: Final = "unreadable"
"""In place of a digest: the part is nested so deeply that it cannot be looked at. It equals no digest."""

_TEXTS: Final = frozenset({"title", "description"})
_SETS: Final = frozenset({"required", "enum", "type"})

Digests = dict[str, str]
"""By part; a part that is absent or null has none."""


def parts_of(kind: Kind, definition: Mapping[str, Json]) -> dict[str, Json]:
    """The members of `definition` that count, in the order of `PARTS`."""
    return {part: definition[part] for part in PARTS[kind] if definition.get(part) is not None}


def digests_of(kind: Kind, definition: Mapping[str, Json]) -> Digests:
    """A digest for each part of `definition`: SHA-256 in hex, or `UNREADABLE`."""
    return {part: _digest(part, value) for part, value in parts_of(kind, definition).items()}


def differing(kind: Kind, one: Digests, other: Digests) -> tuple[str, ...]:
    """The parts in which two definitions are not the same."""
    return tuple(
        part for part in PARTS[kind] if one.get(part) != other.get(part) or one.get(part) == UNREADABLE
    )  # fmt: skip


def _digest(part: str, value: Json) -> str:
    try:
        return sha256_of(json.dumps(_plain(part, value), sort_keys=True, separators=(",", ":")).encode())
    except RecursionError:
        return UNREADABLE


def _plain(key: str, value: Json) -> Json:
    match value:
        case str():
            return " ".join(value.split()) if key in _TEXTS else value
        case float() if value.is_integer():
            return int(value)
        case list():
            items = [_plain("", item) for item in value]
            if key in _SETS or (key == "arguments" and all(isinstance(item, dict) for item in items)):
                return sorted(items, key=lambda item: json.dumps(item, sort_keys=True))
            return items
        case dict():
            return {name: _plain(name, item) for name, item in value.items()}
        case _:
            return value


# --- names that look alike --------------------------------------------------------------------------------------------

# What stands for a Latin letter in the eyes of a reader: Cyrillic, Greek, digits, and letters that are one stroke.
# After Unicode Technical Standard 39, section 4, of which the names of tools need this much.
_CONFUSED: Final = str.maketrans({
    "\u0430": "a", "\u0435": "e", "\u043e": "o", "\u0440": "p", "\u0441": "c", "\u0443": "y", "\u0445": "x",
    "\u0456": "l", "\u0458": "j", "\u0455": "s", "\u0501": "d", "\u0261": "g", "\u04bb": "h", "\u04cf": "l",
    "\u043a": "k", "\u043c": "m", "\u0442": "t", "\u0432": "b", "\u043d": "h",
    "\u03bf": "o", "\u03b1": "a", "\u03bd": "v", "\u03c1": "p", "\u03b9": "l", "\u03ba": "k", "\u03c4": "t",
    "\u03c5": "u", "\u03b5": "e", "\u03c7": "x", "\u0131": "l", "\u0251": "a",
    "0": "o", "1": "l", "i": "l", "|": "l", "5": "s",
})  # fmt: skip
_SEPARATORS: Final = str.maketrans("", "", "_-./:\u2010\u2011\u2012\u2013\u2014\u2212")


def skeleton(name: str) -> str:
    """`name` as the eye takes it: two names with one skeleton can be mistaken for each other."""
    folded = normal_form(name).translate(_CONFUSED)
    bare = "".join(c for c in unicodedata.normalize("NFD", folded) if not unicodedata.combining(c))
    return bare.translate(_SEPARATORS).replace("rn", "m").replace("vv", "w")
