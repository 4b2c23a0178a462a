"""Asking a live server what it offers, and keeping it as it came.

Not with the SDK, which reads definitions into models and drops or adds members: what is pinned here has to be equal to
what the proxy sees on the wire. Both protocol eras; no process is left behind.
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from .. import __version__
from ..errors import ProtocolError, UpstreamError
from ..frames import MAX_UPSTREAM_FRAME, Frames
from ..protocol import METHOD_NOT_FOUND, PROTOCOL_VERSION
from ..upstream import KILL_AFTER, Upstream
from ..values import Json
from ..wire import Notification, Request, Response, encode, parse_upstream

PATIENCE: Final = 90.0
"""Seconds for all of it. Real servers that `npx` has to fetch first need up to 26 to start."""
LEGACY: Final = "2025-11-25"
MODERN: Final = "2026-07-28"
_PAGES: Final = 100
"""Of one list; a server that has still more is going in circles."""
_NAME: Final = "io.modelcontextprotocol/"


@dataclass(slots=True)
class Offer:
    """What a server says about itself and offers, as it came."""

    server: dict[str, Json] = field(default_factory=dict)
    """Its `name` and `version`, and whatever else it says."""
    instructions: str = ""
    tools: list[Json] = field(default_factory=list)
    prompts: list[Json] = field(default_factory=list)


class _ErrorAnswer(Exception):  # noqa: N818 - the server's error, which is no error of ours
    pass


def ask(command: Sequence[str], patience: float = PATIENCE) -> Offer:
    """What the server that `command` starts offers.

    Raises:
        UpstreamError: it cannot be started, or does not answer within `patience` seconds.
    """
    upstream = Upstream(command)
    try:
        return _Talk(upstream, command[0], time.monotonic() + patience).offer()
    finally:
        _end(upstream)


class _Talk:
    def __init__(self, upstream: Upstream, name: str, until: float) -> None:
        self._upstream = upstream
        self._name = name
        self._until = until
        self._frames = Frames(MAX_UPSTREAM_FRAME)
        self._last = 0
        self._envelope: dict[str, Json] = {}

    def offer(self) -> Offer:
        client: Json = {"name": "intercept", "version": __version__}
        try:
            about = self._request("initialize", protocolVersion=LEGACY, capabilities={}, clientInfo=client)
            self._send({"jsonrpc": "2.0", "method": "notifications/initialized"})
            server = about.get("serverInfo")
        except _ErrorAnswer:  # it has no handshake any more
            self._envelope = {PROTOCOL_VERSION: MODERN, f"{_NAME}clientInfo": client, f"{_NAME}clientCapabilities": {}}
            try:
                about = self._request("server/discover")
            except _ErrorAnswer:
                raise self._failed("it accepts neither `initialize` nor `server/discover`") from None
            meta = about.get("_meta")
            server = meta.get(f"{_NAME}serverInfo") if isinstance(meta, dict) else None
        instructions = about.get("instructions")
        offer = Offer(server if isinstance(server, dict) else {}, instructions if isinstance(instructions, str) else "")
        can = about.get("capabilities")
        can = can if isinstance(can, dict) else {}
        offer.tools = self._all("tools") if "tools" in can or "prompts" not in can else []
        offer.prompts = self._all("prompts") if "prompts" in can else []
        return offer

    def _all(self, member: str) -> list[Json]:
        found: list[Json] = []
        cursor: Json = None
        for _ in range(_PAGES):
            try:
                page = self._request(f"{member}/list", **({} if cursor is None else {"cursor": cursor}))
            except _ErrorAnswer:
                raise self._failed(f"it does not list its {member}") from None
            items = page.get(member)
            if not isinstance(items, list):
                raise self._failed(f"its list of {member} is malformed")
            found += items
            cursor = page.get("nextCursor")
            if cursor is None:
                return found
        raise self._failed(f"its list of {member} has more than {_PAGES} pages")

    # --- messages ---------------------------------------------------------------------------------------------------

    def _request(self, method: str, **params: Json) -> dict[str, Json]:
        self._last += 1
        if self._envelope:
            params["_meta"] = self._envelope
        body: dict[str, Json] = {"jsonrpc": "2.0", "id": self._last, "method": method}
        self._send(body | {"params": params} if params else body)
        while True:
            for frame in self._read():
                for message in parse_upstream(frame):
                    match message:
                        case Response() if message.id == self._last:
                            return self._result(message)
                        case ProtocolError() if message.id == self._last:
                            raise self._failed(f"its answer to `{method}` is malformed: {message}")
                        case Request():
                            self._decline(message)
                        case Response() | Notification() | ProtocolError():
                            pass  # of no interest here

    def _result(self, message: Response) -> dict[str, Json]:
        if "error" in message.body:
            raise _ErrorAnswer
        result = message.body["result"]
        if not isinstance(result, dict):
            raise self._failed("its answer is malformed")
        return result

    def _decline(self, request: Request) -> None:
        if request.method == "ping":
            self._send({"jsonrpc": "2.0", "id": request.id, "result": {}})
        else:
            error: Json = {"code": METHOD_NOT_FOUND, "message": "nobody is here to ask"}
            self._send({"jsonrpc": "2.0", "id": request.id, "error": error})

    # --- bytes ------------------------------------------------------------------------------------------------------

    def _send(self, body: dict[str, Json]) -> None:
        rest = memoryview(encode(body))
        while rest:
            self._wait(self._upstream.stdin, select.POLLOUT)
            try:
                rest = rest[os.write(self._upstream.stdin, rest) :]
            except BlockingIOError:
                continue
            except OSError:
                raise self._failed("it ended") from None

    def _read(self) -> list[bytes]:
        self._wait(self._upstream.stdout, select.POLLIN)
        chunk = os.read(self._upstream.stdout, 1 << 20)
        if not chunk:
            raise self._failed("it ended")
        frames = self._frames.feed(chunk)
        whole = [frame for frame in frames if frame is not None]
        if len(whole) < len(frames):
            raise self._failed(f"it sent a line of over {MAX_UPSTREAM_FRAME} bytes")
        return whole

    def _wait(self, fd: int, event: int) -> None:
        poll = select.poll()
        poll.register(fd, event)
        if not poll.poll(max(0.0, self._until - time.monotonic()) * 1000):
            raise self._failed("no answer in time")

    def _failed(self, why: str) -> UpstreamError:
        return UpstreamError(f"`{self._name}` does not say what it offers: {why}")


def _end(upstream: Upstream) -> None:
    os.close(upstream.stdin)
    deadline = time.monotonic() + 2.5
    for number in (0, signal.SIGTERM, signal.SIGKILL):
        if number:
            upstream.signal_group(number)
            deadline = time.monotonic() + KILL_AFTER
        while upstream.poll() is None and time.monotonic() < deadline:
            select.select([], [], [], 0.01)
        if upstream.poll() is not None:
            break
    os.close(upstream.stdout)
    # What it started and left behind goes with it.
    upstream.signal_group(signal.SIGTERM)
    upstream.signal_group(signal.SIGKILL)
    upstream.release()
