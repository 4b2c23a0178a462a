"""What: rules that say when they apply and not what happens then.

Why: a rule whose `when` or `after` does not hold is skipped; it does not deny. An author who writes `when` alone
means "only when", and gets a tool that is always allowed. What has to hold is written under `require`.

Bad:

    default: deny
    tools:
      deploy:
        when:  # <--
          - {path: args.environment, op: eq, value: staging}

Good:

    default: deny
    tools:
      deploy:
        require:
          - {path: args.environment, op: eq, value: staging}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..finding import Confidence, Remark, Severity
from ..subject import Subject

ID: Final = "no-effect"
SEVERITY: Final = Severity.ERROR
CONFIDENCE: Final = Confidence.HIGH


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report `when` and `after` in rules that refuse nothing."""
    for rule in subject.rules:
        if rule.can_refuse:
            continue
        for key in ("when", "after"):
            if getattr(rule.written, key):
                advice = "to allow only then, write these conditions under `require`"
                if key == "after":
                    advice = "add what the rule refuses then: `action: deny`, `require` or a limit"
                yield Remark(
                    (*rule.at, key),
                    f"rule `{rule.name}` refuses nothing, whether it applies or not",
                    advice,
                    of_key=True,
                )
