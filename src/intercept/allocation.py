"""Tells the C library to keep what large messages needed for the next one."""

from __future__ import annotations

from functools import cache
from typing import Final

_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
KEPT: Final = 16 * 1024 * 1024
"""Bytes at the end of the heap that are not given back."""
FROM_HEAP: Final = 4 * 1024 * 1024
"""Bytes of the largest block that is taken from there."""


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
