"""A tally in a file is the same as one in memory, whatever it counts."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from intercept.limits.sqlite_file import SQLiteFile
from intercept.limits.sqlite_tally import CHUNK, StoredTally, write
from intercept.limits.windows import MAX_ENTRIES, Tally

WHERE = (b"counter", "")


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Cursor]:
    file = SQLiteFile(str(tmp_path / "state.sqlite"))
    db = file.connection().cursor()
    db.execute("BEGIN IMMEDIATE")
    yield db
    db.execute("COMMIT")
    file.close()


def read(db: sqlite3.Cursor, now: int) -> StoredTally:
    stored = StoredTally.read(db, WHERE) or StoredTally()
    stored.expire_in_file(db, now)
    return stored


def keep(db: sqlite3.Cursor, stored: StoredTally) -> None:
    if stored.number is None:
        stored.add(db, WHERE)
    else:
        write(db, [stored.changed(db)])


def chunks(db: sqlite3.Cursor) -> int:
    count: int = db.execute("SELECT count(*) FROM chunk").fetchone()[0]
    return count


@pytest.mark.parametrize("read_again", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("costs", [["1"], ["0.5", "1e-7", "2", str(2**70)]])
def test_whatever_happens_to_it_it_counts_what_a_tally_in_memory_does(
    db: sqlite3.Cursor, costs: list[str], read_again: float
) -> None:
    """`read_again` is how often others write, so that what was read before is of no use."""
    random = Random(str(costs))
    memory, now = Tally(), 1_000
    made: list[tuple[int, Decimal]] = []
    stored = read(db, now)
    seen = 0
    for step in range(3_000):
        # Slower and faster than what is charged stops to count, so that it grows and shrinks.
        now += random.choice([0, 1, 1, 2]) if step % 1_500 < 1_000 else 3
        memory.expire(now)
        if random.random() < read_again:
            stored = read(db, now)
        else:
            stored.expire_in_file(db, now)
        cost = Decimal(random.choice(costs))
        if random.random() < 0.1 and made:
            end, given = made.pop(random.randrange(len(made)))
            memory.give_back(end, given, now)
            if stored.number is not None:
                stored.give_back_in_file(db, end, given, now)
                if stored.entries_in_file:
                    keep(db, stored)
                else:
                    db.execute("DELETE FROM tally")
                    stored = StoredTally()
        else:
            end = memory.charge(now + 1_000, cost)
            assert stored.charge(now + 1_000, cost) == end
            made.append((end, cost))
            keep(db, stored)
        seen = max(seen, chunks(db))
        if step % 20 == 0:
            for each in (stored, read(db, now)):
                assert each.whole(db).entries(7) == memory.entries(7)
                assert each.whole(db).used == memory.used
                assert (each.last, each.entries_in_file) == (memory.last, len(memory))
                for maximum in (memory.used, memory.used / 2, memory.used + cost):
                    assert each.fits(cost, maximum) == memory.fits(cost, maximum)
                    assert each.wait_in_file(db, cost, maximum, now) == memory.wait(cost, maximum, now)
                    assert each.left(maximum) == memory.left(maximum)
    assert seen > 5


def test_a_tally_that_is_deleted_leaves_no_chunks(db: sqlite3.Cursor) -> None:
    stored = StoredTally()
    for end in range(5 * CHUNK):
        stored.charge(end + 10, Decimal(1))
        keep(db, stored)
    assert chunks(db) == 4

    db.execute("DELETE FROM tally")
    assert chunks(db) == 0


def test_a_tally_is_merged_when_it_has_too_many_entries(db: sqlite3.Cursor) -> None:
    stored = StoredTally()
    for end in range(MAX_ENTRIES + 1):
        stored.charge(end + 10, Decimal(1))
        keep(db, stored)

    assert MAX_ENTRIES // 2 <= stored.entries_in_file <= MAX_ENTRIES // 2 + 1
    assert stored.whole(db).used == MAX_ENTRIES + 1
    stored.expire_in_file(db, 10)
    assert stored.whole(db).used == MAX_ENTRIES + 1
    stored.expire_in_file(db, 11)
    assert stored.whole(db).used == MAX_ENTRIES - 1


def test_what_is_to_be_written_into_a_row_that_is_gone_is_refused(db: sqlite3.Cursor) -> None:
    stored = StoredTally()
    stored.charge(10, Decimal(1))
    keep(db, stored)
    db.execute("DELETE FROM tally")

    with pytest.raises(ValueError, match="gone"):
        keep(db, stored)
