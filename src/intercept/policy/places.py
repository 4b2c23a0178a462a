"""Where a call would go: hosts of URLs, paths of files, network addresses (POLICY section 4).

Servers read the same text in different ways. Each comparison brings a text to its plainest form first; where the ways
of reading it lead to different answers there is none (`None`), and the call is denied. Nothing here looks at a disk or
asks a name server.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Final, Literal, TypeAlias
from urllib.parse import unquote

from ..values import MalformedError

# --- hosts ------------------------------------------------------------------------------------------------------------

_URL: Final = re.compile(r"(?i:https?|wss?)://([^/?#]+)(?:[/?#].*)?", re.DOTALL)
_AUTHORITY: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:@\[\]]+)(?::([0-9]{1,5}))?")
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMERIC: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_MAPPED: Final = IPv6Network("::ffff:0:0/96")


@dataclass(frozen=True, slots=True)
class Hosts:
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
    return str(address.ipv4_mapped or address)


# --- files ------------------------------------------------------------------------------------------------------------

_DRIVE: Final = re.compile(r"([A-Za-z]:)[\\/](.*)", re.DOTALL)
_FILE_URL: Final = re.compile(r"(?i:file:(?://(?:localhost)?)?)(?:/(?=[A-Za-z]:/))?(.*)", re.DOTALL)
_SLASHES: Final = str.maketrans(dict.fromkeys("\\\u2044\u2215\u2216\u29f5\u29f8", "/"))
_ROUNDS: Final = 6
"""Times that a text is decoded; one that is not plain by then was made to hide something."""

_Parts: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Roots:
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
            forms = [_parts(text), _parts(_plain(text))]
            if "%" in text or text.lower().startswith("file:") or ".." in re.split(r"[\\/]", text):
                raise MalformedError(f"`{text}` is not written plainly", "leave out `..`, escapes and `file:`")
            exact.update(parts for parts in forms if parts)
            if None in forms:
                raise MalformedError(f"`{text}` is not an absolute path", "write for example `/srv/data`")
        return cls(frozenset(exact), frozenset(map(_folded, exact)))

    def hold(self, text: str) -> bool | None:
        """Whether `text` is a path at or below one of these, in whichever way a server reads it."""
        readings = _readings(text)
        if readings is None:
            return None
        answers = set()
        for parts in map(_parts, readings):
            answers.add(parts is not None and _is_below(parts, self.exact))
            answers.add(parts is not None and _is_below(_folded(parts), self.folded))
        return answers.pop() if len(answers) == 1 else None


def _readings(text: str) -> list[str] | None:
    """`text` and what comes out as more and more of it is decoded; None if that hides something."""
    url = _FILE_URL.fullmatch(text)
    if url:
        if "?" in text or "#" in text:
            return None
        text = url[1]
    readings = [text]
    for _ in range(_ROUNDS):
        if _has_hidden(text) or ((drive := _DRIVE.fullmatch(text)) and _WINDOWS_DROPS.search(drive[2])):
            return None
        plain = _plain(text)
        if plain == text:
            return readings
        if _FILE_URL.fullmatch(plain):
            return None
        readings.append(plain)
        text = plain
    return None


_WINDOWS_DROPS: Final = re.compile(r"[^\\/.][. ]+(?:[\\/]|$)|\.[ ]|\.{3}|:|~[0-9]")
"""What Windows cuts off a name or takes for another one: dots and spaces at its end, streams, short names."""


def _plain(text: str) -> str:
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

_Network: TypeAlias = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Networks:
    """Addresses and blocks of them."""

    blocks: tuple[_Network, ...]

    @classmethod
    def parse(cls, texts: Iterable[str]) -> Networks:
        """Read the `value` of `cidr_in`.

        Raises:
            MalformedError: one of them is no address and no block.
        """
        blocks: list[_Network] = []
        for text in texts:
            block = _network(text)
            if not isinstance(block, IPv4Network | IPv6Network):
                raise MalformedError(f"`{text}` is not an address or a block", "write for example `10.0.0.0/8`")
            if not _is_exact(text):
                raise MalformedError(f"`{text}` is not where its block begins", f"write `{block}`")
            blocks.append(block)
        return cls(tuple(blocks))

    def hold(self, text: str) -> bool | None:
        """Whether `text` is an address or block inside one of these; unknown for a block that is partly inside."""
        found = _network(text)
        if not isinstance(found, IPv4Network | IPv6Network):
            return found
        overlapping = [block for block in self.blocks if block.version == found.version and block.overlaps(found)]
        if any(block.prefixlen <= found.prefixlen for block in overlapping):
            return True
        return None if overlapping else False


def _network(text: str) -> _Network | Literal[False] | None:
    """An address or block; False for the name of a host; None for what programs read differently, or not at all."""
    try:
        if "/" in text:
            return _unmapped(ip_network(text, strict=False)) if _BLOCK.fullmatch(text) else None
        host = _ipv6(text) if ":" in text else _host(text)
        return _unmapped(ip_network(host)) if host else None
    except ValueError:
        return None if "/" in text else False


def _is_exact(text: str) -> bool:
    try:
        return "/" not in text or bool(ip_network(text))
    except ValueError:
        return False


def _unmapped(network: _Network) -> _Network:
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        return IPv4Network((int(network.network_address) & 0xFFFF_FFFF, network.prefixlen - 96))
    return network
