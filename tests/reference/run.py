"""`python -m tests.reference.run --count 1000000 --jobs 2` compares the package with the reference at length."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from multiprocessing import get_context

from intercept.errors import PolicyError

from .compare import MEMORY, compare, report
from .generate import case

CALLS = 25
"""Per case; each call with what came before it is one triple."""


def triples(seed: int, first: int, cases: int, patience: int = 1) -> tuple[Counter[str], list[str]]:
    """Compare `cases` cases from number `first`: how often each cause decided, and at most `patience` disagreements."""
    causes: Counter[str] = Counter()
    wrong: list[str] = []
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        for index in range(first, first + cases):
            if len(wrong) >= patience:
                break
            one = case(seed, index, CALLS)
            try:
                for verdict, difference in compare(one, folder):
                    causes[verdict.cause] += 1
                    if verdict.shadow:
                        causes["(with shadow rules)"] += 1
                    if difference:
                        wrong.append(f"seed {seed}, case {index}\n{report(one)}")
            except PolicyError as error:
                wrong.append(f"seed {seed}, case {index} does not load\n{error}")
    return causes, wrong


def _piece(piece: tuple[int, int, int, int]) -> tuple[Counter[str], list[str]]:
    return triples(*piece)


def mix(causes: Counter[str]) -> str:
    """The causes as shares of all."""
    total = sum(count for cause, count in causes.items() if cause[0] != "(") or 1
    return "\n".join(f"{count:9d} {100 * count / total:5.1f}%  {cause}" for cause, count in causes.most_common())


def main() -> int:
    """Exit code 1 if the two disagree anywhere."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000, help="triples")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--stop-after", type=int, default=5, help="disagreements")
    args = parser.parse_args()
    size, cases = 200, -(-args.count // CALLS)
    pieces = [(args.seed, args.first + at, min(size, cases - at), args.stop_after) for at in range(0, cases, size)]
    causes: Counter[str] = Counter()
    wrong: list[str] = []
    with get_context("spawn").Pool(args.jobs) as pool:
        for found, disagreements in pool.imap(_piece, pieces):
            causes += found
            wrong += disagreements
            for text in disagreements:
                print(text, end="\n\n", flush=True)
            if len(wrong) >= args.stop_after:
                break
    total = sum(count for cause, count in causes.items() if cause[0] != "(")
    print(mix(causes))
    print(f"{total} triples of {len(pieces)} pieces, seed {args.seed}: {len(wrong)} disagreements")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
