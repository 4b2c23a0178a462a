"""What is measured: no proxy, bare pipes, this proxy, and other proxies that enforce a policy on stdio.

Each peer stands in a virtual environment of its own under `$PEER_VENVS` (npm ones under `$PEER_NPM`) and has
a policy as near to ours as its language allows: all tools pass but `danger`.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from . import policies
from .connection import Connection

HERE = Path(__file__).parent
PYTHON = sys.executable
UPSTREAM = (PYTHON, "-S", "-E", str(HERE / "upstream.py"), "50")
"""Without site packages: it boots in about 20 ms."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One way from the client to the server. In `command` and `files`, `{WORK}` is a fresh directory."""

    name: str
    command: tuple[str, ...]
    """Ends where the server's own command follows."""
    files: Mapping[str, str] = field(default_factory=dict)
    needs: Path | None = None
    """What has to be there beside the command."""
    enforces: bool = True
    """Whether it refuses the tool `danger`."""

    def installed(self) -> bool:
        there = self.needs is None or self.needs.exists()
        return there and (not self.command or shutil.which(self.command[0]) is not None)

    def open(self, work: Path, upstream: tuple[str, ...] = UPSTREAM) -> Connection:
        for name, text in self.files.items():
            (work / name).write_text(text.replace("{WORK}", str(work)))
        command = [part.replace("{WORK}", str(work)) for part in self.command]
        env = {
            **os.environ,
            "HOME": str(work),
            "XDG_STATE_HOME": str(work),
            "PATH": f"{Path(PYTHON).parent}{os.pathsep}{os.environ['PATH']}",
        }
        # What is installed has its bytecode. In a working tree the first start writes it, unless it is told not to.
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        return Connection([*command, *upstream], cwd=work, env=env, upstream=upstream)


def ours(name: str, policy: str, *options: str) -> Subject:
    script = Path(PYTHON).with_name("intercept")
    return Subject(name, (str(script), "--policy", "{WORK}/policy.yaml", *options, "--"), {"policy.yaml": policy})


DIRECT = Subject("direct", (), enforces=False)
CAT = Subject("cat", ("sh", "-c", 'cat | "$@" | cat', "sh"), enforces=False)
PUMP = Subject("pump", (PYTHON, "-S", "-E", str(HERE / "pump.py")), enforces=False)
OURS = ours("intercept", policies.relay_policy(), "--audit", "off")
OURS_LIMITS = ours("intercept-limits", policies.limits_policy(), "--audit", "off")
OURS_AUDIT = ours("intercept-audit", policies.relay_policy())
OURS_DURABLE = ours("intercept-durable", policies.limits_policy(scope="grant"))


VENVS = Path(os.environ.get("PEER_VENVS", "peers")).absolute()
NPM = Path(os.environ.get("PEER_NPM", "peers/npm")).absolute()


def _in_venv(name: str, program: str) -> str:
    return str(VENVS / name / "bin" / program)


PEERS = (
    Subject(
        "mcp-warden",
        (
            _in_venv("mcp-warden", "mcp-warden"),
            "both",
            "--audit-log",
            "{WORK}/audit.jsonl",
            "--block-tool",
            "danger",
            "--",
        ),
    ),
    Subject(
        "bastiongateway",
        (
            _in_venv("bastiongateway", "bastiongate"),
            "run",
            "--policy",
            "{WORK}/p.yaml",
            "--log",
            "{WORK}/gate.jsonl",
            "--",
        ),
        {"p.yaml": "default: allow\ndeny: [danger]\nscrub_args: false\n"},
    ),
    Subject(
        "mcp-gate-policy",
        (
            _in_venv("mcp-gate-policy", "mcp-gate"),
            *("run", "--policy", "{WORK}/p.json", "--audit", "{WORK}/a.jsonl", "--fail", "closed", "--"),
        ),
        {
            "p.json": '{"name": "bench", "version": "1", "default_effect": "allow",'
            ' "rules": [{"id": "no-danger", "effect": "deny", "tools": ["danger"], "reason": "no danger"}]}'
        },
    ),
    Subject(
        "agentguard-mcp",
        (
            _in_venv("agentguard-mcp", "agentguard"),
            "run",
            "--config",
            "{WORK}/p.yaml",
            "--audit-log",
            "{WORK}/a.log",
            "--",
        ),
        {"p.yaml": "unclassified_arguments: allow\nfile_access: {enabled: false}\ntools: {danger: {enabled: false}}\n"},
    ),
    Subject(
        "agentbelay",
        (
            _in_venv("agentbelay", "belay"),
            *("mcp", "--policy", "{WORK}/b.yaml", "--name", "s", "--audit", "{WORK}/audit.jsonl", "--"),
        ),
        {
            "b.yaml": "version: 1\nname: bench\ndefault: allow\nrules:\n"
            "  - {id: no-danger, action: deny, message: no danger, match: {tool: mcp__s__danger}}\n"
        },
    ),
    Subject(
        "civic-passthrough",
        ("node", str(NPM / "civic_peer.mjs")),
        needs=NPM / "node_modules" / "@civic" / "passthrough-mcp-server",
    ),
)

SUBJECTS = {subject.name: subject for subject in (CAT, PUMP, OURS, OURS_LIMITS, OURS_AUDIT, OURS_DURABLE, *PEERS)}


def server_everything() -> tuple[str, ...] | None:
    """The command of npm `@modelcontextprotocol/server-everything`, if it is installed."""
    package = Path("node_modules/@modelcontextprotocol/server-everything/dist/index.js")
    for place in (HERE.parent / "e2e" / "node", NPM):
        if (place / package).exists() and (node := shutil.which("node")):
            return (node, str(place / package), "stdio")
    return None
