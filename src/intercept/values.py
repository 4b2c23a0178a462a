"""The type of untrusted data, paths into it, and the normal form of names.

`Json` is what a peer sent: nothing about its shape may be relied on before it was looked at. Pure; no I/O.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import TypeAlias

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"


@lru_cache(maxsize=4096)
def normal_form(name: str) -> str:
    """`name` as a careless reader might take it: NFKC, case-folded, without spaces, controls and invisible characters.

    Two names with one normal form are never both trusted (PROTOCOL section 6.2, POLICY section 3 step 0).
    """
    if name.isascii() and name.isalnum():
        return name.lower()
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    # Cc controls (NUL), Cf format characters (zero-width, bidi, tags), Z* every kind of space, Co/Cs/Cn never shown.
    return "".join(c for c in folded if unicodedata.category(c)[0] not in "CZ" and not _is_filler(c))


def _is_filler(character: str) -> bool:
    # Letters and marks that render as nothing: Hangul fillers, variation selectors, combining grapheme joiner, Khmer.
    code = ord(character)
    return code in _FILLERS or 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF


_FILLERS = frozenset({0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0, 0x180B, 0x180C, 0x180D})
