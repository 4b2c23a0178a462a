"""What outlives a session: limits that two clients at once share, that a restart keeps, and what a grant did before."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.limits.redis_server import RedisServer

from .peers.scenarios import SERVERS
from .rawclient import PATIENCE, PROXY, RawClient, call
from .upstreams import KINDS, received

SHARED = """
default: deny
tools:
  get-sum: {limits: [{counter: sums, max: 5, window: day, scope: grant}]}
  echo: {limits: [{max: 3, window: hour, scope: global}]}
"""
GUARDED = """
default: deny
tools:
  safe: {}
  echo: {}
  danger: {action: deny, after: safe, after_scope: grant, reason: After safe there is no danger.}
"""
SLOTS = "default: deny\ntools: {hold: {limits: [{max_concurrent: 1, scope: grant}]}, release: {}, safe: {}}\n"


class Proxies:
    """Starts proxies that share one policy and one state file."""

    def __init__(self, folder: Path, policy: str, *server: str) -> None:
        self.folder = folder
        self.policy = folder / "policy.yaml"
        self.policy.write_text(policy)
        self.state = folder / "state" / "counters.sqlite"
        self._server = server
        self._started = 0

    def start(self, grant: str, place: str | None = None) -> RawClient:
        """Count in the state file, or in `place`, which the environment names then."""
        self._started += 1
        options = ["--policy", str(self.policy), "--grant", grant]
        environment = {} if place is None else {"INTERCEPT_STATE": place}
        options += ["--state", str(self.state)] if place is None else []
        return RawClient([*PROXY, *options, "--", *self._server], self.folder / f"stderr{self._started}", environment)

    def status(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [*PROXY, "status", *words, "--state", str(self.state)]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=self.folder)


def outcome(client: RawClient, number: int, tool: str, **arguments: object) -> str:
    """Empty if the call passed, else what the model reads."""
    client.send(call(tool, number, **arguments))
    _, answer = client.until(number)
    result: dict[str, Any] = answer["result"]
    return str(result["content"][0]["text"]) if result.get("isError") else ""


def arrived(journal: Path, request: int) -> None:
    """Wait until a call has reached a server: one whose decision takes a while is overtaken by those behind it."""
    deadline = time.monotonic() + PATIENCE
    while not any(json.loads(line).get("id") == request for line in received(journal)):
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.fixture
def everything(tmp_path: Path, node_modules: Path) -> Proxies:
    (server,) = [server for server in SERVERS if server.name == "everything"]
    return Proxies(tmp_path, SHARED, *server.command(tmp_path))


def test_two_clients_at_once_share_a_limit_that_a_restart_keeps_and_another_grant_does_not_see(
    everything: Proxies,
) -> None:
    with everything.start("ana") as one, everything.start("ana") as two, everything.start("ben") as other:
        for client in (one, two, other):
            client.handshake()
        for number, client in enumerate((one, two, one, two)):
            assert outcome(client, number, "get-sum", a=1, b=2) == ""
        assert one.end() == two.end() == 0
        assert outcome(other, 0, "get-sum", a=1, b=2) == ""
    with everything.start("ana") as again:
        again.handshake()
        assert outcome(again, 0, "get-sum", a=1, b=2) == ""
        assert outcome(again, 1, "get-sum", a=1, b=2).startswith(
            "Policy violation: limit of 5 calls per day for `get-sum` is used up. Retry in 8"
        )

    left = {
        (row["counter"], row["grant"]): (row["scope"], row["used"], row["left"], row["max"], row["window_s"])
        for row in json.loads(everything.status("--format", "json").stdout)["limits"]
    }
    assert left == {("sums", "ana"): ("grant", 5, 0, 5, 86_400), ("sums", "ben"): ("grant", 1, 4, 5, 86_400)}


def test_a_global_limit_is_one_for_all_grants(everything: Proxies) -> None:
    with everything.start("ana") as one, everything.start("ben") as two:
        for number, client in enumerate((one, two, one, two)):
            if number < 2:
                client.handshake()
            assert (outcome(client, number, "echo", message="hi") == "") is (number < 3)

    assert oct(os.stat(everything.state).st_mode)[-3:] == "600"


def test_the_operator_gives_a_budget_back_and_a_proxy_that_runs_sees_it(everything: Proxies) -> None:
    with everything.start("ana") as client, everything.start("ben") as other:
        client.handshake()
        other.handshake()
        assert [outcome(client, number, "get-sum", a=1, b=2) == "" for number in range(6)] == [True] * 5 + [False]
        assert outcome(other, 0, "get-sum", a=1, b=2) == ""

        reset = everything.status("reset", "sums", "--grant", "ana")
        again = everything.status("reset", "sums", "--grant", "ana")

        assert (reset.returncode, reset.stderr) == (0, "")
        assert reset.stdout == f"emptied {everything.policy}: limit `sums` (grant `ana`): 5 of 5 per day used\n"
        assert again.returncode == 1
        assert again.stderr == "intercept: no counter called `sums` holds anything here\n"
        assert outcome(client, 9, "get-sum", a=1, b=2) == ""
    told = everything.status("-p", str(everything.policy)).stdout.splitlines()
    assert sorted(line.partition(" left; ")[0] for line in told) == [
        f"{everything.policy}: limit `echo#1` (global): 0 of 3 calls per hour used, 3 left",
        f"{everything.policy}: limit `sums` (grant `ana`): 1 of 5 calls per day used, 4",
        f"{everything.policy}: limit `sums` (grant `ben`): 1 of 5 calls per day used, 4",
    ]


def test_what_a_grant_was_answered_in_one_session_holds_in_the_next(tmp_path: Path) -> None:
    proxies = Proxies(tmp_path, GUARDED, *KINDS["python_lines"], str(tmp_path / "journal"))
    with proxies.start("ana") as one, proxies.start("ana") as beside, proxies.start("ben") as other:
        for client in (one, beside, other):
            client.handshake()
        assert outcome(beside, 0, "danger") == ""
        assert outcome(one, 0, "safe") == ""
        assert "After safe there is no danger." in outcome(beside, 1, "danger")
        assert outcome(beside, 2, "echo") == ""
        assert outcome(other, 1, "danger") == ""
    with proxies.start("ana") as again:
        again.handshake()
        assert "After safe there is no danger." in outcome(again, 0, "danger")
        assert proxies.status("forget", "--grant", "ana").stdout == "forgot 1 tool that was answered to grant `ana`\n"
        assert outcome(again, 1, "danger") == ""


def test_a_slot_of_a_call_in_flight_is_held_for_all_sessions_of_the_grant_until_it_is_answered(tmp_path: Path) -> None:
    proxies = Proxies(tmp_path, SLOTS, *KINDS["python_lines"], str(tmp_path / "journal"))
    with proxies.start("ana") as one, proxies.start("ana") as two:
        one.handshake()
        two.handshake()
        one.send(call("hold", 10))
        arrived(tmp_path / "journal", 10)
        assert "limit of 1 call at a time for `hold` is used up." in outcome(two, 0, "hold")
        one.send(call("release", 2))
        one.until(10)
        two.send(call("hold", 13))
        arrived(tmp_path / "journal", 13)
        two.send(call("release", 4))
        assert "isError" not in two.until(4, 13)[1]["result"]


def test_a_state_file_that_cannot_be_used_denies_what_needs_it_and_nothing_else(tmp_path: Path) -> None:
    proxies = Proxies(
        tmp_path,
        "default: deny\ntools: {echo: {limits: [{max: 3, window: hour, scope: grant}]}, safe: {}}\n",
        *KINDS["python_lines"],
        str(tmp_path / "journal"),
    )
    proxies.state.parent.mkdir()
    proxies.state.write_bytes(b"no database at all, but long enough to be looked at" * 100)
    with proxies.start("ana") as client:
        client.handshake()
        assert outcome(client, 0, "safe") == ""
        assert "the limits of this call cannot be looked at: the state file is damaged." in outcome(client, 1, "echo")
        assert str(proxies.state) in client.words()
        told = proxies.status()
        assert (told.returncode, told.stdout) == (1, "")
        assert told.stderr.startswith("intercept: the state file is damaged: ")
        assert str(proxies.state) in told.stderr
        proxies.state.unlink()
        assert outcome(client, 2, "echo") == ""


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    with tempfile.TemporaryDirectory(prefix="redis-") as directory:  # a short path, as sockets need one
        server = RedisServer(Path(directory), "--appendonly", "yes", "--appendfsync", "always", "--save", "3600 1")
        server.start()
        yield server
        server.stop()


def test_proxies_of_several_machines_share_a_server_that_may_go_and_come_back(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    proxies = Proxies(
        tmp_path,
        "default: deny\ntools: {echo: {limits: [{max: 4, window: day, scope: grant}]}, safe: {}}\n",
        *KINDS["python_lines"],
        str(tmp_path / "journal"),
    )
    place = redis_server.url
    with proxies.start("ana", place) as one, proxies.start("ana", place) as two, proxies.start("ben", place) as other:
        for client in (one, two, other):
            client.handshake()
        assert [outcome(client, 0, "echo") for client in (one, two, other)] == ["", "", ""]

        redis_server.stop()
        assert "the limits of this call cannot be looked at: the state server cannot" in outcome(one, 1, "echo")
        assert outcome(one, 2, "safe") == ""
        assert "look at unix://" in one.words()

        redis_server.start()
        assert [outcome(client, 3, "echo") for client in (one, two)] == ["", ""]
        for client in (one, two):
            assert "limit of 4 calls per day for `echo` is used up." in outcome(client, 4, "echo")
        assert outcome(other, 4, "echo") == ""
    assert not proxies.state.exists()


def test_the_server_is_not_told_where_counters_are_kept(tmp_path: Path) -> None:
    tell = "import os, sys; sys.stderr.write(f'{sorted(os.environ)}')"
    proxies = Proxies(tmp_path, "default: allow\n", sys.executable, "-c", tell)
    with proxies.start("ana", "redis://:s3cret@127.0.0.1:1/0") as client:
        client.end()
        assert "'PATH'" in client.words()
        assert "INTERCEPT_STATE" not in client.words()
        assert "s3cret" not in client.words()
