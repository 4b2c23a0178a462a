"""Everything under `examples/` runs or parses, and says what is true."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from intercept.values import Json

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
CLIENTS = EXAMPLES / "clients"
SERVERS = ROOT / "tests/data/servers"

WHERE_SERVERS_ARE = {
    "claude_desktop_config.json": "mcpServers",
    "claude-code.mcp.json": "mcpServers",
    "cursor.mcp.json": "mcpServers",
    "vscode.mcp.json": "servers",
    "codex.config.toml": "mcp_servers",
}


def servers(name: str) -> dict[str, dict[str, Json]]:
    text = (CLIENTS / name).read_text(encoding="utf-8")
    document = tomllib.loads(text) if name.endswith(".toml") else json.loads(text)
    found = document[WHERE_SERVERS_ARE[name]]
    assert isinstance(found, dict)
    return found


def test_there_is_one_ready_file_for_each_client_and_no_other() -> None:
    assert {path.name for path in CLIENTS.iterdir()} == set(WHERE_SERVERS_ARE)


@pytest.mark.parametrize("name", WHERE_SERVERS_ARE)
def test_a_ready_file_starts_the_proxy_with_a_shipped_policy_before_its_server(name: str) -> None:
    for server in servers(name).values():
        command, arguments = server["command"], server["args"]
        assert isinstance(command, str)
        assert isinstance(arguments, list)
        assert command.startswith("/")
        assert command.endswith("/intercept")
        flag, policy, separator, launcher, _, package = arguments
        assert (flag, separator) == ("--policy", "--")
        assert isinstance(policy, str)
        assert isinstance(launcher, str)
        assert policy.startswith("/")
        assert (ROOT / "policies" / Path(policy).name).is_file()
        known = json.loads((SERVERS / f"{Path(policy).stem}.json").read_text(encoding="utf-8"))
        assert package == f"{known['package']}@{known['version']}"
        # Claude Code runs in a shell; every other client has to be told where things are.
        assert launcher.startswith("/") or name == "claude-code.mcp.json"


@pytest.mark.parametrize("name", [name for name in WHERE_SERVERS_ARE if name != "claude-code.mcp.json"])
def test_a_ready_file_for_a_graphical_client_puts_the_folder_of_npx_first_in_path(name: str) -> None:
    for server in servers(name).values():
        arguments, environment = server["args"], server["env"]
        assert isinstance(arguments, list)
        assert isinstance(environment, dict)
        assert str(environment["PATH"]).split(":")[0] == str(Path(str(arguments[3])).parent)


def test_the_page_about_clients_links_every_ready_file_and_its_json_parses() -> None:
    page = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```json\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)

    assert all(f"(clients/{name})" in page for name in WHERE_SERVERS_ARE)
    assert blocks
    assert all(json.loads(block) for block in blocks)


def run_demo(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(folder / "run.py")]
    return subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)


def test_the_demo_runs_to_the_end_and_every_call_ends_as_its_policy_says() -> None:
    done = run_demo(EXAMPLES / "demo")

    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[-1] == "as the policy says"
    assert lines[-2] == ("the server ran: archive_customer 2x, list_orders 2x, refund 2x, send_message 6x")
    assert [line for line in lines if line.startswith("protocol")] == [
        "protocol 2025-11-25 (initialize)",
        "protocol 2026-07-28 (server/discover)",
    ]
    outcomes = [line.split()[0] for line in lines if re.match(r"  (allowed|limited|denied) ", line)]
    assert {word: outcomes.count(word) for word in outcomes} == {"allowed": 12, "limited": 2, "denied": 6}


def test_the_demo_fails_when_a_call_ends_otherwise_than_it_expects(tmp_path: Path) -> None:
    demo = tmp_path / "demo"
    demo.mkdir()
    for source in (EXAMPLES / "demo").glob("*.py"):
        (demo / source.name).write_bytes(source.read_bytes())
    (demo / "policy.yaml").write_text("default: allow\n", encoding="utf-8")

    done = run_demo(demo)

    assert done.returncode == 1
    assert "UNEXPECTED: the policy says denied" in done.stdout
    assert "NOT as the policy says" in done.stderr


def ask_the_demo_server(*messages: Json) -> list[Json]:
    """What the server answers when it is asked directly, without a proxy."""
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "demo/server.py")],
        input="".join(json.dumps(message) + "\n" for message in messages),
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def initialize(version: str) -> Json:
    return {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": version,
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        },
    }


def modern(request_id: int, method: str, version: str = "2026-07-28", **params: Json) -> Json:
    envelope: Json = {
        "io.modelcontextprotocol/protocolVersion": version,
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    return {"jsonrpc": "2.0", "id": request_id, "method": method, "params": {**params, "_meta": envelope}}


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("2024-11-05", "2024-11-05"),
        ("2025-03-26", "2025-03-26"),
        ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"),
        ("1999-01-01", "2025-11-25"),
    ],
)
def test_the_demo_server_negotiates_a_session_and_serves_it_without_the_envelope(asked: str, given: str) -> None:
    first, second = ask_the_demo_server(
        initialize(asked),
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {
            "jsonrpc": "2.0",
            "id": 2,
            "method": "tools/call",
            "params": {"name": "list_orders", "arguments": {}},
        },
    )

    assert isinstance(first, dict)
    assert isinstance(first["result"], dict)
    assert first["result"]["protocolVersion"] == given
    assert second == {
        "jsonrpc": "2.0",
        "id": 2,
        "result": {
            "content": [{"type": "text", "text": "1001: 120.00; 1002: 35.50"}],
            "isError": False,
        },
    }


def test_the_demo_server_serves_enveloped_requests_without_a_session() -> None:
    discovered, called, future = ask_the_demo_server(
        modern(1, "server/discover"),
        modern(2, "tools/call", name="get_order", arguments={"order": "1002"}),
        modern(3, "tools/list", version="2099-01-01"),
    )

    info: Json = {"io.modelcontextprotocol/serverInfo": {"name": "shop-desk", "version": "1.0.0"}}
    assert discovered == {
        "jsonrpc": "2.0",
        "id": 1,
        "result": {
            "supportedVersions": ["2026-07-28"],
            "capabilities": {"tools": {}},
            "ttlMs": 0,
            "cacheScope": "private",
            "resultType": "complete",
            "_meta": info,
        },
    }
    assert called == {
        "jsonrpc": "2.0",
        "id": 2,
        "result": {
            "content": [{"type": "text", "text": "1002: grace, 35.50, paid"}],
            "isError": False,
            "resultType": "complete",
            "_meta": info,
        },
    }
    assert isinstance(future, dict)
    assert future["error"] == {
        "code": -32022,
        "message": "unsupported protocol version",
        "data": {"supported": ["2026-07-28"], "requested": "2099-01-01"},
    }


def test_the_demo_server_refuses_what_belongs_to_no_era() -> None:
    answers = ask_the_demo_server(
        {"jsonrpc": "2.0", "id": 1, "method": "tools/list"},
        modern(2, "initialize"),
        {"jsonrpc": "2.0", "id": None, "method": "ping"},
        ["not", "a", "message"],
    )

    codes = []
    for answer in answers:
        assert isinstance(answer, dict)
        assert isinstance(answer["error"], dict)
        codes.append(answer["error"]["code"])
    assert codes == [-32602, -32601, -32600, -32600]


@pytest.mark.parametrize("shows", [True, False])
def test_the_notification_tells_what_waits_and_runs_nothing_of_it(tmp_path: Path, shows: bool) -> None:
    if shows:
        tool = tmp_path / "notify-send"
        tool.write_text(f"#!{sys.executable}\nimport json, sys\nprint(json.dumps(sys.argv[1:]))\n")
        tool.chmod(0o755)
    told = {"ID": "k3m9x2pt", "TOOL": "pay", "TEXT": 'Tool: pay\nArguments:\n  to: "$(id)"'}
    environment = {"PATH": str(tmp_path)} | {f"INTERCEPT_APPROVAL_{key}": value for key, value in told.items()}
    script = str(EXAMPLES / "approvals/notify.py")
    done = subprocess.run(
        [sys.executable, script], check=False, env=environment, capture_output=True, text=True, timeout=60
    )

    assert done.returncode == 0
    if shows:
        *_, title, text = json.loads(done.stdout)
        assert title == "pay waits for approval"
        assert text == f"{told['TEXT']}\nintercept approvals show k3m9x2pt"
    else:
        assert done.stderr == "pay waits for approval: intercept approvals show k3m9x2pt\n"
