from __future__ import annotations

import fcntl
import os
import platform
import subprocess
import sys
from pathlib import Path

from intercept.allocation import WIDE, widen

USE = """
import resource
{before}
def use():
    kept = [bytes(1024 * 1024) for _ in range(4)]
for _ in range(3):
    use()
start = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    use()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - start)
"""
KEEPING = "from intercept.allocation import keep_freed_memory; keep_freed_memory()"


def faults(before: str) -> int:
    run = subprocess.run([sys.executable, "-c", USE.format(before=before)], capture_output=True, check=True, timeout=30)
    return int(run.stdout)


def test_memory_of_large_messages_is_used_again_without_asking_for_it_anew() -> None:
    keeping, otherwise = faults(KEEPING), faults("")

    assert keeping <= otherwise
    if platform.libc_ver()[0] == "glibc":
        assert keeping < 100
        assert otherwise > 1_000


def test_a_pipe_that_is_widened_holds_a_mebibyte() -> None:
    reading, writing = os.pipe()

    widen(reading)

    if sys.platform == "linux":
        assert fcntl.fcntl(writing, fcntl.F_GETPIPE_SZ) == WIDE
    os.close(reading)
    os.close(writing)


def test_what_is_no_pipe_is_left_as_it_is(tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        widen(file.fileno())
        file.write(b"x")

    assert (tmp_path / "file").read_bytes() == b"x"
