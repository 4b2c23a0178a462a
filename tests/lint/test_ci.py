"""What `examples/ci` and the pre-commit hook run is what the command takes."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from intercept.lint.engine import described
from intercept.lint.rules import DRIFT

from .samples import lint

ROOT = Path(__file__).resolve().parents[2]
CI = ROOT / "examples/ci"
PAGE = (CI / "README.md").read_text(encoding="utf-8")


def parsed(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))  # not a policy


def commands() -> list[str]:
    jobs = parsed(CI / "github-workflow.yaml")["jobs"]
    steps = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
    blocks = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return [line for text in (*steps, *blocks) for line in text.splitlines() if line.startswith("intercept ")]


@pytest.mark.parametrize("command", [command for command in commands() if "z-api" not in command])
def test_a_command_of_the_examples_runs_and_is_content_with_our_policies(command: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "policies", tmp_path / "policies")
    command = command.replace("intercept ", f"{sys.executable} -m intercept ", 1)

    ended = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, check=False)

    assert (ended.returncode, ended.stderr) == (0, b"")


def test_the_examples_show_both_ways_to_name_a_server() -> None:
    shown = [command for command in commands() if "z-api" in command]

    assert [" --tools " in command for command in shown] == [True, False]
    assert [" -- " in command for command in shown] == [False, True]


def test_the_hook_lints_policies_and_leaves_other_files_alone() -> None:
    (hook,) = parsed(ROOT / ".pre-commit-hooks.yaml")
    (repository,) = parsed(CI / "pre-commit-config.yaml")["repos"]

    assert hook["entry"] == "intercept lint"
    assert [each["id"] for each in repository["hooks"]] == [hook["id"]]
    for pattern in (hook["files"], repository["hooks"][0]["files"]):
        assert re.search(pattern, "policies/z-api.yaml")
        assert not re.search(pattern, ".github/workflows/policies.yaml")
        assert not re.search(pattern, "docs/policy-notes.yaml")
    assert re.search(hook["files"], "servers/shop/policy.yaml")
    assert re.search(hook["files"], "shop-policy.json")


def test_the_comment_that_the_page_shows_silences_its_finding() -> None:
    (policy,) = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)

    assert [finding for finding in lint(policy) if finding.fails] == []
    assert [finding.rule for finding in lint(re.sub("#.*", "", policy)) if finding.fails] == ["unlimited-message"]


def test_the_page_lists_every_rule_as_it_describes_itself() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]

    assert rows == [f"| `{rule}` | {about.severity} | {about.what} |" for rule, about in described().items()]
    assert [row.split("`")[1] for row in rows[-7:]] == [rule.ID for rule in DRIFT]
