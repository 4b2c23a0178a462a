"""Two lock files compared, for a person who has to decide about the difference. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from difflib import unified_diff
from typing import Final, NamedTuple

from ..detectors import invisible
from ..errors import visible
from ..values import Json
from .definitions import PARTS, REPORTED, differing, skeleton
from .lock import MEMBERS, Lock

CONTEXT: Final = 2
"""Lines around a difference."""


class Change(NamedTuple):
    """One thing that is not what it was."""

    what: str
    """`tool`, `prompt` or `server`."""
    name: str
    """Of the tool or prompt; empty for the server."""
    part: str
    """The member that changed, or `new` or `gone`."""
    before: Json
    after: Json
    withheld: bool
    """Whether the proxy withholds it for that; what is new follows the policy's `default`."""

    @property
    def title(self) -> str:
        """One line."""
        whose = f"{self.what} `{visible(self.name)}`" if self.name else self.what
        if self.part in {"new", "gone"}:
            return f"{whose}: {self.part}"
        return f"{whose}: {self.part} changed{'' if self.withheld else ' (not withheld)'}"


def compare(before: Lock, after: Lock) -> list[Change]:
    """What changed from one lock file to the other, the server first, then by kind and name."""
    changes = [
        Change("server", "", part, old, new, withheld=part == "instructions")
        for part in ("name", "version", "instructions")
        if (old := getattr(before.server, part)).split() != (new := getattr(after.server, part)).split()
    ]
    for kind in MEMBERS:
        old_pins, new_pins = before.pins.get(kind, {}), after.pins.get(kind, {})
        for name in sorted({*old_pins, *new_pins}):
            if name not in new_pins:
                changes.append(Change(kind, name, "gone", dict(old_pins[name].definition), None, withheld=False))
            elif name not in old_pins:
                changes.append(Change(kind, name, "new", None, dict(new_pins[name].definition), withheld=False))
            else:
                old, new = old_pins[name], new_pins[name]
                changes += [
                    Change(kind, name, part, old.definition.get(part), new.definition.get(part), part not in REPORTED)
                    for part in differing(kind, old.digests, new.digests)
                ]
    return changes


def described(change: Change) -> Iterator[str]:
    """The lines of one change: its title, and the difference with everything visible."""
    yield change.title
    lines = unified_diff(_lines(change.before), _lines(change.after), lineterm="", n=CONTEXT)
    for number, line in enumerate(lines):
        if number > 1:  # the first two name files
            yield f"  {line}"


def _lines(value: Json) -> list[str]:
    """`value` as lines in which every character can be seen."""
    if value is None:
        return []
    if isinstance(value, str):
        return [visible(line) for line in value.split("\n")]
    text = json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True)
    # A long text is one line of JSON; people compare it better in its own lines.
    return [visible(line) for part in text.split("\n") for line in part.replace("\\n", "\n").split("\n")]


def remarks(lock: Lock) -> list[str]:
    """What a person should know before trusting what `lock` holds."""
    found: list[str] = []
    for kind in MEMBERS:
        seen: dict[str, str] = {}
        for name, pin in lock.pins.get(kind, {}).items():
            hidden = [part for part in PARTS[kind] if _hides(pin.definition.get(part))]
            if hidden:
                found.append(f"{kind} `{visible(name)}`: invisible characters in its {' and '.join(hidden)}")
            twin = seen.setdefault(skeleton(name), name)
            if twin != name:
                found.append(f"{kind}s `{visible(twin)}` and `{visible(name)}` look alike")
    if _hides(lock.server.instructions):
        found.append("server: invisible characters in its instructions")
    return found


def _hides(value: Json) -> bool:
    match value:
        case str():
            return bool(invisible(value)[1])
        case list():
            return any(map(_hides, value))
        case dict():
            return any(_hides(key) or _hides(item) for key, item in value.items())
        case _:
            return False
