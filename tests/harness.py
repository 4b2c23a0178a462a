"""Drives a `Session` through one conversation without I/O, and keeps what each side got.

The real policy, the real enforcement and the real memory store take part; only the clock is the test's.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from intercept.actions import Answer, Ask, Done, Drop, Forward, Judge
from intercept.audit import Recorder
from intercept.enforcement import Enforcer
from intercept.errors import ProtocolError
from intercept.limits import CounterStore
from intercept.limits.memory import MemoryStore
from intercept.pins.lock import Lock
from intercept.pins.watch import Watch
from intercept.policy import Effect, PolicySet, load
from intercept.session import Session
from intercept.wire import parse_client, parse_upstream

ALLOW_ALL = "default: allow\n"

Body = dict[str, Any]


def policy_of(*texts: str, folder: str) -> PolicySet:
    """The policy that files with these texts in `folder` make together."""
    paths = [Path(folder, f"policy{n}.yaml") for n in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text, encoding="utf-8")
    return load([str(path) for path in paths])


class Conversation:
    """`to_upstream` and `to_client` are the messages that each got, in order; `notes` what the operator was told."""

    def __init__(
        self,
        *policies: str,
        reloads: bool = True,
        lock: Lock | None = None,
        store: CounterStore | None = None,
        note: Callable[[str], None] | None = None,
    ) -> None:
        self.now = 1_800_000_000.0
        self._folder = tempfile.mkdtemp()
        weakref.finalize(self, shutil.rmtree, self._folder)
        self.session = Session(
            policy_of(*(policies or (ALLOW_ALL,)), folder=self._folder),
            reloads=reloads,
            clock=lambda: self.now,
            random=self._random,
            pins=None if lock is None else Watch(lock),
        )
        self._drawn = 0
        self._enforcer = Enforcer(store or MemoryStore(), grant="test", clock=lambda: self.now, note=note)
        self.to_upstream: list[Body] = []
        self.to_client: list[Body] = []
        self.notes: list[str] = []
        self.raw_to_client: list[bytes] = []

    def _random(self, size: int) -> bytes:
        self._drawn += 1
        return self._drawn.to_bytes(size, "big")

    def record_with(self, recorder: Recorder) -> None:
        """Decisions are recorded from now on; to be called before the first."""
        self._enforcer = Enforcer(MemoryStore(), grant="test", clock=lambda: self.now, recorder=recorder)

    def client(self, message: Mapping[str, object] | bytes) -> None:
        """The client sends a message."""
        self.resume(self.judge(message))

    def judge(self, message: Mapping[str, object] | bytes) -> Judge | Done | None:
        """The client sends a message; what is to be judged is handed out and not yet settled."""
        frame = message if isinstance(message, bytes) else json.dumps(message).encode()
        try:
            parsed = parse_client(frame)
        except ProtocolError as error:
            return self.session.refuse(error)
        return None if parsed is None else self.session.from_client(parsed)

    def resume(self, action: Judge | Done | None) -> None:
        """Carry out what came of a client's message."""
        while isinstance(action, Judge):
            verdict = self._enforcer.admit(action)
            decision, admission = verdict.decision, verdict.admission
            action = self.session.settle(action, decision, admission)
            if admission is not None and decision.effect is Effect.ALLOW and not isinstance(action, Forward):
                self._enforcer.withdraw(admission)
        if action is not None:
            self._perform(action, onward=self.to_upstream, back=self.to_client)

    def upstream(self, message: Mapping[str, object] | bytes) -> None:
        """The upstream sends a message."""
        frame = message if isinstance(message, bytes) else json.dumps(message).encode()
        for part in parse_upstream(frame):
            self._perform(self.session.from_upstream(part), onward=self.to_client, back=self.to_upstream)

    def reload(self, *policies: str) -> None:
        """Another policy is put in force."""
        self.deliver(self.session.replace_policy(policy_of(*policies, folder=self._folder)))

    def upstream_exits(self, why: str = "it exited with code 3") -> None:
        """The upstream answers no more."""
        self.deliver(self.session.upstream_gone(why))

    def tick(self, seconds: float) -> None:
        """Time passes, and what is due is done as the proxy would: whenever the session says."""
        until = self.now + seconds
        while (wait := self.session.due_in) is not None and self.now + wait <= until:
            self.now += wait
            self.deliver(self.session.tick())
        self.now = until

    def deliver(self, actions: list[Done]) -> None:
        """Carry out what the session says by itself."""
        for action in actions:
            self._perform(action, onward=self.to_client, back=self.to_upstream)

    def _perform(self, action: Done, *, onward: list[Body], back: list[Body]) -> None:
        if action.note:
            self.notes.append(action.note)
        if isinstance(action, Forward | Answer | Drop) and action.ended is not None:
            self._enforcer.ended(action.ended)
        if isinstance(action, Forward | Answer | Ask):
            target = onward if isinstance(action, Forward) else back
            assert action.data.endswith(b"\n")
            assert action.data.count(b"\n") == 1
            target.append(json.loads(action.data))
            if target is self.to_client:
                self.raw_to_client.append(action.data)

    # --- messages that most conversations have ----------------------------------------------------------------------

    def initialize(
        self,
        capabilities: Mapping[str, object] | None = None,
        *,
        offers: Mapping[str, object] | None = None,
        version: str = "2025-11-25",
        name: str = "server",
    ) -> None:
        """A legacy handshake, in which the client offers what it can do; both sides are forgotten afterwards."""
        self.client(request("init", "initialize", protocolVersion=version, capabilities=offers or {}))
        agreed = {"protocolVersion": version, "capabilities": capabilities or {"tools": {}}}
        self.upstream(result("init", **agreed, serverInfo={"name": name, "version": "1"}))
        self.client({"jsonrpc": "2.0", "method": "notifications/initialized"})
        self.forget()

    def forget(self) -> None:
        """Start the lists of what each side got anew."""
        self.to_upstream.clear()
        self.to_client.clear()
        self.raw_to_client.clear()
        self.notes.clear()


def request(id: object, method: str, **params: object) -> Body:  # noqa: A002
    """A request without the envelope of 2026-07-28."""
    return {"jsonrpc": "2.0", "id": id, "method": method, **({"params": params} if params else {})}


def call(id: object, name: str, **arguments: object) -> Body:  # noqa: A002
    """A tool call."""
    return request(id, "tools/call", name=name, arguments=arguments)


def modern(message: Body, **capabilities: object) -> Body:
    """`message` with the envelope of 2026-07-28, of a client with these capabilities."""
    envelope = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": capabilities,
    }
    params = message.get("params", {})
    return message | {"params": params | {"_meta": params.get("_meta", {}) | envelope}}


def result(id: object, **members: object) -> Body:  # noqa: A002
    """A successful response."""
    return {"jsonrpc": "2.0", "id": id, "result": members}


def denied(message: Body) -> Body:
    """The details of a denied tool call."""
    assert message["result"]["isError"] is True
    assert "structuredContent" not in message["result"]
    details: Body = message["result"]["_meta"]["intercept/decision"]
    return details
