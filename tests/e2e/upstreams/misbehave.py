"""A server whose tools are the ways to break the protocol. The client says which, when, and with which bytes.

`--tools SIZE` makes its list of tools about that many bytes long; `--stubborn` makes it ignore SIGTERM, SIGHUP and the
end of its input from the start.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any

Arguments = dict[str, Any]

scripted: dict[str, bytes] = {}


def frame(message: dict[str, Any]) -> bytes:
    return json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n"


def write(data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(1, view) :]


def answer(request: object, text: str = "done") -> None:
    write(frame({"id": request, "result": {"content": [{"type": "text", "text": text}]}}))


def say(request: object, given: Arguments) -> None:
    """Write the bytes of `hex`, `times` over; the answer to the call, if any, is among them."""
    data = bytes.fromhex(given["hex"])
    for _ in range(given.get("times", 1)):
        write(data)


def drip(request: object, given: Arguments) -> None:
    """Write the bytes of `hex` one by one."""
    for byte in bytes.fromhex(given["hex"]):
        write(bytes([byte]))


def ok(request: object, given: Arguments) -> None:
    answer(request, given.get("text", "done"))


def hold(request: object, given: Arguments) -> None:
    """Leave the call without an answer."""


def big(request: object, given: Arguments) -> None:
    """Answer with `size` bytes of text."""
    answer(request, "x" * given["size"])
    if "exit" in given:
        os._exit(given["exit"])


def endless(request: object, given: Arguments) -> None:
    """Write `size` bytes without a single newline."""
    block = b"x" * (1 << 20)
    write(b'{"jsonrpc":"2.0","method":"notifications/message","params":{"data":"')
    for _ in range(given["size"] >> 20):
        write(block)
    report(given["report"], "all of it was read")


def leave(request: object, given: Arguments) -> None:
    """Exit with `code`, or of `signal`, after writing the bytes of `hex`."""
    write(bytes.fromhex(given.get("hex", "")))
    if "signal" in given:
        os.kill(os.getpid(), given["signal"])
    os._exit(given["code"])


def close_output(request: object, given: Arguments) -> None:
    """Close stdout and live on, deaf to the end of the input."""
    os.close(1)
    while True:
        signal.pause()


def flood_errors(request: object, given: Arguments) -> None:
    """Write `size` bytes to stderr, then answer."""
    block = b"e" * 1023 + b"\n"
    for _ in range(given["size"] // len(block)):
        os.write(2, block)
    answer(request)


def flood(request: object, given: Arguments) -> None:
    """Send `size` bytes of numbered notifications; tell `report` when nobody takes any for a second. Then answer."""
    stalled = False
    sent = 0
    os.set_blocking(1, False)
    for data in numbered(given["size"]):
        view = memoryview(data)
        while view:
            if not stalled and not select.select([], [1], [], 1)[1]:
                stalled = True
                report(given["report"], f"stalled after {sent}")
            select.select([], [1], [])
            try:
                written = os.write(1, view)
            except BlockingIOError:
                continue
            view = view[written:]
            sent += written
    os.set_blocking(1, True)
    if not stalled:
        report(given["report"], "never stalled")
    answer(request)


def numbered(size: int) -> Iterator[bytes]:
    sent = number = 0
    while sent < size:
        data = frame({"method": "notifications/message", "params": {"level": "info", "data": [number, "x" * 1000]}})
        yield data
        sent += len(data)
        number += 1


def ask(request: object, given: Arguments) -> None:
    """Send `times` requests of `method` without reading an answer to any, then answer the call."""
    for number in range(given["times"]):
        about = {"method": given["method"], "id": f"{number}-{'i' * given.get('length', 8)}", "params": {}}
        write(frame(about))
    answer(request)


def deaf(request: object, given: Arguments) -> None:
    """Read nothing until somebody writes to the pipe `until`, then answer."""
    pipe = os.open(given["until"], os.O_RDONLY)
    os.read(pipe, 1)
    os.close(pipe)
    answer(request)


def script(request: object, given: Arguments) -> None:
    """From now on answer requests of `method` with the bytes of `hex`."""
    scripted[given["method"]] = bytes.fromhex(given["hex"])
    answer(request)


def report(path: str, text: str) -> None:
    pipe = os.open(path, os.O_WRONLY)
    os.write(pipe, text.encode())
    os.close(pipe)


TOOLS: dict[str, Callable[[object, Arguments], None]] = {
    tool.__name__: tool
    for tool in (say, drip, ok, hold, big, script, endless, leave, close_output, flood_errors, flood, ask, deaf)
}


def catalogue() -> list[dict[str, Any]]:
    size = int(sys.argv[2]) if sys.argv[1:2] == ["--tools"] else 0
    names = [*TOOLS, *(f"filler_{n:05d}" for n in range(size // 1000))]
    pad = "x" * 900 if size else ""
    return [{"name": name, "description": pad, "inputSchema": {"type": "object"}} for name in names]


def serve(message: dict[str, Any]) -> None:
    request, params = message.get("id"), message.get("params", {})
    match message.get("method"):
        case method if method in scripted:
            write(scripted[method])
        case "initialize":
            about = {"name": "misbehave", "version": "1"}
            capabilities: dict[str, Any] = {"tools": {}, "logging": {}}
            result = {"protocolVersion": "2025-06-18", "capabilities": capabilities, "serverInfo": about}
            write(frame({"id": request, "result": result}))
        case "server/discover":
            result = {"resultType": "complete", "supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}}}
            write(frame({"id": request, "result": {**result, "ttlMs": 0, "cacheScope": "private"}}))
        case "tools/list":
            write(frame({"id": request, "result": {"tools": catalogue()}}))
        case "tools/call":
            TOOLS[params["name"]](request, params.get("arguments", {}))
        case None:
            # The client's answer to a request of ours: say what came.
            write(frame({"method": "notifications/message", "params": {"level": "info", "data": message}}))
        case _ if request is not None:
            write(frame({"id": request, "result": {}}))


stubborn = sys.argv[1:] == ["--stubborn"]
if stubborn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
for line in sys.stdin.buffer:
    serve(json.loads(line))
while stubborn:
    signal.pause()
