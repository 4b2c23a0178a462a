"""The documents say what is true: the first screen is what really happens, links lead somewhere."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "policies/README.md",
    "examples/README.md",
]
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 0,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "readme", "version": "1"},
    },
}


def blocks(language: str) -> Iterator[str]:
    """The fenced blocks of the README in `language`, without the fences."""
    for found in re.finditer(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL):
        yield found[1]


def test_the_policy_shown_first_is_the_one_of_the_demo_and_has_ten_lines() -> None:
    policy = next(blocks("yaml"))

    assert policy == (ROOT / "examples/demo/policy.yaml").read_text(encoding="utf-8")
    assert len(policy.splitlines()) == 10


def test_the_first_screen_shows_what_the_policy_and_the_command_really_do(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(next(blocks("yaml")), encoding="utf-8")
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    command = next(blocks("sh")).split()
    assert command[0] == "intercept"
    assert command[-2] == "python"
    command[-2] = sys.executable
    shown = next(blocks("text")).splitlines()
    asked = [line.removeprefix("→ ") for line in shown if line.startswith("→ ")]
    answered = [line.removeprefix("← ") for line in shown if line.startswith("← ")]
    assert (len(asked), len(answered)) == (2, 2)

    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=tmp_path,
        input="\n".join([json.dumps(INITIALIZE), *asked, ""]),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    answers = {json.loads(line)["id"]: line for line in done.stdout.splitlines()}
    assert [answers[json.loads(line)["id"]] for line in asked] == answered


def test_the_commands_that_set_everything_up_name_what_exists() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    demo, tests = [block.strip() for block in blocks("sh") if block.startswith("python3 -m venv")]

    assert demo == ("python3 -m venv .venv && .venv/bin/pip install -q -e . && .venv/bin/python examples/demo/run.py")
    assert tests == (
        "python3 -m venv .venv && .venv/bin/pip install -q -e '.[dev]' && "
        "npm install --silent --prefix tests/e2e/node && .venv/bin/python -m pytest -q -n auto --dist loadfile"
    )
    assert (ROOT / "examples/demo/run.py").is_file()
    assert (ROOT / "tests/e2e/node/package.json").is_file()
    assert "dev" in extras


@pytest.mark.parametrize("words", [["--help"], ["lint", "--help"]])
def test_the_help_knows_every_option_and_command_that_the_readme_shows(words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "intercept", *words], capture_output=True, text=True, timeout=60, check=True
    )
    row = next(
        line
        for line in README.splitlines()
        if line.startswith("| `intercept lint" if "lint" in words else "| `intercept --policy")
    )

    assert all(option in done.stdout for option in re.findall(r"--[a-z][a-z-]+", row.split("|")[1]))
    assert "lint" in done.stdout


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_in_a_document_leads_to_a_file_or_a_heading(document: str) -> None:
    path = ROOT / document
    text = path.read_text(encoding="utf-8")

    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("https://"):
            continue
        file, _, heading = target.partition("#")
        aim = path.parent / file if file else path
        assert aim.exists(), target
        assert not heading or heading in headings(aim.read_text(encoding="utf-8")), target


def headings(text: str) -> set[str]:
    """The anchors of a document, as GitHub makes them."""
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
