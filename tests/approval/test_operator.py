"""Approvals that an operator gives: kept in the state file, bound to the call, used once."""

from __future__ import annotations

import os
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from intercept.approval.elicitation import MAX_HELD
from intercept.approval.operator import Operator, open_approvals
from intercept.approval.record import MAX_WAITING, Record, State
from intercept.enforcement import Enforcer
from intercept.errors import StoreBusy, StoreUnavailable
from intercept.limits.memory import MemoryStore
from intercept.policy import Approval, Asking, Decision, Effect, ToolCall
from tests.harness import Body, Conversation, call, denied
from tests.limits.redis_server import RedisServer

ASKS = """
default: deny
tools:
  pay: {action: require_approval, reason: Payments are for people., rate_limit: 3/day}
  wipe: {action: require_approval}
"""
YES = {"action": "accept", "content": {"decision": "allow once"}}


class Asked(Conversation):
    """A conversation whose approvals are in the state at `place`."""

    def __init__(self, place: Path | str, *policies: str, grant: str = "test") -> None:
        super().__init__(*policies or (ASKS,))
        self.store = open_approvals(str(place))
        self.told: list[Record] = []
        operator = Operator(self.store, grant=grant, random=os.urandom, tell=self.told.append)
        self._enforcer = Enforcer(MemoryStore(), grant=grant, clock=lambda: self.now, operator=lambda: operator)

    @property
    def records(self) -> list[Record]:
        return self.store.every(patience=1)

    def answer(self, state: State, record: Record | None = None) -> bool:
        if record is None:
            record = next((each for each in self.records if each.state is State.WAITING), self.records[-1])
        answered = record.answered(state, "ann", self.now)
        return self.store.answer(answered, patience=1)

    def last(self) -> tuple[object, object]:
        details = denied(self.to_client[-1])
        return details["decision"], details["approval"]


@pytest.fixture(params=["sqlite", "redis"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new state of each kind."""
    if request.param == "sqlite":
        return str(tmp_path / "state.db")
    server: RedisServer = request.getfixturevalue("empty_redis")
    return server.url


@pytest.fixture
def talk(place: str) -> Asked:
    return Asked(place)


def pay(id: object, **arguments: object) -> Body:  # noqa: A002
    return call(id, "pay", **arguments or {"amount": 5})


def test_the_model_is_told_what_waits_and_that_it_can_call_again(talk: Asked) -> None:
    talk.client(pay(1))

    assert talk.to_upstream == []
    [record] = talk.records
    assert talk.last() == ("ask", "pending")
    assert denied(talk.to_client[0])["approval_id"] == record.id
    text = talk.to_client[0]["result"]["content"][0]["text"]
    assert text.startswith("Policy violation: Payments are for people. ")
    assert record.id in text
    assert "make the same call again" in text
    assert (record.uses, record.reason, record.grant) == (
        (ToolCall("pay", {"amount": 5}),),
        "Payments are for people.",
        "test",
    )
    assert (record.created, record.expires) == (talk.now, talk.now + 300)
    assert talk.told == [record]


def test_an_approved_call_passes_exactly_once(talk: Asked) -> None:
    talk.client(pay(1))
    assert talk.answer(State.APPROVED)
    for number in (2, 3):
        talk.client(pay(number))

    assert [message["id"] for message in talk.to_upstream] == [2]
    assert talk.last() == ("ask", "pending")
    assert {record.state for record in talk.records} == {State.USED, State.WAITING}


def test_the_same_call_made_again_waits_under_the_same_id(talk: Asked) -> None:
    for number in range(3):
        talk.client(pay(number))

    assert len(talk.records) == len(talk.told) == 1
    assert {denied(answer)["approval_id"] for answer in talk.to_client} == {talk.records[0].id}


def test_a_denied_call_stays_denied_until_it_is_over(talk: Asked) -> None:
    talk.client(pay(1))
    talk.answer(State.DENIED)
    talk.client(pay(2))
    assert talk.last() == ("deny", "declined")

    talk.now += 300
    talk.client(pay(3))
    assert talk.last() == ("ask", "pending")
    assert talk.to_upstream == []


@pytest.mark.parametrize(
    "other",
    [
        pay(2, amount=6),
        pay(2, amount="5"),
        pay(2, amount=5.0),
        pay(2, amount=5, more=None),
        pay(2, amounts=5),
        call(2, "wipe", amount=5),
    ],
)
def test_an_approval_is_for_one_call_with_all_its_arguments(talk: Asked, other: Body) -> None:
    talk.client(pay(1))
    talk.answer(State.APPROVED)
    talk.client(other)

    assert talk.to_upstream == []
    assert len(talk.records) == 2


def test_an_approval_is_for_one_grant_and_one_policy(place: str) -> None:
    talk = Asked(place)
    talk.client(pay(1))
    talk.answer(State.APPROVED)

    another = Asked(place, grant="another")
    another.client(pay(1))
    changed = Asked(place, ASKS + "description: another")
    changed.client(pay(1))
    assert another.to_upstream == changed.to_upstream == []

    # Another process of the same grant may use it.
    same = Asked(place)
    same.client(pay(1))
    assert len(same.to_upstream) == 1


def test_there_is_a_time_to_answer_and_a_time_to_call_again(talk: Asked) -> None:
    talk.client(pay(1))
    talk.now += 299
    talk.answer(State.APPROVED)
    talk.now += 299
    talk.client(pay(2))
    assert len(talk.to_upstream) == 1

    talk.client(pay(3))
    talk.answer(State.APPROVED)
    talk.now += 300
    talk.client(pay(4))
    assert len(talk.to_upstream) == 1
    assert talk.last() == ("ask", "pending")


def test_what_is_remembered_passes_again_for_that_long(place: str) -> None:
    policy = "tools: {pay: {action: require_approval, approval: {timeout: 1m, remember: 10m}}}"
    talk = Asked(place, policy)
    talk.client(pay(1))
    talk.answer(State.APPROVED)
    for number, wait in enumerate((0, 30, 500, 69), 2):
        talk.now += wait
        talk.client(pay(number))
    assert [message["id"] for message in talk.to_upstream] == [2, 3, 4, 5]

    talk.client(pay(6, amount=6))
    talk.now += 1
    talk.client(pay(7))
    assert len(talk.to_upstream) == 4


def test_what_the_client_s_user_agreed_to_is_remembered_for_the_grant(place: str) -> None:
    policy = "tools: {pay: {action: require_approval, approval: {remember: 10m}}}"
    talk = Asked(place, policy)
    talk.initialize(offers={"elicitation": {}})
    talk.client(pay(1))
    question = talk.to_client[-1]
    content = {"decision": "allow for 10 minutes"}
    talk.client({"jsonrpc": "2.0", "id": question["id"], "result": {"action": "accept", "content": content}})
    talk.client(pay(2))
    assert [message["id"] for message in talk.to_upstream] == [1, 2]

    another = Asked(place, policy)
    another.now += 599
    another.client(pay(3))
    another.now += 1
    another.client(pay(4))
    assert [message["id"] for message in another.to_upstream] == [3]


def test_channels_have_their_turn_in_the_order_of_the_policy(tmp_path: Path) -> None:
    for order, asked in (("elicitation, operator", True), ("operator, elicitation", False), ("operator", False)):
        talk = Asked(tmp_path / f"{order}.db", ASKS + f"approvals: {{via: [{order}]}}")
        talk.initialize(offers={"elicitation": {}})
        talk.client(pay(1))

        assert (talk.to_client[-1].get("method") == "elicitation/create") is asked
        assert len(talk.records) == (0 if asked else 1)


def test_what_is_more_than_the_client_s_user_can_be_asked_at_a_time_waits_for_an_operator(tmp_path: Path) -> None:
    talk = Asked(tmp_path / "state.db")
    talk.initialize(offers={"elicitation": {}})
    for number in range(MAX_HELD):
        talk.client(call(number, "wipe", number=number))
    assert talk.records == []

    talk.client(call("more", "wipe", number=MAX_HELD))
    assert talk.last() == ("ask", "pending")
    [record] = talk.records
    assert record.uses[0].arguments == {"number": MAX_HELD}
    assert talk.answer(State.APPROVED)
    talk.client(call("again", "wipe", number=MAX_HELD))
    assert [message["params"]["arguments"] for message in talk.to_upstream] == [{"number": MAX_HELD}]


def test_where_the_policy_wants_the_client_s_user_alone_what_is_too_much_is_refused(tmp_path: Path) -> None:
    talk = Asked(tmp_path / "state.db", ASKS + "approvals: {via: [elicitation]}\n")
    talk.initialize(offers={"elicitation": {}})
    for number in range(MAX_HELD + 1):
        talk.client(call(number, "wipe", number=number))

    assert talk.last()[1] == "unavailable"
    assert talk.records == []


def test_a_decline_of_the_client_s_user_is_final(tmp_path: Path) -> None:
    talk = Asked(tmp_path / "state.db")
    talk.initialize(offers={"elicitation": {}})
    talk.client(pay(1))
    talk.client({"jsonrpc": "2.0", "id": talk.to_client[-1]["id"], "result": {"action": "decline"}})

    assert talk.last() == ("deny", "declined")
    assert talk.records == []


def test_an_approval_by_an_operator_passes_a_call_that_would_be_asked_about(tmp_path: Path) -> None:
    alone = Asked(tmp_path / "state.db")
    alone.client(pay(1))
    alone.answer(State.APPROVED)
    talk = Asked(tmp_path / "state.db")
    talk.initialize(offers={"elicitation": {}})
    talk.client(pay(2))

    assert [message["id"] for message in talk.to_upstream] == [2]


def test_limits_are_looked_at_before_an_operator_is_bothered_and_charged_with_the_call(talk: Asked) -> None:
    for number in range(3):
        talk.client(pay(number))
        talk.answer(State.APPROVED)
        talk.client(pay(10 + number))
    talk.client(pay(20))

    assert [message["id"] for message in talk.to_upstream] == [10, 11, 12]
    assert denied(talk.to_client[-1])["retry_after_s"] == 86_400
    assert len(talk.records) == 3


def test_an_approval_is_answered_once(talk: Asked) -> None:
    talk.client(pay(1))
    assert talk.answer(State.DENIED)
    assert not talk.answer(State.APPROVED)
    assert talk.records[0].state is State.DENIED


def test_many_proxies_that_use_one_approval_make_one_call(place: str) -> None:
    talk = Asked(place)
    talk.client(pay(1))
    talk.answer(State.APPROVED)
    talks = [Asked(place) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda one: one.client(pay(2)), talks))

    assert sum(len(one.to_upstream) for one in talks) == 1


def test_the_state_file_belongs_to_its_owner_alone(tmp_path: Path) -> None:
    Asked(tmp_path / "state.db").client(pay(1))

    assert stat.S_IMODE((tmp_path / "state.db").stat().st_mode) == 0o600


def test_a_file_in_which_somebody_wrote_nonsense_approves_nothing(tmp_path: Path) -> None:
    talk = Asked(tmp_path / "state.db")
    talk.client(pay(1))
    talk.answer(State.APPROVED)
    with sqlite3.connect(tmp_path / "state.db") as db:
        for column, value in (("uses", "[]"), ("uses", "{"), ("expires", "soon"), ("state", "fine"), ("id", b"x")):
            db.execute("SAVEPOINT one")
            db.execute(f"UPDATE approval SET {column} = ?", (value,))
            db.commit()
            talk.client(pay(f"{column} {value!r}"))
            assert talk.last() == ("ask", "pending")
            db.execute("DELETE FROM approval")
            db.commit()
            talk.client(pay(f"again {column} {value!r}"))
            talk.answer(State.APPROVED)
    db.close()
    assert talk.to_upstream == []


def test_no_more_wait_than_somebody_could_look_at(place: str) -> None:
    store = open_approvals(place)
    operator = Operator(store, grant="test", random=os.urandom)
    asking = Asking(300.0)
    decision = Decision(Effect.ASK, "pay", (), "", "digest", asking=asking)

    def ask(number: int, now: float) -> object:
        return operator.ask((ToolCall("pay", {"n": number}),), decision, asking, "", now, patience=5).approval

    for number in range(MAX_WAITING):
        assert ask(number, 0.0) is Approval.PENDING
    with pytest.raises(StoreUnavailable, match="1000 approvals wait already"):
        ask(-1, 299.0)
    assert ask(-1, 300.0) is Approval.PENDING


def test_what_is_long_over_is_forgotten(talk: Asked) -> None:
    talk.client(pay(1))
    talk.now += 8 * 86_400
    talk.client(pay(2))

    assert len(talk.records) == 1


def test_a_store_that_cannot_be_used_refuses_but_does_not_keep_the_client_s_user_from_being_asked(
    tmp_path: Path,
) -> None:
    (tmp_path / "state.db").write_text("this is no database, whatever its name says" * 100)
    talk = Asked(tmp_path / "state.db")
    talk.client(pay(1))
    assert talk.to_upstream == []
    assert "an operator cannot be asked" in talk.to_client[-1]["result"]["content"][0]["text"]
    assert str(tmp_path) not in str(talk.to_client)

    talk.initialize(offers={"elicitation": {}})
    talk.client(pay(2))
    talk.client({"jsonrpc": "2.0", "id": talk.to_client[-1]["id"], "result": YES})
    assert [message["id"] for message in talk.to_upstream] == [2]


def test_what_cannot_wait_is_handed_to_who_can(talk: Asked) -> None:
    judge = talk.judge(pay(1))
    with pytest.raises(StoreBusy):
        talk._enforcer.admit(judge, patience=0.005)  # type: ignore[arg-type]
    assert talk.records == []


def test_a_server_that_is_not_there_approves_nothing(tmp_path: Path) -> None:
    talk = Asked(f"unix://{tmp_path}/nothing.sock")
    talk.client(pay(1))

    assert talk.to_upstream == []
    text = talk.to_client[-1]["result"]["content"][0]["text"]
    assert "an operator cannot be asked about this call: the state server cannot be reached." in text
