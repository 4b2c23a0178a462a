from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import pytest

from intercept.audit.chain import Head
from intercept.audit.reading import Skipped, files_of, records_of, verify
from intercept.errors import UsageError

from .logs import Log
from .manipulation import KINDS, manipulated, places, sample


@pytest.mark.parametrize("kind", KINDS)
def test_the_place_of_every_manipulation_is_named(kind: str, tmp_path: Path) -> None:
    lines = sample(tmp_path / "audit", tmp_path)
    (path,) = (tmp_path / "audit").iterdir()
    assert verify([str(path)]).faults == ()
    randomly = random.Random(kind)
    for _ in range(100):
        data, line = manipulated(lines, kind, randomly)
        if data == b"".join(lines):
            continue
        path.write_bytes(data)
        (fault,) = verify([str(path)]).faults
        assert (fault.path, fault.why != "") == (str(path), True)
        assert fault.line in places(data, line), (kind, fault)


def test_a_tail_that_was_cut_off_shows_as_an_open_session(tmp_path: Path) -> None:
    lines = sample(tmp_path / "audit", tmp_path)
    (path,) = (tmp_path / "audit").iterdir()
    assert verify([str(path)]).sessions[0].ended
    whole = b"".join(lines)
    for size in range(len(lines[0]), len(whole) - 1, 53):
        path.write_bytes(whole[:size])
        report = verify([str(path)])
        assert report.faults == ()
        assert not report.sessions[0].ended


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda lines: lines[1:], "the records before it are missing: a session begins with `start`"),
        (lambda lines: [*lines[:3], *lines[4:]], "record 3 is missing before it"),
        (lambda lines: [*lines[:3], *lines[5:]], "records 3 to 4 are missing before it"),
        (lambda lines: [*lines[:3], lines[2], *lines[3:]], "record 2 stands where record 3 belongs"),
        (lambda lines: [*lines[:3], b"{}\n", *lines[3:]], "it is not a whole record"),
        (lambda lines: [*lines[:3], lines[3].replace(b"send", b"read"), *lines[4:]], "it was changed"),
        (lambda lines: [*lines[:-1], lines[-1][:-1] + b" "], "it does not end as it was written"),
        (lambda lines: [*lines, lines[-1]], "it stands after the end of its session"),
    ],
)
def test_the_reason_is_said(change: object, why: str, tmp_path: Path) -> None:
    log = Log(tmp_path / "audit", tmp_path)
    for _ in range(4):
        log.call()
    log.recorder.end("over", 0)
    lines = log.path.read_bytes().splitlines(keepends=True)
    log.path.write_bytes(b"".join(change(lines)))  # type: ignore[operator]

    (fault,) = verify([str(log.path)]).faults
    assert fault.why.startswith(why)


def test_a_record_that_was_written_anew_with_a_fitting_hash_breaks_the_one_after_it(tmp_path: Path) -> None:
    log = Log(tmp_path / "audit", tmp_path)
    log.call()
    log.call()
    lines = log.path.read_bytes().splitlines(keepends=True)
    body = log.records()[1]
    prev = body["prev"]
    rest = {key: value for key, value in body.items() if key not in {"type", "seq", "prev", "hash"}}
    members = json.dumps(rest | {"decision": "deny"})[1:-1]
    lines[1], forged = Head("decision", '"forged":true').seal(1, prev, members)
    log.path.write_bytes(b"".join(lines))

    report = verify([str(log.path)], [forged])
    assert [(fault.line, fault.why) for fault in report.faults] == [
        (3, "the record before it is not the one that was there when it was written")
    ]
    assert report.heads == {forged}


def test_a_head_that_was_kept_elsewhere_proves_what_came_before_it(tmp_path: Path) -> None:
    log = Log(tmp_path / "audit", tmp_path)
    log.call()
    head = verify([str(log.path)]).sessions[0].head
    log.call()
    assert verify([str(log.path)], [head]).heads == {head}

    again = Log(tmp_path / "again", tmp_path)
    again.call()
    assert verify([str(again.path)], [head]).heads == frozenset()


def test_a_file_under_the_name_of_another_session_is_found(tmp_path: Path) -> None:
    one, two = Log(tmp_path / "audit", tmp_path), Log(tmp_path / "audit", tmp_path)
    one.call()
    shutil.copy(one.path, two.path)

    faults = verify([str(tmp_path / "audit")]).faults
    assert any(fault.path == str(two.path) and fault.why == "it is a record of another session" for fault in faults)


def test_records_that_stand_in_two_files_are_found(tmp_path: Path) -> None:
    log = Log(tmp_path / "audit", tmp_path)
    log.call()
    shutil.copy(log.path, tmp_path / "audit" / log.path.name.replace("01-15", "01-16"))

    (fault,) = verify([str(tmp_path / "audit")]).faults
    assert fault.why == f"record 0 of its session stands in `{log.path}` too"


def test_a_reader_leaves_out_what_is_no_record_and_counts_it(tmp_path: Path) -> None:
    log = Log(tmp_path / "audit", tmp_path)
    log.call()
    with log.path.open("ab") as file:
        file.write(b'junk\n{"type":"deci')
    skipped = Skipped()

    assert [record.type for record in records_of([str(log.path)], skipped)] == ["start", "decision", "outcome"]
    assert skipped.lines == 2


def test_a_directory_means_the_logs_in_it(tmp_path: Path) -> None:
    log = Log(tmp_path / "audit", tmp_path)
    (tmp_path / "audit" / "README").write_text("")

    assert files_of([str(tmp_path / "audit"), str(log.path)]) == [str(log.path)]
    with pytest.raises(UsageError, match="no such file or directory"):
        files_of([str(tmp_path / "nothing")])


@pytest.mark.parametrize("data", [b"", b"\n", b"\x00" * 1000, b"{", b'{"type":"start"}\n', b"\xff\xfe\n" * 10])
def test_whatever_a_file_holds_it_is_judged_and_not_believed(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(data)
    report = verify([str(path)])

    assert report.records == 0
    assert report.sessions == ()
    assert bool(report.faults) is (b"\n" in data)
