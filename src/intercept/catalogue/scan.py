"""Asking a live server what it offers, and keeping it as it came.

Not with the SDK: its models drop and add members, refuse sloppy definitions that the proxy lets pass, and take a second
to import. What is read here is equal to what the proxy sees on the wire. Both protocol eras (PROTOCOL section 2.4): the
handshake first, which all but servers of the new era alone answer; then `server/discover`, to the same process and, if
that did not survive the first question, to a new one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from .. import __version__
from ..errors import ProtocolError, UpstreamError
from ..protocol import (
    CLIENT_CAPABILITIES,
    CLIENT_INFO,
    METHOD_NOT_FOUND,
    PROTOCOL_VERSION,
    SERVER_INFO,
)
from ..values import Json
from ..wire import Notification, Request, Response, encode, parse_upstream
from .server import Server

PATIENCE: Final = 60.0
"""Seconds for the first answer, and for each one after it. Real servers that `npx` has to fetch need up to 26."""
LEGACY: Final = "2025-11-25"
MODERN: Final = "2026-07-28"
CAPABILITIES: Final[dict[str, Json]] = {"roots": {"listChanged": True}, "sampling": {}, "elicitation": {}}
"""What a client may be able to do: some servers offer a tool only to clients that can do what it needs."""
_TIMES: Final = 3
"""That lists are asked for while the server says that they change: some add tools once they know their client."""
_PAGES: Final = 100
"""Of one list; a server that has still more is going in circles."""


@dataclass(slots=True)
class Offer:
    """What a server says about itself and offers, as it came."""

    protocol: str = ""
    """The version that was spoken."""
    server: dict[str, Json] = field(default_factory=dict)
    """Its `name` and `version`, and whatever else it says."""
    instructions: str = ""
    tools: list[Json] = field(default_factory=list)
    prompts: list[Json] = field(default_factory=list)


def list_tools(command: Sequence[str], patience: float = PATIENCE) -> Json:
    """The tool definitions of the server that `command` starts, as it gave them; no process is left behind.

    Raises:
        UpstreamError: it cannot be started, or does not list its tools; each answer may take `patience` seconds.
    """
    return ask(command, patience).tools


def ask(
    command: Sequence[str],
    patience: float = PATIENCE,
    *,
    environment: Mapping[str, str] | None = None,
    waiting: Callable[[float], None] = lambda _: None,
) -> Offer:
    """What the server that `command` starts offers; no process is left behind.

    `environment` is added to ours. `waiting` is called every few seconds of silence with how many there were.

    Raises:
        UpstreamError: it cannot be started, or does not say what it offers; each answer may take `patience` seconds.
    """
    with Server(command, environment, waiting) as server:
        talk = _Talk(server, patience)
        if talk.shake_hands() or talk.discover():
            return talk.offer()
    # A server of the new era may end at the first question of the old one.
    with Server(command, environment, waiting) as server:
        talk = _Talk(server, patience)
        if not talk.discover():
            raise server.failed("it accepts neither `initialize` nor `server/discover`")
        return talk.offer()


class _Refused(Exception):  # noqa: N818 - the server's answer, which is no error of ours
    pass


class _Talk:
    def __init__(self, server: Server, patience: float) -> None:
        self._server = server
        self._patience = patience
        self._last = 0
        self._envelope: dict[str, Json] = {}
        self._about: dict[str, Json] = {}
        self._changed = False
        """Whether the server has said, since the lists were last asked for, that one is another now."""
        self._client: dict[str, Json] = {"name": "intercept", "version": __version__}

    def shake_hands(self) -> bool:
        """Begin in the old way; False if the server will have none of it."""
        try:
            about = self._request(
                "initialize", protocolVersion=LEGACY, capabilities=CAPABILITIES, clientInfo=self._client
            )
        except _Refused:
            return False
        self._about = about
        self._send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return True

    def discover(self) -> bool:
        """Begin in the new way; False if the server will have none of it, or has ended."""
        self._envelope = {PROTOCOL_VERSION: MODERN, CLIENT_INFO: self._client, CLIENT_CAPABILITIES: CAPABILITIES}
        try:
            self._about = self._request("server/discover")
        except (_Refused, UpstreamError):
            return False
        return True

    def offer(self) -> Offer:
        """All that it offers."""
        about = self._about
        meta = about.get("_meta")
        server = about.get("serverInfo") or (meta.get(SERVER_INFO) if isinstance(meta, dict) else None)
        version = MODERN if self._envelope else about.get("protocolVersion")
        instructions = about.get("instructions")
        can = about.get("capabilities")
        can = can if isinstance(can, dict) else {}
        offer = Offer(
            version if isinstance(version, str) else "",
            server if isinstance(server, dict) else {},
            instructions if isinstance(instructions, str) else "",
        )
        for _ in range(_TIMES):
            self._changed = False
            # Some servers have tools and do not say so.
            offer.tools = self._all("tools") if "tools" in can or "prompts" not in can else []
            offer.prompts = self._all("prompts") if "prompts" in can else []
            if not self._changed:
                break
        return offer

    def _all(self, member: str) -> list[Json]:
        found: list[Json] = []
        cursor: Json = None
        for _ in range(_PAGES):
            try:
                page = self._request(f"{member}/list", **({} if cursor is None else {"cursor": cursor}))
            except _Refused:
                raise self._server.failed(f"it answers `{member}/list` with an error") from None
            items = page.get(member)
            if not isinstance(items, list):
                raise self._server.failed(f"its list of {member} is malformed")
            found += items
            cursor = page.get("nextCursor")
            if cursor is None:
                return found
        raise self._server.failed(f"its list of {member} has more than {_PAGES} pages")

    # --- messages -----------------------------------------------------------------------------------------------------

    def _request(self, method: str, **params: Json) -> dict[str, Json]:
        self._last += 1
        if self._envelope:
            params["_meta"] = self._envelope
        body: dict[str, Json] = {"jsonrpc": "2.0", "id": self._last, "method": method}
        self._send(body | {"params": params} if params else body)
        until = time.monotonic() + self._patience
        while True:
            for line in self._server.lines(until, self._patience):
                for message in parse_upstream(line):
                    match message:
                        case Response() if message.id == self._last:
                            return self._result(message)
                        case ProtocolError() if message.id == self._last:
                            raise self._server.failed(f"its answer to `{method}` is malformed: {message}")
                        case Request():
                            self._decline(message)
                        case Notification():
                            self._changed = self._changed or message.method.endswith("/list_changed")
                        case Response() | ProtocolError():
                            pass  # what it prints beside the protocol is of no interest here

    def _result(self, message: Response) -> dict[str, Json]:
        if "error" in message.body:
            raise _Refused
        result = message.body["result"]
        if not isinstance(result, dict):
            raise self._server.failed("its answer is malformed")
        return result

    def _decline(self, request: Request) -> None:
        answers: dict[str, Json] = {
            "ping": {},
            "roots/list": {"roots": []},
            "elicitation/create": {"action": "decline"},
        }
        if request.method in answers:
            self._send({"jsonrpc": "2.0", "id": request.id, "result": answers[request.method]})
        else:
            error: Json = {"code": METHOD_NOT_FOUND, "message": "nobody is here to ask"}
            self._send({"jsonrpc": "2.0", "id": request.id, "error": error})

    def _send(self, body: dict[str, Json]) -> None:
        self._server.send(encode(body), self._patience)
