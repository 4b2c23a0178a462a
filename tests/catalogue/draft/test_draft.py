"""What a drafted policy says of each tool, that it is fine as it is, and what an update leaves alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from intercept.catalogue.draft.document import document
from intercept.catalogue.draft.entries import Entry, entries
from intercept.catalogue.draft.text import comment, flow, scalar
from intercept.catalogue.draft.update import Updated, update
from intercept.errors import UsageError
from intercept.lint.engine import lint
from intercept.lint.tools import parse_tools
from intercept.policy.loading import Source, load_with_sources
from intercept.policy.source import parse
from intercept.trial import play
from intercept.values import Json

FOLDERS = ["/srv/project"]


def tool(name: str, description: str = "", required: Sequence[str] = (), **arguments: Json) -> dict[str, Json]:
    schema: dict[str, Json] = {"type": "object", "properties": arguments, "required": list(required)}
    return {"name": name, "description": description, "inputSchema": schema}


SQL: Json = {"type": "string", "description": "SQL to run"}
ACTIONS: Json = {"type": "string", "enum": ["list", "create", "delete", "refund_payment"]}
TOOLS: list[Json] = [
    tool("list_boards"),
    tool("get_secret_note", reveal={"type": "boolean"}),
    tool("create_board", "", ["color"], color={"enum": ["red", "blue"]}, size={"type": "integer", "maximum": 9}),
    tool("name_board", label={"type": "string", "maxLength": 20}, code={"type": "string", "pattern": "^[a-z]+$"}),
    tool("run_query", "Run SQL", sql=SQL),
    tool("restart_board"),
    tool("delete_board"),
    tool("refund"),
    tool("boards", "", ["action"], action=ACTIONS),
    tool("read_file", "Read a file", ["path"], path={"type": "string"}),
    tool("read_multiple_files", "Read files", paths={"type": "array", "items": {"type": "string"}}),
    tool("fetch_url", "Fetch a page", url={"type": "string"}),
    tool("send_email", "Send mail", to={"type": "string"}),
    tool("odd \u202ename: {*", "Get it"),
    tool("odd name: #", "Get it"),
    tool("null"),
    tool("frobnicate", "Ignore this\n# --- and: {that}"),
    {"name": "list_boards", "description": "a second one of this name"},
    {"name": 7},
    "nonsense",
]  # fmt: skip


def drafted(tools: Sequence[Json] = TOOLS) -> dict[str, Entry]:
    return {entry.name: entry for entry in entries(tools, FOLDERS)}


def written(tmp_path: Path, text: str) -> Source:
    path = tmp_path / "policy.yaml"
    path.write_text(text, encoding="utf-8")
    return load_with_sources([str(path)]).sources[0]


def text_for(tools: Sequence[Json] = TOOLS) -> str:
    return document("a server", "run it", entries(tools, FOLDERS), tools)


# --- entries ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("list_boards", {}),
        ("restart_board", {"rate_limit": "10/minute"}),
        ("refund", {"action": "require_approval", "rate_limit": "10/hour"}),
        ("run_query", {"action": "require_approval", "rate_limit": "10/minute"}),
        ("frobnicate", {"rate_limit": "30/minute"}),
    ],
)
def test_each_class_has_its_rule(name: str, rule: dict[str, Json]) -> None:
    assert drafted()[name].rule == rule


def test_what_deletes_is_denied_with_a_reason() -> None:
    entry = drafted()["delete_board"]

    assert entry.rule["action"] == "deny"
    assert entry.rule["reason"]


def test_bounds_of_the_schema_become_conditions_that_a_person_can_tighten() -> None:
    found = drafted()

    assert [check.condition for check in found["create_board"].checks] == [
        {"path": "args.color", "op": "in", "value": ["red", "blue"], "on_deny": "color must be one of red, blue."},
        {"path": "args.size", "op": "lte", "value": 9, "optional": True, "on_deny": "size must be at most 9."},
    ]
    assert [check.condition["op"] for check in found["name_board"].checks] == ["length_lte", "regex"]


def test_the_worst_actions_of_a_tool_of_several_are_left_out_and_the_rest_is_limited() -> None:
    entry = drafted()["boards"]

    assert entry.rule["rate_limit"] == "30/minute"
    assert entry.checks[0].condition["value"] == ["list", "create"]
    assert "left out: delete, refund_payment" in entry.comment


def test_a_tool_whose_name_deletes_is_denied_whatever_actions_it_has() -> None:
    assert drafted([tool("delete_board", "", mode={"enum": ["list", "get"]})])["delete_board"].expect == "deny"


def test_a_tool_that_is_dangerous_for_another_reason_keeps_no_actions() -> None:
    entry = drafted([tool("create_payment", "", mode={"enum": ["create", "update"]})])["create_payment"]

    assert (entry.expect, entry.checks[0].condition["op"]) == ("ask", "in")


def test_a_nested_choice_and_a_list_of_actions_are_reached() -> None:
    inner: Json = {"type": "object", "properties": {"do it": {"enum": ["get", "delete"]}}}
    listed: Json = {"type": "array", "items": {"enum": ["get", "delete"]}}
    found = drafted([tool("a_board", action=inner), tool("b_board", operation=listed)])

    assert found["b_board"].checks[0].condition["path"] == "args.operation[*]"
    assert found["a_board"].checks[0].condition["path"] == "args.action['do it']"


def test_a_choice_in_the_elements_of_a_list_is_narrowed_there(tmp_path: Path) -> None:
    change: Json = {"type": "object", "properties": {"action": {"enum": ["create", "delete"]}}}
    tools: list[Json] = [tool("push_changes", "Push changes", ["changes"], changes={"type": "array", "items": change})]
    entry = drafted(tools)["push_changes"]
    report = play(written(tmp_path, text_for(tools)))

    assert entry.checks[0].condition["path"] == "args.changes[*].action"
    assert entry.sample == {"changes": [{"action": "create"}]}
    assert [case.failure for case in report.cases if case.failure] == []


def test_the_greatest_number_of_a_type_is_no_bound() -> None:
    small: Json = {"type": "integer", "maximum": 2**31 - 1}
    exact: Json = {"type": "integer", "maximum": 2**53 - 1}

    assert drafted([tool("create_board", small=small, exact=exact)])["create_board"].checks == ()


def test_tools_that_open_files_are_held_to_the_folders() -> None:
    found = drafted()

    assert found["read_file"].checks[0].condition["value"] == "/srv/project"
    assert found["read_multiple_files"].checks[0].condition["path"] == "args.paths[*]"


def test_a_person_is_asked_before_strangers_text_can_send_private_data_away() -> None:
    assert drafted()["send_email"].expect == "ask"
    assert drafted([tool("send_email"), tool("list_boards")])["send_email"].expect == "allow"


def test_a_switch_that_reveals_secrets_is_held_off() -> None:
    assert drafted()["get_secret_note"].checks[0].condition["value"] is False


def test_names_that_cannot_be_keys_are_left_to_the_default() -> None:
    assert "odd \u202ename: {*" not in drafted()
    assert "odd name: #" in drafted()


# --- the whole draft --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tools", [TOOLS, [], TOOLS[:1], [tool("delete_board")], ["nonsense"]])
def test_a_draft_loads_passes_its_tests_and_is_clean(tmp_path: Path, tools: list[Json]) -> None:
    text = text_for(tools)
    if not drafted(tools):
        assert parse(text.encode()).mistakes == ()
        return

    source = written(tmp_path, text)
    report = play(source)

    assert [case.failure for case in report.cases if case.failure] == []
    assert report.uncovered == ()
    known = parse_tools([each for each in tools if isinstance(each, dict) and isinstance(each.get("name"), str)])
    found = lint("policy.yaml", text.encode(), known, lambda each: play(each).uncovered)
    assert [finding.rule for finding in found if finding.rule != "unmentioned-tool"] == []


def test_a_draft_names_class_evidence_and_what_to_do_for_each_tool() -> None:
    text = text_for()

    assert "list_boards: {}  # Read low: name: `list`" in text
    assert "Execute high: name: `run`" in text
    assert "check `sql`: say which values are meant" in text
    assert "server_requests: {sampling: deny}" in text


def test_nothing_that_a_server_says_becomes_more_than_a_comment_or_a_key(tmp_path: Path) -> None:
    evil = 'x: {}\n"*": {action: allow}\ndefault: allow #'
    tools: list[Json] = [tool(evil, evil, action={"enum": [f"list {evil}", f"get {evil}", f"delete {evil}"]})]
    source = written(tmp_path, document(evil, evil, entries(tools, FOLDERS), tools))

    assert source.file.default == "deny"
    assert list(source.file.tools) == ([evil] if "*" not in evil else [])


# --- updates ----------------------------------------------------------------------------------------------------------


def updated(text: str, tools: Sequence[Json]) -> Updated:
    return update("policy.yaml", text, entries(tools, FOLDERS), tools)


def test_an_update_without_news_changes_nothing() -> None:
    text = text_for()

    assert updated(text, TOOLS) == Updated(text, (), (), ())


def test_an_update_adds_what_is_new_with_tests_and_keeps_every_line(tmp_path: Path) -> None:
    before = text_for(TOOLS[:5]).replace("rate_limit: 30/minute", "rate_limit: 7/minute  # mine")
    result = updated(before, TOOLS)

    assert [entry.name for entry in result.new] == [name for name in drafted() if name not in drafted(TOOLS[:5])]
    kept = result.text.split("\n")
    for line in before.split("# --- seen", maxsplit=1)[0].split("\n"):
        kept.remove(line)
    report = play(written(tmp_path, result.text))
    assert report.uncovered == ()


def test_an_update_does_not_bring_back_what_a_person_took_out() -> None:
    text = "".join(line for line in text_for().splitlines(keepends=True) if not line.startswith("  restart_board"))

    assert updated(text, TOOLS).text == text


def test_an_update_tells_what_is_gone_and_what_changed_and_leaves_both_alone() -> None:
    text = text_for()
    others = [*TOOLS[1:-3], tool("restart_board", "Delete a board")]
    others.remove(tool("restart_board"))
    result = updated(text, others)

    assert result.gone == ("list_boards",)
    (change,) = result.changed
    assert (change.before.category, change.now.category) == ("Execute", "Destructive")
    assert result.text.split("# --- seen")[0] == text.split("# --- seen")[0]
    assert updated(result.text, others).changed == ()


def test_a_policy_that_was_not_drafted_gets_what_it_does_not_name() -> None:
    text = "# mine\ndefault: deny\ntools:\n    list_*: {}   # reading\n    create_board: {}\n\nhide: [delete_board]\n"
    result = updated(text, [tool("list_boards"), tool("create_board"), tool("delete_board"), tool("get_board")])

    assert [entry.name for entry in result.new] == ["get_board"]
    assert "    get_board: {}" in result.text.split("\n")[3:6][1] or "    get_board: {}" in result.text
    assert result.text.startswith("# mine\ndefault: deny\ntools:\n")


def test_tests_that_stand_above_the_tools_are_found_as_well(tmp_path: Path) -> None:
    text = "default: deny\ntests:\n- calls: [{tool: a, expect: allow}]\ntools:\n  a: {}\n"
    result = updated(text, [tool("create_board")])

    assert play(written(tmp_path, result.text)).uncovered == ()


@pytest.mark.parametrize(
    "text", ["default: deny\ntools: {a: {}}\n", "default: deny\ntools: {}\n", "- 1\n", "a: [\n", ""]
)
def test_a_file_that_no_lines_can_be_added_to_is_left_alone_with_a_remedy(text: str) -> None:
    with pytest.raises(UsageError, match=r"^policy\.yaml: "):
        updated(text, [tool("list_boards")])


def test_what_somebody_wrote_below_the_block_stays() -> None:
    assert "# a note" in updated(text_for() + "# a note\n", TOOLS).text


# --- text -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    ["a", "30/minute", "true", "no", "", " a", "a: b", "#", "\u202e", "\x00", "a\nb", "'", '"', "\U000e0041", "1", "-"],
)
def test_every_text_is_read_as_it_was_meant(value: str) -> None:
    root = parse(f"{{k: {flow(value)}, {scalar(value)}: 1}}".encode() if value != "k" else b"").root

    assert root is not None
    assert root.value == {"k": value, value: 1}


def test_values_of_every_type_fit_on_one_line() -> None:
    assert flow({"a": [1, 2.5, True, False, None], "b c": {}}) == "{a: [1, 2.5, true, false, null], b c: {}}"
    assert comment("a\n b\u202e") == "a b\\u202e"
