"""Conditions, read naively: POLICY section 4 word by word, with nothing shared with the package.

Every value is looked at, nothing is cut short, so what cannot be evaluated is found wherever it stands.
"""

from __future__ import annotations

import ipaddress
import posixpath
import re
import socket
import unicodedata
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo


class Undecidable(Exception):  # noqa: N818  # it is no error of anybody here
    """A value that is there but of a type that the op cannot take, or a definition that was never seen: deny."""


class Missing:
    """There is no value; null is none either."""


MISSING = Missing()
HINTS = {"readOnlyHint": False, "destructiveHint": True, "idempotentHint": False, "openWorldHint": True}
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
STEP = re.compile(r"""\.([^.\[\]]+)|\['([^']*)'\]|\["([^"]*)"\]|\[\d+\]|\[\*\]""")
NUMBERS = (int, float, Decimal)


def globbed(pattern: str, text: str, star: str) -> bool:
    """Whether `pattern` matches all of `text`; `star` is `any` or `visible` (ASCII but spaces)."""
    if not pattern:
        return not text
    if pattern[0] != "*":
        return text[:1] == pattern[0] and globbed(pattern[1:], text[1:], star)
    if globbed(pattern[1:], text, star):
        return True
    return bool(text) and (star == "any" or "!" <= text[0] <= "~") and globbed(pattern, text[1:], star)


def plain(name: str) -> str:
    """`name` NFKC, case-folded, stripped of spaces and invisible characters."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return "".join(c for c in folded if unicodedata.category(c)[0] not in "ZC" and c not in "\ufe0f\u3164\u034f")


def is_number(value: object) -> bool:
    """Whether `value` is a JSON number."""
    return isinstance(value, NUMBERS) and not isinstance(value, bool)


def exact(value: float | Decimal) -> Decimal:
    """`value` as it is written."""
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)


def same(value: Any) -> Any:
    """Something that is equal for two values exactly when `eq` holds."""
    if is_number(value):
        return ("number", exact(value))
    if isinstance(value, dict):
        return ("object", frozenset((key, same(part)) for key, part in value.items()))
    if isinstance(value, list):
        return ("list", tuple(same(part) for part in value))
    return (type(value).__name__, value)


def steps_of(path: str) -> list[str]:
    """The root of `path` and its steps: `.name` however it is quoted, `[0]`, `[*]`."""
    root, rest = re.match(r"(\w+)(.*)", path).groups()  # type: ignore[union-attr]
    found = list(STEP.finditer(rest))
    assert "".join(step[0] for step in found) == rest, path
    return [
        root,
        *(f".{step[1] or step[2] or step[3]}" if step[1] or step[2] or step[3] else step[0] for step in found),
    ]


class Situation:
    """All that a path can look at in one call."""

    def __init__(self, call: Any, grant: str, timezone: str) -> None:
        self.name: str = call.name
        self.arguments: dict[str, Any] = call.arguments
        self.annotations: dict[str, Any] | None = call.annotations
        self.grant = grant
        self.session = call.session
        self.time = datetime.fromtimestamp(call.at, ZoneInfo(timezone))

    def find(self, path: str) -> list[Any]:
        """What is at `path`: one value, or with `[*]` as many as there are elements."""
        root, *steps = steps_of(path)
        nodes: list[Any] = [self._root(root, steps)]
        for number, step in enumerate(steps):
            if step == "[*]":
                nodes = [element for node in nodes for element in elements(node)]
            elif step[0] == "[":
                index = int(step[1:-1])
                nodes = [n[index] if isinstance(n, list) and index < len(n) else MISSING for n in nodes]
            else:
                if "[*]" in steps[:number] and any(isinstance(node, list) for node in nodes):
                    raise Undecidable
                nodes = [n.get(step[1:], MISSING) if isinstance(n, dict) else MISSING for n in nodes]
        return [MISSING if node is None else node for node in nodes]

    def _root(self, root: str, steps: list[str]) -> Any:
        if root == "args":
            return self.arguments
        if root == "grant":
            return self.grant
        if root == "now":
            return {"hour": self.time.hour, "minute": self.time.minute, "weekday": DAYS[self.time.weekday()]}
        if root == "tool" and steps == [".name"]:
            return {"name": self.name}
        if root == "tool" and steps[:1] == [".annotations"]:
            if self.annotations is None:
                raise Undecidable
            return {"annotations": HINTS | self.annotations}
        raise AssertionError(root)


def elements(node: Any) -> list[Any]:
    """A plain value counts as a list of one, an empty list as missing."""
    if isinstance(node, list):
        return node or [MISSING]
    return [node]


def holds(condition: Any, situation: Situation, *, every: bool) -> bool:
    """Whether `condition` holds; `every` element of a `[*]` must satisfy it, or one is enough."""
    if "all" in condition:
        parts = [holds(part, situation, every=every) for part in condition["all"]]
        return all(parts)
    if "any" in condition:
        parts = [holds(part, situation, every=every) for part in condition["any"]]
        return any(parts)
    if "not" in condition:
        return not holds(condition["not"], situation, every=not every)
    found = situation.find(condition["path"])
    results = []
    for value in found:
        if condition["path"].endswith("[*]") and isinstance(value, list) and speaks_of_no_list(condition):
            raise Undecidable
        if value is MISSING and condition.get("optional"):
            results.append(True)
        elif condition["op"] == "exists":
            results.append((value is not MISSING) == condition["value"])
        elif value is MISSING:
            results.append(False)
        else:
            results.append(satisfies(condition["op"], value, condition["value"]))
    return all(results) if every else any(results)


def speaks_of_no_list(condition: Any) -> bool:
    """Whether equality is asked for with what is no list: a list in a list could hide what is looked for."""
    if condition["op"] in ("eq", "neq"):
        return not isinstance(condition["value"], list)
    return condition["op"] in ("in", "not_in") and not any(isinstance(one, list) for one in condition["value"])


def satisfies(op: str, value: Any, wanted: Any) -> bool:
    """`value op wanted`, for a value that is there."""
    if op in ("neq", "not_in", "not_regex", "not_contains"):
        return not satisfies({"neq": "eq"}.get(op, op.removeprefix("not_")), value, wanted)
    if op == "eq":
        return bool(same(value) == same(wanted))
    if op == "in":
        return same(value) in [same(one) for one in wanted]
    if op in ("lt", "lte", "gt", "gte"):
        if not is_number(value):
            raise Undecidable
        left, right = exact(value), exact(wanted)
        return {"lt": left < right, "lte": left <= right, "gt": left > right, "gte": left >= right}[op]
    if op == "contains" and isinstance(value, list):
        return same(wanted) in [same(one) for one in value]
    if op in ("length_lte", "length_gte"):
        if not isinstance(value, str | list):
            raise Undecidable
        return bool(len(value) <= wanted if op == "length_lte" else len(value) >= wanted)
    if not isinstance(value, str) or not isinstance(wanted, str | list):
        raise Undecidable
    return satisfies_text(op, value, wanted)


def satisfies_text(op: str, value: str, wanted: Any) -> bool:
    """`value op wanted`, for ops that take text."""
    several = [wanted] if isinstance(wanted, str) else wanted
    if op == "contains":
        if not isinstance(wanted, str):
            raise Undecidable
        return bool(wanted in value)
    if op == "regex":
        return matches(wanted, value)
    if op == "starts_with":
        return bool(value[: len(wanted)] == wanted)
    if op == "ends_with":
        return len(value) >= len(wanted) and bool(value[len(value) - len(wanted) :] == wanted)
    if op == "glob":
        return globbed(wanted, value, "any")
    if op == "host_in":
        return any(host_fits(value, host) for host in several)
    if op == "path_within":
        if value == (clean := re.sub("%2e", ".", value.replace("\\", "/"), flags=re.IGNORECASE)):
            return any(path_fits(value, folder) for folder in several)
        readings = {any(path_fits(reading, folder) for folder in several) for reading in (value, clean)}
        if len(readings) > 1:
            raise Undecidable
        return readings.pop()
    if op == "cidr_in":
        return networks_fit(value, several)
    raise AssertionError(op)


def matches(pattern: str, text: str) -> bool:
    """Whether `pattern` is found in `text`; `$` is the end of the text."""
    if pattern.endswith("$"):
        pattern = pattern[:-1] + r"\Z"
    return re.search(pattern, text, re.ASCII) is not None


def host_key(host: str) -> str | None:
    """The one spelling of a host; None if it is none."""
    try:
        if host.startswith("["):
            return str(ipaddress.IPv6Address(host[1:-1]))
        if re.fullmatch(r"[0-9a-fA-FxX.]*", host) and re.search(r"(?:^|\.)(?:0[xX][0-9a-fA-F]*|[0-9]+)\.?$", host):
            return socket.inet_ntoa(socket.inet_aton(host))
        return host.encode("idna").decode().lower()
    except (ValueError, OSError):
        return None


def host_fits(url: str, host: str) -> bool:
    """Whether `url` is an absolute http(s) or ws(s) URL of `host`."""
    if any(c <= " " or c in "\\\x7f" or c.isspace() for c in url):
        return False
    if not (parts := re.fullmatch(r"(?i:https?|wss?)://([^/?#]*)(?:[/?#].*)?", url)) or "@" in parts[1]:
        return False
    if not (parts := re.fullmatch(r"(\[[^\]]*\]|[^:]+)(?::\d*)?", parts[1])):
        return False
    found = host_key(parts[1])
    if host.startswith("."):
        return found is not None and found.endswith(host) and found != host
    return found is not None and found == host_key(host)


def path_fits(text: str, folder: str) -> bool:
    """Whether `text` is an absolute path in `folder` once it is normalised."""
    text = text.removeprefix("file://")
    if not text.startswith("/") or "\0" in text:
        return False
    inside, root = (posixpath.normpath("/" + one.lstrip("/")) for one in (text, folder))
    return root in (inside, "/") or inside.startswith(root + "/")


def networks_fit(text: str, networks: list[str]) -> bool:
    """Whether `text` is an address or a block inside one of `networks`; a name is not.

    Raises:
        Undecidable: it looks like an address and is none, or only a part of the block is inside.
    """
    try:
        block = ipaddress.ip_network(text, strict=False)
    except ValueError:
        try:
            block = ipaddress.ip_network(socket.inet_aton(text))
        except OSError:
            if re.fullmatch(r"[0-9a-fA-FxX.:/]*", text):
                raise Undecidable from None
            return False
    around = [one for one in map(ipaddress.ip_network, networks) if one.version == block.version]
    if any(block.subnet_of(one) for one in around):  # type: ignore[arg-type]
        return True
    if any(block.overlaps(one) for one in around):
        raise Undecidable
    return False


# --- JSON Schema 2020-12, as much of it as the generator uses ---------------------------------------------------------


def valid(schema: Any, value: Any, root: Any) -> bool:
    """Whether `value` satisfies `schema`, a part of `root`."""
    if isinstance(schema, bool):
        return schema
    return all(valid_by(keyword, wanted, value, schema, root) for keyword, wanted in schema.items())


def valid_by(keyword: str, wanted: Any, value: Any, schema: Any, root: Any) -> bool:
    """What one keyword of `schema` says of `value`."""
    number = exact(value) if is_number(value) else None
    match keyword:
        case "type":
            return any(is_type(value, one) for one in ([wanted] if isinstance(wanted, str) else wanted))
        case "enum":
            return same(value) in [same(one) for one in wanted]
        case "const":
            return bool(same(value) == same(wanted))
        case "minimum":
            return number is None or number >= wanted
        case "maximum":
            return number is None or number <= wanted
        case "exclusiveMinimum":
            return number is None or number > wanted
        case "exclusiveMaximum":
            return number is None or number < wanted
        case "minLength":
            return not isinstance(value, str) or len(value) >= wanted
        case "maxLength":
            return not isinstance(value, str) or len(value) <= wanted
        case "pattern":
            return not isinstance(value, str) or matches(wanted, value)
        case "minItems":
            return not isinstance(value, list) or len(value) >= wanted
        case "maxItems":
            return not isinstance(value, list) or len(value) <= wanted
        case "uniqueItems":
            return not wanted or not isinstance(value, list) or len({same(one) for one in value}) == len(value)
        case "items":
            return not isinstance(value, list) or all(valid(wanted, one, root) for one in value)
        case "required":
            return not isinstance(value, dict) or all(key in value for key in wanted)
        case "properties":
            return not isinstance(value, dict) or all(
                valid(wanted[k], v, root) for k, v in value.items() if k in wanted
            )
        case "additionalProperties":
            known = schema.get("properties", {})
            return not isinstance(value, dict) or all(
                valid(wanted, v, root) for k, v in value.items() if k not in known
            )
        case "allOf":
            return all(valid(part, value, root) for part in wanted)
        case "anyOf":
            return any(valid(part, value, root) for part in wanted)
        case "oneOf":
            return sum(valid(part, value, root) for part in wanted) == 1
        case "not":
            return not valid(wanted, value, root)
        case "$ref":
            return valid(root["$defs"][wanted.removeprefix("#/$defs/")], value, root)
        case "$defs":
            return True
        case _:
            raise AssertionError(keyword)


def is_type(value: Any, name: str) -> bool:
    """Whether `value` is of the JSON Schema type `name`; 1.0 is an integer."""
    if is_number(value):
        return name == "number" or (name == "integer" and exact(value) == int(exact(value)))
    return name == {dict: "object", list: "array", str: "string", bool: "boolean", type(None): "null"}[type(value)]
