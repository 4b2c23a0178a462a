"""Values that show a hole: texts that a condition on text lets pass although they lead somewhere else.

Nothing is claimed that was not tried: a text counts only if the policy's own operators let it through.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import product
from typing import Final

from .subject import Condition, Subject

EVIL: Final = "evil.example"
"""A host that no policy means (RFC 2606 section 2)."""
_ANY: Final = re.compile(
    r"(?<!\\)(?:\(\?[a-z]+\)|\(\?:|(?:\.|\\[wSd]|\[(?:\\.|[^\]])*\])(?:[*+]\??|\{[0-9,]*\})?|[()?])"
)
"""Parts of a pattern that stand for more than themselves; groups are read as if they had no brackets."""


def passing(subject: Subject, condition: Condition, texts: Iterable[str]) -> str:
    """The first of `texts` that the policy lets through at the path of `condition`; empty if there is none."""
    return next((text for text in texts if subject.lets_through(condition, text)), "")


def stretched(condition: Condition, *tails: str) -> Iterator[str]:
    """Texts that begin as `condition` wants it and go on with one of `tails`, where its value leaves room for that."""
    value = str(condition.written.value)
    match condition.op:
        case "starts_with":
            yield from (value + tail for tail in tails)
        case "contains" | "ends_with":
            yield value
        case "glob":
            pieces = value.split("*")
            for tail in tails:
                yield from ("x".join(pieces[:at]) + tail + "x".join(pieces[at:]) for at in range(1, len(pieces)))
        case "regex":
            yield from _fitting(value, tails)
        case _:
            return


def _fitting(pattern: str, tails: Iterable[str]) -> Iterator[str]:
    plain = pattern.removeprefix("^").removesuffix("$")
    # One alternative of each group is enough for a text that fits.
    plain = re.sub(r"\((\?:)?([^()|]*)\|[^()]*\)", r"(\2)", plain).replace(r"\s*", "").replace(r"\s+", " ")
    pieces = [re.sub(r"\\(.)", r"\1", piece) for piece in _ANY.split(plain.replace(r"\b", ""))]
    if len(pieces) > 6:
        pieces = [*pieces[:5], "".join(pieces[5:])]
    for tail in tails:
        yield "".join(pieces) + tail
        for fillers in product(("", "x", tail), repeat=len(pieces) - 1):
            if tail in fillers:
                yield "".join(piece + filler for piece, filler in zip(pieces, (*fillers, ""), strict=True))
