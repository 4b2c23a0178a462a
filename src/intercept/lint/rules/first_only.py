"""What: checks of one element of a list.

Why: `args.to[0]` looks at the first recipient and at no other. `[*]` looks at all of them, and takes a single value
too.

Bad:

    default: deny
    tools:
      send_email:
        require: [{path: "args.to[0]", op: ends_with, value: "@example.com"}]  # <--
        rate_limit: 5/hour

Good:

    default: deny
    tools:
      send_email:
        require: [{path: "args.to[*]", op: ends_with, value: "@example.com"}]
        rate_limit: 5/hour
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ...values import Each
from ..finding import Confidence, Remark, Severity
from ..subject import Condition, Subject

ID: Final = "first-only"
SEVERITY: Final = Severity.WARNING
CONFIDENCE: Final = Confidence.MEDIUM


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report paths with an index in what decides about a call, unless the list as a whole is looked at, too."""
    for condition in subject.conditions:
        steps = condition.path.steps
        cut = next((index for index, step in enumerate(steps) if isinstance(step, int)), None)
        if cut is None or not (condition.admits or condition.refuses) or _looks_at_all(subject, condition, cut):
            continue
        everything = condition.path.text.replace(f"[{steps[cut]}]", "[*]", 1)
        yield Remark(
            (*condition.at, "path"),
            f"only element {steps[cut]} is looked at; the others may be anything",
            f"write `{everything}`",
        )


def _looks_at_all(subject: Subject, condition: Condition, cut: int) -> bool:
    steps = condition.path.steps
    for other in subject.conditions_of(condition.rule):
        if other.path.steps[: cut + 1] == (*steps[:cut], Each.EACH):
            return True
        if other.path.steps == steps[:cut] and other.op in {"length_lte", "eq", "in"}:
            return True
    return False
