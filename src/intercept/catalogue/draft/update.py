"""A draft brought up to date: what is new is added to the text, and nothing that a person wrote is touched.

New entries go right below `tools:` and new tests right below `tests:`, as lines of their own; the block of what was
seen is written anew. What is gone or changed is told and left alone: whoever edited the file decides.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ...errors import UsageError
from ...policy.names import Names
from ...policy.source import parse
from ...policy.tree import Node
from ...values import Json
from .document import examples, section
from .entries import Entry
from .seen import Seen, seen, seen_block, split

_INDENT: Final = re.compile(r"( *)(?:- *)?[\"']?")
"""What stands before the first key of a block, or before the first of a list's elements."""


@dataclass(frozen=True, slots=True)
class Change:
    """A tool whose definition is another than when the file was drafted."""

    before: Seen
    now: Seen


@dataclass(frozen=True, slots=True)
class Updated:
    """A draft after an update."""

    text: str
    new: tuple[Entry, ...]
    """Added to the file."""
    gone: tuple[str, ...]
    """Still in the file, no longer offered."""
    changed: tuple[Change, ...]


def update(path: str, text: str, found: Sequence[Entry], definitions: Sequence[Json]) -> Updated:
    """Bring `text`, the content of the file at `path`, up to date with what the server offers now.

    Raises:
        UsageError: the file is not one that lines can be added to.
    """
    ours, before = split(text)
    root = parse(text.encode()).root
    if root is None or not isinstance(root.value, dict):
        raise UsageError(f"{path}: cannot be read as a policy; see `intercept lint {path}`")
    now = seen(definitions)
    known = _named(root) if before is None else before.keys()
    new = tuple(entry for entry in found if entry.name not in known and not _names(root, entry.name))
    if new:
        added = {"tools": section(new, "# New.", ""), "tests": examples(new, "")}
        # From the bottom up, so that places further up stay where they are.
        for key in sorted(added, key=lambda key: root.keys.get(key, len(ours)), reverse=True):
            ours = _below(path, ours, root, key, added[key])
    then = before or {}
    changed = tuple(
        Change(then[name], one) for name, one in now.items() if name in then and then[name].definition != one.definition
    )
    gone = tuple(name for name in known if name not in now)
    if ours and not ours.endswith("\n"):
        ours += "\n"
    return Updated(ours + seen_block(definitions), new, gone, changed)


def _named(root: Node) -> frozenset[str]:
    tools = root.value.get("tools") if isinstance(root.value, dict) else None
    hidden = root.value.get("hide") if isinstance(root.value, dict) else None
    names = [*(tools if isinstance(tools, dict) else ()), *(hidden if isinstance(hidden, list) else ())]
    return frozenset(name for name in names if isinstance(name, str) and "*" not in name)


def _names(root: Node, name: str) -> bool:
    """Whether the file says something of this tool already, by name or by a pattern other than `*`."""
    members = root.value if isinstance(root.value, dict) else {}
    told = [*_each(members.get("tools")), *_each(members.get("hide"))]
    return name in Names.parse([text for text in told if text != "*"])


def _each(value: object) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, dict | list) else []


def _below(path: str, text: str, root: Node, key: str, lines: Sequence[str]) -> str:
    """`text` with `lines` at the beginning of the block under the top-level `key`."""
    block = root.children.get(key)
    if block is None or not block.places:
        if key == "tests" and key not in root.keys:
            return text.rstrip("\n") + f"\n\n{key}:\n" + "".join(f"  {line}\n" for line in lines)
        raise UsageError(f"{path}: `{key}` has nothing in it; write the first entry below it, and run this again")
    first = min((block.keys or block.places).values())
    start = text.rfind("\n", 0, first) + 1
    indent = _INDENT.fullmatch(text[start:first])
    if start <= root.keys[key] or indent is None:
        raise UsageError(
            f"{path}: `{key}` does not have each entry on lines of its own; write it so, and run this again"
        )
    at = text.index("\n", root.keys[key]) + 1
    return text[:at] + "".join(f"{indent[1]}{line}".rstrip() + "\n" for line in lines) + text[at:]
