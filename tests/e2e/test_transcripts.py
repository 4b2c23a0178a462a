"""The comparison behind the peer tests sees every kind of tampering, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from intercept.values import Json

from .peers.transcripts import Recording, alike, carried, recordings, seen_alike, settled

CALL = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":{"n":1}}}'
PING = b'{"jsonrpc":"2.0","id":2,"method":"ping"}'
RESULT = b'{"result":{"content":[]},"jsonrpc":"2.0","id":1}'
PONG = b'{"jsonrpc":"2.0","id":2,"result":{}}'
HONEST = Recording(to_server=(CALL, PING), to_client=(RESULT, PONG))

Lines = tuple[bytes, ...]
TAMPERINGS: dict[str, Callable[[Lines], Lines]] = {
    "dropped": lambda lines: lines[1:],
    "doubled": lambda lines: (*lines, lines[-1]),
    "invented": lambda lines: (*lines, b'{"jsonrpc":"2.0","method":"notifications/message"}'),
    "reordered": lambda lines: lines[::-1],
    "extra member": lambda lines: (lines[0][:-1] + b',"extra":1}', *lines[1:]),
    "missing member": lambda lines: (lines[0].replace(b'"jsonrpc":"2.0",', b""), *lines[1:]),
    "another type": lambda lines: (lines[0].replace(b'"id":1', b'"id":1.0'), *lines[1:]),
    "another value": lambda lines: (lines[0].replace(b'"id":1', b'"id":"1"'), *lines[1:]),
}


@pytest.mark.parametrize("tampering", TAMPERINGS.values(), ids=TAMPERINGS.keys())
def test_tampering_with_what_the_client_says_is_seen(tampering: Callable[[Lines], Lines]) -> None:
    tampered = Recording(to_server=tampering(HONEST.to_server), to_client=HONEST.to_client)
    assert carried([HONEST], [tampered]) != []
    assert alike([HONEST], [tampered], ()) != []


@pytest.mark.parametrize("tampering", TAMPERINGS.values(), ids=TAMPERINGS.keys())
def test_tampering_with_what_the_server_says_is_seen(tampering: Callable[[Lines], Lines]) -> None:
    tampered = Recording(to_server=HONEST.to_server, to_client=tampering(HONEST.to_client))
    assert carried([tampered], [HONEST]) != []
    assert alike([HONEST], [tampered], ()) != []


def test_the_servers_bytes_must_stay_as_they_are() -> None:
    rewritten = Recording(
        to_server=HONEST.to_server,
        to_client=tuple(json.dumps(json.loads(line)).encode() for line in HONEST.to_client),
    )
    assert carried([rewritten], [HONEST]) != []


def test_the_clients_messages_may_be_written_in_another_way() -> None:
    rewritten = Recording(
        to_server=tuple(json.dumps(json.loads(line), sort_keys=True).encode() for line in HONEST.to_server),
        to_client=HONEST.to_client,
    )
    assert carried([HONEST], [rewritten]) == []


def test_a_process_too_many_or_too_few_is_seen() -> None:
    assert carried([HONEST, HONEST], [HONEST]) != []
    assert alike([HONEST], [HONEST, HONEST], ()) != []


def test_what_the_application_misses_is_seen() -> None:
    step: Json = {"step": 1, "do": "call", "result": {"content": []}}
    event: Json = {"event": "progress", "params": {"progress": 1}}
    assert seen_alike([event, step], [step, event], ()) == []
    assert seen_alike([event, step], [step], ()) != []
    assert seen_alike([event, step], [event], ()) != []
    assert seen_alike([event, event, step], [event, step], ()) != []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("at 2026-01-02T03:04:05.678Z", "at 2026-11-12T13:14:15+02:00"),
        ("created at 9:10:06 AM", "created at 11:12:13 PM"),
        ("task 0123456789abcdef0123456789abcdef", "task fedcba9876543210fedcba9876543210"),
        ("in /tmp/a/work/file", "in /tmp/b/work/file"),
        ({"requestState": "v1.abc"}, {"requestState": "v1.xyz"}),
        (
            {"level": "debug", "data": "Debug-level message"},
            {"level": "alert", "data": "Alert level-message"},
        ),
    ],
)
def test_what_differs_between_any_two_runs_is_settled(one: Json, other: Json) -> None:
    folders = (Path("/tmp/a"), Path("/tmp/b"))
    assert settled(one, folders) == settled(other, folders)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Retry in 12 seconds.", "Retry in 13 seconds."),
        ({"id": 1}, {"id": 2}),
        ({"progressToken": 1}, {"progressToken": 2}),
        ({"level": "info", "data": "Roots updated"}, {"level": "debug", "data": "Roots updated"}),
    ],
)
def test_nothing_else_is_settled(one: Json, other: Json) -> None:
    assert settled(one, ()) != settled(other, ())


def test_a_recording_that_ends_within_a_line_is_refused(tmp_path: Path) -> None:
    (tmp_path / "outer.1.to_server").write_bytes(PING + b"\n")
    (tmp_path / "outer.1.to_client").write_bytes(PONG)
    with pytest.raises(AssertionError, match="middle of a line"):
        recordings(tmp_path, "outer")
