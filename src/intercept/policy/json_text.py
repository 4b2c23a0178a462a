"""JSON to a tree (RFC 8259): what the standard reader does, but with places, exact numbers and bounded depth."""

from __future__ import annotations

import re
from collections.abc import Callable
from json import loads
from typing import Final, NoReturn

from .tree import NUMBER, WORDS, Node, Tree
from .wording import clipped

_SPACE: Final = re.compile(r"[ \t\r\n]*")
_STRING: Final = re.compile(r'"[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*"')
_WORD: Final = re.compile(r"(?:true|false|null)\b")


def read(text: str, tree: Tree) -> Node:
    """The value that `text` is.

    Raises:
        Stop: `text` is not JSON, or too large or deep; the mistake was added to `tree`.
    """
    reader = _Reader(text, tree)
    reader.value()
    reader.end()
    return tree.root or tree.stop(None, "is empty")


class _Reader:
    def __init__(self, text: str, tree: Tree) -> None:
        self.text = text
        self.tree = tree
        self.at = 0

    def value(self) -> None:
        # Recursion is bounded: the tree refuses to open more than its depth.
        start = self.skip_space()
        match self.text[start : start + 1]:
            case '"':
                self.tree.add(self.string("a value"), start)
            case "{":
                self.tree.open({}, start)
                self.members("}", self.member)
            case "[":
                self.tree.open([], start)
                self.members("]", self.value)
            case _:
                if found := NUMBER.match(self.text, start):
                    self.tree.add(self.tree.number(found[0], start), start)
                elif found := _WORD.match(self.text, start):
                    self.tree.add(WORDS[found[0]], start)
                else:
                    self.wrong("a value")
                self.at = found.end()

    def members(self, closing: str, member: Callable[[], None]) -> None:
        self.at += 1
        if not self.skip(closing):
            member()
            while self.skip(","):
                member()
            if not self.skip(closing):
                self.wrong(f"`,` or `{closing}`")
        self.tree.close()

    def member(self) -> None:
        start = self.skip_space()
        self.tree.key(self.string("a key"), start)
        if not self.skip(":"):
            self.wrong("`:`")
        self.value()

    def string(self, expected: str) -> str:
        found = _STRING.match(self.text, self.at)
        if found is None:
            self.wrong(expected)
        self.at = found.end()
        return self.tree.check_text(loads(found[0]), found.start()) if "\\" in found[0] else found[0][1:-1]

    def end(self) -> None:
        if self.skip_space() < len(self.text):
            self.wrong("the end of the file")

    def skip_space(self) -> int:
        self.at = _SPACE.match(self.text, self.at).end()  # type: ignore[union-attr]  # it matches everywhere
        return self.at

    def skip(self, mark: str) -> bool:
        if found := self.text.startswith(mark, self.skip_space()):
            self.at += 1
        return found

    def wrong(self, expected: str) -> NoReturn:
        found, advice = self.text[self.at : self.at + 1], ""
        match found:
            case "":
                advice = "a bracket or quote may be missing further up"
            case "'":
                advice = "JSON has double quotes only"
            case "/" | "#":
                advice = "JSON has no comments; YAML does"
            case '"' if expected in {"a key", "a value"}:
                advice = "this string has a line break, a wrong escape, or no end"
            case "}" | "]" if expected in {"a key", "a value"}:
                advice = "take out the comma before it"
        shown = f"`{clipped(found)}`" if found else "the end of the file"
        self.tree.stop(self.at, f"expected {expected}, found {shown}", advice)
