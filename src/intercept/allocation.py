"""Makes room for large messages: what one needed is kept for the next, and pipes take more at a time."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from typing import Final

_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
KEPT: Final = 16 * 1024 * 1024
"""Bytes at the end of the heap that are not given back."""
FROM_HEAP: Final = 4 * 1024 * 1024
"""Bytes of the largest block that is taken from there."""

WIDE: Final = 1024 * 1024
"""Bytes of a pipe that large messages go through, which everybody may have: a change of process for each of these, and
not for each 64 KiB."""


@cache
def keep_freed_memory() -> None:
    """Do so, once, where the C library is glibc (mallopt(3)).

    Otherwise every buffer of a message of 1 MiB is mapped anew: 2,700 page faults to relay one, 5 of its 12 ms of
    processor time.
    """
    import ctypes  # only who relays large messages needs it

    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    mallopt(_M_MMAP_THRESHOLD, FROM_HEAP)
    mallopt(_M_TRIM_THRESHOLD, KEPT)


def widen(fd: int) -> None:
    """Let the pipe `fd` hold `WIDE` bytes where that can be said (Linux, pipe(7)); anything else is left as it is."""
    import fcntl

    with suppress(OSError, AttributeError):
        fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, WIDE)
