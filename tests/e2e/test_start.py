"""What the proxy costs before it relays, and what it says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from .rawclient import PROXY, RawClient, proxy
from .upstreams import KINDS

OURS = {
    "intercept",
    "yaml",
    "_yaml",
}
"""Packages that may be loaded when the first byte is relayed, beside the standard library."""

HEAVY = {
    "mcp",
    "mcp_types",
    "pydantic",
    "anyio",
    "asyncio",
    "jsonschema_rs",
    "sqlite3",
    "ssl",
    "http",
    "multiprocessing",
    "subprocess",
    "dataclasses",
    "inspect",
}
"""What must not be: each costs the client 10 ms or more of its start (tests/bench)."""


def imported(log: str) -> set[str]:
    return set(re.findall(r"import time:.*\| +([\w.]+)$", log, re.MULTILINE))


def test_nothing_is_imported_before_the_first_byte_but_what_loading_a_policy_needs(tmp_path: Path) -> None:
    """Python logs each import to stderr; the start line comes after the pumps have started."""
    policy = tmp_path / "policy.yaml"
    policy.write_text("default: deny\ntools: {safe: {rate_limit: 30/minute}}\n")
    command = [sys.executable, "-X", "importtime", *PROXY[1:], "--policy", str(policy), "--"]
    with RawClient([*command, *KINDS["python_lines"], str(tmp_path / "journal")], tmp_path / "stderr") as client:
        client.handshake()
        client.end()
        early, _, late = client.words().partition("intercept: version ")

    assert "intercept.relay" in imported(early)
    bare = subprocess.run([sys.executable, "-X", "importtime", "-c", ""], capture_output=True, text=True, check=True)
    # The standard library's `copy` tries to import Jython's `org`.
    packages = {name.partition(".")[0] for name in imported(early) - imported(bare.stderr)} - {"org"}
    assert packages - set(sys.stdlib_module_names) <= OURS
    assert not packages & HEAVY
    assert not {name.partition(".")[0] for name in imported(late)} & HEAVY


def test_the_start_line_names_the_policies_and_what_an_author_should_know(tmp_path: Path) -> None:
    first, second, data = tmp_path / "first.yaml", tmp_path / "second.yaml", tmp_path / "data"
    data.mkdir()
    first.write_text("tools: {safe: {limits: [{max: 1, window: 60, scope: grant}]}}\n")
    second.write_text("default: allow\n")
    command = proxy(first, *KINDS["python_lines"], str(tmp_path / "journal"), f"--root={data}")
    options = ["--grant", "ana", "--state", str(data / "state.sqlite")]
    command = [*PROXY, "--policy", str(first), "--policy", str(second), *options, *command[command.index("--") :]]
    with RawClient(command, tmp_path / "stderr") as client:
        client.handshake()
        client.end()
        words = client.words()

    assert all(line.startswith("intercept: ") for line in words.splitlines())
    assert str(first) in words
    assert str(second) in words
    assert "default" in words, "a policy without `default` denies, and says so"
    assert f"intercept: counting for grant `ana` in {data / 'state.sqlite'}\n" in words
    assert f"warning: the state file {data / 'state.sqlite'} lies under `--root={data}`" in words
    assert words.count("warning") == 1


@pytest.mark.parametrize("shape", ["{folder}", "--root={folder}", "{folder}/policy.yaml"])
def test_a_policy_that_the_server_s_tools_could_rewrite_is_warned_of(shape: str, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("default: allow\n")
    argument = shape.format(folder=tmp_path)
    journal = tmp_path / "journal"
    with RawClient(proxy(policy, *KINDS["python_lines"], str(journal), argument), tmp_path / "stderr") as client:
        client.handshake()
        client.end()

    assert f"warning: the policy {policy} lies under `{argument}`" in client.words()
