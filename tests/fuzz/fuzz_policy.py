"""Any bytes either load as a policy or raise PolicyError, whose problems are printable lines at places in the file.

    python tests/fuzz/fuzz_policy.py --seconds 900 [--seed N]

Mutates the policies of this repository; with atheris installed, coverage guides it instead (its own options apply).
Whatever breaks the invariant is written to `fuzz_policy.crash` and shown with its traceback; an input that ends the
process is found in `fuzz_policy.last`.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from intercept.errors import PolicyError
from intercept.policy import load

ROOT: Final = Path(__file__).parent.parent.parent
TOKENS: Final = (
    b"tools rules when require conditions limits rate_limit deny_if all_tools resources prompts hide default deny "
    b"allow action max window scope grant per cost from counter state increment_from arguments type object properties "
    b"$ref path op value eq regex in not_in lt contains exists host_in path_within cidr_in args.a args[*] tool.name "
    b"now.hour state.x.y any all not optional on_deny reason mode shadow after tests calls expect repeat at version "
    b"timezone UTC 10/minute 5m 1d minute month null true false no ~ 0 -1 1.5 1e9 1e-300 1e999 007 +5 .inf <<: *a &a "
    b"!!str !x --- ... {} [] [ ] { } : - ? | > # ' \" \\ \\ud800 \\x00 % @ ` , \n \r\n \r \t \xef\xbb\xbf \xff "
    b"\xc2\x85 \xe2\x80\xa8 \x00 * get_* http://a.b/c 10.0.0.0/8 .example.com /srv ~/x (a|b)* (?=x) [a- \\p{L} "
    b"{2,1000000} 99999999999999999999 Europe/Nowhere "
    b"results max_bytes strip_invisible redact secrets emails cards replace"
).split(b" ")
SLOWEST: Final = 10.0
"""Seconds of processor time that no input may take; the largest policies take half of one."""

Mutation = Callable[[random.Random, bytes, Sequence[bytes]], bytes]


def check(data: bytes, path: Path) -> bool:
    """Hold the loader to its invariant for a file with this content; true if it loads."""
    path.write_bytes(data)
    try:
        load([str(path)])
    except PolicyError as refused:
        places = [(problem.line, problem.column) for problem in refused.problems]
        lines = data.count(b"\n") + data.count(b"\r") + 1
        assert places, "refused without a reason"
        assert places == sorted(places), "problems are not in the order of the file"
        for problem in refused.problems:
            assert str(problem).isprintable(), "a problem is not a printable line"
            assert len(str(problem)) < 1_000, "a problem is a very long line"
            assert problem.message, "a problem says nothing"
            assert (problem.line == 0) == (problem.column == 0), "half a place"
            assert 0 <= problem.line <= lines, "a line that the file does not have"
        return False
    return True


def seeds() -> list[bytes]:
    """Every policy in this repository, sound and broken."""
    cases = [
        case.partition("\n")[2].partition("!!!\n")[0].encode()
        for file in sorted((ROOT / "tests" / "cases" / "broken").glob("*.txt"))
        for case in file.read_text().split("\n=== ")
    ]
    files = [
        path
        for kind in ("yaml", "json")
        for folder in ("policies", "examples")
        for path in (ROOT / folder).rglob(f"*.{kind}")
    ]
    return cases + [path.read_bytes() for path in sorted(files)]


def _flip(chance: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]


def _insert(chance: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.choice(TOKENS) + chance.choice((b"", b" ", b": ", b"\n")) + data[at:]


def _delete(chance: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + data[at + chance.choice((1, 2, 8, 64)) :]


def _repeat(chance: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    begin = chance.randrange(len(data) + 1)
    end = begin + chance.choice((1, 3, 10, 100))
    return data[:end] + data[begin:end] * chance.choice((1, 2, 70, 3_000)) + data[end:]


def _splice(chance: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    other = chance.choice(others)
    return data[: chance.randrange(len(data) + 1)] + other[chance.randrange(len(other) + 1) :]


def _replace_word(chance: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    words = data.split(b" ")
    words[chance.randrange(len(words))] = chance.choice(TOKENS)
    return b" ".join(words)


def _move_line(chance: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    lines = data.split(b"\n")
    line = lines.pop(chance.randrange(len(lines)))
    lines.insert(chance.randrange(len(lines) + 1), b" " * chance.choice((0, 1, 2, 4)) + line.lstrip())
    return b"\n".join(lines)


MUTATIONS: Final[tuple[Mutation, ...]] = (
    _flip,
    _insert,
    _delete,
    _repeat,
    _splice,
    _replace_word,
    _replace_word,
    _move_line,
)


def run(path: Path, *, seed: int, enough: Callable[[int], bool]) -> tuple[int, int]:
    """Try mutated policies until `enough(tried)`; returns how many were tried and how many of them loaded.

    Raises:
        Exception: what broke the invariant; the input is at `path`.
    """
    chance = random.Random(seed)
    corpus = seeds()
    tried = loaded = 0
    while not enough(tried):
        data = chance.choice(corpus)
        for _ in range(chance.choice((0, 1, 1, 2, 3, 5))):
            data = chance.choice(MUTATIONS)(chance, data, corpus)
        begin = time.process_time()
        loaded += check(data[:1_100_000], path)
        assert time.process_time() - begin < SLOWEST, "an input takes too long"
        tried += 1
    return tried, loaded


def main(arguments: list[str]) -> int:
    """Fuzz for as long as asked; 1 if the invariant was broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=time.time_ns())
    options = parser.parse_args(arguments)
    last = Path("fuzz_policy.last")
    end = time.monotonic() + options.seconds
    print(f"seed {options.seed}")
    try:
        tried, loaded = run(last, seed=options.seed, enough=lambda _: time.monotonic() > end)
    except Exception:
        traceback.print_exc()
        last.rename("fuzz_policy.crash")
        print("the invariant is broken by fuzz_policy.crash")
        return 1
    last.unlink(missing_ok=True)
    print(f"{tried} inputs, {loaded} of them loaded")
    return 0


def guided() -> None:
    """Fuzz with atheris until it is stopped."""
    atheris = import_module("atheris")  # not a dependency: it has no wheels for every platform

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "policy.yaml"
        atheris.Setup(sys.argv, lambda data: check(data, path))
        atheris.Fuzz()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        if find_spec("atheris") and "--seconds" not in sys.argv:
            guided()
        sys.exit(main(sys.argv[1:]))
