"""Where a call would go: hosts of URLs, paths of files, network addresses (POLICY section 4).

Servers read the same text in different ways. Each comparison brings a text to its plainest form first; where the ways
of reading it lead to different answers there is none (`None`), and the call is denied. Nothing here looks at a disk or
asks a name server.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, Literal, NamedTuple, TypeAlias
from urllib.parse import unquote

from ..values import MalformedError

# --- hosts ------------------------------------------------------------------------------------------------------------

_URL: Final = re.compile(r"(?i:https?|wss?)://([^/?#]+)(?:[/?#].*)?", re.DOTALL)
_AUTHORITY: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:@\[\]]+)(?::([0-9]{1,5}))?")
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMERIC: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")


class Hosts(NamedTuple):
    """Hosts: `example.com` for itself, `.example.com` for all below it, addresses."""

    exact: frozenset[str]
    suffixes: tuple[str, ...]

    @classmethod
    def parse(cls, texts: Iterable[str]) -> Hosts:
        """Read the `value` of `host_in`.

        Raises:
            MalformedError: one of them is no host.
        """
        exact: set[str] = set()
        suffixes: list[str] = []
        for text in texts:
            host = _host(text.removeprefix("."))
            if not host:
                raise MalformedError(
                    f"`{text}` is not a host", "write `example.com`, or `.example.com` for all below it"
                )
            if text.startswith("."):
                suffixes.append(f".{host}")
            else:
                exact.add(host)
        return cls(frozenset(exact), tuple(suffixes))

    def hold(self, url: str) -> bool | None:
        """Whether `url` is an absolute URL of the web whose host is one of these."""
        if not url.isprintable() or " " in url or "\\" in url:
            return False
        found = _URL.fullmatch(url)
        authority = found and _AUTHORITY.fullmatch(found[1])
        if not authority or int(authority[2] or 0) > 65_535:
            return False
        host = _host(authority[1])
        return None if host is None else host in self.exact or host.endswith(self.suffixes)


def _host(text: str) -> str | None:
    """The one spelling of a host or address; empty if it is none, None if programs read it differently."""
    if text.startswith("["):
        return _ipv6(text[1:-1]) if text.endswith("]") else ""
    if not text.isascii():
        if any(map(_is_dropped_by_some, text)):
            return None
        text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    if "%" in text:
        return None  # browsers decode a host, others look it up as it is
    labels = text.lower().replace("\N{IDEOGRAPHIC FULL STOP}", ".").removesuffix(".").split(".")
    if _NUMERIC.fullmatch(labels[-1]):
        return _ipv4(labels)
    labels = [label if label.isascii() else _a_label(label) for label in labels]
    host = ".".join(labels)
    return host if len(host) <= 253 and all(map(_LABEL.fullmatch, labels)) else ""


def _is_dropped_by_some(character: str) -> bool:
    # UTS 46 section 4: the deviation characters, and those it ignores, which IDNA 2008 refuses or keeps.
    return (
        character in "\u00df\u1e9e\u03c2\u034f"
        or unicodedata.category(character) == "Cf"
        or ("\ufe00" <= character <= "\ufe0f" or "\u180b" <= character <= "\u180f" or character >= "\U000e0000")
    )


def _a_label(label: str) -> str:
    if any(unicodedata.category(character)[0] not in "LMN" and character != "-" for character in label):
        return ""
    return "xn--" + label.encode("punycode").decode("ascii")


def _ipv4(labels: list[str]) -> str | None:
    """An address in any of the notations of `inet_aton`: `127.0.0.1`, `127.1`, `0x7f000001`, `2130706433`."""
    if len(labels) > 4 or not all(map(_NUMERIC.fullmatch, labels)) or len(max(labels, key=len)) > 20:
        return ""
    if any(len(label) > 1 and label[0] == "0" and label[1] != "x" for label in labels):
        return None  # octal for some, decimal for others
    *high, low = (int(label[2:] or "0", 16) if label.startswith("0x") else int(label) for label in labels)
    if any(part > 255 for part in high) or low >= 256 ** (4 - len(high)):
        return ""
    return str(IPv4Address(sum(part << (24 - 8 * place) for place, part in enumerate(high)) + low))


def _ipv6(text: str) -> str:
    try:
        address = IPv6Address(text)
    except ValueError:
        return ""
    return "" if address.scope_id else str(address.ipv4_mapped or address)


# --- files ------------------------------------------------------------------------------------------------------------

_DRIVE: Final = re.compile(r"([A-Za-z]:)[\\/](.*)", re.DOTALL)
_FILE_URL: Final = re.compile(r"(?i:file:(?://(?:localhost)?)?)(?:/(?=[A-Za-z]:/))?(.*)", re.DOTALL)
_SLASHES: Final = str.maketrans(dict.fromkeys("\\\u2044\u2215\u2216\u29f5\u29f8", "/"))
_ROUNDS: Final = 6
"""Times that a text is decoded; one that is not plain by then was made to hide something."""

_Parts: TypeAlias = tuple[str, ...]


class Roots(NamedTuple):
    r"""Directories such as `/srv/data` or `C:\work`; what is within them is told without looking at a disk."""

    exact: frozenset[_Parts]
    folded: frozenset[_Parts]
    """The same for file systems that do not tell upper from lower case."""

    @classmethod
    def parse(cls, texts: Iterable[str]) -> Roots:
        """Read the `value` of `path_within`.

        Raises:
            MalformedError: one of them is no absolute path, or is not written plainly.
        """
        exact: set[_Parts] = set()
        for text in texts:
            if "%" in text or _FILE_URL.match(text) or ".." in re.split(r"[\\/]", text) or _has_hidden(text):
                raise MalformedError(f"`{text}` is not written plainly", "leave out `..`, escapes and `file:`")
            for reading in (text, _plain(text)):
                parts = _parts(reading)
                if parts is None:
                    raise MalformedError(f"`{text}` is not an absolute path", "write for example `/srv/data`")
                exact.add(parts)
        return cls(frozenset(exact), frozenset(map(_folded, exact)))

    def hold(self, text: str) -> bool | None:
        """Whether `text` is a path at or below one of these, in whichever way a server reads it."""
        readings = _readings(text)
        if readings is None:
            return None
        answers: set[bool] = set()
        for parts in map(_parts, readings):
            if parts and parts[0] == "/" and any(root[0] != "/" for root in self.exact):
                return None  # on Windows: on which drive, or a share, or a device
            inside = parts is not None and _is_below(parts, self.exact)
            folded = parts is not None and _is_below(_folded(parts), self.folded)
            answers |= {inside, folded}
        return answers.pop() if len(answers) == 1 else None


def _readings(text: str) -> list[str] | None:
    """`text` and what comes out as more and more of it is decoded; None if that hides something."""
    if url := _FILE_URL.fullmatch(text):
        text = url[1]
        if "?" in text or "#" in text or _parts(text) is None:
            return None
    readings = [text]
    for _ in range(_ROUNDS):
        if _has_hidden(text) or ((drive := _DRIVE.fullmatch(text)) and _WINDOWS_DROPS.search(drive[2])):
            return None
        plain = _plain(text)
        if plain == text:
            return readings
        if _FILE_URL.match(plain):
            return None
        readings.append(plain)
        text = plain
    return None


_WINDOWS_DROPS: Final = re.compile(r"[^\\/.][. ]+(?:[\\/]|$)|\.[ ]|\.{3}|:|~[0-9]")
"""What Windows cuts off a name or takes for another one: dots and spaces at its end, streams, short names."""


def _plain(text: str) -> str:
    if text.isascii() and "%" not in text and "\\" not in text:
        return text.strip()
    return unicodedata.normalize("NFKC", unquote(text)).translate(_SLASHES).strip()


def _has_hidden(text: str) -> bool:
    if text.isascii():
        return not text.isprintable()
    # Controls, invisible format characters, and what stands for bytes that are no text. Odd spaces are common in names.
    return "\ufffd" in text or any(
        unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for character in text
    )


def _parts(text: str) -> _Parts | None:
    """The names on the way to an absolute path, its `..` resolved; None for a relative one."""
    if drive := _DRIVE.fullmatch(text):
        parts, names = [drive[1].lower()], re.split(r"[\\/]", drive[2])
    elif text.startswith("/"):
        parts, names = ["/"], text.split("/")
    else:
        return None
    for name in names:
        if name == "..":
            del parts[max(len(parts) - 1, 1) :]
        elif name not in {"", "."}:
            parts.append(name)
    return tuple(parts)


def _folded(parts: _Parts) -> _Parts:
    return tuple(part.casefold() for part in parts)


def _is_below(parts: _Parts, roots: frozenset[_Parts]) -> bool:
    return any(parts[: len(root)] == root for root in roots)


# --- networks ---------------------------------------------------------------------------------------------------------

_BLOCK: Final = re.compile(r"([0-9A-Fa-f:.]+)/([0-9]{1,3})")

_Range: TypeAlias = tuple[int, int, int]
"""The version of the protocol, the first and the last address."""


class Networks(NamedTuple):
    """Addresses and blocks of them."""

    ranges: tuple[_Range, ...]

    @classmethod
    def parse(cls, texts: Iterable[str]) -> Networks:
        """Read the `value` of `cidr_in`.

        Raises:
            MalformedError: one of them is no address and no block.
        """
        ranges: list[_Range] = []
        for text in texts:
            found = _range(text)
            if not found:
                raise MalformedError(f"`{text}` is not an address or a block", "write for example `10.0.0.0/8`")
            if "/" in text and (block := _block(text, strict=False)) != _block(text, strict=True):
                raise MalformedError(f"`{text}` is not where its block begins", f"write `{block}`")
            ranges.append(found)
        return cls(tuple(ranges))

    def hold(self, text: str) -> bool | None:
        """Whether `text` is an address or block inside one of these; unknown for a block that is partly inside."""
        found = _range(text)
        if not found:
            return found
        version, first, last = found
        partly = False
        for other, low, high in self.ranges:
            if other == version and low <= last and first <= high:
                if low <= first and last <= high:
                    return True
                partly = True
        return None if partly else False


def _range(text: str) -> _Range | Literal[False] | None:
    """An address or block; False for the name of a host; None for what programs read differently, or not at all."""
    if "/" in text:
        block = _block(text, strict=False) if _BLOCK.fullmatch(text) else None
        return None if block is None else _unmapped(block.version, int(block[0]), int(block[-1]))
    host = _ipv6(text) if ":" in text else _host(text)
    if not host:
        return None
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return _unmapped(address.version, int(address), int(address))


def _block(text: str, *, strict: bool) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text, strict)
    except ValueError:
        return None


def _unmapped(version: int, first: int, last: int) -> _Range:
    if version == 6 and first >> 32 == last >> 32 == 0xFFFF:  # ::ffff:0:0/96 (RFC 4291 section 2.5.5.2)
        return 4, first & 0xFFFF_FFFF, last & 0xFFFF_FFFF
    return version, first, last
