from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from intercept.audit.journal import Place
from intercept.audit.reading import verify
from intercept.errors import AuditError

from .logs import START, Log, records, room_for, somebody_else


def whole(*places: Path) -> None:
    assert verify([str(place) for place in places]).faults == ()


def test_a_session_has_a_file_of_its_own_that_only_its_owner_may_read(tmp_path: Path) -> None:
    place = tmp_path / "state" / "audit"
    os.umask(os.umask(0o000) & 0o000)
    first, second = Log(place, tmp_path), Log(place, tmp_path)

    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert {path.name for path in place.iterdir()} == {first.path.name, second.path.name}
    assert stat.S_IMODE(first.path.stat().st_mode) == 0o600
    assert first.path.name == f"2027-01-15.{first.recorder.session}.jsonl"


def test_midnight_utc_begins_a_file_and_the_chain_goes_on(tmp_path: Path) -> None:
    log = Log(tmp_path / "audit", tmp_path)
    log.call()
    yesterday = log.path
    log.now = START + 16 * 3600
    log.call()

    assert log.path.name == yesterday.name.replace("01-15", "01-16")
    head = log.records()[0]
    assert (head["type"], head["continues"]) == ("start", yesterday.name)
    assert (head["seq"], head["prev"]) == (3, records(yesterday)[-1]["hash"])
    assert log.notes == []
    whole(tmp_path / "audit")


def test_a_missing_day_is_named_unless_it_was_to_be_removed(tmp_path: Path) -> None:
    log = Log(tmp_path / "audit", tmp_path, keep=30)
    yesterday = log.path
    log.now = START + 16 * 3600
    log.call()
    yesterday.unlink()

    (fault,) = verify([str(tmp_path / "audit")]).faults
    assert (fault.line, fault.why) == (1, f"record 0 is missing from `{yesterday.name}`")

    log.now = START + 32 * 86_400
    log.call()
    (tmp_path / "audit" / log.path.name.replace("02-16", "01-16")).unlink(missing_ok=True)
    log.now += 1
    log.recorder.end("over", 0)
    assert [path.name for path in (tmp_path / "audit").iterdir()] == [log.path.name]


def test_files_are_removed_after_the_days_that_were_asked_for_and_nothing_else_is(tmp_path: Path) -> None:
    place = tmp_path / "audit"
    place.mkdir()
    kept = ["2027-01-08.old-1.jsonl", "notes.jsonl", "2027-01-01.x.jsonl.gz", "2027-01-01.jsonl"]
    gone = ["2027-01-07.old-2.jsonl", "2027-01-07.old-2.1.jsonl", "1999-12-31.old-3.jsonl"]
    for name in [*kept, *gone]:
        (place / name).write_text("")
    log = Log(place, tmp_path, keep=7)

    assert {path.name for path in place.iterdir()} == {*kept, log.path.name}


def test_without_that_nothing_is_removed(tmp_path: Path) -> None:
    (tmp_path / "1999-12-31.old.jsonl").write_text("")
    Log(tmp_path, tmp_path)

    assert (tmp_path / "1999-12-31.old.jsonl").exists()


@pytest.mark.parametrize("shape", ["directory", "file"])
@pytest.mark.parametrize(
    "how", ["removed", "moved", "replaced by a file", "replaced by a directory", "replaced by a pipe"]
)
def test_a_log_that_was_taken_away_goes_on_in_a_new_file_and_the_operator_is_told_once(
    shape: str, how: str, tmp_path: Path
) -> None:
    place = tmp_path / "audit" / ("x.jsonl" if shape == "file" else "")
    if shape == "directory":
        place.mkdir()
    log = Log(place, tmp_path)
    log.call()
    old = log.path
    if how == "moved":
        old.rename(tmp_path / "audit" / "elsewhere.jsonl")
    else:
        old.unlink()
    if how == "replaced by a file":
        old.write_text("")
    if how == "replaced by a directory":
        old.mkdir()
    if how == "replaced by a pipe":
        os.mkfifo(old)
    log.now += 0.01  # it is not looked for more often
    stuck = shape == "file" and how in {"replaced by a directory", "replaced by a pipe"}
    if stuck:
        for _ in range(3):
            with pytest.raises(AuditError):
                log.call()
        (old.rmdir if how == "replaced by a directory" else old.unlink)()
    log.call()
    log.call()

    head = log.records()[0]
    assert head["type"] == "start"
    assert head["continues"] == old.name
    assert log.records()[1]["type"] == "decision"
    assert [record.get("lost") for record in log.records()[:2]] == [3 if stuck else None, None]
    assert sum("goes on in" in note for note in log.notes) == 1
    assert len(log.notes) == (3 if stuck else 1)
    if how == "moved":
        whole(tmp_path / "audit")
    else:
        (fault,) = verify([str(log.path)]).faults
        assert fault.why == f"records 0 to 2 are missing from `{old.name}`"


def test_a_full_disk_denies_tells_once_and_heals_by_itself(tmp_path: Path) -> None:
    log = Log(tmp_path / "audit", tmp_path)
    for _ in range(5):
        log.call()
    with room_for(log.path.stat().st_size + 100):
        for _ in range(4):
            with pytest.raises(AuditError, match="the audit log cannot be written"):
                log.call()
    number = log.call()

    (failing, healed) = log.notes
    assert "file too large; calls are denied until it can be" in failing
    assert "can be written again" in healed
    lines = log.path.read_bytes().splitlines()
    torn = [line for line in lines if b'"hash"' not in line]
    assert len(torn) == 1
    after = json.loads(lines[lines.index(torn[0]) + 1])
    assert (after["call"], after["lost"], len(after["torn"])) == (number, 4, 1)
    whole(tmp_path / "audit")


def test_a_full_disk_that_leaves_room_for_a_little_more_each_time_tears_several_lines(tmp_path: Path) -> None:
    log = Log(tmp_path / "audit", tmp_path)
    for more in (50, 120, 121, 300, 330):
        with room_for(log.path.stat().st_size + more), pytest.raises(AuditError):
            log.call()
    log.call()

    torn = [line for line in log.path.read_bytes().splitlines() if b'"hash"' not in line]
    assert len(torn) == 5
    whole(tmp_path / "audit")
    # Whoever removes, changes or repeats one of these lines is found out.
    text = log.path.read_bytes()
    for changed in (text.replace(torn[1] + b"\n", b""), text.replace(torn[2], torn[2] + b" "), text + torn[0] + b"\n"):
        log.path.write_bytes(changed)
        assert len(verify([str(log.path)]).faults) == 1


def test_where_the_log_is_optional_calls_pass_and_the_loss_is_counted(tmp_path: Path) -> None:
    log = Log(tmp_path / "audit", tmp_path, optional=True)
    with room_for(log.path.stat().st_size):
        for _ in range(3):
            log.call()
    log.call()
    log.recorder.end("over", 0)

    assert [record["lost"] for record in log.records() if "lost" in record] == [6]
    assert log.records()[-1]["lost_in_all"] == 6
    assert "calls pass unrecorded until it can be" in log.notes[0]
    assert "6 records are missing" in log.notes[1]
    whole(tmp_path / "audit")


def test_a_directory_that_nothing_can_be_created_in_denies_at_midnight_and_heals(tmp_path: Path) -> None:
    log = Log(tmp_path / "audit", tmp_path)
    aside = tmp_path / "aside"
    (tmp_path / "audit").rename(aside)
    (tmp_path / "audit").write_text("no directory")
    log.now = START + 16 * 3600
    for _ in range(3):
        with pytest.raises(AuditError):
            log.call()
    (tmp_path / "audit").unlink()
    log.call()

    assert len([note for note in log.notes if "cannot write" in note]) == 1
    whole(tmp_path / "audit", aside)


def test_a_directory_without_the_right_to_write_is_an_error_with_the_remedy() -> None:
    with somebody_else() as folder:
        (folder / "locked").mkdir(0o555)
        with pytest.raises(AuditError) as error:
            Log(folder / "locked" / "audit", folder)

    assert error.value.exit_code == 2
    assert "permission denied" in str(error.value)
    assert "--audit DIRECTORY" in str(error.value)
    assert "--audit off" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind", ["symlink", "pipe", "directory called like a file"])
def test_a_file_that_is_none_is_refused_at_the_start(kind: str, tmp_path: Path) -> None:
    place = tmp_path / "x.jsonl"
    if kind == "symlink":
        place.symlink_to(tmp_path / "y")
    elif kind == "pipe":
        os.mkfifo(place)
    else:
        (tmp_path / "x").write_text("")
        place = tmp_path / "x" / "y.jsonl"

    with pytest.raises(AuditError):
        Log(place, tmp_path)


def test_a_path_is_a_directory_unless_it_is_a_file_or_is_called_like_one(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("")
    (tmp_path / "dir.jsonl").mkdir()

    assert Place.of(str(tmp_path / "new")).is_directory
    assert Place.of(f"{tmp_path}/new.jsonl/").is_directory
    assert Place.of(str(tmp_path / "dir.jsonl")).is_directory
    assert not Place.of(str(tmp_path / "new.jsonl")).is_directory
    assert not Place.of(str(tmp_path / "there")).is_directory


def test_a_file_goes_on_after_what_is_in_it_already(tmp_path: Path) -> None:
    place = tmp_path / "x.jsonl"
    first = Log(place, tmp_path)
    first.call()
    with place.open("ab") as file:
        file.write(b'{"type":"outcome","seq":2,"pr')
    second = Log(place, tmp_path)
    second.call()
    first.call()

    assert "torn" in json.loads(place.read_bytes().splitlines()[4])
    report = verify([str(place)])
    assert report.faults == ()
    assert len(report.sessions) == 2


WRITER = """
import sys
from pathlib import Path
from tests.audit.logs import Log
log = Log(Path(sys.argv[1]), Path(sys.argv[2]))
for n in range(200):
    log.call(number=n)
log.recorder.end("over", 0)
"""


@pytest.mark.parametrize("name", ["audit", "audit.jsonl"])
def test_several_processes_share_a_directory_or_a_file(name: str, tmp_path: Path) -> None:
    folders = [tmp_path / str(n) for n in range(4)]
    for folder in folders:
        folder.mkdir()
    root = Path(__file__).parents[2]
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path / name), str(folder)], cwd=root)
        for folder in folders
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0, 0]

    report = verify([str(tmp_path / name)])
    assert report.faults == ()
    assert [session.records for session in report.sessions] == [402] * 4
    assert all(session.ended for session in report.sessions)
