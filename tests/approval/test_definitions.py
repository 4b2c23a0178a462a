"""Which definitions are kept of the tools that a person may be asked about, and what the person is told of them."""

from __future__ import annotations

import json

import pytest

from intercept.approval.definitions import LONGEST, MAX_KEPT, MAX_SIZE, Definitions
from intercept.enforcement import Enforcer
from intercept.limits.memory import MemoryStore
from tests.harness import Body, Conversation, call, modern, request, result

ASKS = """
default: deny
tools:
  pay: {when: [{path: args.amount, op: gt, value: 10}], action: require_approval}
  "wipe_*": {action: require_approval}
  watched: {action: require_approval, mode: shadow}
  read: {}
"""
FORM: Body = {"elicitation": {}}


class Talk(Conversation):
    """A conversation in which the risk of a tool is its description, and `read` is the names that were looked at."""

    def __init__(self, policy: str = ASKS) -> None:
        super().__init__(policy)
        self.read: list[str] = []
        self._enforcer = Enforcer(MemoryStore(), grant="test", clock=lambda: self.now, risk_of=self._risk_of)
        self.initialize(offers=FORM)

    def _risk_of(self, definition: bytes) -> str:
        tool = json.loads(definition)
        self.read.append(tool["name"])
        return str(tool["description"])

    def lists(self, **descriptions: str) -> None:
        self.client(request("list", "tools/list"))
        tools = [{"name": name, "description": text, "inputSchema": {}} for name, text in descriptions.items()]
        self.upstream(result("list", tools=tools))
        self.forget()

    def asked(self, message: Body) -> str:
        """What the client's user is shown."""
        self.client(message)
        last = self.to_client[-1]
        if "method" in last:
            return str(last["params"]["message"])
        return str(last["result"]["inputRequests"]["intercept_approval"]["params"]["message"])


def test_a_person_is_told_how_dangerous_a_listed_tool_is_by_its_definition() -> None:
    talk = Talk()
    talk.lists(pay="moves money", wipe_all="deletes", watched="x", read="reads")

    assert "\nTool: pay\nBy its definition: moves money\n" in talk.asked(call(1, "pay", amount=11))
    assert "\nTool: wipe_all\nBy its definition: deletes\n" in talk.asked(modern(call(2, "wipe_all"), **FORM))


def test_nothing_is_said_of_a_tool_that_was_not_listed() -> None:
    talk = Talk()

    assert "By its definition" not in talk.asked(call(1, "wipe_all"))


def test_a_definition_is_looked_at_when_somebody_is_asked_and_not_before() -> None:
    talk = Talk()
    talk.lists(pay="moves money", wipe_all="deletes", watched="x", read="reads")
    for number, name in enumerate(("read", "watched")):
        talk.client(call(number, name))
    talk.client(call(3, "pay", amount=1))
    assert [message["params"]["name"] for message in talk.to_upstream] == ["read", "watched", "pay"]
    assert talk.read == []

    talk.asked(call(4, "pay", amount=11))
    assert talk.read == ["pay"]


def test_the_definition_that_was_listed_last_counts() -> None:
    talk = Talk()
    talk.lists(wipe_all="deletes")
    talk.lists(wipe_all="deletes more")

    assert "By its definition: deletes more\n" in talk.asked(call(1, "wipe_all"))


def test_only_what_the_policy_asks_about_is_kept() -> None:
    talk = Talk()
    talk.lists(pay="moves money", wipe_all="deletes", watched="x", read="reads", other="y")

    kept = [name for name in ("pay", "wipe_all", "watched", "read", "other") if talk.session.policy.asks_about(name)]
    assert kept == ["pay", "wipe_all"]
    judged = [talk.judge(call(number, name)) for number, name in enumerate(("pay", "read"))]
    assert [bool(getattr(judge, "definition", b"")) for judge in judged] == [True, False]


def test_a_file_in_shadow_mode_asks_about_nothing() -> None:
    talk = Talk("default: allow\nmode: shadow\ntools: {pay: {action: require_approval}}\n")

    assert not talk.session.policy.asks_about("pay")


@pytest.mark.parametrize(("size", "room"), [(10, MAX_KEPT), (LONGEST - 100, MAX_SIZE // (LONGEST - 100))])
def test_there_is_room_for_so_many_and_a_new_one_of_the_same_tool_takes_the_place_of_the_old(
    size: int, room: int
) -> None:
    definitions = Definitions()
    for _ in range(3):
        for number in range(room + 10):
            definitions.keep(f"t{number}", {"text": "x" * size})

    assert [bool(definitions.of(f"t{number}")) for number in range(room + 10)] == [True] * room + [False] * 10


def test_one_that_is_too_long_is_not_kept_and_neither_is_the_one_before_it() -> None:
    definitions = Definitions()
    definitions.keep("pay", {"text": "short"})
    assert json.loads(definitions.of("pay")) == {"text": "short"}

    definitions.keep("pay", {"text": "x" * LONGEST})
    assert definitions.of("pay") == b""
