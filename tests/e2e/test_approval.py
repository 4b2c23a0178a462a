"""A person decides: each SDK's own user is asked through the proxy, and the tool runs only on a yes, and once.

Every client meets a server of both eras: with a user who answers one question after the other, without any way to ask
one, so that an operator answers between two sessions, and with answers that no SDK would give: too late, twice, for
other arguments, under another policy, to a server that is gone.
"""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from intercept.values import Json

from .peers.driving import CLIENTS, Client, Run, run
from .peers.scenarios import SERVERS, Step, call

REASON = "A person has to look at this."
POLICY = f"""
version: "1"
default: allow
tools:
  measure: {{action: require_approval, reason: "{REASON}"}}
  greet: {{action: require_approval}}
  count: {{action: require_approval, approval: {{timeout: 1}}}}
  wait: {{action: require_approval}}
  touch: {{limits: [{{max: 1, window: 1}}]}}
"""
YES: dict[str, Json] = {"action": "accept", "content": {"decision": "allow once"}}

SCRIPT: dict[str, tuple[Step, list[dict[str, Json]]]] = {
    "listed": ({"do": "list_tools"}, []),
    "approved": (call("measure", text="a b"), [{**YES, "first": [call("fail", why="meanwhile")]}]),
    "declined": (call("measure", text="c"), [{"action": "decline"}]),
    "cancelled": (call("measure", text="d"), [{"action": "cancel"}]),
    "denied in the form": (call("measure", text="e"), [{"action": "accept", "content": {"decision": "deny"}}]),
    "with a question of its own": (call("greet"), [YES, {"action": "accept", "content": {"name": "Ada"}}]),
    "with progress": ({**call("count", up_to=2), "progress": True}, [YES]),
    # In 2026-07-28 no call is open while the user thinks, so that there is none to time out.
    "too late": ({**call("count", up_to=3), "era": "legacy"}, [{"never": True}]),
    "given up": ({"do": "call_and_cancel", "name": "wait", "after_question": True}, [{"never": True}]),
    "free": (call("fail", why="at the end"), []),
    "left": (call("measure", text="f"), [{"leave": True}]),
}

CHANGED = f"""
version: "1"
default: allow
tools:
  measure: {{action: require_approval, reason: "{REASON}", approval: {{timeout: 50}}}}
  wait: {{action: require_approval}}
  fail: {{action: deny}}
"""
IN_FORCE: Step = {**call("fail", why="is it in force?"), "do": "call_until", "refused": True}
A_SECOND_LATER: Step = {**call("touch"), "do": "call_until", "refused": False}
"""By the proxy's own clock, and after a call of that tool."""


def stubborn(policy: Path) -> dict[str, tuple[Step, list[dict[str, Json]]]]:
    """The script in which answers are wrong, late, or too many."""
    no: dict[str, Json] = {"action": "decline"}
    others: Json = {"text": "others"}
    change: Step = {"do": "write", "path": str(policy), "text": CHANGED}
    return {
        "late": ({"do": "call_and_cancel", "name": "wait", "after_question": True, "era": "legacy"}, [{"never": True}]),
        "late answer": ({"do": "answer", "answer": YES, "era": "legacy"}, []),
        "declined first": (call("measure", text="declined"), [{**no, "again": YES}]),
        "closed first": (call("measure", text="closed"), [{"action": "cancel", "again": YES}]),
        "twice": (call("measure", text="twice"), [{**YES, "again": YES}]),
        # A call that is held has come with its arguments; one that is made again comes with them again.
        "others, held": ({**call("measure", text="these"), "era": "legacy"}, [{**YES, "with": others}]),
        "others, made again": ({**call("measure", text="these"), "era": "modern"}, [{**YES, "with": others}, no, no]),
        # A call that is held times out by itself: see above.
        "expired": (
            {**call("count", up_to=4), "era": "modern"},
            [{**YES, "first": [call("touch"), A_SECOND_LATER]}],
        ),
        "policy changed": (call("measure", text="changed"), [{**YES, "first": [change, IN_FORCE]}]),
        "server gone": (call("wait"), [{**YES, "first": [call("leave")]}]),
    }


@dataclass(frozen=True, slots=True)
class Meeting:
    """What each part of the script gave a client, and what reached the server."""

    run: Run
    outcome: dict[str, dict[str, Json]]

    def result(self, role: str) -> dict[str, Json]:
        """What the application was given; fails if the SDK raised instead."""
        line = self.outcome[role]
        assert "error" not in line, f"{role} was an exception: {line['error']}"
        result = line["result"]
        assert isinstance(result, dict)
        return result

    def details(self, role: str) -> dict[str, Json]:
        """What a program is told of a call that was refused."""
        result = self.result(role)
        assert result["isError"] is True
        meta = result["_meta"]
        assert isinstance(meta, dict)
        decision = meta["intercept/decision"]
        assert isinstance(decision, dict)
        return decision

    def approval(self, role: str) -> Json:
        """What came of asking, of a call that was refused."""
        return self.details(role)["approval"]

    @property
    def calls(self) -> list[tuple[Json, Json]]:
        """The calls that reached the server: tool and arguments."""
        return [
            (params["name"], params.get("arguments"))
            for recording in self.run.inner
            for line in recording.to_server
            if (message := json.loads(line)).get("method") == "tools/call" and (params := message["params"])
        ]


def meet(client: Client, folder: Path, script: dict[str, tuple[Step, list[dict[str, Json]]]], elicits: bool) -> Meeting:
    work = folder / "work"
    work.mkdir(parents=True)
    policy, state = folder.parent / "policy.yaml", folder.parent / f"{'asked' if elicits else 'unasked'}.sqlite"
    (server,) = [server for server in SERVERS if server.name == "both-eras"]
    era = "modern" if client.speaks_modern else "legacy"
    script = {role: (step, answers) for role, (step, answers) in script.items() if step.get("era", era) == era}
    through = run(
        client,
        server.command(work),
        [step for step, _ in script.values()],
        folder=folder,
        proxy=(
            *(sys.executable, "-m", "intercept", "--policy", str(policy), "--state", str(state)),
            *("--audit", str(policy.parent / "audit")),
        ),
        answers=[answer for _, answers in script.values() for answer in answers],
        elicits=elicits,
    )
    assert (through.protocol == "2026-07-28") is client.speaks_modern
    performed = [role for role, (_, answers) in script.items() if {"leave": True} not in answers]
    return Meeting(through, dict(zip(performed, through.steps[1:], strict=True)))


@pytest.fixture(scope="module", params=CLIENTS, ids=lambda client: client.name)
def meetings(
    request: pytest.FixtureRequest, node_modules: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Meeting, Meeting, Meeting]:
    """One client's meetings: with a user; without; and without, after an operator has approved what waited."""
    client: Client = request.param
    folder = tmp_path_factory.mktemp(client.name)
    (folder / "policy.yaml").write_text(POLICY, encoding="utf-8")
    alone = {role: SCRIPT[role] for role in ("approved", "free")}
    twice = {"once": SCRIPT["approved"], "again": SCRIPT["approved"]}
    with ThreadPoolExecutor() as both:
        asked = both.submit(meet, client, folder / "asked", SCRIPT, True)
        unasked = meet(client, folder / "unasked", alone, False)
        approve(str(unasked.details("approved")["approval_id"]), folder / "unasked.sqlite")
        return asked.result(), unasked, meet(client, folder / "approved", twice, False)


def approve(name: str, state: Path) -> None:
    command = [sys.executable, "-m", "intercept", "approvals", "approve", name, "--state", str(state)]
    subprocess.run(command, check=True, timeout=60, capture_output=True)


@pytest.fixture(scope="module", params=CLIENTS, ids=lambda client: client.name)
def stubborn_meeting(
    request: pytest.FixtureRequest, node_modules: Path, tmp_path_factory: pytest.TempPathFactory
) -> Meeting:
    """One client's meeting with a user whose answers are wrong, late, or too many."""
    client: Client = request.param
    folder = tmp_path_factory.mktemp(client.name)
    policy = folder / "policy.yaml"
    policy.write_text(POLICY, encoding="utf-8")
    return meet(client, folder / "stubborn", stubborn(policy), True)


@pytest.fixture
def meeting(meetings: tuple[Meeting, Meeting, Meeting]) -> Meeting:
    """The one with a user."""
    return meetings[0]


def test_an_approved_call_gives_what_the_server_answers(meeting: Meeting) -> None:
    assert meeting.result("approved")["structuredContent"] == {"characters": 3, "words": 2}


@pytest.mark.parametrize(
    ("role", "approval"),
    [("declined", "declined"), ("cancelled", "cancelled"), ("denied in the form", "declined")],
)
def test_any_other_answer_is_a_refusal_that_the_model_reads(meeting: Meeting, role: str, approval: str) -> None:
    assert meeting.approval(role) == approval
    assert REASON in json.dumps(meeting.result(role)["content"])


def test_a_tool_that_asks_its_user_something_is_asked_about_once(meeting: Meeting) -> None:
    assert "Ada" in json.dumps(meeting.result("with a question of its own")["content"])


def test_progress_of_an_approved_call_arrives(meeting: Meeting) -> None:
    assert "counted to 2" in json.dumps(meeting.result("with progress")["content"])
    seen = [line["params"] for line in meeting.run.seen if line.get("event") == "progress"]
    assert [part["progress"] for part in seen if isinstance(part, dict)][-1] == 2


def test_a_question_without_an_answer_is_a_refusal_in_time(meeting: Meeting) -> None:
    if "too late" in meeting.outcome:
        assert meeting.approval("too late") == "timed_out"
    else:
        assert meeting.run.protocol == "2026-07-28"


def test_a_call_that_the_client_gave_up_is_not_made(meeting: Meeting) -> None:
    assert meeting.outcome["given up"]["result"] == "cancelled"


def test_another_call_flows_while_one_waits(meeting: Meeting) -> None:
    [meanwhile] = [line["params"] for line in meeting.run.seen if line.get("event") == "meanwhile"]
    assert "meanwhile" in json.dumps(meanwhile)


def test_the_user_reads_what_is_to_be_done(meeting: Meeting) -> None:
    questions = [line["params"] for line in meeting.run.seen if line.get("event") == "elicitation/create"]
    for part in ("Tool: measure", 'text: "a b"', REASON):
        assert part in json.dumps(questions[0], ensure_ascii=False).replace('\\"', '"')
    assert "By its definition: Read, low risk" in json.dumps(questions[0])
    # A client that has probed the era with another process may call before the server has said its name.
    assert "Server: both-eras" in json.dumps(questions[1])


def test_only_approved_calls_reached_the_server_and_once(meeting: Meeting) -> None:
    # In 2026-07-28 a tool that asks its user something is called again with the answer.
    rounds = 2 if meeting.run.protocol == "2026-07-28" else 1
    assert meeting.calls == [
        ("fail", {"why": "meanwhile"}),
        ("measure", {"text": "a b"}),
        *[("greet", {})] * rounds,
        ("count", {"up_to": 2}),
        ("fail", {"why": "at the end"}),
    ]


def test_a_client_that_goes_away_while_its_user_is_asked_has_run_nothing(meeting: Meeting) -> None:
    questions = [line["params"] for line in meeting.run.seen if line.get("event") == "elicitation/create"]
    assert 'text: "f"' in json.dumps(questions[-1]).replace('\\"', '"')
    assert ("measure", {"text": "f"}) not in meeting.calls


def test_a_client_that_cannot_ask_is_told_what_waits(meetings: tuple[Meeting, Meeting, Meeting]) -> None:
    unasked = meetings[1]
    assert unasked.approval("approved") == "pending"
    assert str(unasked.details("approved")["approval_id"]) in json.dumps(unasked.result("approved")["content"])
    assert unasked.calls == [("fail", {"why": "at the end"})]


def test_what_an_operator_has_approved_passes_once(meetings: tuple[Meeting, Meeting, Meeting]) -> None:
    approved = meetings[2]
    assert approved.result("once")["structuredContent"] == {"characters": 3, "words": 2}
    assert approved.approval("again") == "pending"
    assert approved.calls == [("measure", {"text": "a b"})]


# --- what no SDK would do ---------------------------------------------------------------------------------------------


def answers(meeting: Meeting) -> list[tuple[Json, Json]]:
    """What was answered to our questions, on the wire: the question, and the action of its answer."""
    found: list[tuple[Json, Json]] = []
    for message in (json.loads(line) for recording in meeting.run.outer for line in recording.to_server):
        params = message.get("params", {})
        if "method" not in message and str(message["id"]).startswith("intercept-"):
            found.append((message["id"], message["result"]["action"]))
        elif "intercept_approval" in params.get("inputResponses", {}):
            found.append((params["requestState"], params["inputResponses"]["intercept_approval"]["action"]))
    return found


def is_modern(meeting: Meeting) -> bool:
    return meeting.run.protocol == "2026-07-28"


def test_a_yes_after_the_call_was_cancelled_runs_nothing(stubborn_meeting: Meeting) -> None:
    """In 2026-07-28 nothing is open that could be cancelled: see the answer that was closed first."""
    if is_modern(stubborn_meeting):
        assert "late" not in stubborn_meeting.outcome
        return
    assert stubborn_meeting.outcome["late"]["result"] == "cancelled"
    sent = [json.loads(line) for recording in stubborn_meeting.run.outer for line in recording.to_server]
    cancelled = [number for number, each in enumerate(sent) if each.get("method") == "notifications/cancelled"]
    (late,) = [number for number, each in enumerate(sent) if each.get("id") == answers(stubborn_meeting)[0][0]]
    assert cancelled[0] < late
    assert "wait" not in [name for name, _ in stubborn_meeting.calls]


@pytest.mark.parametrize(("role", "action"), [("declined first", "decline"), ("closed first", "cancel")])
def test_the_first_answer_counts_whatever_comes_after_it(stubborn_meeting: Meeting, role: str, action: str) -> None:
    assert stubborn_meeting.approval(role) == {"decline": "declined", "cancel": "cancelled"}[action]
    given = answers(stubborn_meeting)
    place = [each[1] for each in given].index(action)
    assert given[place + 1] == (given[place][0], "accept")


def test_a_yes_that_is_said_twice_runs_the_tool_once(stubborn_meeting: Meeting) -> None:
    assert stubborn_meeting.result("twice")["structuredContent"] == {"characters": 5, "words": 1}
    given = answers(stubborn_meeting)
    assert [action for (one, action), other in pairwise(given) if (one, action) == other] == ["accept"]
    assert stubborn_meeting.calls.count(("measure", {"text": "twice"})) == 1
    if is_modern(stubborn_meeting):
        back = [json.loads(line) for recording in stubborn_meeting.run.outer for line in recording.to_client]
        assert [each["error"]["code"] for each in back if each.get("id") == "again"] == [-32602] * 3


def test_a_yes_is_for_the_arguments_that_were_asked_about(stubborn_meeting: Meeting) -> None:
    assert ("measure", {"text": "others"}) not in stubborn_meeting.calls
    if is_modern(stubborn_meeting):
        assert stubborn_meeting.approval("others, made again") == "declined"
        asked = [
            json.dumps(line["params"]) for line in stubborn_meeting.run.seen if "elicitation/create" in line.values()
        ]
        about = [text for question in asked for text in ("these", "others") if f': \\"{text}' in question]
        assert about == ["these", "others", "these"]
    else:
        assert stubborn_meeting.result("others, held")["structuredContent"] == {"characters": 5, "words": 1}


def test_a_yes_after_the_time_to_answer_runs_nothing(stubborn_meeting: Meeting) -> None:
    if is_modern(stubborn_meeting):
        error = stubborn_meeting.outcome["expired"]["error"]
        assert isinstance(error, dict)
        assert error["code"] == -32602
        assert "expired" in str(error["message"])
    assert "count" not in [name for name, _ in stubborn_meeting.calls]


def test_a_yes_under_a_policy_that_was_replaced_meanwhile_is_worth_nothing(stubborn_meeting: Meeting) -> None:
    assert stubborn_meeting.approval("policy changed") == "changed"
    assert ("measure", {"text": "changed"}) not in stubborn_meeting.calls


def test_a_server_that_goes_away_while_the_user_is_asked_ends_the_call(stubborn_meeting: Meeting) -> None:
    assert "error" in stubborn_meeting.outcome["server gone"]
    assert stubborn_meeting.calls[-1] == ("leave", {})


def test_nothing_but_what_was_approved_reached_the_server_and_once(stubborn_meeting: Meeting) -> None:
    made = [call for call in stubborn_meeting.calls if call != ("fail", IN_FORCE["arguments"])]
    # One for each era: the call that was held and asked about, and what told the time.
    others: list[tuple[Json, Json]] = [("measure", {"text": "these"})]
    if is_modern(stubborn_meeting):
        others = [("touch", {})] * 2
    assert made == [("measure", {"text": "twice"}), *others, ("leave", {})]
