"""A refusal reaches the model: as an ordinary tool result that says why, in every SDK and era.

Each client meets a server of the handshake era and one that also speaks 2026-07-28 through the proxy. The
policy refuses, hides and limits some of their tools.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from intercept.values import Json

from .peers.driving import CLIENTS, Client, Run, run
from .peers.scenarios import SERVERS, Step, call

REASON = "Off limits during the test; use another tool."
POLICY = f"""
version: "1"
default: allow
hide: [get-env, touch]
tools:
  # of server-everything
  echo: {{action: deny, reason: "{REASON}"}}
  get-structured-content: {{action: deny, reason: "{REASON}"}}
  simulate-research-query: {{action: deny, reason: "{REASON}"}}
  get-sum: {{rate_limit: {{max: 1, window: 60}}}}
  # of both_eras_server
  greet: {{action: deny, reason: "{REASON}"}}
  measure: {{action: deny, reason: "{REASON}"}}
  count: {{rate_limit: {{max: 1, window: 60}}}}
"""


@dataclass(frozen=True, slots=True)
class Tools:
    """Tools of one server and what the policy makes of them; all but `free` take the arguments given here."""

    denied: Step
    denied_structured: Step
    hidden: Step
    limited: Step
    free: Step


TOOLS: dict[str, Tools] = {
    "everything": Tools(
        denied=call("echo", message="psst"),
        denied_structured=call("get-structured-content", location="Chicago"),
        hidden=call("get-env"),
        limited=call("get-sum", a=1, b=2),
        free=call("get-tiny-image"),
    ),
    "both-eras": Tools(
        denied=call("greet"),
        denied_structured=call("measure", text="psst"),
        hidden=call("touch"),
        limited=call("count", up_to=1),
        free=call("folders"),
    ),
}
TASK: Step = {"name": "simulate-research-query", "arguments": {"topic": "tides"}}


@dataclass(frozen=True, slots=True)
class Meeting:
    """One client's run against one server, and what each step gave, by the name of its role."""

    tools: Tools
    modern: bool
    run: Run
    steps: dict[str, Step]
    outcome: dict[str, dict[str, Json]]

    def result(self, role: str) -> dict[str, Json]:
        """What the application was given; fails if the SDK raised instead."""
        line = self.outcome[role]
        assert "error" not in line, f"{role} was an exception: {line['error']}"
        result = line["result"]
        assert isinstance(result, dict)
        return result

    def decision(self, role: str) -> dict[str, Json]:
        """The details that a refusal carries for programs."""
        meta = self.result(role)["_meta"]
        assert isinstance(meta, dict)
        decision = meta["intercept/decision"]
        assert isinstance(decision, dict)
        return decision

    def text(self, role: str) -> str:
        """The one text block of a result."""
        content = self.result(role)["content"]
        assert isinstance(content, list)
        (block,) = content
        assert isinstance(block, dict)
        assert block["type"] == "text"
        text = block["text"]
        assert isinstance(text, str)
        return text


def script(client: Client, server: str) -> dict[str, Step]:
    """The steps by role; the first SDK alone can make a call a task, and only one server offers that."""
    tools = TOOLS[server]
    steps: dict[str, Step] = {
        "list": {"do": "list_tools"},
        "denied": tools.denied,
        "denied structured": tools.denied_structured,
        "hidden": tools.hidden,
        "limited, first": tools.limited,
        "limited, second": tools.limited,
        "free": tools.free,
    }
    if client.kind == "sdk" and server == "everything":
        steps["task"] = {"do": "start_task", **TASK}
        steps["task stream"] = {"do": "stream_task", **TASK}
    return steps


@pytest.fixture(scope="module", params=CLIENTS, ids=lambda client: client.name)
def meetings(
    request: pytest.FixtureRequest, node_modules: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Meeting]:
    """One client's meetings with both servers, by the server's name."""
    client: Client = request.param
    folder = tmp_path_factory.mktemp(client.name)
    policy = folder / "policy.yaml"
    policy.write_text(POLICY, encoding="utf-8")
    audit = str(policy.parent / "audit")
    proxy = (sys.executable, "-m", "intercept", "--policy", str(policy), "--audit", audit)

    def meet(name: str) -> Meeting:
        server = next(server for server in SERVERS if server.name == name)
        steps = script(client, name)
        work = folder / name / "work"
        work.mkdir(parents=True)
        through = run(client, server.command(work), list(steps.values()), folder=folder / name, proxy=proxy)
        return Meeting(
            tools=TOOLS[name],
            modern=through.protocol == "2026-07-28",
            run=through,
            steps=steps,
            outcome=dict(zip(steps, through.steps[1:], strict=True)),
        )

    with ThreadPoolExecutor() as both:
        return dict(zip(TOOLS, both.map(meet, TOOLS), strict=True))


@pytest.fixture(params=TOOLS)
def meeting(request: pytest.FixtureRequest, meetings: dict[str, Meeting]) -> Meeting:
    """One client's meeting with one server."""
    return meetings[request.param]


def messages(lines: tuple[bytes, ...]) -> list[dict[str, Json]]:
    """The messages of one direction."""
    return [json.loads(line) for line in lines]


def answer(meeting: Meeting, step: Step) -> dict[str, Json]:
    """The response that the client read to its last call of this tool, as it stood on the wire."""
    recording = meeting.run.outer[-1]
    ids = [
        message["id"]
        for message in messages(recording.to_server)
        if message.get("method") == "tools/call"
        and isinstance(params := message["params"], dict)
        and params["name"] == step["name"]
    ]
    (response,) = [message for message in messages(recording.to_client) if message.get("id") == ids[-1]]
    return response


@pytest.mark.parametrize("role", ["denied", "denied structured"])
def test_the_model_reads_why_its_call_was_denied(meeting: Meeting, role: str) -> None:
    assert meeting.result(role)["isError"] is True
    assert REASON in meeting.text(role)
    decision = meeting.decision(role)
    assert decision["decision"] == "deny"
    assert decision["tool"] == meeting.steps[role]["name"]
    assert decision["reason"] == REASON


@pytest.mark.parametrize("role", ["denied", "denied structured", "hidden", "limited, second"])
def test_a_denial_on_the_wire_fits_its_era_and_promises_no_structure(meeting: Meeting, role: str) -> None:
    response = answer(meeting, meeting.steps[role])
    result = response["result"]
    assert isinstance(result, dict)
    assert "structuredContent" not in result
    assert result.get("resultType") == ("complete" if meeting.modern else None)


def test_the_tool_with_an_output_schema_was_listed_with_it(meeting: Meeting) -> None:
    tools = meeting.result("list")["tools"]
    assert isinstance(tools, list)
    listed = {tool["name"]: tool for tool in tools if isinstance(tool, dict)}
    assert "outputSchema" in listed[meeting.tools.denied_structured["name"]]


def test_a_hidden_tool_is_not_listed_and_its_call_is_denied(meeting: Meeting) -> None:
    tools = meeting.result("list")["tools"]
    assert isinstance(tools, list)
    names = {tool["name"] for tool in tools if isinstance(tool, dict)}
    assert meeting.tools.free["name"] in names
    assert meeting.tools.hidden["name"] not in names
    assert meeting.result("hidden")["isError"] is True
    assert meeting.decision("hidden")["decision"] == "deny"


def test_a_used_up_limit_says_how_many_seconds_to_wait(meeting: Meeting) -> None:
    assert meeting.result("limited, first").get("isError") is not True
    assert meeting.result("limited, second")["isError"] is True
    decision = meeting.decision("limited, second")
    assert decision["max"] == 1
    assert decision["window_s"] == 60
    wait = decision["retry_after_s"]
    assert isinstance(wait, int)
    assert 0 < wait <= 60
    assert f"Retry in {wait} seconds" in meeting.text("limited, second")


def test_an_allowed_call_after_all_the_denials_still_works(meeting: Meeting) -> None:
    result = meeting.result("free")
    assert result.get("isError") is not True
    assert "intercept/decision" not in json.dumps(result)


def test_no_denied_call_reached_the_server(meeting: Meeting) -> None:
    called = [
        params["name"]
        for recording in meeting.run.inner
        for message in messages(recording.to_server)
        if message.get("method") == "tools/call" and isinstance(params := message["params"], dict)
    ]
    limited, *free = called
    assert limited == meeting.tools.limited["name"]
    # In 2026-07-28 a tool that asks the client something is called again with the answer.
    assert set(free) == {meeting.tools.free["name"]}


@pytest.mark.parametrize(
    "meetings", [client for client in CLIENTS if client.kind == "sdk"], ids=lambda client: client.name, indirect=True
)
def test_a_denied_task_is_a_json_rpc_error_with_the_reason(meetings: dict[str, Meeting]) -> None:
    outcome = meetings["everything"].outcome
    error = outcome["task"]["error"]
    assert isinstance(error, dict)
    assert error["code"] == -31403
    message = error["message"]
    assert isinstance(message, str)
    assert REASON in message
    stream = outcome["task stream"]["result"]
    assert isinstance(stream, list)
    (failure,) = stream
    assert REASON in json.dumps(failure)
