"""What the server offered when a policy was drafted: the last lines of the file, and the only ones that are rewritten.

They are comments, so that the policy means the same without them. Each names a tool, its class and a digest of its
definition: enough to say later what is new, gone or changed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ...values import Json, digest
from ..risk import classify

_MARK: Final = "# --- seen by `intercept scan`; kept by it, everything above is yours ---"
_LINE: Final = re.compile(r'# ("(?:[^"\\]|\\.)*") (\w+) (\w+) ([0-9a-f]{12}|unknown)')
_DIGITS: Final = 12
"""Of a digest: enough to tell a change, not to withstand an attack. For that there is `intercept pin`."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A tool as it was when a draft was made."""

    name: str
    category: str
    risk: str
    definition: str
    """The first digits of the digest of its definition."""


def seen(definitions: Sequence[Json]) -> dict[str, Seen]:
    """Every tool of these definitions by name; the first of those that share one."""
    found: dict[str, Seen] = {}
    for definition in definitions:
        if not isinstance(definition, dict) or not isinstance(definition.get("name"), str):
            continue
        verdict = classify(definition)
        if verdict.name not in found:
            found[verdict.name] = Seen(verdict.name, verdict.category, verdict.risk, _digest(definition))
    return found


def _digest(definition: dict[str, Json]) -> str:
    told = {key: definition.get(key) for key in ("name", "description", "inputSchema", "outputSchema", "annotations")}
    try:
        return digest(told)[:_DIGITS]
    except (ValueError, RecursionError):
        return "unknown"


def seen_block(definitions: Sequence[Json]) -> str:
    """The lines that remember `definitions`."""
    lines = [
        f"# {json.dumps(one.name)} {one.category} {one.risk} {one.definition}" for one in seen(definitions).values()
    ]
    return "\n".join([_MARK, *lines]) + "\n"


def split(text: str) -> tuple[str, dict[str, Seen] | None]:
    """The text without the block, and what the block remembers; None if there is no block."""
    before, mark, block = text.rpartition(_MARK)
    if not mark:
        return text, None
    found: dict[str, Seen] = {}
    rest: list[str] = []
    for line in block.split("\n")[1:]:
        match = _LINE.fullmatch(line.rstrip("\r"))
        if match:
            name = json.loads(match[1])
            found[name] = Seen(name, match[2], match[3], match[4])
        elif line.strip():
            rest.append(line)  # what somebody wrote below it stays
    return before + "".join(f"{line}\n" for line in rest), found
