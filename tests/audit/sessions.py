"""Sessions with random policies and calls, recorded by the real enforcement, with restarts, approvals and reloads."""

from __future__ import annotations

import random
from pathlib import Path
from typing import NamedTuple

from intercept.actions import Ended, Judge, Outcome
from intercept.audit import Arguments, Place, Recorder, Settings
from intercept.enforcement import Enforcer
from intercept.policy import Effect, Kind, PolicySet, ToolCall, load
from intercept.replay import Stores
from intercept.wire import Request, parse_client

from ..reference.compare import text_of
from ..reference.evaluator import Call
from ..reference.generate import Case

_REQUEST = parse_client(b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "x"}}')


class Sessions(NamedTuple):
    """What was recorded, and by which policy."""

    policies: list[str]
    log: Path
    effects: list[Effect]


class Running:
    """One session of a proxy, played."""

    def __init__(self, policy: PolicySet, log: Path, store: Stores, grant: str, mode: Arguments, now: float) -> None:
        self.now = now
        self.policy = policy
        self.answered: frozenset[str] = frozenset()
        self.in_flight: dict[int, tuple[Call, object]] = {}
        self.recorder = Recorder(
            Settings(Place.of(str(log)), mode),
            command=["server"],
            grant=grant,
            policy=policy,
            clock=lambda: self.now,
            note=lambda _: None,
        )
        keyed = store.of(self.recorder.session, grant)
        self.enforcer = Enforcer(keyed, grant=grant, clock=lambda: self.now, recorder=self.recorder)

    def call(self, number: int, call: Call, randomly: random.Random) -> Effect:
        """Make a call; about every second one that needs it a person agrees to, a little later."""
        self.now = max(self.now, call.at)
        assert isinstance(_REQUEST, Request)
        use = ToolCall(call.name, call.arguments, Kind(call.kind))
        judge = Judge(_REQUEST, (use,), self.policy, call.annotations, self.answered, elicits=True)
        verdict = self.enforcer.admit(judge)
        effect = verdict.decision.effect
        if effect is Effect.ASK and verdict.admission is not None and randomly.random() < 0.5:
            self.now += randomly.choice((0.0, 0.25))
            asked = judge.asked(verdict.admission, elicits=True)
            agreed = asked.anew(self.policy, call.annotations, self.answered, approved=self.policy.digest, withheld="")
            verdict = self.enforcer.admit(agreed)
        if verdict.decision.effect is Effect.ALLOW:
            self.in_flight[number] = call, verdict.admission
        return effect

    def ended(self, number: int, outcome: Outcome | None = None) -> None:
        """A call has ended; a tool that was not answered by an error counts as answered."""
        call, admission = self.in_flight.pop(number)
        outcome = outcome or (Outcome.OK if call.answered else Outcome.RPC_ERROR)
        self.enforcer.ended(Ended(admission, outcome))
        if outcome is Outcome.OK and call.kind == "tool":
            self.answered |= {call.name}

    def over(self, *, killed: bool) -> None:
        """The session ends, or is killed."""
        for number in list(self.in_flight):
            self.ended(number, Outcome.UPSTREAM_EXIT)
        if not killed:
            self.recorder.end("over", 0)


def record(case: Case, folder: Path, mode: Arguments) -> Sessions:
    """Play the sessions of `case`, each of which may be restarted at any time."""
    paths = [folder / f"{number}.json" for number in range(len(case.policies))]
    for path, tree in zip(paths, case.policies, strict=True):
        path.write_text(text_of(tree), encoding="utf-8")
    policy = load([str(path) for path in paths])
    randomly, store, log = random.Random(len(case.calls)), Stores(), folder / "log"

    def started(session: int, now: float) -> Running:
        return Running(policy, log, store, case.grants[session], mode, now)

    running = [started(session, case.calls[0].at) for session in range(len(case.grants))]
    effects: list[Effect] = []
    now = 0.0
    for index, call in enumerate(case.calls):
        now = max(now, call.at)
        for one in running:
            one.now = now
            for number in [number for number, (other, _) in one.in_flight.items() if number + other.lasts < index]:
                one.ended(number)
        mine = running[call.session]
        if randomly.random() < 0.06:
            mine.over(killed=randomly.random() < 0.5)
            mine = running[call.session] = started(call.session, now)
        if randomly.random() < 0.05:
            mine.recorder.reload(policy)
        effects.append(mine.call(index, randomly=randomly, call=call))
        now = mine.now + 0.000001
    for one in running:
        one.now = now
        one.over(killed=False)
    return Sessions([str(path) for path in paths], log, effects)
