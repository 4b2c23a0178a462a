"""The SQLite file: what it looks like, what can be wrong with it, and how it heals."""

from __future__ import annotations

import ctypes
import os
import resource
import sqlite3
import stat
import subprocess
import sys
from array import array
from collections.abc import Callable, Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from random import Random
from threading import Thread

import pytest

from intercept.errors import StoreBusy, StoreUnavailable
from intercept.limits import Granted
from intercept.limits.memory import MemoryStore
from intercept.limits.sqlite import SQLiteStore
from intercept.limits.sqlite_recent import _KEPT
from intercept.limits.state import LEASE, RENEW_EVERY, described, identity
from intercept.limits.windows import MAX_ENTRIES
from intercept.policy import CalendarWindow, Charge, InFlight, Unit

from .charges import START, at, charge, passes, used_up

YEAR = 365 * 86_400.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "state.sqlite"


@pytest.fixture
def opened(path: Path) -> Iterator[Callable[[], SQLiteStore]]:
    """Stores on one file, each as another process would have it."""
    stores: list[SQLiteStore] = []

    def another() -> SQLiteStore:
        stores.append(SQLiteStore(str(path), grant="ours"))
        return stores[-1]

    yield another
    for store in stores:
        store.close()


@pytest.fixture
def store(opened: Callable[[], SQLiteStore]) -> SQLiteStore:
    return opened()


def unavailable(store: SQLiteStore) -> StoreUnavailable:
    with pytest.raises(StoreUnavailable) as raised:
        store.reserve([charge()], START, patience=5)
    assert "\n" not in f"{raised.value}{raised.value.remedy}"
    return raised.value


def rows(path: Path, table: str) -> int:
    with closing(sqlite3.connect(path)) as db:
        count: int = db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        return count


# --- the file


def test_the_file_is_made_when_it_is_first_needed_and_only_its_owner_may_read_it(
    store: SQLiteStore, path: Path
) -> None:
    assert store.uses(START) == store.reset(lambda _: True, "me", START) == []
    store.renew(START)
    passes(store, [], START)
    assert not path.parent.exists()

    passes(store, [charge()], START)

    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}


def test_what_was_charged_survives_a_restart(opened: Callable[[], SQLiteStore]) -> None:
    passes(opened(), [charge(2), charge("0.3", cost="0.1", counter="b")], START)

    used_up(opened(), [charge("0.3", cost="0.21", counter="b")], START + 1)
    passes(opened(), [charge(2), charge("0.3", cost="0.2", counter="b")], START + 1)
    assert used_up(opened(), [charge(2)], START + 2) == ("calls", 58.0)


def test_a_file_of_a_newer_version_is_refused_and_left_alone(store: SQLiteStore, path: Path) -> None:
    passes(store, [charge()], START)
    store.close()
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 3")

    error = unavailable(store)

    assert str(error) == "the state file was written by a newer version of intercept"
    assert "--state" in error.remedy
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (3,)


VERSION_1 = """
CREATE TABLE counter (id BLOB PRIMARY KEY, about TEXT NOT NULL, live INTEGER NOT NULL, full_until INTEGER NOT NULL)
    WITHOUT ROWID;
CREATE TABLE tally (number INTEGER PRIMARY KEY AUTOINCREMENT, counter BLOB NOT NULL, value TEXT NOT NULL,
    last INTEGER NOT NULL, used TEXT NOT NULL, places INTEGER NOT NULL, older INTEGER NOT NULL, first INTEGER NOT NULL,
    ends BLOB NOT NULL, costs NOT NULL);
CREATE TABLE chunk (tally INTEGER NOT NULL, last INTEGER NOT NULL, ends BLOB NOT NULL, costs NOT NULL,
    used TEXT NOT NULL, places INTEGER NOT NULL, PRIMARY KEY (tally, last)) WITHOUT ROWID;
CREATE TRIGGER tally_deleted AFTER DELETE ON tally WHEN OLD.older > 0 BEGIN
    DELETE FROM chunk WHERE tally = OLD.number;
END;
CREATE UNIQUE INDEX tally_of ON tally (counter, value);
CREATE TABLE slot (counter BLOB NOT NULL, value TEXT NOT NULL, owner BLOB NOT NULL, last INTEGER NOT NULL,
    held TEXT NOT NULL, PRIMARY KEY (counter, value, owner)) WITHOUT ROWID;
CREATE TABLE answered (grant TEXT NOT NULL, tool TEXT NOT NULL, PRIMARY KEY (grant, tool)) WITHOUT ROWID;
CREATE TABLE reset (at INTEGER NOT NULL, who TEXT NOT NULL, id TEXT NOT NULL, counter TEXT NOT NULL,
    value TEXT NOT NULL, used TEXT NOT NULL);
CREATE TABLE approval (id TEXT PRIMARY KEY, grantee TEXT NOT NULL, subject TEXT NOT NULL, policy TEXT NOT NULL,
    uses TEXT NOT NULL, server TEXT NOT NULL, reason TEXT NOT NULL, process TEXT NOT NULL, created REAL NOT NULL,
    expires REAL NOT NULL, span REAL NOT NULL, remember REAL NOT NULL, state TEXT NOT NULL, until REAL NOT NULL,
    who TEXT NOT NULL, signature TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX approval_of ON approval (grantee, subject);
PRAGMA application_id = 0x1C7E9CE7;
PRAGMA user_version = 1;
"""
"""The schema as it was."""
CHARGE_1 = "UPDATE tally SET ends = ?, costs = ?, used = ?, places = ?, last = ?, older = ?, first = ? WHERE number = ?"
"""How processes of that version charged."""


def test_a_file_of_the_version_before_is_taken_over_and_not_shared_with_it(store: SQLiteStore, path: Path) -> None:
    ends = [int(START + 60) * 1_000_000, int(START + 65) * 1_000_000]
    values = (array("q", ends).tobytes(), "", "2", 0, ends[1], 0, ends[0])
    about, counter = described(charge(3), "ours"), identity(charge(3), "ours")
    path.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as older:
        older.execute("PRAGMA journal_mode = WAL")
        older.executescript(VERSION_1)
        older.execute("INSERT INTO counter VALUES (?, ?, 1, 0)", (counter, about))
        row = "INSERT INTO tally (ends, costs, used, places, last, older, first, counter, value)"
        older.execute(f"{row} VALUES (?, ?, ?, ?, ?, ?, ?, ?, '')", (*values, counter))
        older.execute(CHARGE_1, (*values, 1))

        [use] = store.uses(START + 10)
        assert (use.used, use.next_free, use.all_free) == (Decimal(2), START + 60, START + 65)
        passes(store, [charge(3)], START + 10)
        assert used_up(store, [charge(3)], START + 20) == ("calls", 40.0)

        with pytest.raises(sqlite3.OperationalError, match="no such column"):
            older.execute(CHARGE_1, (*values, 1))


def test_a_file_of_another_program_is_refused_and_left_alone(store: SQLiteStore, path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE theirs (x)")

    assert str(unavailable(store)) == "the state file belongs to another program"
    assert rows(path, "sqlite_master") == 1


def test_renewing_writes_the_log_back_into_the_file_while_others_go_on(
    store: SQLiteStore, opened: Callable[[], SQLiteStore], path: Path, tmp_path: Path
) -> None:
    passes(store, [charge()], START)
    alone = tmp_path / "without the log"
    assert path.with_name("state.sqlite-wal").stat().st_size > 0
    other = opened()
    passes(other, [charge(counter="other")], START)

    with store._file.lock:  # as in the middle of a transaction of another thread
        store._file.checkpoint()

    alone.write_bytes(path.read_bytes())
    assert rows(alone, "tally") == 2
    passes(store, [charge()], START)
    store.renew(START)
    passes(other, [charge()], START)


def test_charges_are_noted_in_one_row_and_written_into_others_once_for_many(
    store: SQLiteStore, opened: Callable[[], SQLiteStore], path: Path
) -> None:
    charges = (charge(1_000, counter="a"), charge(1_000, counter="b", cost="0.5"))

    def written() -> list[str]:
        with closing(sqlite3.connect(path)) as db:
            return [used for (used,) in db.execute("SELECT used FROM tally ORDER BY number")]

    seen = set()
    for call in range(1, 201):
        passes(store, charges, START + call / 100)
        seen.add(tuple(written()))
        if call % 67 == 0:
            used_up(opened(), [charge(call, counter="a")], START + 10)
            passes(opened(), [charge("0.5", counter="b", cost="0.5", per=f"={call}")], START + 10)
            used_up(opened(), [charge(call / 2, counter="b", cost="0.1")], START + 10)

    assert ("1", "5") in seen
    assert 2 < len(seen) < 20
    told = {use.counter: use.used for use in opened().uses(START + 10) if not use.value}
    assert told == {"a": 200, "b": 100}
    assert written()[:2] == ["200", "1000"]


@pytest.mark.parametrize("stays", [0.0, 0.9, 0.99])
def test_processes_that_take_turns_count_as_one(opened: Callable[[], SQLiteStore], stays: float) -> None:
    """Each has read what it charges before, and has to see what the others have made of it since.

    `stays` is how often the process that charged last charges again.
    """
    stores, alone = [opened(), opened(), opened()], MemoryStore()
    random, now = Random("turns"), START
    made: list[tuple[SQLiteStore, Granted, Granted]] = []
    same: dict[tuple[Charge, ...], tuple[Charge, ...]] = {}
    store = stores[0]
    for _ in range(1_500):
        now += random.choice([0, 0.125, 0.5])
        if random.random() >= stays:
            store = random.choice(stores)
        if made and random.random() < 0.1:
            whose, *both = made.pop(random.randrange(len(made)))
            whose.release(both[0])
            alone.release(both[1])
            continue
        counters = random.sample(["a", "b", "c"], random.randint(1, 2))
        costs = random.choice([["1", "0.5"], ["1"], ["1"]])
        made_of = [charge(200, 60, cost=random.choice(costs), counter=counter) for counter in counters]
        # The same object for the same charges, as policies give them.
        charges = same.setdefault(tuple(made_of), tuple(made_of))
        shared, own = store.reserve(charges, now, patience=60), alone.reserve(charges, now)
        if isinstance(shared, Granted) and isinstance(own, Granted):
            made.append((store, shared, own))
        else:
            assert shared == own


def test_a_tally_that_had_to_make_room_for_others_is_not_counted_apart(opened: Callable[[], SQLiteStore]) -> None:
    store, other = opened(), opened()
    a, b = charge(4, per="=a"), charge(4, per="=b")
    passes(other, (a, b), START)
    passes(store, (a,), START)
    others = [charge(counter="others", per=f"={number}") for number in range(_KEPT - 1)]
    for first in range(0, len(others), 500):
        passes(store, others[first : first + 500], START)
    both = (a, b)
    passes(store, both, START)  # to read the second one is to give up the first
    assert len(store.uses(START)) == len(others) + 2

    passes(store, (a,), START)

    assert used_up(store, both, START) == ("calls", 60.0)


# --- what can be wrong with it


@pytest.mark.parametrize("what", ["no database", "a torn page", "a missing table"])
def test_a_damaged_file_is_refused_until_it_is_moved_away(store: SQLiteStore, path: Path, what: str) -> None:
    for value in range(100):
        passes(store, [charge(per=f"={value}")], START)
    store.close()
    match what:
        case "no database":
            path.write_bytes(b"something else" * 1_000)
        case "a torn page":
            with path.open("r+b") as file:
                for page in range(1, path.stat().st_size // 4096):
                    file.seek(page * 4096)
                    file.write(b"\xff" * 512)
        case _:
            with closing(sqlite3.connect(path)) as db:
                db.execute("DROP TABLE tally")

    error = unavailable(store)
    assert str(error) == "the state file is damaged"
    assert str(path) in error.remedy
    assert str(path) not in str(error)
    unavailable(store)

    path.rename(path.with_name("damaged"))
    passes(store, [charge(1)], START)
    used_up(store, [charge(1)], START)


def test_a_row_that_nobody_here_wrote_is_refused(opened: Callable[[], SQLiteStore], path: Path) -> None:
    passes(opened(), [charge()], START)
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE tally SET used = 'many'")
        db.commit()

    store = opened()
    assert str(unavailable(store)) == "the state file is damaged"
    passes(store, [charge(counter="other")], START)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE recent SET turn = 77, noted = noted || 'some more 1 '",
        "UPDATE recent SET turn = 77, noted = noted || '77 1800000060000000 1 '",
        "UPDATE recent SET turn = 'soon'",
        "DELETE FROM recent",
    ],
)
def test_notes_that_nobody_here_made_are_refused(store: SQLiteStore, path: Path, change: str) -> None:
    for _ in range(3):
        passes(store, [charge(5)], START)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        kept = db.execute("SELECT * FROM recent").fetchone()
        db.execute(change)

        for _ in range(2):
            assert str(unavailable(store)) == "the state file is damaged"

        db.execute("DELETE FROM recent")
        db.execute("INSERT INTO recent VALUES (?, ?, ?)", kept)
    for _ in range(2):
        passes(store, [charge(5)], START)
    used_up(store, [charge(5)], START)


def test_a_file_that_somebody_locks_is_waited_for(store: SQLiteStore, path: Path) -> None:
    passes(store, [charge(2)], START)
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy):
            store.reserve([charge(2)], START, patience=0.005)

        answers: list[object] = []
        waiting = Thread(target=lambda: answers.append(store.reserve([charge(2)], START, patience=60)))
        waiting.start()
        assert answers == []
        other.execute("ROLLBACK")
        waiting.join()

    assert isinstance(answers[0], Granted)
    used_up(store, [charge(2)], START)


def test_what_could_not_be_given_back_at_once_is_given_back_later(store: SQLiteStore, path: Path) -> None:
    granted = passes(store, [charge(1), charge(1, InFlight(), counter="slots")], START)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        store.release(granted)

    passes(store, [charge(1), charge(1, InFlight(), counter="slots")], START)


def as_nobody(work: Callable[[], None]) -> None:
    """Do `work` in a thread to which the rights of files apply, also where the tests are run by root."""
    libc = ctypes.CDLL(None)

    def unprivileged() -> None:
        if os.geteuid() == 0:
            libc.setfsuid(65534)
        try:
            work()
        except BaseException as error:  # to be raised where it is seen
            failed.append(error)

    failed: list[BaseException] = []
    thread = Thread(target=unprivileged)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]


def test_a_file_that_cannot_be_written_is_refused_until_it_can(path: Path) -> None:
    first = SQLiteStore(str(path), grant="ours")
    passes(first, [charge(2)], START)
    first.close()
    for part in (*path.parent.parents, path.parent):
        if part.stat().st_uid == os.geteuid() and part != Path("/"):
            part.chmod(part.stat().st_mode | 0o055)
    path.chmod(0o444)

    def work() -> None:
        store = SQLiteStore(str(path), grant="ours")
        assert str(unavailable(store)) in {"the state file cannot be written", "the state file cannot be opened"}
        store.close()

    as_nobody(work)

    path.chmod(0o600)
    passes(first, [charge(2)], START)
    used_up(first, [charge(2)], START)
    first.close()


def test_a_disk_without_room_refuses_and_nothing_is_lost(path: Path) -> None:
    """In a process of its own, because the limit is one of the whole process."""
    program = f"""
import resource, signal
from tests.limits.charges import START, charge
from intercept.errors import StoreUnavailable
from intercept.limits import Granted
from intercept.limits.memory import MemoryStore
from intercept.limits.sqlite import SQLiteStore

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = SQLiteStore({str(path)!r}, grant="ours")
granted = 0
for limit in (64 * 1024, resource.RLIM_INFINITY):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        for number in range(500):
            answer = store.reserve([charge(100_000), charge(1, per=f"={{granted}}", counter="b")], START, patience=5)
            assert isinstance(answer, Granted), answer
            granted += 1
        print(granted)
    except StoreUnavailable as error:
        print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)

    assert done.stderr == ""
    problem, granted = done.stdout.splitlines()
    assert problem in {"the state file has no room to grow", "the state file cannot be read or written"}
    store = SQLiteStore(str(path), grant="ours")
    [use] = [use for use in store.uses(START) if use.counter == "calls"]
    assert Decimal(granted) <= use.used <= Decimal(granted) + 1
    store.close()
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


def test_a_file_that_was_replaced_is_the_one_that_counts(opened: Callable[[], SQLiteStore], path: Path) -> None:
    one, other = opened(), opened()
    for store in (one, other):
        passes(store, [charge(2)], START)
    used_up(one, [charge(2)], START)

    path.rename(path.with_name("before"))  # the log stays behind
    while not path.exists():  # a process may take a moment to notice
        one.reserve([charge(2)], START, patience=5)

    passes(other, [charge(2)], START)
    used_up(one, [charge(2)], START)
    used_up(other, [charge(2)], START)


# --- clocks


def test_a_clock_that_was_set_back_frees_nothing_and_blocks_no_longer_than_the_window(
    opened: Callable[[], SQLiteStore],
) -> None:
    running = opened()
    passes(running, [charge(1, 60)], START)

    later = opened()  # started after the clock was set back
    assert used_up(later, [charge(1, 60)], START - YEAR) == ("calls", 60.0)
    assert used_up(later, [charge(1, 60)], START - YEAR + 20) == ("calls", 40.0)
    assert used_up(running, [charge(1, 60)], START + 20) == ("calls", 40.0)
    passes(later, [charge(1, 60)], START - YEAR + 60)
    assert used_up(running, [charge(1, 60)], START + 60) == ("calls", 60.0)
    assert used_up(later, [charge(1, 60)], START - YEAR + 61) == ("calls", 59.0)


def test_a_clock_that_was_set_forward_counts_for_who_starts_after_that_and_then_for_all(
    opened: Callable[[], SQLiteStore],
) -> None:
    running = opened()
    passes(running, [charge(1, 60)], START)

    later = opened()
    passes(later, [charge(1, 60)], START + YEAR)

    assert used_up(running, [charge(1, 60)], START + 1) == ("calls", 60.0)
    assert used_up(running, [charge(1, 60)], START + 31) == ("calls", 30.0)
    passes(running, [charge(1, 60)], START + 61)
    used_up(later, [charge(1, 60)], START + YEAR + 60)


def test_a_calendar_does_not_begin_anew_when_the_clock_is_set_back(opened: Callable[[], SQLiteStore]) -> None:
    daily = charge(1, CalendarWindow(Unit.DAY, "UTC", "calendar day"))
    running = opened()
    passes(running, [daily], at("2026-11-21T12:00:00+00:00"))

    later = opened()
    assert used_up(later, [daily], at("2026-11-19T18:00:00+00:00")) == ("calls", 6 * 3_600.0)
    used_up(later, [daily], at("2026-11-19T23:59:59+00:00"))
    used_up(running, [daily], at("2026-11-21T12:00:01+00:00"))
    passes(later, [daily], at("2026-11-20T00:00:00+00:00"))
    used_up(later, [daily], at("2026-11-20T00:00:00+00:00"))


def test_clocks_that_nearly_agree_do_not_push_each_other_on(opened: Callable[[], SQLiteStore]) -> None:
    one, other = opened(), opened()
    for turn in range(40):
        passes(one, [charge(1_000, 60)], START + turn * 0.5)
        passes(other, [charge(1_000, 60)], START + turn * 0.5 - 4)

    assert used_up(other, [charge(80, 60)], START + 20) == ("calls", 40.0)


# --- calls in flight


def test_the_places_of_a_process_that_died_are_free_when_its_lease_has_ended(
    opened: Callable[[], SQLiteStore], path: Path
) -> None:
    slot = charge(1, InFlight())
    passes(opened(), [slot], START)  # and is never heard of again

    alive = opened()
    used_up(alive, [slot], START + LEASE - 0.001)
    passes(alive, [slot], START + LEASE)
    for _ in range(3):
        alive.renew(START + LEASE + 1)
    assert rows(path, "slot") == 1


def test_a_process_that_renews_its_lease_keeps_its_places(opened: Callable[[], SQLiteStore]) -> None:
    slot = charge(1, InFlight())
    working, other = opened(), opened()
    held = passes(working, [slot], START)
    passes(other, [charge()], START)

    moment = START
    for _ in range(10):
        moment += RENEW_EVERY
        working.renew(moment)
        other.renew(moment)
        used_up(other, [slot], moment)

    working.finish(held)
    passes(other, [slot], moment)


def test_a_process_that_ends_frees_its_places_at_once(opened: Callable[[], SQLiteStore]) -> None:
    slot = charge(1, InFlight())
    ending = opened()
    passes(ending, [slot], START)
    ending.close()

    passes(opened(), [slot], START)


def test_a_process_with_another_clock_sees_the_same_places(opened: Callable[[], SQLiteStore]) -> None:
    slot = charge(1, InFlight())
    passes(opened(), [slot], START)

    behind = opened()
    used_up(behind, [slot], START - YEAR)
    used_up(behind, [slot], START - YEAR + LEASE - 1)
    passes(behind, [slot], START - YEAR + LEASE)


# --- bounds


def test_what_no_longer_counts_is_cleaned_away(store: SQLiteStore, path: Path) -> None:
    for value in range(600):
        passes(store, [charge(1, 60, per=f"={value}"), charge(1, 60, counter="gone", per=f"={value}")], START + value)

    assert rows(path, "tally") < 200
    store._file.checkpoint()
    size = path.stat().st_size
    for value in range(600):
        passes(store, [charge(1, 60, per=f"={value}")], START + 10_000 + value)
    for _ in range(10):
        store.renew(START + 20_000)

    assert (rows(path, "tally"), rows(path, "counter")) == (0, 0)
    assert path.stat().st_size <= size + 64 * 1024


def test_a_row_that_is_cleaned_away_while_it_is_charged_is_kept(store: SQLiteStore) -> None:
    """All charges of a call are looked at before the first is made, and to make it is to clean."""
    old = [charge(1, 60, per=f"={value}") for value in range(5)]
    passes(store, old, START)
    new = [charge(1, 60, counter="a", per=f"={value}") for value in range(5)]

    passes(store, [*new, *old], START + 100)

    for one in (*new, *old):
        used_up(store, [one], START + 101)


def test_a_counter_has_a_bounded_number_of_entries(store: SQLiteStore, path: Path) -> None:
    for call in range(MAX_ENTRIES + 10):
        passes(store, [charge(10**6, 10**6)], START + call)

    with closing(sqlite3.connect(path)) as db:
        [(length,)] = db.execute("SELECT length(ends) FROM tally").fetchall()
    assert length <= 8 * MAX_ENTRIES
    assert store.uses(START + MAX_ENTRIES + 10)[0].used == MAX_ENTRIES + 10


def test_more_live_values_than_a_counter_may_have_are_refused_until_one_is_free(
    store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intercept.limits.sqlite.MAX_LIVE", 1_000)  # so many would take a while
    for start in range(0, 1_000, 100):
        values = [charge(5, 60, per=f"={value}") for value in range(start, start + 100)]
        passes(store, values, START + start / 1_000)

    assert used_up(store, [charge(5, 60, per="=new")], START + 30) == ("calls", 30.0)
    assert used_up(store, [charge(5, 60, per="=new")], START + 31) == ("calls", 29.0)
    passes(store, [charge(5, 60, per="=0")], START + 31)
    passes(store, [charge(5, 60, counter="other", per="=new")], START + 31)
    passes(store, [charge(5, 60, per="=new")], START + 60.5)


# --- what is told


def test_what_counters_hold_is_told_with_what_is_left_and_when_it_is_free(opened: Callable[[], SQLiteStore]) -> None:
    one, other = opened(), opened()
    passes(one, [charge("1", 60, cost="0.25", counter="spend", per="=a")], START)
    passes(other, [charge("1", 60, cost="0.5", counter="spend", per="=a")], START + 10)
    passes(other, [charge(3, InFlight(), counter="slots")], START + 10)
    passes(one, [charge(3, InFlight(), counter="slots"), charge(9, 5, counter="gone")], START + 10)

    told = {use.counter: use for use in opened().uses(START + 20)}

    assert set(told) == {"spend", "slots"}
    spend, slots = told["spend"], told["slots"]
    assert (spend.value, spend.max, spend.used, spend.left) == ("=a", Decimal(1), Decimal("0.75"), Decimal("0.25"))
    assert (spend.next_free, spend.all_free) == (START + 60, START + 70)
    assert (spend.policy, spend.scope, spend.grant) == ("policy.yaml", "session", "")
    assert (slots.used, slots.left) == (Decimal(2), Decimal(1))
    assert isinstance(slots.window, InFlight)
    assert slots.all_free is None


def test_a_counter_that_is_reset_is_empty_and_it_is_recorded_who_did_it(
    store: SQLiteStore, opened: Callable[[], SQLiteStore], path: Path
) -> None:
    calls = [charge(1, per="=a"), charge(1, per="=b"), charge(1, counter="other"), charge(1, InFlight(), counter="s")]
    passes(store, calls, START)

    emptied = opened().reset(lambda use: use.counter in {"calls", "s"} and use.value != "=b", "an operator", START + 1)

    assert sorted((use.counter, use.value, use.used) for use in emptied) == [
        ("calls", "=a", Decimal(1)),
        ("s", "", Decimal(1)),
    ]
    for one in (calls[0], calls[3]):
        passes(store, [one], START + 1)
    for one in (calls[1], calls[2]):
        used_up(store, [one], START + 1)
    with closing(sqlite3.connect(path)) as db:
        kept = db.execute("SELECT at, who, counter, value, used FROM reset ORDER BY counter").fetchall()
    moment = (int(START) + 1) * 1_000_000
    assert kept == [(moment, "an operator", "calls", "=a", "1"), (moment, "an operator", "s", "", "1")]


def test_what_is_told_of_a_counter_follows_the_policy(opened: Callable[[], SQLiteStore]) -> None:
    passes(opened(), [charge(5)], START)
    passes(opened(), [charge(7)], START)

    [use] = opened().uses(START)
    assert (use.max, use.used) == (Decimal(7), Decimal(2))
