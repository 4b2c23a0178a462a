"""What the linter says: findings, and the remarks of rules that become findings."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ..policy.schema import KeyPath


class Severity(StrEnum):
    """How bad it is."""

    ERROR = "error"
    """Broken, or surely not what was meant."""
    WARNING = "warning"
    """A hole, or a check that does not hold what it seems to promise."""
    INFO = "info"
    """Advice. Fails no build."""


class Confidence(StrEnum):
    """How sure the rule is that it is right."""

    HIGH = "high"
    """What the policy says is enough to know."""
    MEDIUM = "medium"
    """Taken from names, which can mislead."""


@dataclass(frozen=True, slots=True)
class Remark:
    """What a rule has to say about one place; the engine adds what the rule is and where the place lies."""

    at: KeyPath
    """What leads to the place: keys and indices from the top of the document."""
    message: str
    """In the words of `intercept.errors`: lower case, one line, no full stop, no argument values."""
    help: str
    """What to write instead, as one line."""
    of_key: bool = False
    """Whether the key at the end of `at` is meant, rather than its value."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding; its fields are the documented JSON output (DESIGN section 7)."""

    rule: str
    severity: Severity
    confidence: Confidence
    path: str
    """The file as the user named it."""
    line: int
    """From 1; 0 where the file as a whole is meant. So is `column`."""
    column: int
    message: str
    help: str

    @property
    def fails(self) -> bool:
        """Whether it is more than advice."""
        return self.severity is not Severity.INFO
