"""What: tools that move money without any limit.

Why: a bound on one payment does not bound their sum. Without a limit a model in a loop, or under somebody else's
instructions, pays as often as it likes.

Bad:

    default: deny
    tools:
      create_refund:  # <--
        require: [{path: args.amount, op: lte, value: 50}]

Good:

    default: deny
    tools:
      create_refund:
        require: [{path: args.amount, op: lte, value: 50}]
        limits: [{max: 500, window: day, cost: {from: args.amount}, scope: grant}]
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..finding import Confidence, Remark, Severity
from ..subject import Subject
from ..words import pays

ID: Final = "unlimited-payment"
SEVERITY: Final = Severity.WARNING
CONFIDENCE: Final = Confidence.MEDIUM


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report tools that pay, and that no limit of any rule counts."""
    for entry in subject.allowed_tools:
        if pays(entry.name) and not subject.is_bounded(entry):
            yield Remark(
                entry.at,
                f"`{entry.name}` moves money, and nothing limits how often",
                "add for example `limits: [{max: 500, window: day, cost: {from: args.amount}, scope: grant}]`",
                of_key=True,
            )
