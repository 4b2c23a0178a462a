from __future__ import annotations

from pathlib import Path

import pytest

from intercept.errors import ProtocolError
from intercept.limits.memory import MemoryStore
from intercept.policy import Effect, Kind, PolicySet, load
from intercept.rehearsal import Rehearsal, request_for


def rehearsal(tmp_path: Path, text: str) -> Rehearsal:
    return Rehearsal(policy(tmp_path, text), MemoryStore(), grant="", now=0.0)


def policy(tmp_path: Path, text: str) -> PolicySet:
    path = tmp_path / "policy.yaml"
    path.write_text(text)
    return load([str(path)])


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ("", "not JSON"),
        ("{", "not JSON: expecting property name enclosed in double quotes at character 2"),
        ('{}}, "x": {', "not JSON: extra data at character 3"),
        ("[]", "expected arguments that are an object"),
        ("7", "expected arguments that are an object"),
        ('{"a": 1, "a": 2}', "an object has the same key twice"),
        ('{"a": [{"b": 1, "b": 1}]}', "an object has the same key twice"),
        ('{"a": NaN}', "NaN and Infinity are not JSON"),
        ('{"a": 1e400}', "a number is too large for a double"),
        ('{"a": ' + "1" * 5000 + "}", "a number has too many digits"),
        ('{"a": "\\ud800"}', "a string has half a surrogate pair"),
        ('{"a": ' + "[" * 200 + "]" * 200 + "}", "nested deeper than 128 levels"),
        ('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}", "nested deeper than 128 levels"),
        ('{"a": "\udcff"}', "not UTF-8"),
    ],
)
def test_arguments_are_read_as_strictly_as_those_of_a_client(arguments: str, complaint: str) -> None:
    with pytest.raises(ProtocolError) as refused:
        request_for(Kind.TOOL, "send", arguments)

    assert complaint in str(refused.value)


def test_a_name_is_sent_as_it_is() -> None:
    name = 'a"b\\c\u200b\nd'

    assert request_for(Kind.TOOL, name, "{}").params == {"name": name, "arguments": {}}
    assert request_for(Kind.RESOURCE, name, "{}").params == {"uri": name}
    assert request_for(Kind.PROMPT, name, '{"x": "1"}').params == {"name": name, "arguments": {"x": "1"}}


def test_what_is_let_through_is_answered_with_success(tmp_path: Path) -> None:
    session = rehearsal(tmp_path, "tools: {read: {}, send: {action: deny, after: read}, other: {}}\nall_tools: {}")
    send, read = request_for(Kind.TOOL, "send", "{}"), request_for(Kind.TOOL, "read", "{}")

    effects = [session.use(request).decision.effect for request in (send, read, send, read)]

    assert effects == [Effect.ALLOW, Effect.ALLOW, Effect.DENY, Effect.ALLOW]


def test_what_was_answered_before_counts_beside_what_is_answered_here(tmp_path: Path) -> None:
    session = rehearsal(tmp_path, "tools: {send: {action: deny, after: [read]}}")
    send = request_for(Kind.TOOL, "send", "{}")

    assert session.use(send).decision.effect is Effect.ALLOW
    assert session.use(send, answered={"read"}).decision.effect is Effect.DENY
    assert session.use(send).decision.effect is Effect.ALLOW


def test_a_denial_brings_what_the_model_and_what_a_program_reads(tmp_path: Path) -> None:
    session = rehearsal(tmp_path, "tools: {send: {rate_limit: 1/minute}}")
    send = request_for(Kind.TOOL, "send", "{}")

    allowed, denied = session.use(send), session.use(send)

    assert (allowed.told, allowed.details) == ("", {})
    assert denied.told == ("Policy violation: limit of 1 call per minute for `send` is used up. Retry in 60 seconds.")
    assert denied.details["retry_after_s"] == 60
    assert denied.details["rule"] == "send#1"


def test_a_denied_resource_is_told_like_a_tool(tmp_path: Path) -> None:
    session = rehearsal(tmp_path, "resources: {'file:///tmp/x': {action: deny, reason: Not this one.}}")

    denied = session.use(request_for(Kind.RESOURCE, "file:///tmp/x", "{}"))

    assert denied.told == "Policy violation: Not this one."
    assert denied.details["decision"] == "deny"


def test_what_no_policy_judges_passes(tmp_path: Path) -> None:
    settled = rehearsal(tmp_path, "default: deny").use(request_for(Kind.PROMPT, "greet", "{}"))

    assert settled.decision.effect is Effect.ALLOW
    assert settled.judge is None


def test_annotations_are_those_of_the_definition_and_unknown_until_it_was_seen(tmp_path: Path) -> None:
    session = rehearsal(
        tmp_path,
        "tools: {send: {require: [{path: tool.annotations.readOnlyHint, op: eq, value: true}]}}",
    )
    send = request_for(Kind.TOOL, "send", "{}")

    assert session.use(send).decision.effect is Effect.DENY
    assert session.use(send, annotations={"readOnlyHint": True}).decision.effect is Effect.ALLOW
    assert session.use(send, annotations={}).decision.effect is Effect.DENY
