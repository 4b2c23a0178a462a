"""Approvals that count only if they are signed: whoever can write the state file cannot approve."""

from __future__ import annotations

import os
import sqlite3
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from intercept.approval.keys import make_key, signer, verifier
from intercept.approval.operator import Operator
from intercept.approval.record import Record, State
from intercept.enforcement import Enforcer
from intercept.errors import UsageError
from intercept.limits.memory import MemoryStore
from tests.approval.test_operator import Asked
from tests.harness import Body, call

ASKS = "tools: {pay: {action: require_approval, approval: {timeout: 5m%s}}}"


class Guarded(Asked):
    """A conversation of a proxy that takes signed approvals only."""

    def __init__(self, folder: Path, *, remember: str = "") -> None:
        super().__init__(folder / "state.sqlite", ASKS % (f", remember: {remember}" if remember else ""))
        if not (folder / "key").exists():
            make_key(str(folder / "key"))
        verify = verifier(str(folder / "key.pub"))
        self.sign = signer(str(folder / "key"))
        operator = Operator(self.store, grant="test", random=os.urandom, verify=verify)
        self._enforcer = Enforcer(MemoryStore(), grant="test", clock=lambda: self.now, operator=lambda: operator)

    def approve(self, record: Record, **changes: object) -> None:
        answered = record.answered(State.APPROVED, "ann", self.now)
        signed = replace(answered, signature=self.sign(replace(answered, **changes)))  # type: ignore[arg-type]
        assert self.store.answer(signed, patience=1)


def pay(id: object, **arguments: object) -> Body:  # noqa: A002
    return call(id, "pay", **arguments or {"amount": 5})


def changed(folder: Path, statement: str) -> None:
    with sqlite3.connect(folder / "state.sqlite") as db:
        db.execute(statement)
    db.close()


def test_a_signed_approval_passes_the_call_once(tmp_path: Path) -> None:
    talk = Guarded(tmp_path)
    talk.client(pay(1))
    talk.approve(talk.records[0])
    talk.client(pay(2))
    talk.client(pay(3))

    assert [message["id"] for message in talk.to_upstream] == [2]


def test_an_approval_without_a_signature_or_with_another_one_is_worth_nothing(tmp_path: Path) -> None:
    talk = Guarded(tmp_path)
    make_key(str(tmp_path / "other"))
    for number, signature in enumerate(("", "00" * 64, "no hex", "other")):
        talk.client(pay(number, n=number))
        [record] = [each for each in talk.records if each.state is State.WAITING]
        answered = replace(record, state=State.APPROVED, expires=talk.now + 300)
        given = signer(str(tmp_path / "other"))(answered) if signature == "other" else signature
        assert talk.store.answer(replace(answered, signature=given), patience=1)
        talk.client(pay(10 + number, n=number))
        changed(tmp_path, "DELETE FROM approval")

    assert talk.to_upstream == []


@pytest.mark.parametrize(
    "changes",
    [{"id": "other"}, {"grant": "other"}, {"process": "other"}, {"expires": 1.0}, {"until": 1.0}, {"policy": "other"}],
)
def test_a_signature_is_for_one_approval_and_its_times(tmp_path: Path, changes: dict[str, object]) -> None:
    talk = Guarded(tmp_path)
    talk.client(pay(1))
    talk.approve(talk.records[0], **changes)
    talk.client(pay(2))

    assert talk.to_upstream == []


def test_a_signed_approval_cannot_be_moved_to_another_call(tmp_path: Path) -> None:
    talk = Guarded(tmp_path)
    talk.client(pay(1, amount=5))
    talk.approve(talk.records[0])
    big = Guarded(tmp_path)
    big.client(pay(1, amount=5_000_000))
    [subject] = [record.subject for record in big.records if record.state is State.WAITING]
    uses = '[{"kind": "tool", "name": "pay", "arguments": {"amount": 5000000}}]'
    changed(tmp_path, "DELETE FROM approval WHERE state = 'waiting'")
    changed(tmp_path, f"UPDATE approval SET subject = '{subject}', uses = '{uses}'")
    talk.client(pay(2, amount=5_000_000))

    assert talk.to_upstream == []


def test_an_approval_that_was_used_cannot_be_brought_back(tmp_path: Path) -> None:
    talk = Guarded(tmp_path)
    talk.client(pay(1))
    talk.approve(talk.records[0])
    talk.client(pay(2))
    changed(tmp_path, "UPDATE approval SET state = 'approved'")
    talk.client(pay(3))
    # Nor in another process of the same grant, nor after a restart.
    again = Guarded(tmp_path)
    again.client(pay(4))

    assert [message["id"] for message in talk.to_upstream] == [2]
    assert again.to_upstream == []


def test_what_waits_in_another_process_is_asked_about_here_anew(tmp_path: Path) -> None:
    first, second = Guarded(tmp_path), Guarded(tmp_path)
    for talk in (first, second):
        talk.client(pay(1))
    assert len(first.records) == 2

    for record in first.records:
        first.approve(record)
    second.client(pay(2))
    assert [message["id"] for message in second.to_upstream] == [2]


def test_what_is_remembered_is_signed_too(tmp_path: Path) -> None:
    talk = Guarded(tmp_path, remember="10m")
    talk.client(pay(1))
    talk.approve(talk.records[0])
    for number in (2, 3):
        talk.client(pay(number))
    changed(tmp_path, "UPDATE approval SET until = until + 10000, expires = expires + 10000")
    talk.client(pay(4))

    assert [message["id"] for message in talk.to_upstream] == [2, 3]


def test_what_the_client_s_user_agreed_to_is_remembered_by_this_process_alone(tmp_path: Path) -> None:
    talk = Guarded(tmp_path, remember="10m")
    talk.initialize(offers={"elicitation": {}})
    talk.client(pay(1))
    content = {"decision": "allow for 10 minutes"}
    question = talk.to_client[-1]["id"]
    talk.client({"jsonrpc": "2.0", "id": question, "result": {"action": "accept", "content": content}})
    talk.client(pay(2))
    talk.client(pay(3, amount=6))
    talk.now += 600
    talk.client(pay(4))
    assert [message["id"] for message in talk.to_upstream] == [1, 2]
    assert talk.records == []


def test_the_secret_half_is_its_owner_s_alone_and_never_overwritten(tmp_path: Path) -> None:
    public = make_key(str(tmp_path / "key"))

    assert public == str(tmp_path / "key.pub")
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    with pytest.raises(UsageError, match="file exists"):
        make_key(str(tmp_path / "key"))


def test_a_file_that_is_no_key_is_said_to_be_none(tmp_path: Path) -> None:
    make_key(str(tmp_path / "key"))
    (tmp_path / "text").write_text("hello")

    with pytest.raises(UsageError, match="secret half"):
        verifier(str(tmp_path / "key"))
    with pytest.raises(UsageError, match="no public key"):
        verifier(str(tmp_path / "text"))
    with pytest.raises(UsageError, match="no secret key"):
        signer(str(tmp_path / "key.pub"))
    with pytest.raises(UsageError, match="no such file"):
        verifier(str(tmp_path / "nothing"))
