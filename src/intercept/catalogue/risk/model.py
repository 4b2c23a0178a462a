"""The vocabulary of risk: five classes, four levels, and a verdict that names its evidence."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Category(StrEnum):
    """What a tool does to the system behind it; where several apply, the last one here."""

    READ = "Read"
    """Leaves nothing changed."""
    WRITE = "Write"
    """Changes or creates what can be undone; sends messages."""
    EXECUTE = "Execute"
    """Starts, stops or runs something whose effect depends on its arguments."""
    DESTRUCTIVE = "Destructive"
    """Deletes, revokes, takes apart, overwrites."""
    FINANCIAL = "Financial"
    """Moves money or commits to spend it."""


class Risk(StrEnum):
    """How bad a wrong call is."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


SEVERITY: Final = {category: rank for rank, category in enumerate(Category)}
"""For comparing: a higher number is the more dangerous class."""


@dataclass(frozen=True, slots=True)
class Action:
    """One value of an argument that chooses what the tool does."""

    value: str
    category: Category


@dataclass(frozen=True, slots=True)
class Choice:
    """An argument with which one tool takes several actions."""

    path: tuple[str, ...]
    """The keys from the arguments down to it: `("params", "action")`, with `[*]` for the elements of a list."""
    actions: tuple[Action, ...]
    """In the order of the schema."""

    @property
    def where(self) -> str:
        """The path as one reads it: `files[*].action`."""
        return ".".join(self.path).replace(".[*]", "[*]")

    @property
    def worst(self) -> Action:
        """The most dangerous one."""
        return max(self.actions, key=lambda action: SEVERITY[action.category])


@dataclass(frozen=True, slots=True)
class Verdict:
    """How dangerous a tool is, and what says so."""

    name: str
    category: Category
    risk: Risk
    evidence: tuple[str, ...]
    """Never empty: which words, which argument; one phrase each."""
    flags: tuple[str, ...] = ()
    """What else a reader has to know, as fixed words: see `FLAGS`."""
    choice: Choice | None = None
    """The argument that chooses between actions, if there is one."""
    checked: tuple[str, ...] = ()
    """Arguments that decide what is run or reached (a command, SQL, an address): they want a rule."""

    @property
    def score(self) -> int:
        """From 1 (reads) to 5 (critical)."""
        match self.risk:
            case Risk.CRITICAL:
                return 5
            case Risk.HIGH:
                return 4
            case Risk.MEDIUM:
                return 2 if self.category is Category.READ else 3
            case Risk.LOW:
                return 1 if self.category is Category.READ else 2


FLAGS: Final = {
    "returns-secrets": "its answer may contain a token, a password, a key, or a link that logs in",
    "private-data": "its answer may contain what people wrote or who they are",
    "multi-action": "one argument chooses between several actions",
    "runs-code": "an argument holds a command, code or SQL",
    "reaches-out": "an argument holds an address that the server requests",
    "unclear": "no word of it tells what it does; it counts as a change",
    "annotated-read-only": "the server marks it read-only, against the evidence",
    "annotated-destructive": "the server marks it destructive, and no word says so",
    "annotated-writing": "the server says that it changes something, and no word says so",
    "invisible-characters": "its name or description hides characters that nobody sees",
    "look-alike": "its name reads like that of another tool",
}
"""Every flag, and what it means."""
