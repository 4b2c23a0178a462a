"""`intercept lint FILE... [-- COMMAND...]`: is each policy file valid and wise.

Findings go to stdout. Exit code 0: nothing but advice; 1: a finding of severity warning or error; 2: the command line
is wrong.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

from ..errors import Problem, UsageError

if TYPE_CHECKING:
    from ..lint.finding import Finding
    from ..lint.tools import Tool
    from ..policy.loading import Source
    from ..policy.model import RuleRef
    from ..values import Json

TAKES_SERVER: Final = True
_EPILOG: Final = """example:
  intercept lint policies/*.yaml
  intercept lint --format github policy.yaml     (annotations in a GitHub workflow)
  intercept lint policy.yaml --tools tools.json  (compare with a saved tools/list)
  intercept lint policy.yaml -- npx -y @codespar/mcp-z-api

A comment `# intercept: ignore[rule-id] reason`, on the line of a finding or above it, silences it.

exit codes: 0 nothing found but advice, 1 findings, 2 wrong usage
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to those of `intercept`."""
    parser = subparsers.add_parser(
        "lint",
        help="is a policy valid and wise",
        usage="intercept lint FILE... [--format FORMAT] [--tools FILE | -- COMMAND [ARGUMENT ...]]",
        description="Check policy files: every mistake, and what loads and still does not do what it seems to promise, "
        "with its place and what to write instead.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="policy file, YAML or JSON")
    parser.add_argument(
        "--format",
        choices=("text", "json", "sarif", "github"),
        default="text",
        help="text for people (the default), json for programs, sarif for code scanning, github for annotations",
    )
    parser.add_argument(
        "--tools",
        metavar="FILE",
        help="a saved result of `tools/list`, or an object with a `tools` member, to compare the policies with",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print what is wrong with `arguments.files` in `arguments.format`; return the exit code.

    `arguments.command`, unless it is empty, starts the server whose tools the policies are compared with.

    Raises:
        UsageError: the tools cannot be read.
        UpstreamError: the server cannot be started, or does not list its tools.
    """
    from ..lint import report

    tools = _tools(arguments)
    found = {path: _lint(path, tools) for path in arguments.files}
    formats = {"text": report.text, "json": report.as_json, "sarif": report.sarif, "github": report.github}
    if output := formats[arguments.format](found):
        print(output)
    return 1 if any(finding.fails for findings in found.values() for finding in findings) else 0


def _lint(path: str, tools: tuple[Tool, ...] | None) -> list[Finding]:
    from ..lint.engine import invalid, lint
    from ..policy.source import read_bytes

    data = read_bytes(path)
    return [invalid(data)] if isinstance(data, Problem) else lint(path, data, tools, _undecided)


def _undecided(source: Source) -> tuple[RuleRef, ...]:
    """The rules that no test of the policy decides."""
    if not source.file.tests:
        return ()
    from ..trial import play

    return play(source).uncovered


def _tools(arguments: argparse.Namespace) -> tuple[Tool, ...] | None:
    from ..lint.tools import parse_tools
    from ..values import MalformedError

    command: list[str] = arguments.command
    if command and arguments.tools:
        raise UsageError("give `--tools` or a server's command, not both")
    try:
        if command:
            from ..catalogue.scan import list_tools

            return parse_tools(list_tools(command))
        return parse_tools(read_json(arguments.tools)) if arguments.tools else None
    except MalformedError as error:
        where = arguments.tools or command[0]
        raise UsageError(f"{where}: {error}; {error.advice}") from None


def read_json(path: str) -> Json:
    """The content of the JSON file at `path`.

    Raises:
        UsageError: it cannot be read, or is no JSON.
    """
    import json

    try:
        with open(path, encoding="utf-8") as file:
            value: Json = json.load(file)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {(error.strerror or 'input error').lower()}") from None
    except (ValueError, RecursionError):
        raise UsageError(f"{path}: is not JSON; save the result of `tools/list`") from None
    return value
