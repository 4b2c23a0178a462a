from __future__ import annotations

import json
from pathlib import Path

import pytest

from intercept.cli import main

PASSES = """
default: deny
tools:
  send: {rate_limit: 1/minute}
  pay: {action: deny}
tests:
  - name: one a minute
    calls:
      - {tool: send, expect: allow}
      - {tool: send, at: 59s, expect: deny, rule: send#1}
"""
FAILS = """
default: deny
tests:
  - name: pays
    calls:
      - {tool: pay, expect: allow}
"""
EMPTY = "default: deny\n"
BROKEN = "defautl: deny\n"


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in {"passes": PASSES, "fails": FAILS, "empty": EMPTY, "broken": BROKEN}.items():
        Path(f"{name}.yaml").write_text(text)


def test_a_policy_whose_tests_pass_is_fine(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["test", "passes.yaml"]) == 0
    assert capsys.readouterr() == (
        "passes.yaml:5: not covered: no test decides by rule `pay#1`\n"
        "passes.yaml: 1 passed, 0 failed, 1 of 2 rules decided in a test\n",
        "",
    )


def test_a_failed_test_is_told_with_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["test", "fails.yaml", "passes.yaml"]) == 1
    out, err = capsys.readouterr()
    assert out.splitlines()[0] == (
        "fails.yaml:6:9: failed: pays: call of `pay` at 0s: expected allow, found deny "
        "(`Policy violation: `pay` is not among the tools that the policy allows.`)"
    )
    assert out.splitlines()[1:] == [
        "fails.yaml: 0 passed, 1 failed, 0 of 0 rules decided in a test",
        "passes.yaml:5: not covered: no test decides by rule `pay#1`",
        "passes.yaml: 1 passed, 0 failed, 1 of 2 rules decided in a test",
    ]
    assert err == ""


def test_a_policy_without_tests_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["test", "empty.yaml"]) == 1
    assert capsys.readouterr().out.startswith(
        "empty.yaml: failed: expected tests, found none; write them under `tests`"
    )


def test_a_policy_that_does_not_load_is_unusable_and_nothing_is_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["test", "passes.yaml", "broken.yaml", "missing.yaml"]) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "intercept: broken.yaml:1:1: error: defautl: unknown key `defautl`; did you mean `default`?",
        "intercept: missing.yaml: error: no such file",
    ]


def test_programs_get_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["test", "passes.yaml", "fails.yaml", "empty.yaml", "--format", "json"]) == 1
    report = json.loads(capsys.readouterr().out)

    assert (report["passed"], report["failed"]) == (1, 2)
    assert report["uncovered_rules"] == [{"rule": "pay#1", "path": "passes.yaml", "line": 5}]
    assert [(case["name"], case["path"], case["line"], case["passed"], case["calls"]) for case in report["cases"]] == [
        ("one a minute", "passes.yaml", 7, True, 2),
        ("pays", "fails.yaml", 6, False, 1),
        ("", "empty.yaml", 0, False, 0),
    ]
    assert report["cases"][1]["expected"] == "allow"
    assert report["cases"][1]["found"].startswith("deny (")
    assert report["cases"][0]["message"] == ""


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["test", "--help"])

    assert stopped.value.code == 0
    assert "intercept test policies/*.yaml" in capsys.readouterr().out


def test_wrong_usage_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["test"])

    assert stopped.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1


def test_a_pipe_is_read_once(capsys: pytest.CaptureFixture[str]) -> None:
    import os
    import threading

    os.mkfifo("pipe")
    writer = threading.Thread(target=lambda: Path("pipe").write_text(PASSES))
    writer.start()

    assert main(["test", "pipe"]) == 0

    writer.join()
    assert capsys.readouterr().out.endswith("1 passed, 0 failed, 1 of 2 rules decided in a test\n")
