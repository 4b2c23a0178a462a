"""The definitions of the tools that a person may be asked about, as the upstream has listed them. Pure.

They are kept as text until somebody is asked: what they say of a tool is looked at then, and for most never.
"""

from __future__ import annotations

from typing import Final

from ..values import Json
from ..wire import encode

MAX_KEPT: Final = 1_000
"""Tools; real servers have up to a few hundred."""
LONGEST: Final = 64 * 1024
"""Bytes of one; the longest known of a real server has 52 KB."""
MAX_SIZE: Final = 4 * 1024 * 1024
"""Bytes of all together."""


class Definitions:
    """By name. What there is no room for is not kept, and is then not known."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}
        self._size = 0

    def keep(self, name: str, definition: dict[str, Json]) -> None:
        """Keep the `definition` that the upstream gives of the tool `name` now (an element of `tools/list`)."""
        self._size -= len(self._kept.pop(name, b""))
        text = encode(definition)
        if len(text) <= LONGEST and len(self._kept) < MAX_KEPT and self._size + len(text) <= MAX_SIZE:
            self._kept[name] = text
            self._size += len(text)

    def of(self, name: str) -> bytes:
        """The definition of the tool `name` as JSON; empty if none is kept."""
        return self._kept.get(name, b"")
