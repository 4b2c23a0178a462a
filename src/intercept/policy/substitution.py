r"""Patterns whose matches are replaced, found in time linear in the text by `google-re2`.

The only module that knows the library. It is imported when a policy first redacts by a pattern of its own.

Python's `re` backtracks: `(\w+\s?)+@` never ends on a line of fifty letters, and even `\S+@` takes a minute for one of
a hundred thousand. `jsonschema-rs`, which conditions use, does not, but says only whether a pattern is there. No rule
on how patterns are written makes the first safe without refusing most that people need.
"""

from __future__ import annotations

import re
from typing import Any, Final

from ..detectors import Detector
from ..values import MalformedError

MAX_MATCHES: Final = 10_000
"""In one text. Looking for the next match may read all that follows, so a text with more is replaced as a whole."""
_PROBES: Final = (b"", b"a -\n")
_SURROGATES: Final = re.compile("[\ud800-\udfff]")


def substitution(pattern: str, mark: str) -> Detector:
    """A function that puts `mark` in the place of each match of `pattern`.

    Raises:
        MalformedError: the pattern does not compile, or matches where there is nothing, or the library is not there.
    """
    try:
        import re2  # type: ignore[import-untyped,import-not-found,unused-ignore]
    except ImportError:
        raise MalformedError(
            "patterns under `redact` need google-re2, which is not installed",
            "install it with `pip install 'mcp-intercept-proxy[redact]'`",
        ) from None
    options = re2.Options()
    options.log_errors = False
    try:
        compiled = re2.compile(pattern.encode(), options)
    except (re2.error, UnicodeEncodeError):
        advice = "look-around and backreferences are not part of the language"
        raise MalformedError(f"`{pattern}` is not a pattern", advice) from None
    if any(match.start() == match.end() for probe in _PROBES for match in compiled.finditer(probe)):
        raise MalformedError(f"`{pattern}` matches an empty text", "let it match one character at least")
    return _Substitution(compiled, mark)


class _Substitution:
    def __init__(self, pattern: Any, mark: str) -> None:  # noqa: ANN401 - the library has no types
        self._pattern = pattern
        self._mark = mark

    def __call__(self, text: str) -> tuple[str, int]:
        data = _bytes(text)
        parts: list[bytes] = []
        at = count = 0
        for match in self._pattern.finditer(data):
            start, end = match.span()
            if start == end:
                continue
            if count == MAX_MATCHES:
                return self._mark, count
            parts += (data[at:start], self._mark.encode())
            at = end
            count += 1
        return (b"".join([*parts, data[at:]]).decode(), count) if count else (text, 0)


def _bytes(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:  # half a surrogate pair, which JSON may hold and UTF-8 may not
        return _SURROGATES.sub("\ufffd", text).encode()
