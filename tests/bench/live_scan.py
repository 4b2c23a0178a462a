"""`intercept scan` on real servers: `python -m tests.bench.live_scan FOLDER [NAME...]`.

Each server below is installed into FOLDER (from npm and PyPI, without install scripts), scanned, and put behind the
policy that the scan drafted. The draft has to load, to be clean for the linter that knows the tools, and to pass its
own tests; behind it the server has to list exactly the tools that the draft allows, to answer a call, and to be spared
one that the draft denies; and nothing may be left of it. Servers that want a key get one that opens nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from intercept.catalogue.scan import CAPABILITIES
from intercept.errors import InterceptError
from intercept.policy.loading import load_with_sources

from ..e2e.leftovers import left, mark
from ..e2e.rawclient import PROXY, Missing, RawClient, call, line


@dataclass(frozen=True, slots=True)
class Real:
    """A server that somebody else wrote."""

    package: str
    version: str
    program: str
    """In `node_modules/.bin`, or in the `bin` of a virtual environment."""
    arguments: tuple[str, ...] = ()
    """`FOLDER` stands for a folder with a Git repository in it."""
    keys: tuple[str, ...] = ()
    """Environment variables without which it does not start."""
    call: tuple[str, dict[str, Any]] = ("", {})
    """A call that has to succeed without a network; without one any answer of the server will do."""
    pypi: bool = False


SERVERS: Final = (
    Real("@modelcontextprotocol/server-everything", "2026.8.31", "mcp-server-everything",
         call=("echo", {"message": "a"})),
    Real("@modelcontextprotocol/server-filesystem", "2026.8.31", "mcp-server-filesystem", ("FOLDER",),
         call=("list_allowed_directories", {})),
    Real("@modelcontextprotocol/server-memory", "2026.8.31", "mcp-server-memory", call=("read_graph", {})),
    Real("@modelcontextprotocol/server-sequential-thinking", "2026.8.31", "mcp-server-sequential-thinking"),
    Real("@modelcontextprotocol/server-github", "2025.4.8", "mcp-server-github",
         keys=("GITHUB_PERSONAL_ACCESS_TOKEN",)),
    Real("@modelcontextprotocol/server-google-maps", "0.6.2", "mcp-server-google-maps", keys=("GOOGLE_MAPS_API_KEY",)),
    Real("@modelcontextprotocol/server-brave-search", "0.6.2", "mcp-server-brave-search", keys=("BRAVE_API_KEY",)),
    Real("@modelcontextprotocol/server-puppeteer", "2025.5.12", "mcp-server-puppeteer"),
    Real("@playwright/mcp", "0.0.83", "playwright-mcp"),
    Real("@notionhq/notion-mcp-server", "2.5.2", "notion-mcp-server", keys=("NOTION_TOKEN",)),
    Real("mongodb-mcp-server", "3.0.4", "mongodb-mcp-server"),
    Real("airtable-mcp-server", "1.14.0", "airtable-mcp-server", keys=("AIRTABLE_API_KEY",)),
    Real("tavily-mcp", "0.2.22", "tavily-mcp", keys=("TAVILY_API_KEY",)),
    Real("@xeroapi/xero-mcp-server", "0.0.17", "xero-mcp-server", keys=("XERO_CLIENT_ID", "XERO_CLIENT_SECRET")),
    Real("mcp-server-git", "2026.10.10", "mcp-server-git", pypi=True, call=("git_status", {"repo_path": "FOLDER"})),
    Real("mcp-server-time", "2026.10.10", "mcp-server-time", pypi=True, call=("get_current_time", {"timezone": "UTC"})),
    Real("mcp-server-sqlite", "2025.4.25", "mcp-server-sqlite", pypi=True, call=("list_tables", {})),
    Real("mcp-server-fetch", "2026.10.10", "mcp-server-fetch", pypi=True),
)  # fmt: skip


@dataclass(slots=True)
class Outcome:
    """What became of one server."""

    tools: int = 0
    shown: int = 0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)


def install(folder: Path, servers: Sequence[Real]) -> None:
    """Put what is missing of `servers` into `folder`."""
    environment = os.environ | {"PUPPETEER_SKIP_DOWNLOAD": "1", "PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD": "1"}
    wanted = [f"{s.package}@{s.version}" for s in servers if not s.pypi and _npm_version(folder, s) != s.version]
    if wanted:
        (folder / "package.json").write_text('{"private": true}\n', encoding="utf-8")
        command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder), *wanted]
        subprocess.run(command, check=True, env=environment, stdout=sys.stderr)
    python = folder / "venv/bin/python"
    packages = [f"{s.package}=={s.version}" for s in servers if s.pypi]
    if packages and not all((folder / "venv/bin" / s.program).exists() for s in servers if s.pypi):
        subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", *packages], check=True, stdout=sys.stderr)
    repository = folder / "repository"
    if not repository.exists():
        subprocess.run(["git", "init", "-q", str(repository)], check=True)


def _npm_version(folder: Path, server: Real) -> str:
    try:
        about = json.loads((folder / "node_modules" / server.package / "package.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    return str(about["version"])


def check(folder: Path, server: Real, programs: Path) -> Outcome:
    """Scan `server`, whose program is in `programs`, judge the draft, and use the server behind it."""
    outcome = Outcome()
    began = time.monotonic()
    environment = mark() | dict.fromkeys(server.keys, "patx.0000000000000000")
    place = str(folder / "repository")
    command = [str(programs / server.program), *(place if word == "FOLDER" else word for word in server.arguments)]
    policy = folder / "policies" / f"{server.package.replace('/', '-').strip('@')}.yaml"
    policy.parent.mkdir(exist_ok=True)
    policy.unlink(missing_ok=True)
    try:
        found = _intercept(environment, ["scan", "--format", "json", "-o", str(policy), "--", *command], folder)
        tools = json.loads(found)["tools"]
        outcome.tools = len(tools)
        linted = json.loads(_intercept(environment, ["lint", "--format", "json", str(policy), "--", *command], folder))
        outcome.problems += [f"{finding['rule']}: {finding['message']}" for finding in linted]
        tested = json.loads(_intercept(environment, ["test", "--format", "json", str(policy)], folder))
        if tested["failed"] or tested["uncovered_rules"]:
            outcome.problems.append(
                f"{tested['failed']} tests failed, {len(tested['uncovered_rules'])} rules uncovered"
            )
        _use(server, policy, command, environment, {tool["name"] for tool in tools}, outcome, place)
    except (Missing, InterceptError, subprocess.CalledProcessError, ValueError) as error:
        said = getattr(error, "stderr", "") or ""
        outcome.problems.append(f"{error} {said[-400:]}")
    outcome.problems += [f"left behind: {process}" for process in left(environment, within=5.0)]
    outcome.seconds = time.monotonic() - began
    return outcome


def _intercept(environment: dict[str, str], arguments: Sequence[str], folder: Path) -> str:
    command = [*PROXY, *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=240, check=False, env=os.environ | environment, cwd=folder
    )
    if done.returncode not in {0, 1}:
        raise subprocess.CalledProcessError(done.returncode, command[2:4], stderr=done.stderr)
    return done.stdout


def _listed(client: RawClient) -> set[str]:
    client.send(line("tools/list", {}, "list"))
    _, listed = client.until("list")
    return {tool["name"] for tool in listed["result"]["tools"]}


def _use(
    server: Real,
    policy: Path,
    command: Sequence[str],
    environment: dict[str, str],
    offered: set[str],
    outcome: Outcome,
    place: str,
) -> None:
    entries = load_with_sources([str(policy)]).sources[0].file.tools
    denied = {name for name, entry in entries.items() if any(rule.denies for _, rule in entry.each_rule())}
    allowed = set(entries) - denied
    proxy = [*PROXY, "--policy", str(policy), "--audit", "off", "--", *command]
    with RawClient(proxy, policy.with_suffix(".stderr"), environment, folder=policy.parent) as client:
        client.handshake(CAPABILITIES)
        names = _listed(client)
        if names < allowed & offered:  # a server may add what needs the client's abilities once it knows them
            names = _listed(client)
        outcome.shown = len(names)
        if names != allowed & offered:
            outcome.problems.append(f"lists {sorted(names ^ (allowed & offered))[:5]} otherwise than the draft")
        tool, arguments = server.call
        if tool:
            client.send(call(tool, "call", **{k: place if v == "FOLDER" else v for k, v in arguments.items()}))
            _, answer = client.until("call", within=60.0)
            if answer.get("result", {}).get("isError", "result" not in answer):
                outcome.problems.append(f"`{tool}` failed: {json.dumps(answer)[:200]}")
        for name in sorted(denied)[:1]:
            client.send(call(name, "denied"))
            _, answer = client.until("denied")
            if "intercept/decision" not in answer["result"].get("_meta", {}):
                outcome.problems.append(f"`{name}` was not refused")


def main() -> int:
    """Try every server, or those that are named; exit code 1 if anything is wrong with one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("names", nargs="*", metavar="NAME", help="packages (default: all)")
    options = parser.parse_args()
    chosen = [server for server in SERVERS if not options.names or server.package in options.names]
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    install(folder, chosen)
    wrong = 0
    for server in chosen:
        outcome = check(folder, server, folder / ("venv/bin" if server.pypi else "node_modules/.bin"))
        wrong += bool(outcome.problems)
        verdict = "; ".join(outcome.problems) or "fine"
        print(
            f"{server.package} {server.version}: {outcome.tools} tools, {outcome.shown} behind the draft,"
            f" {outcome.seconds:.1f} s: {verdict}",
            flush=True,
        )
    print(f"{len(chosen) - wrong} of {len(chosen)} servers fine")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
