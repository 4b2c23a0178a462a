"""Asking a live server what it offers."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from intercept.catalogue.scan import Offer, ask, list_tools
from intercept.errors import UpstreamError

from ..e2e.leftovers import left, mark
from .offering import ABOUT, ME, TOOLS

SERVER = Path(__file__).resolve().parent / "offering.py"
STUBBORN = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
while True:
    signal.pause()
"""
DEAF = """
import os, sys
os.write(2, b"x" * 1_000_000)
sys.stdin.read()
"""


def offering(*words: str) -> list[str]:
    return [sys.executable, str(SERVER), *words]


@pytest.mark.parametrize(
    ("words", "protocol"),
    [
        ([], "2025-06-18"),
        (["modern"], "2026-07-28"),
        (["modern", "once"], "2026-07-28"),
        (["paged"], "2025-06-18"),
        (["modern", "paged"], "2026-07-28"),
        (["chatty"], "2025-06-18"),
        (["late"], "2025-06-18"),
    ],
)
def test_everything_comes_as_the_server_gave_it(words: list[str], protocol: str) -> None:
    assert ask(offering(*words)) == Offer(protocol, {**ME}, str(ABOUT["instructions"]), [*TOOLS], [{"name": "greet"}])


def test_a_server_that_cannot_be_started_is_an_error_that_names_it() -> None:
    with pytest.raises(UpstreamError, match="cannot start the server `/nonexistent/server`: no such file"):
        list_tools(["/nonexistent/server"])


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (["true"], "`true` does not list its tools: it ended$"),
        (["echo", "{}"], "`echo` does not list its tools: it ended$"),
        (["cat"], "it accepts neither `initialize` nor `server/discover`$"),
        (offering("refusing"), "it answers `tools/list` with an error$"),
        (offering("malformed"), "its list of tools is malformed$"),
        (offering("endless"), "its list of tools has more than 100 pages$"),
    ],
)
def test_a_server_that_lists_no_tools_is_an_error_that_says_why(command: list[str], why: str) -> None:
    with pytest.raises(UpstreamError, match=why):
        list_tools(command)


@pytest.mark.parametrize(
    "answer", ['{"jsonrpc": "2.0", "id": 1, "result": {}, "result": {}}', '{"id": 1, "result": 7}']
)
def test_an_answer_that_readers_could_take_in_two_ways_is_none(answer: str) -> None:
    with pytest.raises(UpstreamError, match="malformed"):
        ask([sys.executable, "-c", f"input(); print({answer!r}, flush=True); input()"])


def test_what_a_failing_server_said_last_is_in_the_error() -> None:
    with pytest.raises(UpstreamError) as failure:
        list_tools(offering("failing"))

    assert str(failure.value).split("\n")[1:] == ["  it says: no API key", "  it says: set BOARD_KEY\u202e"]


def test_a_server_that_never_answers_is_given_up_and_not_left_behind() -> None:
    environment = mark()

    with pytest.raises(UpstreamError, match="no answer within 1 seconds"):
        ask([sys.executable, "-c", STUBBORN], patience=1.0, environment=environment)

    assert left(environment, within=1.0) == []


def test_a_server_that_only_writes_to_stderr_does_not_wait_for_us() -> None:
    with pytest.raises(UpstreamError, match="no answer within 1 seconds"):
        list_tools([sys.executable, "-c", DEAF], patience=1.0)


def test_a_process_that_left_the_servers_group_is_not_left_behind() -> None:
    environment = mark()

    ask(offering("detached"), environment=environment)

    assert left(environment, within=1.0) == []


def test_whoever_waits_is_told_how_long() -> None:
    told: list[float] = []

    with pytest.raises(UpstreamError):
        ask(["sleep", "60"], patience=1.2, waiting=told.append)

    assert told
    assert told == sorted(told)
