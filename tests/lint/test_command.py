"""`intercept lint` as it is called: files, formats, tools, a live server, exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from intercept.cli import main

SERVER = Path(__file__).resolve().parents[2] / "examples/demo/server.py"
GOOD = "default: deny\ntools:\n  list_orders: {}\n"
HOLE = "default: allow\n"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("good.yaml").write_text(GOOD, encoding="utf-8")
    Path("hole.yaml").write_text(HOLE, encoding="utf-8")


def test_advice_alone_is_exit_code_0_and_anything_worse_is_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint", "good.yaml"]) == 0
    assert "info[no-tests]" in capsys.readouterr().out

    assert main(["lint", "good.yaml", "hole.yaml"]) == 1
    assert "hole.yaml:1:10: warning[default-allow]: " in capsys.readouterr().out


def test_a_file_that_cannot_be_read_or_loaded_is_a_finding(capsys: pytest.CaptureFixture[str]) -> None:
    Path("broken.yaml").write_text("default: no\n", encoding="utf-8")

    assert main(["lint", "missing.yaml", "broken.yaml"]) == 1

    assert capsys.readouterr().out.splitlines() == [
        "missing.yaml: error: no such file",
        "broken.yaml:1:10: error: default: expected `allow` or `deny`, found the string `no`",
    ]


@pytest.mark.parametrize("form", ["json", "sarif"])
def test_programs_get_one_json_text_whatever_is_found(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("quiet.yaml").write_text("default: deny\ntests: [{calls: [{tool: x, expect: deny}]}]\n", encoding="utf-8")

    assert main(["lint", "--format", form, "quiet.yaml"]) == 0
    assert main(["lint", "--format", form, "hole.yaml", "good.yaml"]) == 1

    first, end = json.JSONDecoder().raw_decode(output := capsys.readouterr().out)
    second = json.loads(output[end:])
    assert (len(first), len(second)) == ((0, 3) if form == "json" else (3, 3))


def test_nothing_is_printed_for_github_where_nothing_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    Path("quiet.yaml").write_text("default: deny\ntests: [{calls: [{tool: x, expect: deny}]}]\n", encoding="utf-8")

    assert main(["lint", "--format", "github", "quiet.yaml"]) == 0

    assert capsys.readouterr().out == ""


def test_a_rule_that_a_test_of_the_policy_decides_is_not_reported(capsys: pytest.CaptureFixture[str]) -> None:
    tested = GOOD.replace("{}", "{rate_limit: 5/minute}") + "tests: [{calls: [{tool: TOOL, expect: EXPECT}]}]\n"
    Path("tested.yaml").write_text(tested.replace("TOOL", "list_orders").replace("EXPECT", "allow"), encoding="utf-8")
    Path("untested.yaml").write_text(tested.replace("TOOL", "other").replace("EXPECT", "deny"), encoding="utf-8")

    assert main(["lint", "tested.yaml", "untested.yaml"]) == 0

    assert [line.partition(";")[0] for line in capsys.readouterr().out.splitlines()] == [
        "tested.yaml: ok",
        "untested.yaml:3:16: info[untested-rule]: no test decides rule `list_orders#1`",
    ]


def test_saved_tools_add_what_the_server_says(capsys: pytest.CaptureFixture[str]) -> None:
    Path("tools.json").write_text(json.dumps({"tools": [{"name": "list_order"}]}), encoding="utf-8")

    assert main(["lint", "good.yaml", "--tools", "tools.json"]) == 1

    assert "good.yaml:3:3: warning[unknown-tool]: the server has no tool `list_orders`; did you mean `list_order`?" in (
        capsys.readouterr().out.splitlines()
    )


def test_a_live_server_is_asked_for_its_tools(capsys: pytest.CaptureFixture[str]) -> None:
    Path("policy.yaml").write_text(GOOD.replace("list_orders", "refund") + "hide: [refnd]\n", encoding="utf-8")

    assert main(["lint", "policy.yaml", "--format", "json", "--", sys.executable, str(SERVER)]) == 1

    found = json.loads(capsys.readouterr().out)
    assert [each["help"] for each in found if each["rule"] == "unknown-tool"] == ["did you mean `refund`?"]
    assert [each["line"] for each in found if each["rule"] == "unmentioned-tool"] == [2]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "tools.json: is not JSON; save the result of `tools/list`"),
        ("[" * 100_000, "tools.json: is not JSON; save the result of `tools/list`"),
        ("{}", "tools.json: no list of tools; save the result of `tools/list`, or an object with a `tools` member"),
        ("[{}]", "tools.json: a tool without a name; save the result of `tools/list` as the server gave it"),
    ],
)
def test_tools_that_cannot_be_read_are_wrong_usage(content: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("tools.json").write_text(content, encoding="utf-8")

    assert main(["lint", "good.yaml", "--tools", "tools.json"]) == 2

    assert capsys.readouterr().err == f"intercept: {said}\n"


def test_a_missing_file_of_tools_and_two_sources_of_tools_are_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint", "good.yaml", "--tools", "gone.json"]) == 2
    assert main(["lint", "good.yaml", "--tools", "gone.json", "--", "cat"]) == 2

    assert capsys.readouterr().err.splitlines() == [
        "intercept: gone.json: cannot be read: no such file or directory",
        "intercept: give `--tools` or a server's command, not both",
    ]


@pytest.mark.parametrize("options", [[], ["--format", "xml", "good.yaml"], ["--", "cat"]])
def test_a_wrong_command_line_is_exit_code_2(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["lint", *options])

    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("intercept: ")


@pytest.mark.parametrize("command", [["/nonexistent/server"], ["cat"], ["true"]])
def test_a_server_that_does_not_list_its_tools_is_exit_code_4(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["lint", "good.yaml", "--", *command]) == 4

    (line,) = capsys.readouterr().err.splitlines()
    assert f"`{command[0]}`" in line


def test_the_sdk_is_not_imported_without_a_live_server() -> None:
    program = "import sys, intercept.cli as c; c.main(['lint', 'good.yaml']); sys.exit('mcp' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], check=False, stdout=subprocess.DEVNULL).returncode == 0
