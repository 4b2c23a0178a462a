"""The shipped policies: complete, no looser than they say, and of use to a model that is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from intercept.cli import main
from intercept.errors import PolicyError
from intercept.limits import Refused
from intercept.limits.memory import MemoryStore
from intercept.policy import Circumstances, Decision, Effect, Kind, PolicySet, ToolCall, load
from intercept.values import Json

ROOT = Path(__file__).resolve().parent.parent
POLICIES = ROOT / "policies"
SERVERS = {
    f"{path.stem}.yaml": json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / "tests/data/servers").glob("*.json"))
}
"""Policy file: what its server is `about`, its `package`, `version` and `command`, and its `tools` by class.

Classes are those of `intercept scan`, after review, and `Secret` for reading what would let the model in elsewhere.
A tool with several actions has the class of the gravest that its policy lets pass.
"""
FILES = sorted(SERVERS)
REFERENCE = (POLICIES / "README.md").read_text(encoding="utf-8")
BROKEN = "# does not load\n"
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", REFERENCE, re.MULTILINE | re.DOTALL)
SNIPPETS = [block for block in BLOCKS if not block.startswith(BROKEN)]

LIMITS = [
    ("whatsapp-cloud.yaml", "send_interactive_flow", 30),
    ("facebook-pages.yaml", "fb_send_message", 30),
    ("z-api.yaml", "send_button_list", 10),
    ("z-api.yaml", "send_button_actions", 10),
]
"""Calls a minute."""
START = 1_800_000_000.0


@dataclass
class Session:
    """A policy with counters that start empty, and a clock that only the test moves."""

    policy: PolicySet
    store: MemoryStore = field(default_factory=MemoryStore)

    def call(self, tool: str, arguments: dict[str, Json] | None = None, *, at: float = 0.0) -> Effect:
        decision = self.policy.evaluate(ToolCall(tool, arguments or {}), Circumstances(now=START + at))
        if decision.effect is Effect.ALLOW and isinstance(self.store.reserve(decision.charges, START + at), Refused):
            return Effect.DENY
        return decision.effect


@cache
def shipped(file: str) -> PolicySet:
    return load([str(POLICIES / file)])


@cache
def document(file: str) -> Mapping[str, Any]:
    read: Mapping[str, Any] = yaml.safe_load((POLICIES / file).read_text(encoding="utf-8"))
    return read


def tools_of(file: str, *classes: str) -> set[str]:
    return {tool for name, tools in SERVERS[file]["tools"].items() if not classes or name in classes for tool in tools}


def shown(file: str) -> set[str]:
    return {tool for tool in tools_of(file) if shipped(file).shows(Kind.TOOL, tool)}


def decided(file: str, tool: str) -> list[Decision]:
    """What the policy says to a call without arguments, and to every call of the tool that its own tests make."""
    calls = [call for test in document(file)["tests"] for call in test["calls"] if call["tool"] == tool]
    arguments: list[dict[str, Json]] = [{}, *(call.get("arguments", {}) for call in calls)]
    return [shipped(file).evaluate(ToolCall(tool, given), Circumstances(now=START)) for given in arguments]


def passing(file: str, tool: str) -> list[Decision]:
    return [decision for decision in decided(file, tool) if decision.effect is not Effect.DENY]


def reason(policy: PolicySet, tool: str, arguments: dict[str, Json] | None = None) -> str:
    return policy.evaluate(ToolCall(tool, arguments or {}), Circumstances(now=START)).reason


def row(file: str) -> str:
    """The line of the catalogue: how many tools there are, and what becomes of them."""
    server = SERVERS[file]
    effects = {tool: [decision.effect for decision in passing(file, tool)] for tool in shown(file)}
    asked = sum(Effect.ASK in those for those in effects.values())
    limited = sum(any(decision.charges for decision in passing(file, tool)) for tool in shown(file))
    counts = [len(tools_of(file)), len(tools_of(file)) - len(effects), asked, limited]
    cells = [f"[{file}]({file})", f"`{server['package']}`: {server['about']}", server["version"], *map(str, counts)]
    return f"| {' | '.join(cells)} |"


def test_every_policy_is_checked_against_the_tools_of_its_server() -> None:
    assert sorted(path.name for path in POLICIES.glob("*.yaml")) == FILES


@pytest.mark.parametrize("file", FILES)
def test_a_policy_names_every_tool_of_its_server_and_none_that_it_does_not_have(file: str) -> None:
    named = [name for tools in SERVERS[file]["tools"].values() for name in tools]

    assert document(file)["default"] == "deny"
    assert sorted({*document(file)["tools"], *document(file).get("hide", [])} - {"*"}) == sorted(named)


@pytest.mark.parametrize("file", FILES)
def test_the_header_names_package_version_and_number_of_tools_and_how_to_start(file: str) -> None:
    text = (POLICIES / file).read_text(encoding="utf-8")
    header = " ".join(line.lstrip("# ") for line in text.partition("version:")[0].splitlines())

    assert f"{SERVERS[file]['package']} " in header
    assert f"version {SERVERS[file]['version']}: {len(tools_of(file))} tool" in header
    assert f"intercept --policy policies/{file} -- {SERVERS[file]['command']}" in header


@pytest.mark.parametrize("file", FILES)
def test_what_deletes_or_leaks_is_hidden_and_so_is_what_moves_money_unless_a_person_is_asked(file: str) -> None:
    hidden = tools_of(file) - shown(file)
    asks = {
        tool
        for tool in tools_of(file, "Financial", "Destructive")
        if {decision.effect for decision in passing(file, tool)} == {Effect.ASK}
    }

    assert tools_of(file, "Destructive", "Financial", "Secret") - asks <= hidden
    assert not hidden & tools_of(file, "Read")


@pytest.mark.parametrize("file", FILES)
def test_every_tool_that_is_shown_has_a_call_that_passes(file: str) -> None:
    assert [tool for tool in sorted(shown(file)) if not passing(file, tool)] == []


@pytest.mark.parametrize("file", FILES)
def test_only_reading_passes_without_a_limit_or_a_person(file: str) -> None:
    free = {
        tool
        for tool in tools_of(file) - tools_of(file, "Read")
        for decision in passing(file, tool)
        if decision.effect is Effect.ALLOW and not decision.charges
    }

    assert free == set()


@pytest.mark.parametrize("file", FILES)
def test_a_denial_says_what_to_do_instead_and_points_only_to_tools_that_are_allowed(file: str) -> None:
    hidden = tools_of(file) - shown(file)

    for tool in hidden:
        words = set(re.findall(r"[\w-]+", reason(shipped(file), tool)))
        assert words & (tools_of(file) | {"user", "tool"}), tool
        assert not words & hidden, tool


@pytest.mark.parametrize("file", FILES)
def test_a_tool_that_its_server_adds_later_is_denied_and_hidden(file: str) -> None:
    policy = shipped(file)

    for tool in ["brand_new_tool", "get_everything", "send_text_to_all", "fb_get_secret", "list_agents "]:
        assert Session(policy).call(tool) is Effect.DENY
        assert not policy.shows(Kind.TOOL, tool)


def test_no_shipped_policy_has_a_finding_of_the_linter(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["lint", *(str(POLICIES / file) for file in FILES)])

    assert code == 0, capsys.readouterr().out


def test_every_shipped_policy_passes_its_own_tests_and_no_rule_is_left_untested(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = main(["test", *(str(POLICIES / file) for file in FILES)])

    printed = capsys.readouterr().out.splitlines()
    assert code == 0
    assert len(printed) == len(FILES)
    for line in printed:
        counts = re.search(r"[1-9]\d* passed, 0 failed, (\d+) of (\d+) rules", line)
        assert counts, line
        assert counts[1] == counts[2], line


@pytest.mark.parametrize(("file", "tool", "calls"), LIMITS)
def test_the_call_after_the_last_of_a_minute_waits_until_the_first_has_left_it(
    file: str, tool: str, calls: int
) -> None:
    session = Session(shipped(file))

    assert {session.call(tool, at=second / 10) for second in range(calls)} == {Effect.ALLOW}
    assert session.call(tool, at=calls / 10) is Effect.DENY
    assert session.call(tool, at=59.9) is Effect.DENY
    assert session.call(tool, at=60.0) is Effect.ALLOW
    assert session.call(tool, at=60.0) is Effect.DENY
    assert session.call(tool, at=60.1) is Effect.ALLOW


@pytest.mark.parametrize(
    ("file", "tool", "arguments"),
    [
        ("facebook-pages.yaml", "fb_get_page", {"page_id": "me/accounts"}),
        ("facebook-pages.yaml", "fb_get_page", {"page_id": "12345?fields=access_token"}),
        ("facebook-pages.yaml", "fb_get_page", {"page_id": "12345", "fields": "name,access_token"}),
        ("facebook-pages.yaml", "fb_get_post", {"post_id": "1_2", "fields": "from{Access_Token}"}),
        ("facebook-pages.yaml", "fb_update_post", {"post_id": "1_2?method=delete", "message": "x"}),
        ("facebook-pages.yaml", "fb_list_comments", {"object_id": "../me/accounts"}),
        ("facebook-pages.yaml", "fb_get_messages", {"conversation_id": "t_1\n"}),
        ("z-api.yaml", "get_group_metadata", {"groupId": "../disconnect"}),
        ("z-api.yaml", "get_contact_metadata", {"phone": "../restart"}),
        ("whatsapp-cloud.yaml", "retrieve_media_url", {"media_id": "1?method=delete"}),
        ("whatsapp-cloud.yaml", "retrieve_media_url", {}),
    ],
)
def test_an_argument_that_would_make_the_server_request_something_else_is_denied(
    file: str, tool: str, arguments: dict[str, Json]
) -> None:
    policy = shipped(file)

    assert Session(policy).call(tool, arguments) is Effect.DENY
    assert policy.shows(Kind.TOOL, tool)
    assert reason(policy, tool, arguments)


@pytest.mark.parametrize(
    ("file", "tool", "arguments"),
    [
        ("facebook-pages.yaml", "fb_get_page", {"page_id": "1029384756", "fields": "name,fan_count"}),
        ("facebook-pages.yaml", "fb_get_post", {"post_id": "1029384756_5647"}),
        ("facebook-pages.yaml", "fb_get_messages", {"conversation_id": "t_122094", "limit": 10}),
        ("z-api.yaml", "get_group_metadata", {"groupId": "120363019502650977-group"}),
        ("z-api.yaml", "send_text", {"phone": "5511999999999", "message": "../ is fine here"}),
        ("whatsapp-cloud.yaml", "retrieve_media_url", {"media_id": "1234567890"}),
    ],
)
def test_ids_as_the_servers_give_them_are_allowed(file: str, tool: str, arguments: dict[str, Json]) -> None:
    assert Session(shipped(file)).call(tool, arguments) is Effect.ALLOW


@pytest.mark.parametrize("snippet", SNIPPETS, ids=range(len(SNIPPETS)))
def test_every_policy_in_the_reference_loads(snippet: str, tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(snippet, encoding="utf-8")

    by_default = Effect.ALLOW if "default: allow" in snippet else Effect.DENY
    assert load([str(path)]).evaluate(ToolCall("other", {}), Circumstances(now=START)).effect is by_default


def test_the_tests_in_the_reference_pass(tmp_path: Path) -> None:
    tested = [snippet for snippet in SNIPPETS if "\ntests:\n" in snippet]
    paths = [tmp_path / f"policy{number}.yaml" for number in range(len(tested))]
    for path, snippet in zip(paths, tested, strict=True):
        path.write_text(snippet, encoding="utf-8")

    assert len(paths) == 2
    assert main(["test", *map(str, paths)]) == 0


def test_a_policy_that_the_reference_calls_broken_has_exactly_the_mistakes_that_it_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (broken,) = [block for block in BLOCKS if block.startswith(BROKEN)]
    Path("policy.yaml").write_text(broken, encoding="utf-8")
    after = REFERENCE.partition(broken)[2]
    printed = re.findall(r"^```text\n(.*?)^```$", after, re.MULTILINE | re.DOTALL)[0]

    with pytest.raises(PolicyError) as refused:
        load(["policy.yaml"])

    assert f"{refused.value}\n" == printed


def test_the_catalogue_has_the_row_of_every_policy_and_no_other() -> None:
    rows = [line for line in REFERENCE.splitlines() if re.match(r"\| \[[\w-]+\.yaml\]", line)]

    assert "\n".join(rows) == "\n".join(row(file) for file in FILES)
