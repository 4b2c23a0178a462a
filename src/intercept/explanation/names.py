"""What a policy has to say about a name alone: which entries list it, and which it only just misses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from ..policy import Kind
from ..policy.names import Glob, is_glob
from ..values import normal_form
from .rules import KEYS, EntryOf, entries

if TYPE_CHECKING:
    from ..policy.loading import Source

_NEAR: Final = 3
"""Names that are shown as near."""
_ALIKE: Final = 0.75
"""From 0 to 1, where 1 is the same: `send_mesage` is near `send_message`, `send_image` is not."""
_COMPARED: Final = 256
"""Characters of a name that are compared: the time it takes grows with their square."""


@dataclass(frozen=True, slots=True)
class Place:
    """Something in a policy file that has to do with the name."""

    text: str
    """The entry, or the item of `hide`."""
    path: str
    line: int
    why: str = ""
    """What keeps it from being the name; a clause for people."""


def listing(source: Source, kind: Kind, name: str) -> Iterator[Place]:
    """The entries that list `name`."""
    for entry in entries(source, kind, name):
        if entry.lists:
            yield _entry(source, entry)


def hiding(source: Source, name: str) -> Iterator[Place]:
    """The items of `hide` that hide the tool `name`."""
    for index, text in enumerate(source.file.hide):
        if Glob.parse(text).matches(name):
            yield _hide(source, index)


def misspelt(source: Source, kind: Kind, name: str) -> Iterator[Place]:
    """The names that `name` could be taken for (POLICY section 3 step 0)."""
    for text, place in _written(source, kind, name):
        if not is_glob(text) and (why := _spelling(text, name)):
            yield replace(place, why=why)


def near_misses(source: Source, kind: Kind, name: str) -> Iterator[Place]:
    """What an author may have thought to be about `name`, and is not."""
    written = dict(_written(source, kind, name))
    if name in written or (kind is Kind.TOOL and any(hiding(source, name))):
        return
    confused = [*misspelt(source, kind, name)]
    yield from confused
    for text, place in written.items():
        if is_glob(text) and (why := _glob_miss(text, name)):
            yield replace(place, why=why)
    names = {_folded(text): text for text in written if not is_glob(text)}
    for place in confused:
        names.pop(_folded(place.text), None)
    for folded in get_close_matches(_folded(name), names, _NEAR, _ALIKE):
        yield replace(written[names[folded]], why="is a name much like it")
    for other in Kind:
        if other is not kind and name in (getattr(source.file, KEYS[other]) or {}):
            line = source.document.position((KEYS[other], name), of_key=True)[0]
            yield Place(name, source.document.path, line, f"is an entry for a {other}, not for a {kind}")


def _written(source: Source, kind: Kind, name: str) -> Iterator[tuple[str, Place]]:
    """Every name and glob that the file has for things of `kind`."""
    for entry in entries(source, kind, name):
        if entry.name != "*":
            yield entry.name, _entry(source, entry)
    for index, text in enumerate(source.file.hide if kind is Kind.TOOL else ()):
        yield text, _hide(source, index)


def _entry(source: Source, entry: EntryOf) -> Place:
    return Place(entry.name, source.document.path, source.document.position(entry.at, of_key=True)[0])


def _hide(source: Source, index: int) -> Place:
    return Place(source.file.hide[index], source.document.path, source.document.position(("hide", index))[0])


def _spelling(known: str, name: str) -> str:
    """How `name` differs from `known`, if both are one name to a careless reader (POLICY section 3 step 0)."""
    if known == name or normal_form(known) != normal_form(name):
        return ""
    plain, wanted = name.replace(" ", ""), known.replace(" ", "")
    if plain == wanted:
        return "differs only in spaces"
    if plain.casefold() == wanted.casefold():
        return f"differs only in upper and lower case{'' if len(name) == len(known) else ' and in spaces'}"
    return f"looks the same, and has not {_odd(name) or 'the same characters'}"


def _glob_miss(glob: str, name: str) -> str:
    """Why `glob` does not list `name`, if it nearly does."""
    parsed = Glob.parse(glob)
    if parsed.matches(name):
        why = "does not list it: `*` stands for visible ASCII characters only, and the name has"
        return "" if parsed.lists(name) else f"{why} {_odd(name)}"
    if Glob.parse(_folded(glob)).matches(_folded(name)):
        return "would match but for case, spaces or `-` and `_`"
    first = glob.partition("*")[0]
    if len(first) > 2 and get_close_matches(_folded(name)[: len(first)], [_folded(first)], 1, _ALIKE):
        return "begins much like it"
    return ""


def _odd(name: str) -> str:
    """The characters of `name` that cannot be told by looking, each once: `U+200B at character 5`."""
    found = {c: at for at, c in reversed([*enumerate(name, 1)]) if not "!" <= c <= "~"}
    return ", ".join(f"U+{ord(c):04X} at character {at}" for c, at in sorted(found.items(), key=lambda item: item[1]))


def _folded(text: str) -> str:
    """`text` as far as people tend to remember it."""
    return text[:_COMPARED].strip().casefold().translate(_SAME)


_SAME: Final = str.maketrans("-. ", "___")
