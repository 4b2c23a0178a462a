"""Frames: a byte stream cut into lines. Sans-IO."""

from __future__ import annotations

from io import BytesIO
from typing import Final

MAX_CLIENT_FRAME: Final = 10 * 1024 * 1024
"""Bytes; what the TypeScript SDK accepts in either direction (`STDIO_DEFAULT_MAX_BUFFER_SIZE`)."""
MAX_UPSTREAM_FRAME: Final = 64 * 1024 * 1024
"""Bytes. Real servers send `tools/list` lines of several MiB; the Python SDK has no limit at all."""


class Frames:
    r"""Splits a byte stream at `\n` in time linear in the bytes received; holds at most one frame.

    A frame longer than `limit` bytes is reported once, as None, and skipped up to its end.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._open = BytesIO()
        self._size = 0
        self._skipping = False

    def feed(self, chunk: bytes) -> list[bytes | None]:
        """Add `chunk`; return the frames that it completed, without their newlines."""
        first = chunk.find(b"\n")
        if not self._size and not self._skipping and len(chunk) <= self._limit and chunk.endswith(b"\n"):
            # Nearly every read: one line or some, and nothing before them. Half the time of looking at each.
            return [chunk[:-1]] if first == len(chunk) - 1 else [*chunk.split(b"\n")[:-1]]
        # Most reads of a large frame have no newline in them, which is found out twenty times faster than split.
        pieces = [chunk] if first < 0 else chunk.split(b"\n")
        frames: list[bytes | None] = []
        for piece in pieces[:-1]:
            if self._size or self._skipping:
                frames.extend(self._extend(piece))
                frames.extend(self.end())
            elif len(piece) <= self._limit:
                frames.append(piece)
            else:
                frames.append(None)
        if pieces[-1]:
            frames.extend(self._extend(pieces[-1]))
        return frames

    def end(self) -> list[bytes | None]:
        """The open frame, if there is one: at the end of the stream, a last line without its newline."""
        if self._skipping:
            self._skipping = False
            return []
        frame = self._open.getvalue()
        self._reset()
        return [frame] if frame else []

    def _extend(self, piece: bytes) -> list[bytes | None]:
        if self._skipping:
            return []
        if self._size + len(piece) > self._limit:
            self._reset()
            self._skipping = True
            return [None]
        self._open.write(piece)
        self._size += len(piece)
        return []

    def _reset(self) -> None:
        if self._size:
            self._open = BytesIO()
            self._size = 0
