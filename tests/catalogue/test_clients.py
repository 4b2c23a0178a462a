"""Which servers a client's configuration names."""

from __future__ import annotations

from pathlib import Path

import pytest

from intercept.catalogue.clients import Configured, configured

CLIENTS = Path(__file__).resolve().parents[2] / "examples/clients"

VS_CODE = """{
  // what the team uses
  "servers": {
    "files": {
      "type": "stdio", /* here */
      "command": "npx", "args": ["-y", "a//b", "${env:HOME}/x", "${workspaceFolder}"],
    },
    "key": {"command": "x", "env": {"KEY": "${input:key}"}},
  },
}"""
CODEX = """
[mcp_servers.files]
command = "npx"
args = ["-y", "files"]
env = {ROOT = "/srv"}
"""


def test_the_files_that_we_ship_as_examples_are_understood() -> None:
    for path in sorted(CLIENTS.iterdir()):
        found = configured(path.read_text(encoding="utf-8"), {"HOME": "/home/me"})

        assert found, path.name
        assert all(server.command or server.problem for server in found), path.name


def test_comments_and_commas_of_vs_code_are_no_obstacle() -> None:
    files, key = configured(VS_CODE, {"HOME": "/home/me", "workspaceFolder": "/w"})

    assert files == Configured("files", ("npx", "-y", "a//b", "/home/me/x", "/w"))
    assert key.problem == "only the client knows what `${input:key}` stands for"


def test_codex_has_toml() -> None:
    assert configured(CODEX, {}) == (Configured("files", ("npx", "-y", "files"), {"ROOT": "/srv"}),)


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("7", "its entry is malformed"),
        ("{}", "it has no `command`"),
        ('{"command": "x", "args": "y"}', "its `args` or `env` are malformed"),
        ('{"command": "x", "args": [7]}', "its `args` or `env` are malformed"),
        ('{"command": "x", "env": {"a": null}}', "its `args` or `env` are malformed"),
        ('{"url": "https://example.com"}', "it is reached by an address, not started"),
        ('{"command": "${NOT_SET}"}', "only the client knows what `${NOT_SET}` stands for"),
    ],
)
def test_a_server_that_cannot_be_started_here_has_a_reason(entry: str, problem: str) -> None:
    assert configured('{"mcpServers": {"a": %s}}' % entry, {}) == (Configured("a", problem=problem),)  # noqa: UP031


def test_a_default_stands_in_for_what_is_not_set() -> None:
    (server,) = configured('{"mcpServers": {"a": {"command": "${X:-npx}", "args": ["${Y:-}"]}}}', {"Y": "y"})

    assert server.command == ("npx", "y")


@pytest.mark.parametrize("text", ["", "[]", "{}", "not = [", '{"mcpServers": []}', "{" * 100_000])
def test_what_is_no_clients_file_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"is neither JSON nor TOML|is no client|names no servers"):
        configured(text, {})
