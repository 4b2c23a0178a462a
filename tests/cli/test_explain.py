from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from intercept.cli import main

POLICY = """
default: deny
timezone: America/Sao_Paulo
tools:
  refund:
    rules:
      - name: max
        require:
          - {path: args.amount, op: lte, value: 50.50}
      - name: night
        action: deny
        when: [{path: now.hour, op: lt, value: 6}]
      - {name: mine, require: [{path: grant, op: neq, value: other}]}
      - {name: leak, action: deny, after: read_mail}
  "send_*": {rate_limit: 2/minute}
  danger: {require: [{path: tool.annotations.destructiveHint, op: eq, value: false}]}
"""


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("policy.yaml").write_text(POLICY)
    Path("utc.yaml").write_text("default: allow\n")
    Path("broken.yaml").write_text("tools: 7\n")


def answer(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    """The lines that the command prints."""
    assert main(["explain", "-p", "policy.yaml", *words]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out.splitlines()


def as_json(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads("".join(globals()["answer"](capsys, *words, "--format", "json")))
    return answer


DAY = ["--at", "2026-03-02T12:00", "--grant", "ana"]


def test_a_denial_names_the_rule_the_condition_and_the_value(capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(capsys, "refund", '{"amount": 60}', *DAY) == [
        "deny `refund`: rule `max` does not accept this value of `args.amount`.",
        "policy.yaml:7: rule `max` denies",
        "policy.yaml:9:   `args.amount lte 50.50` does not hold: found 60",
        "policy.yaml:10: rule `night` does not apply",
        "policy.yaml:12:   `now.hour lt 6` does not hold: found 12",
        "policy.yaml:14: rule `leak` does not apply",
        "policy.yaml:14:   `after read_mail` does not hold: none of them was answered in this session",
        "policy.yaml:5: listed under `refund`, but not allowed for the reason above",
        "tools/list: shown",
        "the model reads: Policy violation: rule `max` does not accept this value of `args.amount`.",
    ]


def test_an_allowed_call_shows_what_is_left_of_its_limits(capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(capsys, "send_text", "--after", "1") == [
        "allow `send_text`",
        "policy.yaml:15: rule `send_*#1` allows",
        "policy.yaml:15: limit `send_*#1`: 1 of 2 calls per minute used, 1 left; the call takes 1",
        "policy.yaml:15: listed under `send_*`",
        "tools/list: shown",
    ]


def test_a_limit_that_is_used_up_says_when_it_is_free(capsys: pytest.CaptureFixture[str]) -> None:
    told = answer(capsys, "send_text", "--after", "2")

    assert told[0] == "deny `send_text`: limit of 2 calls per minute for `send_text` is used up."
    assert (
        "policy.yaml:15: limit `send_*#1`: 2 of 2 calls per minute used, 0 left; the call takes 1, free in 60 s" in told
    )


def test_a_name_that_nearly_matches_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(capsys, "Send_text") == [
        "deny `Send_text`: `Send_text` is not among the tools that the policy allows.",
        "policy.yaml:2: no entry lists it, and what no entry lists is denied",
        "policy.yaml:15: near miss: `send_*` would match but for case, spaces or `-` and `_`",
        "tools/list: left out, because no call of it could ever be allowed",
        "the model reads: Policy violation: `Send_text` is not among the tools that the policy allows.",
    ]


def test_programs_get_the_documented_members(capsys: pytest.CaptureFixture[str]) -> None:
    denied = as_json(capsys, "refund", '{"amount": 60}', *DAY)
    limited = as_json(capsys, "send_text", "--after", "2")

    assert denied["decision"] == "deny"
    assert denied["tool"] == "refund"
    assert denied["reason"] == "rule `max` does not accept this value of `args.amount`."
    assert denied["rules"] == [
        {
            "rule": "max",
            "effect": "deny",
            "path": "policy.yaml",
            "line": 7,
            "reason": "rule `max` does not accept this value of `args.amount`.",
            "conditions": [{"text": "args.amount lte 50.50", "line": 9, "holds": False, "found": "60"}],
        }
    ]
    assert denied["limits"] == []
    assert [rule["rule"] for rule in denied["skipped"]] == ["night", "leak"]
    (limit,) = limited["limits"]
    assert {key: limit[key] for key in ("counter", "max", "window_s", "used", "retry_after_s")} == {
        "counter": "send_*#1",
        "max": 2,
        "window_s": 60,
        "used": 2,
        "retry_after_s": 60,
    }


def test_what_a_rule_may_look_at_can_be_given(capsys: pytest.CaptureFixture[str]) -> None:
    def rules(*words: str) -> list[str]:
        return [rule["rule"] for rule in as_json(capsys, *words)["rules"] if rule["effect"] == "deny"]

    fine = ["refund", '{"amount": 1}']
    assert rules(*fine, "--at", "2026-03-02T06:00") == ["mine"]
    assert rules(*fine, "--at", "2026-03-02T06:00", "--grant", "ana") == []
    assert rules(*fine, "--at", "2026-03-02T06:00", "--grant", "other") == ["mine"]
    assert rules(*fine, "--at", "2026-03-02T05:59", "--grant", "ana") == ["night"]
    assert rules(*fine, "--at", "2026-03-02T08:59Z", "--grant", "ana") == ["night"]
    assert rules(*fine, "--at", "2026-03-02T09:00Z", "--grant", "ana") == []
    assert rules(*fine, *DAY, "--answered", "x", "--answered", "read_mail") == ["leak"]
    assert rules("danger") == ["danger#1"]
    assert rules("danger", "--annotations", '{"destructiveHint": false}') == []
    assert rules("danger", "--annotations", "{}") == ["danger#1"]


def test_without_a_time_it_is_now(capsys: pytest.CaptureFixture[str]) -> None:
    hours = ", ".join(map(str, range(24)))
    Path("policy.yaml").write_text(f"tools: {{x: {{require: [{{path: now.hour, op: in, value: [{hours}]}}]}}}}")

    assert answer(capsys, "x")[0] == "allow `x`"


def test_several_policies_are_explained_together(capsys: pytest.CaptureFixture[str]) -> None:
    Path("other.yaml").write_text("tools: {send_text: {action: deny}}")

    told = as_json(capsys, "-p", "other.yaml", "send_text")

    assert [(rule["path"], rule["rule"]) for rule in told["rules"]] == [("other.yaml", "send_text#1")]


def test_a_resource_or_a_prompt_is_explained_like_a_tool(capsys: pytest.CaptureFixture[str]) -> None:
    Path("policy.yaml").write_text("resources: {'file:///a*': {}}\nprompts: {greet: {action: deny}}\n")

    assert answer(capsys, "--kind", "resource", "file:///etc")[0].startswith("deny `file:///etc`")
    assert answer(capsys, "--kind", "resource", "file:///a/b")[0] == "allow `file:///a/b`"
    assert answer(capsys, "--kind", "prompt", "greet", '{"a": "b"}')[-2] == (
        "prompts/list: left out, because no call of it could ever be allowed"
    )


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (
            ["refund", '{"amount": 1, "amount": 2}'],
            "the proxy would refuse this unread: an object has the same key twice",
        ),
        (["refund", "{amount: 1}"], "the proxy would refuse this unread: not JSON: expecting property name"),
        (["refund", "[1]"], "expected arguments that are an object"),
        (["refund", '{"amount": 1e999}'], "a number is too large for a double"),
        (["x", "{}", "--kind", "resource", "--at", "noon"], "`noon` is not a time"),
        (["x", '{"a": 1}', "--kind", "resource"], "a resource takes no arguments"),
        (["x", "--annotations", "[]"], "expected a JSON object for `--annotations`"),
        (["x", "--annotations", '{"a": 1, "a": 2}'], "expected a JSON object for `--annotations`"),
        (["x", "--after", "-1"], "expected a number from 0 to 100,000 for `--after`"),
        (["x", "--after", "100001"], "expected a number from 0 to 100,000 for `--after`"),
        (["x", "-p", "utc.yaml", "--at", "2026-03-02T06:00"], "the policies differ in `timezone`"),
    ],
)
def test_what_cannot_be_explained_is_one_line(
    capsys: pytest.CaptureFixture[str], words: list[str], complaint: str
) -> None:
    assert main(["explain", "-p", "policy.yaml", *words]) == 2
    out, err = capsys.readouterr()

    assert out == ""
    assert err.startswith("intercept: ")
    assert complaint in err
    assert len(err.splitlines()) == 1


def test_a_policy_that_does_not_load_is_unusable(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "-p", "policy.yaml", "-p", "broken.yaml", "refund"]) == 3
    out, err = capsys.readouterr()

    assert out == ""
    assert err == "intercept: broken.yaml:1:8: error: tools: expected a mapping, found the number `7`\n"


@pytest.mark.parametrize("words", [["explain"], ["explain", "x"], ["explain", "-p", "policy.yaml"], ["explain", "-q"]])
def test_wrong_usage_is_one_line(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(words)

    assert stopped.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["explain", "--help"])

    assert stopped.value.code == 0
    assert "intercept explain -p policy.yaml create_refund" in capsys.readouterr().out


def test_a_call_that_needs_a_person_says_so_and_why(capsys: pytest.CaptureFixture[str]) -> None:
    Path("policy.yaml").write_text(
        """default: deny
tools:
  pay:
    rules:
      - {name: large, action: require_approval, when: [{path: args.n, op: gt, value: 5}]}
      - {name: huge, action: deny, when: [{path: args.n, op: gt, value: 50}]}
      - {name: trial, mode: shadow, action: require_approval}
"""
    )

    assert answer(capsys, "pay", '{"n": 6}') == [
        "ask `pay`: rule `large` requires a person's approval.",
        "policy.yaml:5: rule `large` asks a person",
        "policy.yaml:5:   `args.n gt 5` holds: found 6",
        "policy.yaml:7: rule `trial` would ask a person, but for shadow mode",
        "policy.yaml:6: rule `huge` does not apply",
        "policy.yaml:6:   `args.n gt 50` does not hold: found 6",
        "policy.yaml:3: listed under `pay`, but not allowed for the reason above",
        "tools/list: shown",
        "unless a person agrees, the model reads: Policy violation: rule `large` requires a person's approval.",
    ]
    assert "policy.yaml:5: rule `large` would ask a person too" in answer(capsys, "pay", '{"n": 51}')
    told = as_json(capsys, "pay", '{"n": 6}')
    assert told["decision"] == "ask"
    assert [(rule["rule"], rule["effect"]) for rule in told["rules"]] == [("large", "ask")]
