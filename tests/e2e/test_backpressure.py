"""Neither side's speed decides how much memory the proxy takes, and no full pipe is a dead end."""

from __future__ import annotations

import json
import re
import resource
from pathlib import Path

from .fifo import Fifo
from .misbehaving import GUARDED, IDLE, MIB, NO_SAMPLING, peak, ping_pong, say, session
from .rawclient import PATIENCE, RawClient, call, line


def test_a_flood_on_stderr_delays_nothing(tmp_path: Path) -> None:
    with session(tmp_path) as client:
        client.send(call("flood_errors", 7, size=20 * MIB))
        client.until(7)
        assert peak(client) < IDLE
        assert client.end() == 0


def test_a_client_that_does_not_read_holds_up_the_server(tmp_path: Path) -> None:
    with Fifo(tmp_path / "report") as report, session(tmp_path, shake=False, reading=False) as client:
        client.send(call("flood", 7, size=96 * MIB, report=report.path))
        assert report.read().startswith("stalled")
        assert peak(client) < IDLE + 16
        client.start_reading()
        before, _ = client.until(7)
        assert [json.loads(frame)["params"]["data"][0] for frame in before] == list(range(len(before)))
        assert len(before) > 90_000
        assert peak(client) < IDLE + 16
        assert client.end() == 0


def test_a_server_that_does_not_read_holds_up_the_client(tmp_path: Path) -> None:
    with Fifo(tmp_path / "gate") as gate, session(tmp_path) as client:
        client.send(call("deaf", "deaf", until=gate.path))
        calls = b"".join(call("ok", number, text="x" * 1000) for number in range(20_000))
        unsent = client.offer(calls, within=1)
        assert unsent > 0
        assert peak(client) < IDLE + 16
        gate.release()
        client.send(calls[len(calls) - unsent :])
        before, _ = client.until(19_999)
        answered = [json.loads(frame)["id"] for frame in before]
        assert answered == ["deaf", *range(19_999)]
        assert peak(client) < IDLE + 16
        assert client.end() == 0


def test_both_pipes_full_is_no_dead_end(tmp_path: Path) -> None:
    with Fifo(tmp_path / "report") as report, session(tmp_path, GUARDED, shake=False, reading=False) as client:
        client.send(call("flood", "flood", size=32 * MIB, report=report.path))
        assert report.read().startswith("stalled")
        calls = b"".join(call("denied" if number % 2 else "ok", number, text="x" * 1000) for number in range(12_000))
        unsent = client.offer(calls, within=1)
        assert unsent > 0
        assert peak(client) < IDLE + 32
        client.start_reading()
        client.send(calls[len(calls) - unsent :])
        answered: set[object] = set()
        while len(answered) < 12_001:
            frame = client.next_frame()
            assert frame is not None
            message = json.loads(frame)
            if "method" not in message:
                assert message["id"] not in answered
                answered.add(message["id"])
        assert answered == {"flood", *range(12_000)}
        assert peak(client) < IDLE + 32
        assert client.end() == 0


def test_denials_for_a_client_that_does_not_read_take_bounded_memory(tmp_path: Path) -> None:
    with session(tmp_path, GUARDED, shake=False, reading=False) as client:
        calls = b"".join(call("denied", number) for number in range(40_000))
        unsent = client.offer(calls, within=1)
        assert peak(client) < IDLE + 32
        client.start_reading()
        client.send(calls[len(calls) - unsent :])
        frames = [client.next_frame() for _ in range(40_000)]
        assert [json.loads(frame or b"{}").get("id") for frame in frames] == list(range(40_000))
        ping_pong(client)
        assert client.end() == 0


def test_declines_for_a_server_that_does_not_read_take_bounded_memory_and_delay_no_answer(tmp_path: Path) -> None:
    with session(tmp_path, NO_SAMPLING) as client:
        client.send(call("ask", 7, method="sampling/createMessage", times=60_000))
        before, answer = client.until(7)
        assert "result" in answer
        assert before == []
        assert peak(client) < IDLE + 32


def test_a_server_that_asks_under_endless_ids_takes_bounded_memory(tmp_path: Path) -> None:
    with session(tmp_path) as client:
        client.send(call("ask", 7, method="roots/list", times=24, length=8 * MIB))
        client.until(7)
        assert peak(client) < IDLE + 100
        assert client.end() == 0


def test_endless_names_take_bounded_memory(tmp_path: Path) -> None:
    with session(tmp_path) as client:
        for number in range(10, 22):
            name = f"{number}" * (4 * MIB // 2)
            client.send(
                line(name, id=f"method {number}") + call("ok", f"key {number}")[:-2] + f',"{name}":1}}\n'.encode()
            )
            client.send(call("ok", number, **{name: 1}))
            client.until(number)
        assert peak(client) < IDLE + 100
        assert client.end() == 0


def test_endless_keys_of_a_server_take_bounded_memory(tmp_path: Path) -> None:
    with session(tmp_path) as client:
        for number in range(10, 30):
            key = f"{number}" * (2 * MIB // 2)
            client.send(
                say(f'{{"jsonrpc":"2.0","method":"notifications/message","{key}":1}}\n'.encode(), 1000 + number)
            )
        ping_pong(client)
        assert peak(client) < IDLE + 100
        assert client.end() == 0


def test_a_line_above_the_limit_ends_the_server_and_fails_what_waits(tmp_path: Path) -> None:
    with Fifo(tmp_path / "report") as report, session(tmp_path) as client:
        _forbid_more_memory(client, than=256 * MIB)
        client.send(call("hold", 1) + call("endless", 2, size=512 * MIB, report=report.path))
        frames = [json.loads(frame) for frame in client.rest()]
        assert client.process.wait(PATIENCE) != 0
    assert [frame["id"] for frame in frames if "error" in frame] == [1, 2]


def test_a_line_below_the_limit_passes(tmp_path: Path) -> None:
    with session(tmp_path) as client:
        client.send(call("big", 7, size=60 * MIB))
        _, answer = client.until(7)
        assert len(answer["result"]["content"][0]["text"]) == 60 * MIB
        assert peak(client) < IDLE + 5 * 60
        assert client.end() == 0


def _forbid_more_memory(client: RawClient, *, than: int) -> None:
    """Let the proxy fail when it asks for `than` bytes more than it has now (its peak cannot be read once it ended)."""
    status = Path(f"/proc/{client.process.pid}/status").read_text(encoding="ascii")
    found = re.search(r"^VmSize:\s+(\d+) kB$", status, re.MULTILINE)
    assert found is not None
    limit = int(found[1]) * 1024 + than
    resource.prlimit(client.process.pid, resource.RLIMIT_AS, (limit, limit))
