"""Logs to look at: written by the real recorder, with a clock that the test moves."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from intercept.actions import Judge
from intercept.audit import Arguments, Place, Recorded, Recorder, Settings
from intercept.enforcement import Enforcer, Verdict
from intercept.limits.windows import microseconds
from intercept.policy import Circumstances, Effect, Kind, PolicySet, ToolCall
from intercept.rehearsal import request_for
from intercept.replay import Stores
from intercept.uses import Peers

from ..harness import policy_of

START = 1_800_000_000.0
"""2027-01-15T08:00:00Z."""
POLICY = "default: deny\ntools: {send: {rate_limit: 30/minute}, drop: {action: deny, reason: Nothing is dropped.}}\n"
PEERS = Peers("a client", "1.2", "a server", "3.4", "2025-11-25")


class Log:
    """A recorder and what it told the operator."""

    def __init__(
        self,
        place: Path,
        folder: Path,
        *,
        arguments: Arguments = Arguments.KEYS,
        optional: bool = False,
        keep: int | None = None,
        policy: str = POLICY,
        now: float = START,
        store: Stores | None = None,
    ) -> None:
        self.now = now
        self.notes: list[str] = []
        self.policy: PolicySet = policy_of(policy, folder=str(folder))
        self.recorder = Recorder(
            Settings(Place.of(str(place), keep), arguments, optional),
            command=["/usr/bin/server", "--verbose"],
            grant="a grant",
            policy=self.policy,
            clock=lambda: self.now,
            note=self.notes.append,
        )
        self.answered: set[str] = set()
        keyed = (store or Stores()).of(self.recorder.session, "a grant")
        self.enforcer = Enforcer(keyed, grant="a grant", clock=lambda: self.now, recorder=self.recorder)

    def call(self, tool: str = "send", *, outcome: str | None = "ok", **arguments: Any) -> int:
        """Record a call, about which limits and history do not decide, and what became of it; return its number."""
        use = ToolCall(tool, arguments)
        decision = self.policy.evaluate(use, Circumstances(self.now))
        recorded = self.recorder.decision([use], decision, PEERS, policy=self.policy, now=self.now, took=12)
        self.now += 0.001
        if outcome is not None:
            self.recorder.outcome(recorded, outcome, now=self.now)
            self.now += 0.001
        return recorded.call

    def decide(self, tool: str, *, outcome: str | None = "ok", **arguments: Any) -> Recorded:
        """Make a call as a client would: it is decided by all that counts, recorded, and answered so if it passes."""
        verdict = self.admit(tool, **arguments)
        number = max(record["call"] for record in self.records() if record["type"] == "decision")
        recorded = Recorded(number, microseconds(self.now))
        self.now += 0.001
        if verdict.decision.effect is Effect.ALLOW and outcome is not None:
            self.recorder.outcome(recorded, outcome, now=self.now)
            self.answered.add(tool)
            self.now += 0.001
        return recorded

    def admit(self, tool: str, **arguments: Any) -> Verdict:
        """Decide about a call and record that; it is in flight then."""
        request = request_for(Kind.TOOL, tool, json.dumps(arguments))
        return self.enforcer.admit(
            Judge(request, (ToolCall(tool, arguments),), self.policy, None, frozenset(self.answered))
        )

    @property
    def path(self) -> Path:
        return Path(self.recorder.path)

    def records(self) -> list[dict[str, Any]]:
        return records(self.path)


def records(path: Path) -> list[dict[str, Any]]:
    """The records of a file, every line of which has to be one."""
    return [json.loads(line) for line in path.read_bytes().splitlines()]


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file may grow beyond `size` bytes meanwhile, as on a full disk."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def somebody_else() -> Iterator[Path]:
    """A folder of a user for whom rights count, which is this process meanwhile; they do not for root."""
    folder = Path(tempfile.mkdtemp())
    user = os.geteuid()
    if user == 0:
        os.chown(folder, 65534, -1)
        os.seteuid(65534)
    try:
        yield folder
    finally:
        os.seteuid(user)
        shutil.rmtree(folder)
