"""The type of untrusted data, paths into it, and the normal form of names.

`Json` is what a peer sent: nothing about its shape may be relied on before it was looked at. Pure; no I/O.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Iterator, Sequence
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Final, Literal, NamedTuple, TypeAlias

from .hashes import sha256_of

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"


def normal_form(name: str) -> str:
    """`name` as a careless reader might take it: NFKC, case-folded, without spaces, controls and invisible characters.

    Two names with one normal form are never both trusted (PROTOCOL section 6.2, POLICY section 3 step 0).
    """
    # No more than 4 MB are kept, whatever names a peer thinks of.
    return _kept_normal_form(name) if len(name) <= 128 else _normal_form(name)


def _normal_form(name: str) -> str:
    if name.isascii() and name.isalnum():
        return name.lower()
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    # Cc controls (NUL), Cf format characters (zero-width, bidi, tags), Z* every kind of space, Co/Cs/Cn never shown.
    return "".join(c for c in folded if unicodedata.category(c)[0] not in "CZ" and not _is_filler(c))


_kept_normal_form = lru_cache(maxsize=4096)(_normal_form)


def _is_filler(character: str) -> bool:
    # Letters and marks that render as nothing: Hangul fillers, variation selectors, combining grapheme joiner, Khmer.
    code = ord(character)
    return code in _FILLERS or 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF


_FILLERS = frozenset({0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0, 0x180B, 0x180C, 0x180D})


# --- paths (POLICY section 4, a subset of RFC 9535) -------------------------------------------------------------------


class Gap(Enum):
    """What a path finds where there is no value to look at."""

    MISSING = "missing"
    """Nothing there; null is nothing, and so is an empty list where `[*]` looks for elements."""
    UNCLEAR = "unclear"
    """Something that can be read in two ways; whoever asks must not guess."""


MISSING: Final = Gap.MISSING
UNCLEAR: Final = Gap.UNCLEAR
Found: TypeAlias = "Json | Gap"


class Each(Enum):
    """The step `[*]`: every element of a list."""

    EACH = "[*]"


Step: TypeAlias = str | int | Literal[Each.EACH]


class Path(NamedTuple):
    """A parsed path: a root such as `args`, and steps to take from there."""

    text: str
    root: str
    steps: tuple[Step, ...]

    @property
    def is_plural(self) -> bool:
        """Whether it can find more than one value."""
        return Each.EACH in self.steps

    def __str__(self) -> str:
        """The one spelling of the path, however it was written: `args["to"][*]`."""
        return self.root + "".join(
            step.value if isinstance(step, Each) else f"[{json.dumps(step)}]" for step in self.steps
        )


class MalformedError(ValueError):
    """A piece of text in a policy is not what it should be; the loader turns this into a `Problem`."""

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.advice = advice
        """What to write instead, as one line."""


_ROOT: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# More than the RFC's shorthand takes (`args.user-id`), because a dot path of Intercept 1.x may hold any key.
_NAME: Final = re.compile(r"""\.([^\s.\[\]'"*\\]+)""")
_INDEX: Final = re.compile(r"\[(0|[1-9][0-9]{0,8})\]")
_QUOTED: Final = re.compile(r"""\[(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\]""", re.DOTALL)
_ESCAPE: Final = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)
_ESCAPED: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "/": "/", "\\": "\\", "'": "'", '"': '"'}


@lru_cache(maxsize=1024)
def parse_path(text: str) -> Path:
    """Read `args.to[*]`, `args['any key'][0]` and the like.

    Raises:
        MalformedError: `text` is no such path.
    """
    root = _ROOT.match(text)
    if root is None:
        raise MalformedError(f"`{text}` is not a path", "a path starts like `args.amount`")
    steps: list[Step] = []
    at = root.end()
    while at < len(text):
        if text.startswith("[*]", at):
            steps.append(Each.EACH)
            at += 3
            continue
        if match := _NAME.match(text, at):
            if match[1].isdecimal():
                raise MalformedError(
                    f"`{match[0]}` in the path `{text}` is neither a key nor an element",
                    f"write `['{match[1]}']` for the key, `[{match[1]}]` for the element",
                )
            steps.append(match[1])
        elif match := _INDEX.match(text, at):
            steps.append(int(match[1]))
        elif match := _QUOTED.match(text, at):
            steps.append(_unescaped(match[1] if match[1] is not None else match[2], text))
        else:
            raise MalformedError(
                f"`{text}` is not a path: cannot read `{text[at:]}`",
                "after `args` come names, `['any key']`, `[0]` and `[*]`",
            )
        at = match.end()
    return Path(text, root[0], tuple(steps))


def _unescaped(quoted: str, text: str) -> str:
    def character(match: re.Match[str]) -> str:
        code = match[1]
        if len(code) > 1:
            return chr(int(code[1:], 16))
        if code not in _ESCAPED:
            raise MalformedError(f"`\\{code}` in the path `{text}` is not an escape", "a backslash is written `\\\\`")
        return _ESCAPED[code]

    return _ESCAPE.sub(character, quoted)


def find(value: Json, steps: Sequence[Step]) -> Found:
    """The value at the end of `steps`, none of which is `[*]`."""
    for step in steps:
        if isinstance(step, str):
            if not isinstance(value, dict):
                return MISSING
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return MISSING
    return MISSING if value is None else value


def find_each(value: Json, steps: Sequence[Step]) -> list[Found]:
    """The values at the ends of `steps`, of which at least one is `[*]`; there is always one value or gap.

    Where `[*]` stands, a plain value counts as a list of one and an empty list as missing. It reaches one level: a
    list found inside the list, with a name to look for in it, is `UNCLEAR`.
    """
    cut = steps.index(Each.EACH)
    rest = steps[cut + 1 :]
    found = find(value, steps[:cut])
    if isinstance(found, Gap) or found == []:
        return [MISSING]
    elements = found if isinstance(found, list) else [found]
    if not rest:
        return [MISSING if element is None else element for element in elements]
    values: list[Found] = []
    for element in elements:
        if isinstance(element, list) and isinstance(rest[0], str):
            values.append(UNCLEAR)
        elif Each.EACH in rest:
            values += find_each(element, rest)
        else:
            values.append(find(element, rest))
    return values


def digest(value: Json) -> str:
    """SHA-256 of `value` as canonical JSON, in hex: ASCII, no spaces, keys sorted by code point.

    Numbers are written as they were read, so 1 and 1.0 differ.
    """
    return sha256_of(json.dumps(value, separators=(",", ":"), sort_keys=True).encode())


# --- numbers and equality (POLICY section 4) --------------------------------------------------------------------------


def number(value: Found | Decimal) -> int | Decimal | None:
    """`value` as an exact number, or None if it is none. A float is its shortest decimal form: 0.1 is one tenth."""
    if isinstance(value, float):
        return Decimal(repr(value)) if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def canonical_text(value: object) -> str:
    """A text that two values share exactly if they are equal: 1 is 1.0, the order of keys does not matter.

    `value` is `Json`, in which numbers may also be `Decimal` (that is how a policy has them).

    Raises:
        ValueError: a number is not finite.
    """
    match value:
        case str():
            return json.dumps(value)
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float() | Decimal():
            return _number_text(value)
        case list():
            return f"[{','.join(map(canonical_text, value))}]"
        case dict():
            members = (f"{json.dumps(key)}:{canonical_text(value[key])}" for key in sorted(value))
            return f"{{{','.join(members)}}}"
        case _:
            raise ValueError("not a JSON value")


def _number_text(value: float | Decimal) -> str:
    exact = number(value)
    if exact is None:
        raise ValueError("a number that is not finite")
    # Digits and exponent, never written out: 1e300 stays short, and no precision takes part.
    sign, digits, exponent = Decimal(exact).as_tuple()
    text = "".join(map(str, digits)).lstrip("0")
    significant = text.rstrip("0")
    if not significant:
        return "0"
    power = int(exponent) + len(text) - len(significant)
    return f"{'-' if sign else ''}{significant}{f'e{power}' if power else ''}"


class Untold(dict[str, Json]):
    """Members that nobody knows; it remembers whether somebody wanted to."""

    looked = False

    def _look(self) -> None:
        self.looked = True

    def get(self, key: str, default: Json = None) -> Json:  # type: ignore[override]
        """What is not known."""
        self._look()
        return default

    def __getitem__(self, key: str) -> Json:
        self._look()
        raise KeyError(key)

    def __contains__(self, key: object) -> bool:
        self._look()
        return False

    def __iter__(self) -> Iterator[str]:
        self._look()
        return iter(())

    def __bool__(self) -> bool:
        return True  # so that nobody puts empty arguments in their place

    def __len__(self) -> int:
        self._look()
        return 0
