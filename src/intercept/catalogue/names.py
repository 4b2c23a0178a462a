"""Names that are not what they seem: twice the same, alike for the eye, or with characters that nobody sees."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from ..detectors import has_invisible
from ..values import Json, normal_form
from .risk import Verdict


def look_alikes(verdicts: Sequence[Verdict], definitions: Sequence[Json]) -> list[Verdict]:
    """`verdicts` with flags for names that another tool has as well, and for what hides characters.

    `definitions` are what the verdicts are about, in the same order.
    """
    counts = Counter(normal_form(verdict.name) for verdict in verdicts)
    return [
        replace(verdict, flags=(*verdict.flags, *_flags(verdict, definition, counts)))
        for verdict, definition in zip(verdicts, definitions, strict=True)
    ]


def _flags(verdict: Verdict, definition: Json, counts: Counter[str]) -> list[str]:
    flags = ["look-alike"] if counts[normal_form(verdict.name)] > 1 else []
    texts = [definition.get(key) for key in ("name", "title", "description")] if isinstance(definition, dict) else []
    if any(has_invisible(text) for text in texts if isinstance(text, str)):
        flags.append("invisible-characters")
    return flags
