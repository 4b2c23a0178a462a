"""`intercept scan [-o FILE] -- COMMAND...`: a server's tools, how dangerous each is and why, and a first policy.

The report goes to stdout, everything else to stderr. Exit code 0, also when tools are dangerous: that is no mistake.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from ..errors import UpstreamError, UsageError, visible
from ..notices import PREFIX

if TYPE_CHECKING:
    from ..catalogue.draft.update import Updated
    from ..catalogue.report import Listing
    from ..values import Json


TAKES_SERVER: Final = True
_TELL_EVERY: Final = 5
"""Seconds of silence after which a person wants to know that nothing hangs."""
_EPILOG: Final = """examples:
  intercept scan -- npx -y @modelcontextprotocol/server-memory
  intercept scan -o memory.yaml -- npx -y @modelcontextprotocol/server-memory   (and draft a policy)
  intercept scan --format json --tools tools.json                               (a saved tools/list)
  intercept scan --config ~/.claude.json --format markdown                      (all that an agent can call)

A file that is there already keeps everything that is written in it: new tools are added to it, and what is gone or
changed is told.

exit codes: 0 fine, 2 wrong usage, 4 the server could not be asked
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to those of `intercept`."""
    parser = subparsers.add_parser(
        "scan",
        help="what tools a server has, and how dangerous they are",
        usage="intercept scan [-o FILE] [--format FORMAT] [--tools FILE | --config FILE | -- COMMAND [ARGUMENT ...]]",
        description="Ask a server for its tools, say how dangerous each is and which words say so, and draft a policy.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="write a policy for the server, or add new tools to it")
    parser.add_argument(
        "--format",
        choices=("table", "json", "markdown"),
        default="table",
        help="table for people (the default), json for programs, markdown for a report",
    )
    parser.add_argument("--tools", metavar="FILE", help="a saved result of `tools/list` instead of a server")
    parser.add_argument(
        "--config", metavar="FILE", help="a client's configuration: scan every server in it, and report them together"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print what the tools of the server can do, and write a policy if `arguments.output` says where.

    Raises:
        UsageError: there is nothing to scan, or a file cannot be read or written.
        UpstreamError: the server cannot be started, or does not list its tools.
    """
    from ..catalogue import report

    if sum(map(bool, (arguments.command, arguments.tools, arguments.config))) != 1:
        raise UsageError("give a server's command after `--`, or `--tools FILE`, or `--config FILE`")
    if arguments.config:
        return _survey(arguments)
    listing = _saved(arguments.tools) if arguments.tools else _live(arguments.command)
    formats = {"table": report.table, "json": report.as_json, "markdown": report.markdown}
    try:
        print(formats[arguments.format](listing))
        if arguments.output:
            _write(arguments.output, listing, arguments.command)
    except RecursionError:  # a saved file; what a live server sends is held to a depth before
        raise UsageError(f"{arguments.tools}: is nested too deeply to be a list of tools") from None
    return 0


def _survey(arguments: argparse.Namespace) -> int:
    """Scan all servers of a client; exit code 4 if one of them could not be asked."""
    from ..catalogue import report
    from ..catalogue.clients import configured

    path: str = arguments.config
    if arguments.output:
        raise UsageError("a policy is for one server; give `-o` with the command of that server")
    text = _existing(path)
    if text is None:
        raise UsageError(f"{path}: no such file")
    try:
        servers = configured(text, {**os.environ, **_places(path)})
    except ValueError as error:
        raise UsageError(f"{path}: {error}") from None
    scanned: list[tuple[str, report.Listing]] = []
    failed: list[tuple[str, str]] = []
    for server in servers:
        if server.problem:
            failed.append((server.name, server.problem))
            continue
        try:
            scanned.append((server.name, _live(server.command, server.environment)))
        except UpstreamError as error:
            failed.append((server.name, str(error)))
    formats = {"table": report.survey_table, "json": report.survey_as_json, "markdown": report.survey_markdown}
    print(formats[arguments.format](report.Survey(tuple(scanned), tuple(failed))))
    for name, why in failed:
        _say(f"`{name}` was not scanned: {why}")
    return UpstreamError.exit_code if failed else 0


def _places(path: str) -> dict[str, str]:
    """What an editor puts in for places: its files lie in a folder of their own in the project's."""
    folder = os.path.dirname(os.path.realpath(path))
    project = os.path.dirname(folder) if os.path.basename(folder).startswith(".") else folder
    return {"workspaceFolder": project, "userHome": os.path.expanduser("~")}


def _saved(path: str) -> Listing:
    from ..catalogue.report import Listing
    from .lint import read_json

    value = read_json(path)
    if isinstance(value, dict) and isinstance(value.get("result"), dict):
        value = value["result"]
    tools = value.get("tools") if isinstance(value, dict) else value
    if not isinstance(tools, list):
        raise UsageError(f"{path}: has no list of tools; save the result of `tools/list`")
    server = value.get("server") if isinstance(value, dict) else None
    return Listing(server if isinstance(server, str) else os.path.basename(path), "", tools)


def _live(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Listing:
    from ..catalogue.report import Listing
    from ..catalogue.scan import ask

    name = command[0]
    _say(f"asking `{name}` for its tools")

    def waiting(seconds: float) -> None:
        if round(seconds) % _TELL_EVERY == 0:
            _say(f"`{name}` has been silent for {seconds:.0f} seconds; still waiting")

    offer = ask(command, environment=environment, waiting=waiting)
    return Listing(_title(offer.server) or " ".join(command), offer.protocol, offer.tools)


def _title(server: dict[str, Json]) -> str:
    told = (server.get("name"), server.get("version"))
    return " ".join(part for part in told if isinstance(part, str))


def _write(path: str, listing: Listing, command: Sequence[str]) -> None:
    from ..catalogue.draft.document import document
    from ..catalogue.draft.entries import entries
    from ..catalogue.draft.update import update

    found = entries(listing.tools, _folders(command))
    existing = _existing(path)
    if existing is None:
        _store(path, document(listing.server, " ".join(command) or "COMMAND", found, listing.tools))
        _say(f"wrote {path}: {_count(len(found))}; read it, then `intercept lint {path}` and `intercept test {path}`")
        return
    updated = update(path, existing, found, listing.tools)
    _store(path, updated.text)
    _tell(path, updated)


def _folders(command: Sequence[str]) -> list[str]:
    """The folders that the server was started for, or where we are: its file tools are held to them."""
    given = [
        os.path.realpath(argument) for argument in command[1:] if os.path.isabs(argument) and os.path.isdir(argument)
    ]
    return given or [os.getcwd()]


def _tell(path: str, updated: Updated) -> None:
    for entry in updated.new:
        _say(f"{path}: new: `{entry.name}` ({entry.verdict.category} {entry.verdict.risk}), added")
    for name in updated.gone:
        _say(f"{path}: gone: `{name}` is no longer offered; what the policy says of it was left alone")
    for change in updated.changed:
        now = f"{change.now.category} {change.now.risk}"
        before = f"{change.before.category} {change.before.risk}"
        what = f"its definition is another; still {now}" if now == before else f"it was {before} and is {now}"
        _say(f"{path}: changed: `{change.now.name}`: {what}; look at its entry")
    if not (updated.new or updated.gone or updated.changed):
        _say(f"{path}: nothing new")


def _count(number: int) -> str:
    return f"{number} tool{'' if number == 1 else 's'}"


def _existing(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {(error.strerror or 'input error').lower()}") from None
    except ValueError:
        raise UsageError(f"{path}: is not UTF-8 text") from None


def _store(path: str, text: str) -> None:
    """Write `text`, all of it or nothing, after it has been found to be a policy."""
    from ..policy.compile import compile_policy
    from ..policy.document import parse

    document = parse(text.encode("utf-8", "surrogatepass"), path)
    problems = [*document.problems, *(() if document.file is None else compile_policy(document, path)[1])]
    if problems:
        raise UsageError(f"{path}: was left alone, because it would not load: {problems[0]}")
    beside = f"{path}.new"
    try:
        with open(beside, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        os.replace(beside, path)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {(error.strerror or 'output error').lower()}") from None


def _say(line: str) -> None:
    for part in line.split("\n"):
        print(f"{PREFIX}{visible(part)}", file=sys.stderr, flush=True)
