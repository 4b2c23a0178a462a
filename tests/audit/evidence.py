"""Whole proxies whose logs are compared with what really happened."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from intercept.audit.reading import files_of, records_of, verify

POLICY = "default: deny\ntools: {echo: {limits: [{max: 1000000, window: hour}]}, safe: {}, drop: {action: deny}}\n"

UPSTREAM = r"""
import json, os, sys
journal = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
out = sys.stdout.buffer
for line in sys.stdin.buffer:
    message = json.loads(line)
    if message.get("method") == "tools/call":
        text = json.dumps(message["params"]["arguments"], sort_keys=True, separators=(",", ":"))
        os.write(journal, text.encode() + b"\n")
    if "id" in message:
        result = {"content": [], "isError": message["id"] % 7 == 0}
        out.write(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}).encode() + b"\n")
        out.flush()
"""
"""A server that keeps the arguments of every call before it answers; each seventh is an error of the tool."""


def command(folder: Path, audit: Path, *options: str) -> list[str]:
    """A proxy before that server, with its policy and journal in `folder`."""
    (folder / "policy.yaml").write_text(POLICY)
    (folder / "server.py").write_text(UPSTREAM)
    server = [sys.executable, "-S", "-E", str(folder / "server.py"), str(folder / "journal")]
    return [
        *(sys.executable, "-m", "intercept", "--policy", str(folder / "policy.yaml"), "--no-reload"),
        *("--audit", str(audit), *options, "--", *server),
    ]


@contextmanager
def proxy(arguments: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A running proxy; whatever becomes of it, it is over at the end."""
    process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            assert stream is not None
            with suppress(BrokenPipeError):
                stream.close()


def calls(count: int, first: int = 1) -> bytes:
    """`count` calls, of which each one has arguments of its own; every fifth is refused."""
    return b"".join(
        json.dumps({
            "jsonrpc": "2.0", "id": n, "method": "tools/call",
            "params": {"name": "drop" if n % 5 == 0 else "echo", "arguments": {"n": n, "pad": "x" * (n % 50)}},
        }).encode() + b"\n"
        for n in range(first, first + count)
    )  # fmt: skip


def received(folder: Path) -> set[str]:
    """The digests of the arguments of all calls that the server got."""
    journal = folder / "journal"
    lines = journal.read_bytes().splitlines() if journal.exists() else []
    return {hashlib.sha256(line).hexdigest() for line in lines}


def decided(audit: Path) -> set[str]:
    """The digests of the arguments of all calls that are on record as allowed."""
    return {
        str(record.body["arguments_sha256"])
        for record in records_of(files_of([str(audit)]))
        if record.type == "decision" and record.body["decision"] == "allow"
    }


class Killed(NamedTuple):
    """What a proxy left behind that was killed under load."""

    problem: str
    """What is wrong with its log, which should be nothing."""
    torn: int = 0
    """Sessions whose last line is torn."""
    received: int = 0
    """Calls that reached the server."""


def killed(folder: Path, audit: Path, randomly: random.Random, *, before: int = 0) -> Killed:
    """Kill a proxy under load that records to `audit`, in which as many were killed `before`."""
    first, had = before * 100_000 + 1, len(received(folder))
    with proxy(command(folder, audit)) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        answers = 0
        until = randomly.randrange(1, 400)

        def load(into: int) -> None:
            for next_one in range(first, first + 100_000, 20):
                try:
                    os.write(into, calls(20, next_one))
                except OSError:
                    return

        writer = threading.Thread(target=load, args=(process.stdin.fileno(),))
        writer.start()
        while answers < until and process.stdout.readline():
            answers += 1
        # At any point of what is done with a call, not only after an answer.
        threading.Event().wait(randomly.random() * 0.002)
        process.send_signal(signal.SIGKILL)
        while process.stdout.read(65536):
            pass
        writer.join()
        # The server, which reads what the proxy left in its pipe, has inherited stderr: its end is theirs.
        assert process.stderr is not None
        process.stderr.read()
    report = verify([str(audit)])
    if report.faults:
        return Killed(str(report.faults[0]))
    if len(report.sessions) != before + 1 or any(session.ended for session in report.sessions):
        return Killed("a killed session is not reported as open")
    got = received(folder)
    if unrecorded := got - decided(audit):
        return Killed(f"{len(unrecorded)} calls reached the server and are not on record")
    torn = sum(session.torn for session in report.sessions)
    return Killed("" if answers == until else f"{answers} answers, not {until}", torn, len(got) - had)


def counted(folder: Path, count: int) -> Counter[str]:
    """How many calls, decisions of each kind and outcomes of each kind there are after `count` calls."""
    audit = folder / "audit"
    with proxy(command(folder, audit)) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        stdin = process.stdin

        def load() -> None:
            for first in range(1, count + 1, 500):
                stdin.write(calls(min(500, count + 1 - first), first))
            stdin.flush()

        writer = threading.Thread(target=load)
        writer.start()
        for _ in range(count):
            assert process.stdout.readline()
        writer.join()
        stdin.close()
        assert process.wait(30) == 0
    report = verify([str(audit)])
    assert report.faults == ()
    assert report.sessions[0].ended
    found: Counter[str] = Counter(calls=count)
    for record in records_of([report.sessions[0].path]):
        if record.type in {"decision", "outcome"}:
            found[f"{record.type} {record.body[str(record.type)]}"] += 1
            found[f"{record.type}s"] += 1
    found["received"] = len(received(folder))
    return found
