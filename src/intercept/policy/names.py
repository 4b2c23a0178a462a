"""Names and globs: which names an entry covers, and which names nobody should trust.

A glob has `*` only. Matching is linear in the name, whatever the glob: the pieces between stars are looked for one
after the other, and a star never has to be tried twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Final, NamedTuple

from ..values import MalformedError

MAX_NAME: Final = 8192
"""Characters; a longer name is refused unread. Names have at most 128 (PROTOCOL section 2.11), URIs can be longer."""


class Glob(NamedTuple):
    """Text in which `*` stands for any characters; all the others stand for themselves."""

    text: str
    pieces: tuple[str, ...]
    """What is between the stars; one piece if there is no star."""
    invisible: int
    """Characters of the pieces that are not visible ASCII."""

    @classmethod
    def parse(cls, text: str) -> Glob:
        """Read `text`.

        Raises:
            MalformedError: two stars stand together.
        """
        if "**" in text:
            raise MalformedError(f"`**` in `{text}` is more than a glob has", "write `*`, which matches any characters")
        return cls(text, tuple(text.split("*")), _invisible(text))

    def matches(self, text: str) -> bool:
        """Whether `text` as a whole fits."""
        first, *middle = self.pieces
        if not middle:
            return text == first
        last = middle.pop()
        end = len(text) - len(last)
        at = len(first)
        if at > end or not text.startswith(first) or not text.endswith(last):
            return False
        for piece in middle:
            found = text.find(piece, at, end)
            if found < 0:
                return False
            at = found + len(piece)
        return True

    def lists(self, name: str) -> bool:
        """Whether `name` fits and each star stands for visible ASCII only.

        An entry lists a name so: `get_*` never lets in a name with a trailing space or an invisible character
        (POLICY section 2). Each piece matches a part of its own, so counting is enough.
        """
        return self.matches(name) and _invisible(name) == self.invisible


def _invisible(text: str) -> int:
    if text.isascii() and text.isprintable() and " " not in text:
        return 0
    return sum(not "!" <= character <= "~" for character in text)


def is_glob(text: str) -> bool:
    """Whether `text` is a pattern and not a name."""
    return "*" in text


class Names:
    """A set of names, some of them given by globs. Frozen."""

    __slots__ = ("exact", "globs")

    def __init__(self, exact: frozenset[str], globs: tuple[Glob, ...]) -> None:
        self.exact = exact
        self.globs = globs

    @classmethod
    def parse(cls, texts: Iterable[str]) -> Names:
        """Read a list as `hide` and `after` have it.

        Raises:
            MalformedError: one of them is not a glob.
        """
        listed = tuple(texts)
        return cls(
            frozenset(text for text in listed if not is_glob(text)),
            tuple(Glob.parse(text) for text in listed if is_glob(text)),
        )

    def __contains__(self, name: str) -> bool:
        return name in self.exact or any(glob.matches(name) for glob in self.globs)

    def meet(self, names: AbstractSet[str]) -> bool:
        """Whether any of `names` is one of these."""
        if not self.exact.isdisjoint(names):
            return True
        return any(glob.matches(name) for glob in self.globs for name in names)


_DISGUISED: Final = re.compile(
    r"""
      ^[^:/]*[A-Z][^:/]*:                        # a scheme in capitals
    | %(?i: 2[DEF] | 3[0-9] | 4[1-9A-F]           # an escape for what needs none (RFC 3986 section 6.2.2.2),
         | 5[0-9ACF] | 6[1-9A-F] | 7[0-9AEF]     # for a slash or a backslash,
         | [01][0-9A-F]                          # for a control character,
         | 25[0-9A-F]{2} | (?![0-9A-F]{2}) )     # of an escape, or none at all
    | (?:^|[/:])\.{1,2}(?:[/?#]|$)               # a dot segment (section 6.2.2.3)
    | [\\\s\x00-\x1f\x7f]                       # what no URI has
    """,
    re.VERBOSE,
)


def is_disguised(uri: str) -> bool:
    """Whether `uri` is written in a way that a server may take for another URI than the one a policy compares."""
    return _DISGUISED.search(uri) is not None
