"""`intercept scan`: reports, and files that keep what people wrote in them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from intercept.cli import main

SERVER = [sys.executable, str(Path(__file__).resolve().parents[2] / "examples/demo/server.py")]
TOOLS = [
    {"name": "get_board", "description": "Get a board"},
    {"name": "delete_board", "description": "Delete a board"},
    {"name": "ge\u200bt_board", "description": "Get | <b>a</b> board"},
]


@pytest.fixture
def saved(tmp_path: Path) -> str:
    path = tmp_path / "tools.json"
    path.write_text(json.dumps({"jsonrpc": "2.0", "id": 1, "result": {"tools": TOOLS}}), encoding="utf-8")
    return str(path)


def test_a_live_server_is_reported_and_its_policy_is_fine(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    policy = str(tmp_path / "policy.yaml")

    assert main(["scan", "-o", policy, "--", *SERVER]) == 0

    out, err = capfd.readouterr()
    assert "Financial   critical 5  refund" in out
    assert "7 tools: " in out
    assert f"intercept: wrote {policy}: 7 tools" in err
    assert main(["lint", policy, "--", *SERVER]) == 0
    assert main(["test", policy]) == 0
    assert capfd.readouterr().out.startswith(f"{policy}: ok\n")


def test_json_is_the_documented_form(saved: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scan", "--format", "json", "--tools", saved]) == 0

    found = json.loads(capsys.readouterr().out)
    assert list(found) == ["server", "protocol", "tools"]
    assert found["tools"][1] == {
        "name": "delete_board",
        "category": "Destructive",
        "risk": "high",
        "score": 4,
        "evidence": ["name: `delete`"],
        "flags": [],
    }
    assert found["tools"][0]["flags"] == ["look-alike"]
    assert found["tools"][2]["flags"] == ["look-alike", "invisible-characters"]


@pytest.mark.parametrize("form", ["table", "markdown"])
def test_what_people_read_has_nothing_invisible_in_it(
    saved: str, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["scan", "--format", form, "--tools", saved]) == 0

    out = capsys.readouterr().out
    assert "ge\\u200bt_board" in out
    assert all(c.isprintable() or c == "\n" for c in out)
    assert "tools.json: 3 tools: 2 Read, 1 Destructive" in out


def test_markdown_lets_a_server_write_no_markup(saved: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path(saved).write_text(json.dumps([{"name": "a|b<script>", "description": "Get it"}]), encoding="utf-8")

    assert main(["scan", "--format", "markdown", "--tools", saved]) == 0

    assert "| `a\\|b&lt;script>` | Read | low | 1 |" in capsys.readouterr().out


def test_a_file_that_is_there_is_added_to_and_news_are_told(
    saved: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("default: deny\ntools:\n  get_board: {}  # mine\n  old: {}\n", encoding="utf-8")

    assert main(["scan", "-o", str(policy), "--tools", saved]) == 0

    err = capsys.readouterr().err
    assert f"intercept: {policy}: new: `delete_board` (Destructive high), added\n" in err
    assert f"intercept: {policy}: gone: `old` is no longer offered; what the policy says of it was left alone\n" in err
    assert "  get_board: {}  # mine\n  old: {}\n" in policy.read_text(encoding="utf-8")

    assert main(["scan", "-o", str(policy), "--tools", saved]) == 0
    assert capsys.readouterr().err == f"intercept: {policy}: nothing new\n"


def test_a_policy_that_would_not_load_is_not_written(
    saved: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("default: deny\ntolls: 1\ntools:\n  a: {}\n", encoding="utf-8")

    assert main(["scan", "-o", str(policy), "--tools", saved]) == 2

    assert "was left alone, because it would not load: " in capsys.readouterr().err
    assert policy.read_text(encoding="utf-8") == "default: deny\ntolls: 1\ntools:\n  a: {}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give a server's command after `--`, or `--tools FILE`, or `--config FILE`"),
        (["--tools", "x", "--", "cat"], "give a server's command after `--`, or `--tools FILE`, or `--config FILE`"),
        (["--config", "/nonexistent"], "/nonexistent: no such file"),
        (["--config", "x", "-o", "y"], "a policy is for one server; give `-o` with the command of that server"),
        (["--tools", "/nonexistent.json"], "/nonexistent.json: cannot be read: no such file or directory"),
    ],
)
def test_what_cannot_be_scanned_is_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["scan", *arguments]) == 2
    assert capsys.readouterr().err == f"intercept: {message}\n"


def test_a_file_without_tools_says_what_to_save(saved: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path(saved).write_text("{}", encoding="utf-8")

    assert main(["scan", "--tools", saved]) == 2
    assert capsys.readouterr().err == f"intercept: {saved}: has no list of tools; save the result of `tools/list`\n"


@pytest.mark.parametrize("levels", [100, 300, 450, 900])
def test_a_deeply_nested_file_is_read_or_refused_in_one_line(
    saved: str, levels: int, capsys: pytest.CaptureFixture[str]
) -> None:
    inner = '{"type": "string"}'
    for _ in range(levels):
        inner = f'{{"anyOf": [{inner}]}}'
    text = f'[{{"name": "a", "inputSchema": {{"properties": {{"action": {inner}}}}}}}]'
    Path(saved).write_text(text, encoding="utf-8")

    refused = main(["scan", "--tools", saved]) == 2

    out, err = capsys.readouterr()
    assert (out == "", err.count("\n")) == (refused, int(refused))
    assert levels > 100 or not refused


def test_all_servers_of_a_client_are_reported_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    servers = {
        "one": {"command": SERVER[0], "args": SERVER[1:]},
        "two": {"command": "${SHOP_PYTHON:-" + SERVER[0] + "}", "args": SERVER[1:]},
        "gone": {"command": "/nonexistent/server"},
        "far": {"url": "https://example.com/mcp"},
    }
    config = tmp_path / "mcp.json"
    config.write_text(json.dumps({"mcpServers": servers}), encoding="utf-8")

    assert main(["scan", "--config", str(config), "--format", "json"]) == 4

    found = json.loads(capsys.readouterr().out)["servers"]
    assert [(server["name"], len(server.get("tools", []))) for server in found] == [
        ("one", 7), ("two", 7), ("gone", 0), ("far", 0),
    ]  # fmt: skip
    assert found[3]["error"] == "it is reached by an address, not started"

    for form in ("table", "markdown"):
        assert main(["scan", "--config", str(config), "--format", form]) == 4
        out, err = capsys.readouterr()
        assert "all servers: 14 tools: 6 Read, 4 Write, 2 Destructive, 2 Financial" in out
        assert "`refund` is a tool of one and two" in out
        assert "intercept: `far` was not scanned: it is reached by an address, not started\n" in err
