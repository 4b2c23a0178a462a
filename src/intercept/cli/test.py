"""`intercept test FILE...`: does each policy decide as its own tests say.

Results go to stdout. Exit code 0: every test passed; 1: one failed, or a policy has none; 2: the command line is wrong;
3: a policy cannot be used.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from ..answers import printable
from ..errors import PolicyError, Problem

if TYPE_CHECKING:
    from ..policy.loading import Source
    from ..trial import Case, Report

_EPILOG: Final = """example:
  intercept test policies/*.yaml

  tests:
    - name: the eleventh message in a minute waits
      calls:
        - {tool: send_text, arguments: {to: "+55"}, repeat: 10, expect: allow}
        - {tool: send_text, arguments: {to: "+55"}, at: 59s, expect: deny, rule: send_text#1}
        - {tool: send_text, arguments: {to: "+55"}, at: 60s, expect: allow}

Each test begins at time 0 (1970-01-01, a Thursday, 00:00 UTC) with empty counters and a new session; every call that is
allowed is answered with success. Nothing is waited for.

exit codes: 0 all passed, 1 a test failed or a policy has no tests, 2 wrong usage, 3 policy unusable
"""
_NONE: Final = "expected tests, found none; write them under `tests`, as in `intercept test --help`"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to those of `intercept`."""
    parser = subparsers.add_parser(
        "test",
        help="does a policy decide as its tests say",
        description="Run the tests that policy files carry, in virtual time, and say which rules no test decided.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="policy file, YAML or JSON")
    parser.add_argument(
        "--grant", metavar="NAME", default="", help="what conditions on `grant` find (default: nothing)"
    )
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="text for people (the default), json for programs"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print what became of the tests in `arguments.files`; return the exit code.

    Raises:
        PolicyError: one of the files cannot be used; nothing was run then.
    """
    reports = _reports(arguments.files, arguments.grant)
    if arguments.format == "json":
        print(json.dumps(_as_json(reports), indent=2))
    else:
        for report in reports:
            for line in _lines(report):
                print(line)
    return 1 if any(_failed(report) for report in reports) else 0


def _reports(paths: Sequence[str], grant: str) -> list[Report]:
    from ..policy.loading import load_with_sources
    from ..trial import play

    sources: list[Source] = []
    problems: list[Problem] = []
    for path in dict.fromkeys(paths):
        try:
            sources += load_with_sources([path]).sources
        except PolicyError as error:
            problems += error.problems
    if problems:
        raise PolicyError(tuple(problems))
    return [play(source, grant=grant) for source in sources]


def _failed(report: Report) -> int:
    return sum(case.failure is not None for case in report.cases) or int(not report.cases)


def _passed(report: Report) -> int:
    return sum(case.failure is None for case in report.cases)


def _lines(report: Report) -> Iterator[str]:
    for case in report.cases:
        if failure := case.failure:
            yield f"{report.path}:{failure.line}:{failure.column}: failed: {printable(case.name)}: {failure}"
    if not report.cases:
        yield f"{report.path}: failed: {_NONE}"
    for rule in report.uncovered if report.cases else ():
        yield f"{report.path}:{rule.line}: not covered: no test decides by rule `{printable(rule.name)}`"
    covered = f"{report.rules - len(report.uncovered)} of {report.rules} rules decided in a test"
    yield f"{report.path}: {_passed(report)} passed, {_failed(report)} failed, {covered}"


def _as_json(reports: Sequence[Report]) -> dict[str, object]:
    return {
        "passed": sum(map(_passed, reports)),
        "failed": sum(map(_failed, reports)),
        "cases": [case for report in reports for case in _cases(report)],
        "uncovered_rules": [
            {"rule": rule.name, "path": rule.path, "line": rule.line} for report in reports for rule in report.uncovered
        ],
    }


def _cases(report: Report) -> Iterator[dict[str, object]]:
    """The cases of a report; a policy without tests has one, which failed."""
    for case in report.cases:
        yield _case(case.name, report.path, case)
    if not report.cases:
        yield _case("", report.path, None)


def _case(name: str, path: str, case: Case | None) -> dict[str, object]:
    failure = case and case.failure
    return {
        "name": name,
        "path": path,
        "line": failure.line if failure else case.line if case else 0,
        "column": failure.column if failure else case.column if case else 0,
        "passed": case is not None and not failure,
        "calls": case.calls if case else 0,
        "message": _NONE if case is None else str(failure or ""),
        "expected": failure.expected if failure else None,
        "found": failure.found if failure else None,
    }
