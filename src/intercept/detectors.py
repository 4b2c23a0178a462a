"""What is found in text that came back: characters that show nothing, addresses, card numbers, secrets. Pure.

Each function gives the text without what it found and how much that was, as `re.subn` does. Whoever wrote the text may
be hostile, so that every search here takes time linear in it: a pattern begins with something that is searched for at
once, repeats one class of characters at a time, and looks at no more than a few hundred of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

Detector: TypeAlias = Callable[[str], tuple[str, int]]

# --- what shows nothing (POLICY section 8) ----------------------------------------------------------------------------

# ECMA-48 section 5.4: control sequences end with a letter, control strings with BEL or ST. Without its end a string is
# left as text, but for its escape: nothing that a reader can see is ever taken out with it.
_ANSI: Final = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]{0,64}[ -/]{0,8}[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]{0,2048}(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]{0,4}[0-OQ-WYZ\\`-~]"
)
_INVISIBLE: Final = re.compile(
    "["
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # controls, but tab, line feed and carriage return
    "\u200b-\u200f\u061c\u202a-\u202e\u2066-\u2069\ufeff"  # zero-width, and marks of direction
    "\u00ad\u034f\u180b-\u180f\u2060-\u2065\u206a-\u206f\ufff9-\ufffb"  # joiners, operators and separators unseen
    "\u115f\u1160\u17b4\u17b5\u3164\uffa0"  # letters without a shape
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"  # tags, and the selectors in which whole sentences have been hidden
    "\ufe00-\ufe0d"
    "]"
)
_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_ESCAPES: Final = re.compile("[\x1b\x80-\x9f]")
_SELECTOR: Final = re.compile("[\ufe0e\ufe0f]")
# One selector makes a sign an emoji; a row of them carries something else.
_SELECTORS: Final = re.compile("(?<=[\ufe0e\ufe0f])[\ufe0e\ufe0f]+")


def invisible(text: str) -> tuple[str, int]:
    """`text` without what shows nothing: controls but tab and line ends, ANSI sequences, tags, zero-width, bidi."""
    if text.isascii() and not _CONTROL.search(text):
        return text, 0
    found = 0
    # Each only where it can find something: these searches take as long as all others together.
    for first, pattern in ((_ESCAPES, _ANSI), (None, _INVISIBLE), (_SELECTOR, _SELECTORS)):
        if first is None or first.search(text):
            text, more = pattern.subn("", text)
            found += more
    return text, found


def has_invisible(name: str) -> bool:
    """Whether `name` has a character that shows nothing, so that it looks like another name."""
    return bool(invisible(name)[1])


# --- addresses --------------------------------------------------------------------------------------------------------

EMAIL: Final = "[redacted: email]"
_AT: Final = re.compile(r"(?<=[\w.%+-])(?:@|%40|\uff20)(?=[^\W_])")
# RFC 5321 section 4.5.3.1: 64 characters before the sign, 255 behind it, of which a top level of letters is the last.
_BEFORE: Final = re.compile(r"[\w.%+-]{1,64}\Z")
_AFTER: Final = re.compile(
    r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}(?:xn--[a-z0-9-]{2,59}|[^\W\d_]{2,63})", re.IGNORECASE
)


def emails(text: str) -> tuple[str, int]:
    """`text` with a mark in place of each e-mail address."""
    if "@" not in text and "%40" not in text and "\uff20" not in text:
        return text, 0
    return _replaced(text, _emails(text), EMAIL)


def _emails(text: str) -> Iterator[tuple[int, int]]:
    end = 0
    for sign in _AT.finditer(text):
        before = _BEFORE.search(text[max(end, sign.start() - 64) : sign.start()])
        after = _AFTER.match(text, sign.end(), sign.end() + 255)
        if before and after:
            end = after.end()
            yield sign.start() - (before.end() - before.start()), end


# --- card numbers -----------------------------------------------------------------------------------------------------

CARD: Final = "[redacted: card]"
_DIGITS: Final = re.compile(r"\d(?:[ .\u00a0\u2011\u2013-]?\d){12,}")
_GROUP: Final = re.compile(r"\d+")
# Lengths and first digits that the networks issue (ISO/IEC 7812): most other numbers that fit the check digit do not.
_ISSUED: Final = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|5[0678]\d{11,17}|2[2-7]\d{14}|3[47]\d{13}|3[0689]\d{12}|35\d{14}|6\d{15,18}"
)


def cards(text: str) -> tuple[str, int]:
    """`text` with a mark in place of each payment card number: issued digits whose check digit is right."""
    return _replaced(text, _cards(text), CARD)


def _cards(text: str) -> Iterator[tuple[int, int]]:
    for run in _DIGITS.finditer(text):
        groups = [group.span() for group in _GROUP.finditer(text, *run.span())]
        digits = "".join(str(int(digit)) for start, end in groups for digit in text[start:end])
        first = at = 0
        while first < len(groups):
            last = _card(digits, at, groups, first) if digits[at] in "23456" else None
            for start, end in groups[first : (first if last is None else last) + 1]:
                at += end - start
            if last is None:
                first += 1
            else:
                yield groups[first][0], groups[last][1]
                first = last + 1


def _card(digits: str, at: int, groups: list[tuple[int, int]], first: int) -> int | None:
    """The group with which a card number ends that begins with the group `first`, `at` in the digits of all groups."""
    size = 0
    for last in range(first, min(first + 19, len(groups))):
        size += groups[last][1] - groups[last][0]
        if size > 19:
            return None
        if size > 12 and _ISSUED.fullmatch(digits, at, at + size) and _checks(digits[at : at + size]):
            return last
    return None


def is_card(number: int) -> bool:
    """Whether a whole number is a card number."""
    return 10**12 <= number < 10**19 and bool(_ISSUED.fullmatch(str(number))) and _checks(str(number))


def _checks(digits: str) -> bool:
    """The check of Luhn (ISO/IEC 7812-1 annex B)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 * (value > 9)
    return total % 10 == 0


# --- secrets ----------------------------------------------------------------------------------------------------------

SECRET: Final = "[redacted: secret]"  # noqa: S105 - the mark that stands in the place of one

_W: Final = "[A-Za-z0-9_-]"
# Each with texts one of which is in everything it finds, so that the pattern is mostly not needed. A repetition is
# followed by nothing that it could hold itself, and is possessive: it never gives back what it took. Texts, because
# compiling all of them would take 5 ms of each start; `re` keeps those that were used.
_TOKENS: Final[tuple[tuple[tuple[str, ...], str], ...]] = tuple(
    (needles, rf"(?<![A-Za-z0-9])(?:{pattern})")
    for needles, pattern in (
        (("AKIA", "ASIA", "ABIA", "ACCA"), r"A(?:KIA|SIA|BIA|CCA)[A-Z0-9]{16}(?![A-Za-z0-9])"),
        (("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), r"gh[pousr]_[A-Za-z0-9]{30,255}+"),
        (("github_pat_",), r"github_pat_\w{22,255}+"),
        (("glpat-", "gldt-", "glrt-", "glcbt-", "glptt-"), r"gl(?:pat|dt|rt|cbt|ptt)-[A-Za-z0-9_.-]{20,255}+"),
        (("xox", "xapp-"), r"(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{10,255}+"),
        (("hooks.slack.com/",), r"hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9/+]{20,255}+"),
        (("k_live_", "k_test_", "whsec_"), r"(?:[rsp]k_(?:live|test)|whsec)_[A-Za-z0-9+/]{16,255}+"),
        (("sk-",), rf"sk-{_W}{{20,300}}+"),
        (("AIza",), rf"AIza{_W}{{35}}"),
        (("ya29.", "GOCSPX-"), rf"(?:ya29\.|GOCSPX-){_W}{{20,1024}}+"),
        (("npm_",), r"npm_[A-Za-z0-9]{36}"),
        (("pypi-",), rf"pypi-{_W}{{50,512}}+"),
        (("hf_",), r"hf_[A-Za-z0-9]{30,64}+"),
        (("_v1_",), r"do[opr]_v1_[a-f0-9]{64}"),
        (("SG.",), rf"SG\.{_W}{{16,64}}+\.{_W}{{16,128}}+"),
        (("shpat_", "shpss_", "shpca_", "shppa_"), r"shp(?:at|ss|ca|pa)_[A-Fa-f0-9]{32}"),
        (("EAA",), r"EAA[A-Za-z0-9]{50,512}+"),
        ((":AA",), rf"\d{{8,10}}:AA{_W}{{33}}"),
        (("eyJ",), rf"(?<![_-])eyJ{_W}{{8,8192}}+\.{_W}{{8,16384}}+(?:\.{_W}{{0,2048}}+){{0,3}}"),
        (("AGE-SECRET-KEY-1",), r"AGE-SECRET-KEY-1[A-Z0-9]{40,80}+"),
    )
)
_KEY: Final = r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
_KEY_END: Final = r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
# RFC 3986 section 3.2.1: what stands between the colon and the @ of an address is a password.
_LOGIN: Final = r"(?<=://)[^\s:/?#@\"'<>]{0,128}:([^\s/?#@\"'<>]{1,256})@"
_BEARER: Final = r"(?i)\b(?:bearer|basic)[ \t]{1,4}([A-Za-z0-9._~+/-]{16,8192}+=*)"
_NAMES: Final = (
    r"pass(?:word|wd|phrase)|pwd|secret|token|api[_-]?key|auth[_-]?token|(?:access|refresh|id|session|bearer)[_-]?token"
    r"|client[_-]?secret|(?:secret|private|signing|encryption|master)[_-]?key|secret[_-]?access[_-]?key"
)
# A value in quotes may have spaces in it.
_NAMED: Final = (
    rf"(?i)(?<![A-Za-z])(?:{_NAMES})(?:\\?[\"'])?[ \t]{{0,8}}[:=][ \t]{{0,8}}"
    r"(?:\\?[\"']([^\"'\\\r\n]{4,4096}+)|([^\s\"'\\,;&<>(){}\[\]]{6,4096}+))"
)
_NAME: Final = rf"(?i)(?:[A-Za-z0-9]{{1,32}}[_-])?(?:{_NAMES})"
# What a client gives back to get the next page, or to confirm: taking it out would break the tool and protect nobody.
_HANDLE: Final = (
    r"(?i)(?:next|prev|previous|page|pagination|continuation|continue|resume|sync|delta|cursor|start|change|confirm"
    r"|idempotency|request)[_-]\Z"
)
_WORDS: Final = ("pass", "pwd", "secret", "token", "key")


def secrets(text: str) -> tuple[str, int]:
    """`text` with a mark in place of keys, tokens and passwords that can be told by their form or by their name."""
    found = 0
    if "-----BEGIN" in text:
        text, found = _replaced(text, _keys(text), SECRET)
    for needles, pattern in _TOKENS:
        if any(needle in text for needle in needles):
            text, more = re.subn(pattern, SECRET, text)
            found += more
    if "://" in text and "@" in text:
        text, more = _replaced(text, _groups(_LOGIN, text), SECRET)
        found += more
    low = text.lower()
    if "bearer" in low or "basic" in low:
        text, more = _replaced(text, _groups(_BEARER, text), SECRET)
        found += more
    if any(word in low for word in _WORDS) and (":" in low or "=" in low):
        text, more = _replaced(text, _named(text), SECRET)
        found += more
    return text, found


def names_secret(key: str) -> bool:
    """Whether the member `key` of an object holds a secret, whatever it looks like."""
    if len(key) > 64 or not re.fullmatch(_NAME, key):
        return False
    return not (key[-5:].lower() == "token" and re.match(_HANDLE, key[:-5]))


def _named(text: str) -> Iterator[tuple[int, int]]:
    for match in re.finditer(_NAMED, text):
        is_handle = match[0][:5].lower() == "token" and re.search(
            _HANDLE, text[max(0, match.start() - 16) : match.start()]
        )
        if not is_handle and not match[match.lastindex or 1].startswith("[redacted"):
            yield match.span(match.lastindex or 1)


def _keys(text: str) -> Iterator[tuple[int, int]]:
    end = 0
    for begin in re.finditer(_KEY, text):
        if begin.start() < end:
            continue
        # A key whose end is missing is one to the end of the text.
        closing = re.compile(_KEY_END).search(text, begin.end())
        end = closing.end() if closing else len(text)
        yield begin.start(), end


def _groups(pattern: str, text: str) -> Iterator[tuple[int, int]]:
    return (match.span(1) for match in re.finditer(pattern, text) if not match[1].startswith("[redacted"))


# --- all of them ------------------------------------------------------------------------------------------------------


def _replaced(text: str, places: Iterator[tuple[int, int]], mark: str) -> tuple[str, int]:
    parts: list[str] = []
    at = count = 0
    for start, end in places:
        parts += (text[at:start], mark)
        at = end
        count += 1
    return ("".join([*parts, text[at:]]), count) if count else (text, 0)


DETECTORS: Final[dict[str, Detector]] = {"secrets": secrets, "emails": emails, "cards": cards}
"""By the name that a policy gives them, in the order in which they are best applied."""
