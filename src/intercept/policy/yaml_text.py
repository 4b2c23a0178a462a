"""YAML to a tree: the events of PyYAML's parser, with the scalars of POLICY section 1 instead of those of YAML 1.1.

PyYAML's own composing is never used: it recurses (libyaml's ends the process at 50,000 brackets), expands aliases
without bound, merges `<<` and drops duplicate keys.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Final, NoReturn

from .tree import NUMBER, WORDS, Data, Node, Tree
from .wording import clipped

if TYPE_CHECKING:
    from yaml import MarkedYAMLError
    from yaml.events import Event, ScalarEvent

_TAG: Final = "tag:yaml.org,2002:"
_MAP: Final = f"{_TAG}map"
_SEQUENCE: Final = f"{_TAG}seq"
_SCALAR_TAGS: Final[dict[str, tuple[type, ...]]] = {
    f"{_TAG}str": (str,),
    f"{_TAG}int": (int,),
    f"{_TAG}float": (int, Decimal),
    f"{_TAG}bool": (bool,),
    f"{_TAG}null": (type(None),),
}

_STRANGE: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]|\r(?!\n)",
)
"""What YAML forbids, and what it takes for a line break where editors show none: text behind a comment would count."""
_NAMES: Final = {0: "a NUL", 0x0D: "a lone carriage return", 0xFEFF: "a byte order mark"}

_WORDS: Final[dict[str, bool | None]] = {**WORDS, "": None, "~": None, "Null": None, "NULL": None}
_CAPITALISED: Final = frozenset({"True", "TRUE", "False", "FALSE"})
_OTHER_NUMBER: Final = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
"""Numbers of the core schema (YAML 1.2.2 section 10.3.2), decimal ones: `+55`, `007`, `.5`, `.inf`."""
_NUMERIC: Final = frozenset("+-.0123456789")


def read(text: str, tree: Tree) -> Node:
    """The one document in `text`.

    Raises:
        Stop: `text` is not YAML, or too large or deep; the mistake was added to `tree`.
    """
    import yaml

    if strange := _STRANGE.search(text):
        code = ord(strange[0])
        name = _NAMES.get(code, f"the control character U+{code:04X}")
        advice = "save the file with ordinary line ends" if code == 0x0D else "in double quotes it can be an escape"
        tree.stop(strange.start(), f"{name} cannot stand in YAML", advice)
    # libyaml is ten times as fast; where PyYAML was built without it, its own parser gives the same events.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
    try:
        return _Reader(tree).document(loader.get_event)
    except yaml.MarkedYAMLError as error:
        _explain(error, text, tree)
    finally:
        loader.dispose()


class _Reader:
    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.anchors: dict[str, Node] = {}

    def document(self, next_event: Callable[[], Event]) -> Node:
        from yaml import events

        tree, anchors = self.tree, self.anchors
        began: list[str | None] = []  # the anchor of each mapping or list that is open
        while True:
            event = next_event()
            at: int = event.start_mark.index  # type: ignore[union-attr]  # only events made by hand have none
            # The most frequent first: this loop is half of the time that a large policy takes to load.
            if isinstance(event, events.ScalarEvent):
                if tree.expects_key:
                    self.key(event, at)
                else:
                    self.scalar(event, at)
            elif isinstance(event, events.CollectionStartEvent):
                is_mapping = isinstance(event, events.MappingStartEvent)
                if event.tag is not None and event.tag != (_MAP if is_mapping else _SEQUENCE):
                    self.refuse_tag(event.tag, at)
                tree.open({} if is_mapping else [], at)
                began.append(event.anchor)
            elif isinstance(event, events.CollectionEndEvent):
                node = tree.close()
                if anchor := began.pop():
                    anchors[anchor] = node
            elif isinstance(event, events.AliasEvent):
                name = clipped(f"*{event.anchor}")
                if event.anchor in began:
                    tree.stop(at, f"`{name}` stands inside what it names")
                if event.anchor not in anchors:
                    tree.stop(at, f"`{name}` names nothing above", "put a name that begins with `*` into quotes")
                tree.add_again(anchors[event.anchor], at)
            elif isinstance(event, events.DocumentStartEvent) and tree.root is not None:
                tree.stop(at, "a second document begins here", "a policy is one document")
            elif isinstance(event, events.StreamEndEvent):
                advice = "the smallest policy is `default: deny`"
                return tree.root or tree.stop(None, "holds nothing but comments", advice)

    def key(self, event: ScalarEvent, at: int) -> None:
        """Keys are text whatever they look like: `on`, `1` and `true` may be names of tools or arguments."""
        text = event.value
        if event.implicit[0]:
            if text == "<<":
                self.tree.complain(at, "merge keys (`<<`) are not part of the language", "write the keys out")
        elif event.tag is not None and event.tag not in _SCALAR_TAGS:
            self.refuse_tag(event.tag, at)
        if event.anchor:
            self.anchors[event.anchor] = Node(text, at)
        self.tree.key(self.tree.check_text(text, at), at)

    def scalar(self, event: ScalarEvent, at: int) -> None:
        text: str = event.value
        plain, quoted = event.implicit
        value: Data = text
        if plain:
            if not text:
                # The parser sees nothing only after the line break: the key is where people look.
                at = at if self.tree.key_at is None else self.tree.key_at
            value = self.plain(text, at)
        elif quoted:
            self.tree.check_text(text, at)
        else:
            value = self.tagged(event.tag, text, at)
        if event.anchor:
            self.anchors[event.anchor] = Node(value, at)
        self.tree.add(value, at)

    def tagged(self, tag: str | None, text: str, at: int) -> Data:
        kinds = _SCALAR_TAGS.get(tag or "")
        if kinds is None:
            self.refuse_tag(tag or "!", at)
            return text
        if str in kinds:
            return self.tree.check_text(text, at)
        value = self.plain(text, at)
        if type(value) not in kinds:
            self.tree.complain(at, f"`{clipped(text)}` is not what its tag says", "leave the tag out")
        return value

    def plain(self, text: str, at: int) -> Data:
        """The meaning of a scalar without quotes: nothing, a boolean, a decimal number, or text."""
        if text in _WORDS:
            return _WORDS[text]
        if text[0] in _NUMERIC:
            if NUMBER.fullmatch(text):
                return self.tree.number(text, at)
            if _OTHER_NUMBER.fullmatch(text):
                # YAML 1.2 sees a number; an author of `+5511999` means text, one of `.5` does not.
                message = f"`{clipped(text)}` may be a number or text"
                self.tree.complain(at, message, "put text into quotes, write a number as JSON does")
        elif text in _CAPITALISED:
            message = f"`{text}` may be a boolean or text"
            self.tree.complain(at, message, f"write `{text.lower()}`, or put text into quotes")
        return text

    def refuse_tag(self, tag: str, at: int) -> None:
        shown = clipped(tag.replace(_TAG, "!!"))
        self.tree.complain(at, f"the tag `{shown}` is not part of the language", "leave it out")


def _explain(error: MarkedYAMLError, text: str, tree: Tree) -> NoReturn:
    """Say in our words what the parser found, at the place where an author would look for it."""
    problem = error.problem or ""
    message, advice, blames_start = _SYNTAX.get(problem, (f"not YAML: {clipped(problem)}", "", False))
    mark = (error.context_mark if blames_start else None) or error.problem_mark or error.context_mark
    if mark is None:
        tree.stop(None, message, advice)
    if problem == _CANNOT_START:
        found = text[mark.index : mark.index + 1]
        shown = "a backtick" if found == "`" else f"`{found}`"
        message = "a tab cannot indent YAML" if found == "\t" else f"{shown} cannot begin a value"
        advice = "use spaces" if found == "\t" else "put the value into quotes"
    tree.stop(mark.index, message, advice)


_CANNOT_START: Final = "found character that cannot start any token"
_QUOTE_COLON: Final = "put text with `: ` in it into quotes, or check the indentation"
_SYNTAX: Final = {
    # What libyaml says: what we say, what to do, and whether the beginning of the construct is to blame.
    _CANNOT_START: ("", "", False),
    "mapping values are not allowed in this context": ("a `:` cannot stand here", _QUOTE_COLON, False),
    "could not find expected ':'": ("expected `:` after the key", "a key is followed by a colon and a space", True),
    "did not find expected key": ("expected a key here", "check the indentation and the line before", False),
    "did not find expected '-' indicator": ("expected `- ` here", "indent all items of a list alike", False),
    "did not find expected ',' or ']'": ("the list that begins here is not closed with `]`", "", True),
    "did not find expected ',' or '}'": ("the mapping that begins here is not closed with `}`", "", True),
    "found unexpected end of stream": ("the quoted text that begins here does not end", "add the quote", True),
    "found unknown escape character": (
        "this escape does not exist in double quotes",
        "for a pattern use single quotes, where `\\` is an ordinary character",
        False,
    ),
    "did not find expected <document start>": (
        "expected the end of the file",
        "the document ends above; check the indentation and the quotes",
        False,
    ),
    "block sequence entries are not allowed in this context": (
        "a list cannot begin here",
        "begin it on a line of its own",
        False,
    ),
    "did not find expected alphabetic or numeric character": (
        "`*` and `&` begin an alias or anchor, and no name follows",
        'put a glob into quotes: `"*"`',
        True,
    ),
    "did not find expected node content": ("expected a value here", "", False),
    "found undefined tag handle": ("`!` begins a tag", "put text that begins with `!` into quotes", True),
}
