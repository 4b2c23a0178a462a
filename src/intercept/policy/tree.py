"""A document under construction: values with their places, bounded while they grow (POLICY section 1).

What YAML and JSON have in common once their tokens are known: what a number is, duplicate keys, and the limits on
number and depth of values, aliases followed. A place is an index into the text; `Places` makes lines of it, because
almost no place is ever asked for.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from decimal import Decimal
from typing import Final, NamedTuple, NoReturn, TypeAlias

from .wording import clipped, one_line

Data: TypeAlias = "dict[str, Data] | list[Data] | str | int | Decimal | bool | None"
"""What a file holds. Numbers are exact: no binary fraction is ever made of one."""
Key: TypeAlias = str | int
"""The key of a mapping or the index in a list."""
KeyPath: TypeAlias = tuple[Key, ...]
"""What leads from the top of a document to a value."""

MAX_NODES: Final = 100_000
"""Values (keys are not counted); what an alias stands for counts each time."""
MAX_DEPTH: Final = 64
_LARGEST_EXPONENT: Final = 400
"""Of ten. Numbers on the wire end near 1e308; a larger one would only slow arithmetic down."""
_TOO_LARGE: Final = Decimal(f"1e{_LARGEST_EXPONENT + 1}")

WORDS: Final[dict[str, bool | None]] = {"true": True, "false": False, "null": None}
NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
"""RFC 8259 section 6; in YAML, too, no other spelling is a number."""
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class Node:
    """A value and the places of all that is in it. What an alias stands for is shared: treat nodes as frozen."""

    __slots__ = ("at", "children", "height", "keys", "places", "size", "value")

    def __init__(self, value: Data, at: int, *, size: int = 1, height: int = 0) -> None:
        self.value = value
        self.at = at
        self.places: dict[Key, int] = {}
        """Of a mapping or list: where each value stands."""
        self.keys: dict[Key, int] = {}
        """Of a mapping: where each key stands."""
        self.children: dict[Key, Node] = {}
        """Of a mapping or list: the mappings and lists directly in it."""
        self.size = size
        """Values in here, this one included."""
        self.height = height
        """Levels of mappings and lists in here, this one included."""


class Mistake(NamedTuple):
    """What is wrong at one place of the text; `at` is None where the file as a whole is meant."""

    at: int | None
    message: str
    help: str = ""


class Stop(Exception):  # noqa: N818  # the end of reading, not an error: its Mistake was added before
    """What follows cannot be understood."""


class Places:
    r"""Lines and columns of a text, counted from 1, in characters; `\n`, `\r\n` and a lone `\r` end a line."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(found.end() for found in re.finditer(r"\r\n|\n|\r", text))]

    def __getitem__(self, at: int) -> tuple[int, int]:
        line = bisect_right(self._starts, at)
        return line, at - self._starts[line - 1] + 1


class Tree:
    """Takes keys and values in the order of the text and collects what is wrong with them."""

    def __init__(self) -> None:
        self.mistakes: list[Mistake] = []
        self.root: Node | None = None
        """The whole document, once its last value has ended."""
        self.expects_key = False
        """Whether what comes next is a key of a mapping."""
        self.key_at: int | None = None
        """Where the key stands whose value comes next; None in a list and at the top."""
        self._key: Key = ""
        self._count = 0
        self._open: list[tuple[Node, Key, int | None]] = []
        """Mappings and lists that have begun, each with the key in its parent, outermost first."""

    def complain(self, at: int | None, message: str, advice: str = "") -> None:
        """Report a mistake and read on."""
        self.mistakes.append(Mistake(at, one_line(message), one_line(advice)))

    def stop(self, at: int | None, message: str, advice: str = "") -> NoReturn:
        """Report a mistake and give up on the file.

        Raises:
            Stop: always.
        """
        self.complain(at, message, advice)
        raise Stop

    def key(self, text: str, at: int) -> None:
        """Take the key of the next value."""
        keys = self._open[-1][0].keys
        if text in keys:
            # The first one counts, so that what else is wrong with either is told.
            self.complain(at, f"`{clipped(text)}` is here for the second time", "keep one of the two")
        else:
            keys[text] = at
        self._key, self.key_at, self.expects_key = text, at, False

    def add(self, value: Data, at: int) -> None:
        """Take a value that is neither a mapping nor a list."""
        self._grow(1, at)
        if self._open:
            self._attach(value, at)
        else:
            self.root = Node(value, at)

    def add_again(self, node: Node, at: int) -> None:
        """Take a value that stands somewhere else already."""
        if self.expects_key:
            if not isinstance(node.value, str):
                self.stop(at, "what is named here is not text and cannot be a key", "write the key out")
            self.key(node.value, at)
            return
        if len(self._open) + node.height > MAX_DEPTH:
            self.stop(at, f"nested deeper than {MAX_DEPTH} levels")
        self._grow(node.size, at)
        self._attach(node.value, node.at, node)

    def open(self, value: dict[str, Data] | list[Data], at: int) -> None:
        """Begin the empty mapping or list `value`."""
        if self.expects_key:
            self.stop(at, "a mapping or list cannot be a key", "put a name with brackets into quotes")
        if len(self._open) == MAX_DEPTH:
            self.stop(at, f"nested deeper than {MAX_DEPTH} levels")
        self._grow(1, at)
        # Until it ends, `size` is the count at its beginning.
        self._open.append((Node(value, at, size=self._count - 1, height=1), self._key, self.key_at))
        self.expects_key, self.key_at = type(value) is dict, None

    def close(self) -> Node:
        """End the mapping or list that was opened last."""
        node, self._key, self.key_at = self._open.pop()
        node.size = self._count - node.size
        if self._open:
            self._attach(node.value, node.at, node)
        else:
            self.root = node
        return node

    def number(self, text: str, at: int) -> int | Decimal:
        """The number that `text` (which matches `NUMBER`) stands for."""
        if len(text) < 16 and text.isdigit():
            return int(text)
        try:
            value = Decimal(text)
        except ArithmeticError:  # an exponent that no Decimal has
            value = _TOO_LARGE
        if len(text) > _LARGEST_EXPONENT or abs(value.adjusted()) > _LARGEST_EXPONENT:
            self.complain(at, "the number is too large or too small to be meant", "put it into quotes if it is text")
            return 0
        return int(text) if text.removeprefix("-").isdigit() else value

    def check_text(self, text: str, at: int) -> str:
        """`text`, which an escape may have given half a character."""
        if not text.isascii() and _SURROGATE.search(text):
            self.complain(at, "an escape here gives half a character", "write both halves, or the character itself")
        return text

    def _grow(self, size: int, at: int) -> None:
        self._count += size
        if self._count > MAX_NODES:
            self.stop(at, f"more than {MAX_NODES:,} values up to here", "split the file")

    def _attach(self, value: Data, at: int, node: Node | None = None) -> None:
        parent = self._open[-1][0]
        whole = parent.value
        if type(whole) is list:
            key: Key = len(whole)
            whole.append(value)
            self.expects_key = False
        else:
            key = self._key
            self.expects_key, self.key_at = True, None
            if key in parent.places:
                return
            whole[key] = value  # type: ignore[index]  # only mappings and lists are ever open
        parent.places[key] = at
        if node is not None:
            parent.children[key] = node
            parent.height = max(parent.height, node.height + 1)
