"""The lock file: what a person has reviewed, in a form that can be read, compared line by line, and checked.

JSON with sorted names, one member a line. Every character that cannot be seen is escaped, so that a review of the file
shows it. The definitions stand beside their digests; a file in which the two do not fit was edited, and is refused.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from ..errors import PolicyError, Problem, UsageError, visible
from ..policy import Kind
from ..values import Json
from .definitions import PARTS, UNREADABLE, Digests, digests_of, parts_of

FORMAT: Final = 1
"""Of the file; raised when a reader of the old form would misunderstand the new one."""
MAX_BYTES: Final = 64 * 1024 * 1024
"""Of the file: that of the largest answer a server may send."""
MEMBERS: Final[Mapping[Kind, str]] = {Kind.TOOL: "tools", Kind.PROMPT: "prompts"}

_AGAIN: Final = "make it again with `intercept pin`"


@dataclass(frozen=True, slots=True)
class Pin:
    """One definition as it was reviewed."""

    digests: Digests
    definition: dict[str, Json]
    """The parts that the digests are of."""


@dataclass(frozen=True, slots=True)
class Server:
    """What a server says about itself; empty where it says nothing."""

    name: str = ""
    version: str = ""
    instructions: str = ""

    @classmethod
    def of(cls, about: Json, instructions: Json) -> Server:
        """From `serverInfo` and `instructions` as a server gives them."""
        about = about if isinstance(about, dict) else {}
        said = (about.get("name"), about.get("version"), instructions)
        return cls(*(text if isinstance(text, str) else "" for text in said))


@dataclass(frozen=True, slots=True)
class Lock:
    """A server as it was reviewed."""

    server: Server = Server()
    pins: Mapping[Kind, Mapping[str, Pin]] = field(default_factory=dict)
    """By name."""

    def find(self, kind: Kind, name: str) -> Pin | None:
        """What was reviewed under `name`."""
        return self.pins.get(kind, {}).get(name)


def pin(kind: Kind, definition: Mapping[str, Json]) -> Pin:
    """`definition` as it is now."""
    return Pin(digests_of(kind, definition), parts_of(kind, definition))


def collect(kind: Kind, definitions: Iterable[Json]) -> tuple[dict[str, Pin], tuple[str, ...]]:
    """A pin for each of `definitions`, by name, and a line about each one that can have none."""
    pins: dict[str, Pin] = {}
    remarks: dict[str, str] = {}
    for definition in definitions:
        name = definition.get("name") if isinstance(definition, dict) else None
        if not isinstance(definition, dict) or not isinstance(name, str):
            remarks["?"] = f"a {kind} without a name: nobody can use it"
            continue
        made = pin(kind, definition)
        if UNREADABLE in made.digests.values():
            remarks[name] = f"{kind} `{visible(name)}`: nested too deeply to be looked at; it is not pinned"
        elif name in pins and pins[name].digests != made.digests:
            remarks[name] = f"{kind} `{visible(name)}`: listed twice with different definitions; it is not pinned"
        else:
            pins[name] = made
    return {name: pins[name] for name in sorted(pins) if name not in remarks}, tuple(remarks.values())


# --- the file ---------------------------------------------------------------------------------------------------------


def dumps(lock: Lock) -> str:
    """The text of the lock file."""
    members: dict[str, Json] = {
        "intercept_lock": FORMAT,
        "server": {
            "name": lock.server.name,
            "version": lock.server.version,
            "instructions": lock.server.instructions,
        },
    }
    for kind, member in MEMBERS.items():
        members[member] = {
            name: {"digests": dict(each.digests), "definition": each.definition}
            for name, each in sorted(lock.pins.get(kind, {}).items())
        }
    text = json.dumps(members, ensure_ascii=False, indent=2)
    # What is not printable stands inside of strings, but for the line breaks between members.
    return "".join(c if c.isprintable() or c == "\n" else _escaped(c) for c in text) + "\n"


def _escaped(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def loads(data: bytes, path: str) -> Lock:
    """The lock file with these bytes; `path` is its name, for messages.

    Raises:
        PolicyError: it is none, or was edited.
    """
    try:
        value: Json = json.loads(data.decode())
    except (ValueError, RecursionError):
        raise _unusable(path, "not a lock file") from None
    if not isinstance(value, dict) or "intercept_lock" not in value:
        raise _unusable(path, "not a lock file")
    if value["intercept_lock"] != FORMAT:
        raise _unusable(path, f"a lock file of another version than {FORMAT}")
    server = value.get("server")
    said = [server.get(key, "") if isinstance(server, dict) else None for key in ("name", "version", "instructions")]
    texts = [text for text in said if isinstance(text, str)]
    if len(texts) != 3:
        raise _unusable(path, "`server` is not an object of texts")
    return Lock(Server(*texts), {kind: _pins(kind, value.get(member), path) for kind, member in MEMBERS.items()})


def _pins(kind: Kind, written: Json, path: str) -> dict[str, Pin]:
    if not isinstance(written, dict):
        raise _unusable(path, f"`{MEMBERS[kind]}` is not an object")
    pins: dict[str, Pin] = {}
    for name, each in written.items():
        definition = each.get("definition") if isinstance(each, dict) else None
        digests = each.get("digests") if isinstance(each, dict) else None
        if not isinstance(definition, dict) or not isinstance(digests, dict):
            raise _unusable(path, f"`{visible(name)}` has no definition with digests")
        made = pin(kind, definition)
        known = set(definition) <= set(PARTS[kind])
        if made.digests != digests or not known or definition.get("name") != name or UNREADABLE in digests.values():
            raise _unusable(path, f"the digests of `{visible(name)}` do not fit its definition")
        pins[name] = made
    return pins


def read(path: str) -> Lock:
    """The lock file at `path`.

    Raises:
        PolicyError: it cannot be read, or is none.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise _unusable(path, "no such lock file") from None
    except OSError as error:
        raise _unusable(path, (error.strerror or "cannot be read").lower()) from None
    if len(data) > MAX_BYTES:
        raise _unusable(path, f"larger than {MAX_BYTES} bytes")
    return loads(data, path)


def write(path: str, lock: Lock) -> None:
    """Put `lock` into the file at `path`, whole or not at all.

    Raises:
        UsageError: it cannot be written.
    """
    beside = f"{path}.{os.getpid()}.new"
    try:
        with open(beside, "w", encoding="utf-8") as file:
            file.write(dumps(lock))
        os.replace(beside, path)
    except OSError as error:
        with suppress(OSError):
            os.unlink(beside)
        raise UsageError(f"{path}: cannot be written: {(error.strerror or 'output error').lower()}") from None


def _unusable(path: str, message: str) -> PolicyError:
    return PolicyError((Problem(path, 0, 0, "", message, _AGAIN),))
