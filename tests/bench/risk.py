"""How often the risk classifier agrees with people: `python -m tests.bench.risk LABELS [FOLDER]`.

LABELS is a file of JSON Lines, one tool each: its definition (`tool` or `name`, `description`, `inputSchema`,
`annotations`) and what people say of it (`category`, `risk`, `also_acceptable`). FOLDER holds `tools/list` results of
real servers, for looking at the shares of the classes and at what no word tells about.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from intercept.catalogue.risk import Category, Verdict, classify
from intercept.values import Json

DANGEROUS = (Category.EXECUTE, Category.DESTRUCTIVE, Category.FINANCIAL)
EXACT, WRITTEN, BLOCKED = 0.90, 0.05, 0.05
"""At least this share exact; at most these of what is dangerous called Write, and of reads called anything else."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A tool, what people say of it, and what we say of it."""

    server: str
    category: str
    also: tuple[str, ...]
    risk: str
    reason: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Score:
    """How often we agree."""

    tools: int
    exact: int
    acceptable: int
    same_risk: int
    """Of those whose class is exact."""
    read: int
    """Dangerous ones that we call Read."""
    written: int
    """Dangerous ones that we call Write."""
    dangerous: int
    blocked: int
    """Reads that we call anything else."""
    reads: int

    @property
    def good(self) -> bool:
        """Whether it is what the project promises."""
        return (
            self.exact >= EXACT * self.tools
            and self.read == 0
            and self.written <= WRITTEN * self.dangerous
            and self.blocked <= BLOCKED * self.reads
        )

    def __str__(self) -> str:
        return (
            f"{self.tools} tools: exact class {self.exact} ({self.exact / self.tools:.1%}),"
            f" exact or acceptable {self.acceptable} ({self.acceptable / self.tools:.1%}),"
            f" same risk {self.same_risk} of the exact\n"
            f"dangerous called Read {self.read}, called Write {self.written}, of {self.dangerous};"
            f" reads called anything else {self.blocked} of {self.reads}"
        )


def labelled(lines: Sequence[str]) -> Iterator[Labelled]:
    """The tools of a file of labels, classified."""
    for line in lines:
        label = json.loads(line)
        definition = {"name": label.get("tool", label.get("name"))}
        definition |= {key: label[key] for key in ("description", "inputSchema", "annotations") if label.get(key)}
        yield Labelled(
            server=label.get("server", ""),
            category=label["category"],
            also=tuple(label.get("also_acceptable", ())),
            risk=label.get("risk", ""),
            reason=label.get("reason", ""),
            verdict=classify(definition),
        )


def score(found: Sequence[Labelled]) -> Score:
    """How often we agree with people about `found`."""
    dangerous = [one for one in found if one.category in DANGEROUS]
    reads = [one for one in found if one.category == Category.READ]
    exact = [one for one in found if one.verdict.category == one.category]
    return Score(
        tools=len(found),
        exact=len(exact),
        acceptable=sum(one.verdict.category in (one.category, *one.also) for one in found),
        same_risk=sum(one.verdict.risk == one.risk for one in exact),
        read=sum(one.verdict.category is Category.READ for one in dangerous),
        written=sum(one.verdict.category is Category.WRITE for one in dangerous),
        dangerous=len(dangerous),
        blocked=sum(one.verdict.category is not Category.READ for one in reads),
        reads=len(reads),
    )


def _tools(folder: Path) -> Iterator[tuple[str, Json]]:
    for path in sorted(folder.glob("*.json")):
        listed = json.loads(path.read_text(encoding="utf-8"))
        yield from ((path.stem, tool) for tool in listed["tools"])


def main() -> int:
    """Print the score and every disagreement; exit code 1 if the score is not good enough."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("labels", type=Path, metavar="LABELS")
    parser.add_argument("folder", type=Path, nargs="?", metavar="FOLDER")
    options = parser.parse_args()
    found = list(labelled(options.labels.read_text(encoding="utf-8").splitlines()))
    for one in found:
        if one.verdict.category != one.category:
            also = f" (or {', '.join(one.also)})" if one.also else ""
            why = "; ".join(one.verdict.evidence)
            print(f"{one.server} {one.verdict.name}: {one.category}{also}, not {one.verdict.category} [{why}]")
    result = score(found)
    print(result)
    if options.folder:
        verdicts = [(server, classify(tool)) for server, tool in _tools(options.folder)]
        shares = Counter(verdict.category for _, verdict in verdicts)
        print(f"{len(verdicts)} tools: " + ", ".join(f"{category} {shares[category]}" for category in Category))
        unclear = [f"{server} {verdict.name}" for server, verdict in verdicts if "unclear" in verdict.flags]
        print(f"{len(unclear)} unclear: " + ", ".join(unclear))
    return 0 if result.good else 1


if __name__ == "__main__":
    raise SystemExit(main())
