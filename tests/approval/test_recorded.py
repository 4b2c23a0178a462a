"""What the audit log says about a call that a person was asked about."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from intercept.approval.elicitation import MAX_HELD
from intercept.approval.operator import Operator, open_approvals
from intercept.approval.record import State
from intercept.enforcement import Enforcer
from intercept.limits.memory import MemoryStore
from tests.audit.logs import room_for
from tests.audit.test_enforced import Recorded
from tests.harness import Body, call, denied, modern, result

ASKS = "tools: {pay: {action: require_approval, rate_limit: 1/day}}\n"
CANCEL = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}
YES = {"action": "accept", "content": {"decision": "allow once"}}


def asked(folder: Path) -> Recorded:
    talk = Recorded(folder / "audit", ASKS)
    talk.initialize(offers={"elicitation": {}})
    talk.client(call(1, "pay"))
    return talk


def answer(talk: Recorded, value: Body = YES) -> None:
    [question] = [message for message in talk.to_client if message.get("method") == "elicitation/create"]
    talk.client({"jsonrpc": "2.0", "id": question["id"], "result": value})


def told(talk: Recorded) -> list[tuple[Any, ...]]:
    """Decisions, approvals and outcomes in their order, each with the call that it is about."""
    kinds = {"decision": ("decision",), "approval": ("channel", "answer", "decision"), "outcome": ("outcome",)}
    return [
        (kind, record["call"], *[record[member] for member in members])
        for kind, members in kinds.items()
        for record in talk.records(kind)
    ]


def test_an_approved_call_has_one_decision_its_approval_and_one_outcome(tmp_path: Path) -> None:
    talk = asked(tmp_path)
    talk.now += 7
    answer(talk)
    talk.upstream(result(1, content=[]))

    assert told(talk) == [
        ("decision", 1, "ask"),
        ("approval", 1, "elicitation", "approved", "allow"),
        ("outcome", 1, "ok"),
    ]
    assert talk.records("approval")[0]["waited_us"] == 7_000_000


@pytest.mark.parametrize(
    ("what", "said"),
    [
        (lambda talk: answer(talk, {"action": "decline"}), "declined"),
        (lambda talk: answer(talk, {"action": "cancel"}), "cancelled"),
        (lambda talk: talk.tick(55), "timed_out"),
        (lambda talk: talk.client(CANCEL), "cancelled"),
        (lambda talk: talk.upstream_exits(), "cancelled"),
    ],
    ids=["declined", "closed", "timed out", "cancelled", "upstream gone"],
)
def test_a_call_that_nobody_approved_has_no_outcome(
    what: Callable[[Recorded], None], said: str, tmp_path: Path
) -> None:
    talk = asked(tmp_path)
    what(talk)

    assert told(talk) == [("decision", 1, "ask"), ("approval", 1, "elicitation", said, "deny")]


def test_an_approved_call_that_is_refused_all_the_same_is_on_record_as_such(tmp_path: Path) -> None:
    talk = asked(tmp_path)
    talk.reload("tools: {pay: {action: deny}}")
    answer(talk)

    assert told(talk)[1:] == [("approval", 1, "elicitation", "approved", "deny")]


def test_an_approval_that_cannot_be_recorded_runs_nothing(tmp_path: Path) -> None:
    talk = asked(tmp_path)
    with room_for(Path(talk.recorder.path).stat().st_size):
        answer(talk)
    assert talk.to_upstream == []
    assert denied(talk.to_client[-1])["decision"] == "deny"

    # What it would have been charged was given back.
    talk.to_client.clear()
    talk.client(call(2, "pay"))
    answer(talk)
    assert [message["id"] for message in talk.to_upstream] == [2]


def test_a_call_of_2026_07_28_and_its_retry_are_one_call(tmp_path: Path) -> None:
    talk = Recorded(tmp_path / "audit", ASKS)
    pay = modern(call(1, "pay"), elicitation={})
    talk.client(pay)
    retry = {"requestState": talk.to_client[0]["result"]["requestState"], "inputResponses": {"intercept_approval": YES}}
    talk.client(pay | {"id": 2, "params": pay["params"] | retry})
    talk.upstream(result(2, content=[], resultType="complete"))

    assert told(talk) == [
        ("decision", 1, "ask"),
        ("approval", 1, "elicitation", "approved", "allow"),
        ("outcome", 1, "ok"),
    ]


def test_a_client_that_cannot_be_asked_is_on_record_in_the_decision(tmp_path: Path) -> None:
    talk = Recorded(tmp_path / "audit", ASKS)
    talk.client(call(1, "pay"))

    [decision] = talk.records("decision")
    assert (decision["decision"], decision["approval"]) == ("ask", {"answer": "unavailable"})
    assert talk.records("approval") == []


def test_who_approved_outside_of_the_client_is_on_record(tmp_path: Path) -> None:
    talk = Recorded(tmp_path / "audit", ASKS)
    store = open_approvals(str(tmp_path / "state.sqlite"))
    operator = Operator(store, grant="test", random=os.urandom)
    talk._enforcer = Enforcer(
        MemoryStore(), grant="test", clock=lambda: talk.now, recorder=talk.recorder, operator=lambda: operator
    )
    talk.client(call(1, "pay"))
    [record] = store.every(patience=1)
    store.answer(record.answered(State.APPROVED, "ann", talk.now), patience=1)
    talk.client(call(2, "pay"))

    assert [(each["decision"], each["approval"]) for each in talk.records("decision")] == [
        ("ask", {"answer": "pending", "id": record.id}),
        ("allow", {"answer": "approved", "id": record.id, "who": "ann"}),
    ]
    assert "ann" not in str(talk.to_client)


def test_a_call_that_was_handed_on_to_an_operator_is_on_record_as_waiting_there(tmp_path: Path) -> None:
    talk = Recorded(tmp_path / "audit", "tools: {pay: {action: require_approval}}\n")
    operator = Operator(open_approvals(str(tmp_path / "state.db")), grant="test", random=os.urandom)
    talk._enforcer = Enforcer(
        MemoryStore(), grant="test", clock=lambda: talk.now, recorder=talk.recorder, operator=lambda: operator
    )
    talk.initialize(offers={"elicitation": {}})
    for number in range(1, MAX_HELD + 2):
        talk.client(call(number, "pay", number=number))

    [approval] = talk.records("approval")
    assert [approval[member] for member in ("call", "channel", "answer", "decision")] == [
        MAX_HELD + 1,
        "operator",
        "pending",
        "ask",
    ]
    assert [record["decision"] for record in talk.records("decision")] == ["ask"] * (MAX_HELD + 1)


def test_a_call_for_which_nobody_is_left_to_be_asked_is_on_record_as_such(tmp_path: Path) -> None:
    talk = Recorded(tmp_path / "audit", "tools: {pay: {action: require_approval}}\n")
    talk.initialize(offers={"elicitation": {}})
    for number in range(1, MAX_HELD + 2):
        talk.client(call(number, "pay", number=number))

    assert told(talk)[-1] == ("approval", MAX_HELD + 1, "elicitation", "unavailable", "ask")
