"""`intercept lint FILE...`: is each policy file one that the proxy would load.

Findings go to stdout. Exit code 0: none; 1: some; 2: the command line is wrong.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from ..errors import PolicyError

if TYPE_CHECKING:
    from ..errors import Problem

_EPILOG: Final = """example:
  intercept lint policies/*.yaml
  intercept lint --format github policy.yaml     (annotations in a GitHub workflow)

exit codes: 0 nothing found, 1 findings, 2 wrong usage
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding; its fields are the documented JSON output."""

    rule: str
    severity: str
    confidence: str
    path: str
    line: int
    """From 1; 0 where the file as a whole is meant. So is `column`."""
    column: int
    message: str
    help: str


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to those of `intercept`."""
    parser = subparsers.add_parser(
        "lint",
        help="is a policy valid",
        description="Check policy files: every mistake in every file, with its place and what to write instead.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="policy file, YAML or JSON")
    parser.add_argument(
        "--format",
        choices=("text", "json", "github"),
        default="text",
        help="text for people (the default), json for programs, github for annotations in a workflow",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print what is wrong with `arguments.files` in `arguments.format`; return the exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a name of a file need not be text in any encoding
    problems = {path: _problems(path) for path in arguments.files}
    match arguments.format:
        case "json":
            findings = [asdict(_finding(problem)) for found in problems.values() for problem in found]
            print(json.dumps(findings, indent=2))
        case "github":
            for found in problems.values():
                for problem in found:
                    print(_annotation(_finding(problem)))
        case _:
            for path, found in problems.items():
                for line in [str(problem) for problem in found] or [f"{path}: ok"]:
                    print(line)
    return 1 if any(problems.values()) else 0


def _problems(path: str) -> Sequence[Problem]:
    from ..policy import load

    try:
        load([path])
    except PolicyError as error:
        return error.problems
    return ()


def _finding(problem: Problem) -> Finding:
    where = f"{problem.key_path}: " if problem.key_path else ""
    return Finding(
        rule="invalid-policy",
        severity="error",
        confidence="high",
        path=problem.path,
        line=problem.line,
        column=problem.column,
        message=f"{where}{problem.message}",
        help=problem.help,
    )


def _annotation(finding: Finding) -> str:
    """A workflow command of GitHub Actions; a place that is not known is left out."""
    place = f",line={finding.line},col={finding.column}" if finding.line else ""
    text = f"{finding.message}; {finding.help}" if finding.help else finding.message
    name = _escaped(finding.path).replace(":", "%3A").replace(",", "%2C")
    return f"::error file={name}{place},title={finding.rule}::{_escaped(text)}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
