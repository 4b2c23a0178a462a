from __future__ import annotations

from pathlib import Path

import pytest

from intercept.audit import Arguments
from intercept.audit.reading import files_of, records_of
from intercept.enforcement import Admission
from intercept.errors import PolicyError
from intercept.policy import Circumstances, Effect, ToolCall, load
from intercept.replay import Replayed, Stores, Why, replay

from .audit.logs import PEERS, START, Log
from .audit.sessions import record
from .reference.generate import case


def replayed(log: Path, *policies: str) -> Replayed:
    return replay(records_of(files_of([str(log)])), load(list(policies)))


@pytest.mark.parametrize("mode", [Arguments.FULL, Arguments.KEYS, Arguments.REDACTED])
def test_under_the_same_policy_nothing_changes(mode: Arguments, tmp_path: Path) -> None:
    """With limits of every scope, `after`, calls in flight, approvals, restarts and kills, whatever is recorded."""
    effects: list[Effect] = []
    known = calls = 0
    for index in range(25):
        folder = tmp_path / str(index)
        folder.mkdir()
        try:
            sessions = record(case(7, index, 40), folder, mode)
        except PolicyError:
            continue
        found = replayed(sessions.log, *sessions.policies)
        assert found.changes == [], (index, found.changes[0])
        assert found.calls == len(sessions.effects)
        effects += sessions.effects
        calls += found.calls
        known += found.same
        if mode is Arguments.FULL:
            assert found.unknown == []
    assert set(effects) == set(Effect)
    assert known > calls * (0.3 if mode is Arguments.KEYS else 0.8)


OLD = "default: deny\ntools: {send: {limits: [{max: 3, window: 60}]}, read: {}, pay: {}}\n"


def change(folder: Path, new: str, old: str = OLD, mode: Arguments = Arguments.FULL) -> Replayed:
    """Six calls a second apart, twice, under `old`; then by `new`."""
    folder.mkdir(exist_ok=True)
    store = Stores()
    for n in range(2):
        log = Log(folder / "audit", folder, arguments=mode, policy=old, now=START + 600 * n, store=store)
        for number, tool in enumerate(["send", "read", "send", "pay", "send", "send"]):
            log.now += 1
            log.decide(tool, amount=number * 100)
        log.recorder.end("over", 0)
    path = folder / "new.yaml"
    path.write_text(new)
    return replayed(folder / "audit", str(path))


def found(result: Replayed) -> list[tuple[str, str, str, int]]:
    return [(str(one.before), str(one.after), one.decided.tool, one.decided.call) for one in result.changes]


def test_what_a_new_rule_refuses_is_found_with_the_rule(tmp_path: Path) -> None:
    result = change(tmp_path, OLD.replace("pay: {}", "pay: {require: [{path: args.amount, op: lt, value: 300}]}"))

    assert found(result) == [("allow", "deny", "pay", 4)] * 2
    assert [rule.name for rule in result.changes[0].rules] == ["pay#1"]
    assert (result.calls, result.same, result.unknown) == (12, 10, [])


def test_a_tighter_limit_counts_at_the_recorded_times_and_each_session_anew(tmp_path: Path) -> None:
    assert found(change(tmp_path, OLD.replace("max: 3", "max: 2"))) == [("allow", "deny", "send", 5)] * 2


def test_a_wider_limit_lets_through_what_was_refused(tmp_path: Path) -> None:
    assert found(change(tmp_path, OLD.replace("max: 3", "max: 4"))) == [("deny", "allow", "send", 6)] * 2


def test_a_limit_of_the_grant_goes_on_from_session_to_session(tmp_path: Path) -> None:
    new = OLD.replace("{max: 3, window: 60}", "{max: 5, window: 1h, scope: grant}")

    assert found(change(tmp_path, new)) == [
        ("deny", "allow", "send", 6),
        *(("allow", "deny", "send", call) for call in (3, 5)),
    ]


def test_what_a_person_would_be_asked_now_is_a_change(tmp_path: Path) -> None:
    result = change(tmp_path, OLD.replace("pay: {}", "pay: {action: require_approval}"))
    assert found(result) == [("allow", "ask", "pay", 4)] * 2


def test_a_rule_with_after_follows_the_answers_that_were_given(tmp_path: Path) -> None:
    new = OLD.replace("pay: {}", "pay: {action: deny, after: read}")
    assert found(change(tmp_path, new)) == [("allow", "deny", "pay", 4)] * 2
    # What is refused now was not answered either.
    new = new.replace("read: {}", "read: {action: deny}")
    assert found(change(tmp_path / "again", new)) == [("allow", "deny", "read", 2)] * 2


def test_what_depends_on_arguments_that_were_not_recorded_cannot_be_known(tmp_path: Path) -> None:
    new = OLD.replace("pay: {}", "pay: {require: [{path: args.amount, op: lt, value: 300}]}").replace(
        "max: 3", "max: 2"
    )
    result = change(tmp_path, new, mode=Arguments.KEYS)

    assert found(result) == [("allow", "deny", "send", 5)] * 2, "what does not is known all the same"
    assert [(one.tool, one.call, why) for one, why in result.unknown] == [("pay", 4, Why.ARGUMENTS)] * 2


def test_a_refusal_that_needs_no_arguments_is_known(tmp_path: Path) -> None:
    new = OLD.replace("pay: {}", "pay: {rules: [{action: deny}, {require: [{path: args.amount, op: lt, value: 300}]}]}")
    result = change(tmp_path, new, mode=Arguments.NONE)
    assert found(result) == [("allow", "deny", "pay", 4)] * 2
    assert result.unknown == []


def test_annotations_that_nobody_recorded_are_not_guessed(tmp_path: Path) -> None:
    new = OLD.replace(
        "pay: {}", "pay: {action: deny, when: [{path: tool.annotations.readOnlyHint, op: eq, value: false}]}"
    )
    result = change(tmp_path, new)

    assert result.changes == []
    assert {why for _, why in result.unknown} == {Why.ANNOTATIONS}
    assert [one.tool for one, _ in result.unknown] == ["pay", "pay"]


def test_what_the_grant_had_used_before_the_log_begins_cannot_be_known(tmp_path: Path) -> None:
    old = OLD.replace("{max: 3, window: 60}", "{max: 5, window: 1h, scope: grant}")
    change(tmp_path, old, old)
    first, second = sorted((tmp_path / "audit").iterdir())
    assert replayed(tmp_path / "audit", str(tmp_path / "new.yaml")).changes == []
    first.unlink()

    result = replayed(tmp_path / "audit", str(tmp_path / "new.yaml"))
    assert second.exists()
    assert result.changes == []
    assert [(one.call, why) for one, why in result.unknown] == [(call, Why.EARLIER) for call in (3, 5, 6)]


def test_a_place_in_flight_is_free_when_the_record_says_so(tmp_path: Path) -> None:
    log = Log(tmp_path / "audit", tmp_path, policy=OLD)
    first = log.decide("read", outcome=None)
    log.decide("read", outcome=None)
    log.recorder.outcome(first, "ok", now=log.now)
    log.now += 1
    log.decide("read", outcome=None)
    (tmp_path / "new.yaml").write_text(OLD.replace("read: {}", "read: {limits: [{max_concurrent: 1}]}"))

    assert found(replayed(tmp_path / "audit", str(tmp_path / "new.yaml"))) == [("allow", "deny", "read", 2)]


ONE = "tools: {read: {limits: [{max_concurrent: 1, scope: global}]}}\n"


@pytest.mark.parametrize(("ended", "changed"), [(0, []), (30, []), (500, [("allow", "deny", "read", 1)])])
def test_a_call_that_passed_got_the_place_that_became_free_while_it_was_decided(
    ended: int, changed: list[tuple[str, str, str, int]], tmp_path: Path
) -> None:
    logs = [Log(tmp_path / "audit", tmp_path, policy=ONE, now=START + n) for n in range(2)]
    first, second = (log.recorder for log in logs)
    use = ToolCall("read", {})
    decision = logs[0].policy.evaluate(use, Circumstances(START))
    held = first.decision([use], decision, PEERS, policy=logs[0].policy, now=START, took=30)
    taken = second.decision([use], decision, PEERS, policy=logs[0].policy, now=START + 2, took=30)
    first.outcome(held, "ok", now=START + 2 + ended * 1e-6)
    second.outcome(taken, "ok", now=START + 3)

    assert found(replayed(tmp_path / "audit", str(tmp_path / "policy0.yaml"))) == changed


def test_a_call_that_was_refused_at_the_moment_when_a_place_became_free_stays_refused(tmp_path: Path) -> None:
    store = Stores()
    first, second = (Log(tmp_path / "audit", tmp_path, policy=ONE, now=START + n, store=store) for n in range(2))
    held = first.decide("read", outcome=None)
    second.decide("read")
    assert second.records()[-1]["decision"] == "deny"
    first.recorder.outcome(held, "ok", now=START + 1)

    assert found(replayed(tmp_path / "audit", str(tmp_path / "policy0.yaml"))) == []


def test_a_call_that_never_reached_the_server_holds_nothing(tmp_path: Path) -> None:
    log = Log(tmp_path / "audit", tmp_path, policy=ONE.replace("{max_c", "{max: 2, window: 60}, {max_c"))
    for _ in range(3):
        admission = log.admit("read").admission
        assert isinstance(admission, Admission)
        log.enforcer.withdraw(admission)
        log.now += 1

    assert found(replayed(tmp_path / "audit", str(tmp_path / "policy0.yaml"))) == []
