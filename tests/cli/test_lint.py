"""`intercept lint`: what it prints and how it ends, through the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from intercept.cli import main

GOOD = "default: deny\ntools: {get_time: {}}\ntests: [{calls: [{tool: get_time, expect: allow}]}]\n"
BAD = "defalt: deny\ntools:\n  send: {rate_limit: 3/minut}\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("good.yaml").write_text(GOOD)
    Path("bad.yaml").write_text(BAD)
    return tmp_path


@pytest.mark.usefixtures("here")
def test_a_good_file_is_ok(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint", "good.yaml"]) == 0
    assert capsys.readouterr().out == "good.yaml: ok\n"


@pytest.mark.usefixtures("here")
def test_every_mistake_in_every_file_is_one_line_with_place_key_and_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint", "bad.yaml", "good.yaml", "nowhere.yaml"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "bad.yaml:1:1: error: defalt: unknown key `defalt`; did you mean `default`?",
        "bad.yaml:3:22: error: tools.send.rate_limit: expected a window, found the string `minut`; "
        "did you mean `minute`?",
        "good.yaml: ok",
        "nowhere.yaml: error: no such file",
    ]


@pytest.mark.usefixtures("here")
def test_mistakes_of_meaning_are_findings_too(capsys: pytest.CaptureFixture[str]) -> None:
    Path("p.yaml").write_text('tools: {send: {require: [{path: args.to, op: regex, value: "("}]}}')

    assert main(["lint", "p.yaml"]) == 1
    assert capsys.readouterr().out.startswith("p.yaml:1:60: error: tools.send.require[0].value: ")


@pytest.mark.usefixtures("here")
def test_json_is_a_list_of_records_with_fixed_fields(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint", "--format", "json", "bad.yaml", "good.yaml", "nowhere.yaml"]) == 1
    findings = json.loads(capsys.readouterr().out)

    assert findings[0] == {
        "rule": "invalid-policy",
        "severity": "error",
        "confidence": "high",
        "path": "bad.yaml",
        "line": 1,
        "column": 1,
        "message": "defalt: unknown key `defalt`",
        "help": "did you mean `default`?",
    }
    assert [(finding["path"], finding["line"], finding["column"]) for finding in findings] == [
        ("bad.yaml", 1, 1),
        ("bad.yaml", 3, 22),
        ("nowhere.yaml", 0, 0),
    ]
    assert all(finding.keys() == findings[0].keys() for finding in findings)


@pytest.mark.usefixtures("here")
def test_json_of_good_files_is_an_empty_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint", "--format", "json", "good.yaml"]) == 0
    assert json.loads(capsys.readouterr().out) == []


@pytest.mark.usefixtures("here")
def test_github_gets_annotations(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint", "--format", "github", "bad.yaml", "good.yaml", "nowhere.yaml"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "::error file=bad.yaml,line=1,col=1,title=invalid-policy::"
        "defalt: unknown key `defalt`; did you mean `default`?",
        "::error file=bad.yaml,line=3,col=22,title=invalid-policy::"
        "tools.send.rate_limit: expected a window, found the string `minut`; did you mean `minute`?",
        "::error file=nowhere.yaml,title=invalid-policy::no such file",
    ]


@pytest.mark.usefixtures("here")
def test_github_is_not_given_a_name_or_text_that_it_would_take_for_syntax(capsys: pytest.CaptureFixture[str]) -> None:
    name = "a,b:c%0A.yaml"
    Path(name).write_text("description: '100%\n\n  ::warning::x'\n'50%25': 1\n")

    assert main(["lint", "--format", "github", name]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "::error file=a%2Cb%3Ac%250A.yaml,line=4,col=1,title=invalid-policy::"
        "['50%2525']: unknown key `50%2525`; known here are version, description, default, mode, timezone, hide, "
        "hide_denied, tools, all_tools, resources, prompts, server_requests, unknown_methods, approvals, results, tests"
    ]


@pytest.mark.usefixtures("here")
def test_each_file_is_judged_by_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint", "good.yaml", "good.yaml", "./good.yaml"]) == 0
    assert capsys.readouterr().out.splitlines() == ["good.yaml: ok", "./good.yaml: ok"]


@pytest.mark.parametrize("arguments", [[], ["--format", "xml", "good.yaml"], ["--unknown", "good.yaml"]])
@pytest.mark.usefixtures("here")
def test_wrong_usage_is_one_line_and_exit_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["lint", *arguments])

    assert ended.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["lint", "--help"])

    assert ended.value.code == 0
    assert "\n  intercept lint policies/*.yaml\n" in capsys.readouterr().out


def test_names_and_texts_that_the_terminal_cannot_show_do_no_harm(here: Path) -> None:
    name = os.fsdecode(b"caf\xff.yaml")
    Path(name).write_text("'k\N{LATIN SMALL LETTER E WITH ACUTE}y\N{RIGHT-TO-LEFT OVERRIDE}': 1\n", encoding="utf-8")

    ended = subprocess.run(
        [sys.executable, "-m", "intercept", "lint", name],
        cwd=here,
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
        capture_output=True,
        check=False,
    )

    assert (ended.returncode, ended.stderr) == (1, b"")
    assert ended.stdout.startswith(b"caf\\udcff.yaml:1:1: error: ")
    assert len(ended.stdout.splitlines()) == 1
