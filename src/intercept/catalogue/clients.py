"""The servers that a client's configuration file names: Claude Desktop, Claude Code, Cursor, VS Code, Codex. Pure.

Claude's and Cursor's files have `mcpServers`, VS Code's `servers` (with comments), Codex's is TOML with `mcp_servers`.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ..values import Json

_SECTIONS: Final = ("mcpServers", "servers", "mcp_servers")
_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|//[^\n]*|/\*.*?\*/|,(?=\s*[}\]])', re.DOTALL)
"""A string, or what VS Code lets stand in JSON beside it: comments, and commas before a bracket."""
_VARIABLE: Final = re.compile(r"\$\{(?:env:)?([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


@dataclass(frozen=True, slots=True)
class Configured:
    """One server of a client's configuration."""

    name: str
    command: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    problem: str = ""
    """Why it cannot be started here; empty if it can."""


def configured(text: str, environment: Mapping[str, str]) -> tuple[Configured, ...]:
    """The servers in `text`, in its order; `environment` has what `${NAME}` stands for.

    Raises:
        ValueError: it is no such file; the message says what it has to be.
    """
    root = _parse(text)
    sections = [root[key] for key in _SECTIONS if isinstance(root.get(key), dict)]
    if not sections:
        raise ValueError("names no servers; expected `mcpServers`, `servers` or `[mcp_servers.NAME]`")
    found = []
    for section in sections:
        for name, entry in section.items() if isinstance(section, dict) else ():
            found.append(_server(name, entry, environment))
    return tuple(found)


def _parse(text: str) -> dict[str, Json]:
    try:
        value: Json = json.loads(_TOKEN.sub(_kept, text.removeprefix("\ufeff")))
    except (ValueError, RecursionError):
        try:
            value = tomllib.loads(text)
        except (ValueError, RecursionError):
            raise ValueError("is neither JSON nor TOML") from None
    if not isinstance(value, dict):
        raise ValueError("is no client's configuration")
    return value


def _kept(token: re.Match[str]) -> str:
    return token[0] if token[0].startswith('"') else " "


def _server(name: str, entry: Json, environment: Mapping[str, str]) -> Configured:
    if not isinstance(entry, dict):
        return Configured(name, problem="its entry is malformed")
    command, arguments, added = entry.get("command"), entry.get("args", []), entry.get("env", {})
    if not isinstance(command, str) or not command:
        remote = "url" in entry or "serverUrl" in entry
        return Configured(name, problem="it is reached by an address, not started" if remote else "it has no `command`")
    if not isinstance(arguments, list) or not isinstance(added, dict):
        return Configured(name, problem="its `args` or `env` are malformed")
    words = [command, *arguments, *added.values()]
    if not all(isinstance(word, str) for word in words):
        return Configured(name, problem="its `args` or `env` are malformed")
    missing: list[str] = []

    def filled(word: Json) -> str:
        def value(match: re.Match[str]) -> str:
            known = environment.get(match[1], match[2])
            if known is None:
                missing.append(match[0])
            return known or ""

        return _VARIABLE.sub(value, str(word))

    whole = tuple(map(filled, [command, *arguments]))
    around = {key: filled(word) for key, word in added.items()}
    left = [word for word in (*whole, *around.values()) if "${" in word]
    if missing or left:
        return Configured(name, problem=f"only the client knows what `{(missing or left)[0]}` stands for")
    return Configured(name, whole, around)
