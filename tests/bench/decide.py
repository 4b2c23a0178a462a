"""What loading, deciding, reserving and reading a message cost inside the process: `python -m tests.bench.decide`.

Times are processor time of this thread, so that others on the machine disturb less. All cases take turns in short
blocks; a figure is the median of its blocks, a ratio that of blocks which lie side by side.
"""

from __future__ import annotations

import argparse
import itertools
import json
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from intercept.audit import Place, Recorded, Recorder, Settings
from intercept.limits import Granted
from intercept.limits.memory import MemoryStore
from intercept.policy import Circumstances, Decision, PolicySet, ToolCall, load
from intercept.uses import Peers
from intercept.values import Json
from intercept.wire import frame_of, parse_client, parse_upstream

from . import budgets, policies
from .budgets import Spread

NOW = 1_767_225_600.0
LIVE_KEYS = 99_000
"""A counter has at most 100,000; this leaves room for the measured ones."""

PEERS = Peers("a client", "1.2", "a server", "3.4", "2025-11-25")

ARGUMENTS: dict[str, dict[str, Json]] = {
    "plain": {"message": "hello"},
    "six": {"amount": 120, "currency": "BRL", "to": "maria@example.com", "items": [1, 2, 3], "note": "thank you"},
    "schema": {"message": "hello", "path": "/srv/a", "amount": 12, "to": ["a", "b"], "mode": "draft"},
}

LIMITS = """\
version: "1"
default: deny
tools:
  one: {limits: [{max: 1000000000, window: minute}]}
  three: {limits: [{max: 1000000000, window: 1}, {max: 1000000000, window: 60}, {max: 1000000000, window: 1h}]}
  keyed: {limits: [{max: 1000000000, window: day, per: args.to}]}
"""

CALL = (
    b'{"jsonrpc": "2.0", "id": 1234, "method": "tools/call",'
    b' "params": {"name": "echo", "arguments": {"message": "hello 55"}}}'
)
ANSWER = (
    b'{"jsonrpc": "2.0", "id": 1234, "result": {"content": [{"type": "text", "text": "hello 55"}], "isError": false}}'
)


class Desk:
    """Policies on disk, loaded, and the cases that are measured with them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tens = self.policy("ten", policies.decide_policy(10))
        self.fifties = self.policy("fifty", policies.decide_policy(50))
        self.thousands = self.policy("thousand", policies.decide_policy(1000))
        self.limits = self.policy("limits", LIMITS)

    def policy(self, name: str, text: str) -> PolicySet:
        path = self.folder / f"{name}.yaml"
        path.write_text(text)
        return load([str(path)])

    def decide(self, policy: PolicySet, tool: str) -> Callable[[], object]:
        arguments = ARGUMENTS[tool]
        decision = policy.evaluate(ToolCall(tool, arguments), Circumstances(NOW))
        if decision.effect != "allow":
            raise RuntimeError(f"the policy of the benchmark denies `{tool}`: {decision.reason}")
        return lambda: policy.evaluate(ToolCall(tool, arguments), Circumstances(NOW))

    def charging(self, tool: str, arguments: dict[str, Json]) -> Decision:
        decision = self.limits.evaluate(ToolCall(tool, arguments), Circumstances(NOW))
        if not decision.charges:
            raise RuntimeError(f"`{tool}` is charged nothing: {decision.reason}")
        return decision

    def reserve(self, tool: str) -> Callable[[], object]:
        store, clock = MemoryStore(), itertools.count()
        charges = self.charging(tool, {"to": "a"}).charges
        return lambda: granted(store.reserve(charges, NOW + next(clock) * 0.001))

    def reserve_among(self, keys: int) -> Callable[[], object]:
        """Reserve for one after the other of `keys` recipients, all of which were charged before."""
        store, clock = MemoryStore(), itertools.count()
        each = [self.charging("keyed", {"to": f"n{key}@example.com"}).charges for key in range(min(keys, 1000))]
        for key in range(keys):
            charges = each[key] if key < 1000 else self.charging("keyed", {"to": f"n{key}@example.com"}).charges
            granted(store.reserve(charges, NOW))
        turn = itertools.cycle(each)
        return lambda: granted(store.reserve(next(turn), NOW + next(clock) * 0.001))

    def recorder(self) -> Recorder:
        return Recorder(
            Settings(Place.of(str(self.folder / "audit"))),
            command=["server"],
            grant="somebody",
            policy=self.fifties,
            clock=lambda: NOW,
            note=print,
        )

    def record(self) -> Callable[[], object]:
        """Record decisions that are a tenth of a millisecond apart."""
        recorder, clock = self.recorder(), itertools.count()
        uses = [ToolCall("plain", {"to": "+5511999999999", "text": "hello there", "n": 5})]
        decision = self.charging("one", {})
        return lambda: recorder.decision(
            uses, decision, PEERS, policy=self.limits, now=NOW + next(clock) * 0.0001, took=12
        )

    def record_outcome(self) -> Callable[[], object]:
        recorder = self.recorder()
        recorded = Recorded(1, int(NOW * 1e6))
        return lambda: recorder.outcome(recorded, "ok", now=NOW)


def granted(outcome: object) -> None:
    if not isinstance(outcome, Granted):
        raise TypeError(f"the store refused: {outcome}")


def relayed() -> None:
    """Read a call, write what is forwarded, read its answer: what `wire` costs a round trip."""
    message = parse_client(CALL)
    assert message is not None
    frame_of(message)
    parse_upstream(ANSWER)


def timed(case: Callable[[], object], seconds: float) -> float:
    """Processor time of one call of `case`, measured over about `seconds`."""
    calls = 0
    before = time.thread_time()
    while (taken := time.thread_time() - before) < seconds or not calls:
        for _ in range(10 if seconds else 1):
            case()
        calls += 10 if seconds else 1
    return taken / calls


def take_turns(cases: Mapping[str, Callable[[], object]], blocks: int, seconds: float) -> dict[str, list[float]]:
    for case in cases.values():
        timed(case, seconds)
    samples: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(blocks):
        for name, case in cases.items():
            samples[name].append(timed(case, seconds))
    return samples


def spread(samples: list[float], factor: float) -> Spread:
    return Spread.of([sample * factor for sample in samples])


def ratio(samples: list[float], baseline: list[float]) -> Spread:
    return Spread.of([sample / base for sample, base in zip(samples, baseline, strict=True)])


def measure(folder: Path, blocks: int) -> dict[str, Spread]:
    desk = Desk(folder)
    quick = take_turns(
        {
            "decide, plain tool": desk.decide(desk.fifties, "plain"),
            "decide, 6 conditions": desk.decide(desk.fifties, "six"),
            "decide, argument schema": desk.decide(desk.fifties, "schema"),
            "10": desk.decide(desk.tens, "six"),
            "1000": desk.decide(desk.thousands, "six"),
            "reserve in memory, one limit": desk.reserve("one"),
            "reserve in memory, three limits": desk.reserve("three"),
            "one key": desk.reserve_among(1),
            "many keys": desk.reserve_among(LIVE_KEYS),
            "audit, a decision record": desk.record(),
            "audit, an outcome record": desk.record_outcome(),
            "wire, a round trip": relayed,
            "json, the same without checks": lambda: (json.dumps(json.loads(CALL)), json.loads(ANSWER)),
        },
        blocks,
        0.002,
    )
    found = {name: spread(samples, 1e6) for name, samples in quick.items()}
    found["decide, 1,000 listed tools to 10"] = ratio(quick["1000"], quick["10"])
    found["reserve in memory, 100,000 live keys to 1"] = ratio(quick["many keys"], quick["one key"])
    for only_compared in ("10", "1000", "one key", "many keys"):
        del found[only_compared]
    usual, large = folder / "usual.yaml", folder / "large.yaml"
    usual.write_text(policies.relay_policy(50))
    large.write_text(policies.many_rules_policy(1000, 5))
    loads = take_turns(
        {
            "load, 50 tools": lambda: load([str(usual)]),
            "load, 1,000 tools with 5,000 rules": lambda: load([str(large)]),
        },
        max(3, blocks // 10),
        0,
    )
    return found | {name: spread(samples, 1e3) for name, samples in loads.items()}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.decide", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--blocks", type=int, default=100, metavar="N", help="samples of each figure")
    blocks = parser.parse_args().blocks
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), blocks)
    print(budgets.report(budgets.DECIDE, found))


if __name__ == "__main__":
    main()
