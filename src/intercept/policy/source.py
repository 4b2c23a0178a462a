"""Bytes of a policy file to a tree in which every key and value knows where it stands (POLICY section 1).

Decides what can be read at all and whether it is YAML or JSON; `tree` bounds it, `yaml_text` and `json_text` read it,
and `document` knows what a policy is.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Final, NamedTuple

from ..errors import Problem
from . import json_text, yaml_text
from .tree import Mistake, Node, Places, Stop, Tree

MAX_BYTES: Final = 1_048_576
_BRACKET: Final = re.compile(r"[ \t\r\n]*[{\[][ \t\r\n]*")


class Source(NamedTuple):
    """What was read of a file: a tree, mistakes, or both."""

    root: Node | None
    """None if there is nothing to look at further."""
    places: Places
    mistakes: tuple[Mistake, ...]


def read_bytes(path: str) -> bytes | Problem:
    """The content of the file at `path` (at most one byte more than is allowed), or why there is none."""
    try:
        if os.path.isdir(path):
            return Problem(path, 0, 0, "", "is a directory", "name a policy file in it")
        with open(path, "rb") as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return Problem(path, 0, 0, "", "no such file")
    except PermissionError:
        return Problem(path, 0, 0, "", "cannot be read: permission denied")
    except OSError as error:
        return Problem(path, 0, 0, "", f"cannot be read: {(error.strerror or 'input error').lower()}")
    except ValueError:
        return Problem(path.replace("\0", "\N{REPLACEMENT CHARACTER}"), 0, 0, "", "no file can have this name")


def parse(data: bytes, *, as_json: bool = False) -> Source:
    """Read the bytes of a file. What is wrong with them is a Mistake, never an exception.

    YAML unless `as_json` says that it can only be JSON; what begins with a bracket is tried as JSON first.
    """
    text = _decode(data)
    if isinstance(text, Mistake):
        return Source(None, Places(""), (text,))
    if as_json:
        return _read(json_text.read, text)
    if first := _BRACKET.match(text):
        json = _read(json_text.read, text)
        if json.root is not None:
            return json
        yaml = _read(yaml_text.read, text)
        if yaml.root is not None:
            return yaml
        # Neither: who writes the first key as JSON has it means JSON.
        return json if (json.mistakes[-1].at or 0) > first.end() else yaml
    return _read(yaml_text.read, text)


def _read(read: Callable[[str, Tree], Node], text: str) -> Source:
    tree = Tree()
    try:
        root = read(text, tree)
    except Stop:
        return Source(None, Places(text), tuple(tree.mistakes))
    return Source(root, Places(text), tuple(tree.mistakes))


def _decode(data: bytes) -> str | Mistake:
    if len(data) > MAX_BYTES:
        return Mistake(None, "is larger than 1 MiB", "split it: `--policy` may be given several times")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Mistake(None, "is UTF-16", "save it as UTF-8")
    if data.startswith(b"\xef\xbb\xbf"):
        return Mistake(None, "begins with a byte order mark", "save it as UTF-8 without one")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line, column = Places(before := data[: error.start].decode())[len(before)]
        return Mistake(None, f"is not UTF-8 in line {line}, column {column}", "save it as UTF-8")
    if not text.strip():
        return Mistake(None, "is empty", "the smallest policy is `default: deny`")
    return text
