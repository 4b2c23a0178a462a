"""A policy file that changes while the proxy runs."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .rawclient import PATIENCE, PROXY, Missing, RawClient, call
from .upstreams import KINDS, ran


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.yaml"
    path.write_text("default: deny\ntools: {safe: {rate_limit: 2/minute}}\n")
    return path


@pytest.fixture
def client(policy: Path, tmp_path: Path) -> Iterator[RawClient]:
    command = [*PROXY, "--policy", str(policy), "--", *KINDS["python_lines"], str(tmp_path / "journal")]
    with RawClient(command, tmp_path / "stderr") as client:
        client.handshake()
        yield client


def is_denied(client: RawClient, tool: str, id: int) -> bool:  # noqa: A002
    client.send(call(tool, id))
    _, answer = client.until(id)
    return bool(answer["result"].get("isError", False))


def wait_for(client: RawClient, words: str) -> None:
    """Until the operator was told `words`, which is the event that the tests here wait for."""
    deadline = time.monotonic() + PATIENCE
    while words not in client.words():
        if time.monotonic() > deadline:
            raise Missing(f"`{words}` was not said; stderr: {client.words()}")
        client.process.poll()
        os.sched_yield()


def test_a_saved_policy_decides_the_next_call_and_counters_are_kept(
    client: RawClient, policy: Path, tmp_path: Path
) -> None:
    assert not is_denied(client, "safe", 1)
    assert is_denied(client, "echo", 2)

    policy.write_text("default: deny\ntools: {echo: {}, safe: {rate_limit: 2/minute}}\n")
    wait_for(client, "reloaded the policy")

    assert not is_denied(client, "echo", 3)
    assert not is_denied(client, "safe", 4)
    assert is_denied(client, "safe", 5)
    assert ran(tmp_path / "journal") == ["safe", "echo", "safe"]


def test_a_broken_policy_keeps_the_old_one_and_says_where_it_is_broken(client: RawClient, policy: Path) -> None:
    policy.write_text("default: deny\ntools: {echo: {}, safe: {}}\nhidden: []\n")
    wait_for(client, "policy.yaml:3:1: error:")

    assert is_denied(client, "echo", 1)
    assert not is_denied(client, "safe", 2)

    policy.write_text("default: allow\n")
    wait_for(client, "reloaded the policy")
    assert not is_denied(client, "echo", 3)


def test_a_removed_policy_keeps_the_old_one(client: RawClient, policy: Path) -> None:
    policy.unlink()
    wait_for(client, "the old one stays in force")

    assert is_denied(client, "echo", 1)


def test_without_reload_a_change_is_not_looked_at(policy: Path, tmp_path: Path) -> None:
    """Another session that does reload proves that there was time to see the change."""
    command = ["--policy", str(policy), "--", *KINDS["python_lines"], str(tmp_path / "journal")]
    with (
        RawClient([*PROXY, "--no-reload", *command], tmp_path / "stderr") as fixed,
        RawClient([*PROXY, *command], tmp_path / "stderr-other") as watching,
    ):
        fixed.handshake()
        watching.handshake()
        policy.write_text("default: allow\n")
        wait_for(watching, "reloaded the policy")
        policy.write_text("default: allow\nhide: [x]\n")
        wait_for(watching, "reloaded the policy")

        assert not is_denied(watching, "echo", 1)
        assert is_denied(fixed, "echo", 1)


def test_a_proxy_in_shadow_mode_stays_in_it_whatever_is_loaded(policy: Path, tmp_path: Path) -> None:
    command = ["--shadow", "--policy", str(policy), "--", *KINDS["python_lines"], str(tmp_path / "journal")]
    with RawClient([*PROXY, *command], tmp_path / "stderr") as client:
        client.handshake()
        wait_for(client, "shadow mode: decisions are recorded and nothing is refused")
        assert not is_denied(client, "echo", 1)
        policy.write_text("mode: enforce\ndefault: deny\n")
        wait_for(client, "reloaded the policy")
        assert not is_denied(client, "echo", 2)
