"""The four outputs: text for people, JSON, SARIF 2.1.0, annotations of GitHub."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from intercept import __version__
from intercept.lint import report
from intercept.lint.finding import Confidence, Finding, Severity

from .samples import lint, samples

SCHEMA = Path(__file__).parents[1] / "e2e/node/node_modules/@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json"
"""The schema of the format, as a package for testing with it has it."""

HOLE = Finding(
    "default-allow",
    Severity.WARNING,
    Confidence.HIGH,
    "policies/a b.yaml",
    2,
    10,
    "a tool that the server adds tomorrow can be called at once",
    "write `default: deny`",
)
ADVICE = Finding("no-tests", Severity.INFO, Confidence.HIGH, "b.yaml", 1, 1, "the policy has no tests", "")
BROKEN = Finding("invalid-policy", Severity.ERROR, Confidence.HIGH, "c,d:e%.yaml", 0, 0, "no such file", "")
FOUND = {"policies/a b.yaml": [HOLE], "b.yaml": [ADVICE], "c,d:e%.yaml": [BROKEN], "good.yaml": []}


@pytest.fixture(scope="module")
def schema() -> jsonschema_rs.Draft4Validator:
    text = SCHEMA.read_text(encoding="utf-8")
    # One pattern has a bracket that only JavaScript takes as it is meant.
    return jsonschema_rs.Draft4Validator(json.loads(text.replace("[a-zA-Z]{2}]?$", "[a-zA-Z]{2}$")), offline=True)


def sarif(found: dict[str, list[Finding]]) -> dict[str, Any]:
    log = json.loads(report.sarif(found))
    assert isinstance(log, dict)
    return log


def test_text_has_a_line_for_each_finding_and_each_file_without_one() -> None:
    assert report.text(FOUND).splitlines() == [
        "policies/a b.yaml:2:10: warning[default-allow]: "
        "a tool that the server adds tomorrow can be called at once; write `default: deny`",
        "b.yaml:1:1: info[no-tests]: the policy has no tests",
        "c,d:e%.yaml: error: no such file",
        "good.yaml: ok",
    ]


def test_json_is_the_documented_list() -> None:
    listed = json.loads(report.as_json(FOUND))

    assert [list(each) for each in listed] == 3 * [
        ["rule", "severity", "confidence", "path", "line", "column", "message", "help"]
    ]
    assert listed[0] == {
        "rule": "default-allow",
        "severity": "warning",
        "confidence": "high",
        "path": "policies/a b.yaml",
        "line": 2,
        "column": 10,
        "message": HOLE.message,
        "help": HOLE.help,
    }
    assert json.loads(report.as_json({"good.yaml": []})) == []


def test_github_gets_a_workflow_command_for_each_finding() -> None:
    assert report.github(FOUND).splitlines() == [
        "::warning file=policies/a b.yaml,line=2,col=10,title=default-allow::"
        "a tool that the server adds tomorrow can be called at once; write `default: deny`",
        "::notice file=b.yaml,line=1,col=1,title=no-tests::the policy has no tests",
        "::error file=c%2Cd%3Ae%25.yaml,title=invalid-policy::no such file",
    ]
    assert report.github({"good.yaml": []}) == ""


def test_sarif_of_every_rule_is_valid_by_the_schema_of_the_format(schema: jsonschema_rs.Draft4Validator) -> None:
    found = {sample.name: lint(sample.policy, sample.tools) for sample in samples()}

    for log in (sarif(found), sarif(FOUND), sarif({"good.yaml": []})):
        assert [str(error) for error in schema.iter_errors(log)] == []
    assert not schema.is_valid({"version": "2.1.0", "runs": [{"results": []}]})


def test_sarif_places_a_finding_in_its_file_and_names_its_rule() -> None:
    (run,) = sarif(FOUND)["runs"]
    rules = run["tool"]["driver"]["rules"]

    assert run["tool"]["driver"]["version"] == __version__
    assert [rule["id"] for rule in rules] == ["default-allow", "invalid-policy", "no-tests"]
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"])
    assert [result["level"] for result in run["results"]] == ["warning", "note", "error"]
    assert run["results"][0]["message"]["text"] == f"{HOLE.message}; {HOLE.help}"
    assert run["results"][0]["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "policies/a%20b.yaml"},
                "region": {"startLine": 2, "startColumn": 10},
            }
        }
    ]
    assert "region" not in run["results"][2]["locations"][0]["physicalLocation"]


@pytest.mark.parametrize(
    ("path", "uri"),
    [("./a.yaml", "a.yaml"), ("/srv/a.yaml", "file:///srv/a.yaml"), ("ü#.yaml", "%C3%BC%23.yaml"), ("a:b", "a%3Ab")],
)
def test_sarif_writes_a_path_as_a_uri(path: str, uri: str) -> None:
    (result,) = sarif({path: [Finding("no-tests", Severity.INFO, Confidence.HIGH, path, 1, 1, "x", "y")]})["runs"][0][
        "results"
    ]

    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri
