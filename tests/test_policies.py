"""The shipped policies: complete, no looser than they say, and of use to a model that is refused."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from intercept.cli import main
from intercept.errors import PolicyError
from intercept.limits import Refused
from intercept.limits.memory import MemoryStore
from intercept.policy import Circumstances, Effect, Kind, PolicySet, ToolCall, load
from intercept.values import Json

ROOT = Path(__file__).resolve().parent.parent
POLICIES = ROOT / "policies"
SERVERS = json.loads((ROOT / "tests/data/tool_names.json").read_text(encoding="utf-8"))
"""Policy file: package, version and tool names of the server it was written for."""
FILES = sorted(SERVERS)
REFERENCE = (POLICIES / "README.md").read_text(encoding="utf-8")
BROKEN = "# does not load\n"
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", REFERENCE, re.MULTILINE | re.DOTALL)
SNIPPETS = [block for block in BLOCKS if not block.startswith(BROKEN)]

DENIED = {
    "mcp-ap2.yaml": {
        "authorize_payment",
        "create_cart_mandate",
        "create_intent_mandate",
        "create_payment_mandate",
        "create_presentation",
        "execute_payment",
        "register_agent",
        "revoke_agent",
    },
    "mcp-afip.yaml": {
        "cancel_invoice",
        "create_credit_note",
        "create_debit_note",
        "create_invoice",
        "create_invoice_batch",
    },
    "z-api.yaml": {"delete_message", "remove_group_participant"},
    "whatsapp-cloud.yaml": {"delete_media", "delete_template"},
    "facebook-pages.yaml": {
        "fb_delete_comment",
        "fb_delete_photo",
        "fb_delete_post",
        "fb_delete_video",
        "fb_get_page_token",
        "fb_list_pages",
    },
}
"""Money, deletion, revocation and secrets."""
LIMITS = [
    ("whatsapp-cloud.yaml", "send_interactive_flow", 30),
    ("facebook-pages.yaml", "fb_send_message", 30),
    ("z-api.yaml", "send_button_list", 10),
    ("z-api.yaml", "send_button_actions", 10),
]
"""Calls a minute."""
NEEDED: dict[str, dict[str, Json]] = {"retrieve_media_url": {"media_id": "1234567890"}}
"""Arguments without which a policy refuses a tool that it allows."""

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


def shipped(file: str) -> PolicySet:
    return load([str(POLICIES / file)])


def reason(policy: PolicySet, tool: str, arguments: dict[str, Json] | None = None) -> str:
    return policy.evaluate(ToolCall(tool, arguments or {}), Circumstances(now=START)).reason


def test_there_is_one_policy_for_each_server_and_a_test_for_each_policy() -> None:
    assert sorted(path.name for path in POLICIES.glob("*.yaml")) == FILES == sorted(DENIED)


@pytest.mark.parametrize("file", FILES)
def test_a_policy_names_every_tool_of_its_server_and_none_that_it_does_not_have(file: str) -> None:
    document = yaml.safe_load((POLICIES / file).read_text(encoding="utf-8"))

    assert document["default"] == "deny"
    assert sorted({*document["tools"], *document.get("hide", [])} - {"*"}) == SERVERS[file]["tools"]


@pytest.mark.parametrize("file", FILES)
def test_the_header_names_package_version_and_number_of_tools(file: str) -> None:
    text = (POLICIES / file).read_text(encoding="utf-8")
    header = " ".join(line.lstrip("# ") for line in text.partition("version:")[0].splitlines())

    assert f"{SERVERS[file]['package']} " in header
    assert f"version {SERVERS[file]['version']}: {len(SERVERS[file]['tools'])} tools." in header
    assert f"intercept --policy policies/{file} -- npx -y {SERVERS[file]['package']}" in header


@pytest.mark.parametrize("file", FILES)
def test_what_moves_money_deletes_revokes_or_leaks_is_denied_and_hidden_and_the_rest_is_neither(file: str) -> None:
    policy = shipped(file)
    tools = set(SERVERS[file]["tools"])

    denied = {tool for tool in tools if Session(policy).call(tool, NEEDED.get(tool)) is Effect.DENY}
    hidden = {tool for tool in tools if not policy.shows(Kind.TOOL, tool)}

    assert denied == hidden == DENIED[file]


@pytest.mark.parametrize("file", FILES)
def test_a_denial_says_what_to_do_instead_and_points_only_to_tools_that_are_allowed(file: str) -> None:
    policy = shipped(file)
    tools = set(SERVERS[file]["tools"])

    for tool in DENIED[file]:
        words = set(re.findall(r"\w+", reason(policy, tool)))
        named = words & tools
        assert named or words & {"user", "tool"}, tool
        assert not named & DENIED[file], tool


@pytest.mark.parametrize("file", FILES)
def test_a_tool_that_its_server_adds_later_is_denied_and_hidden(file: str) -> None:
    policy = shipped(file)

    for tool in ["brand_new_tool", "get_everything", "send_text_to_all", "fb_get_secret", "list_agents "]:
        assert Session(policy).call(tool) is Effect.DENY
        assert not policy.shows(Kind.TOOL, tool)


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


@pytest.mark.parametrize("file", FILES)
def test_only_reading_is_without_a_limit(file: str) -> None:
    policy = shipped(file)
    allowed = set(SERVERS[file]["tools"]) - DENIED[file]
    charged = {
        tool
        for tool in allowed
        if policy.evaluate(ToolCall(tool, NEEDED.get(tool, {})), Circumstances(now=START)).charges
    }

    assert all(re.match(r"(fb_)?(get|list|verify|resolve|check|retrieve)_", tool) for tool in allowed - charged)
    assert allowed - charged


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


def test_the_reference_lists_every_shipped_policy_with_its_server_version_and_number_of_tools() -> None:
    for file in FILES:
        server = SERVERS[file]
        row = next(line for line in REFERENCE.splitlines() if line.startswith(f"| [{file}]({file})"))
        assert f"`{server['package']}`" in row
        assert row.endswith(f"| {server['version']} | {len(server['tools'])} |")
