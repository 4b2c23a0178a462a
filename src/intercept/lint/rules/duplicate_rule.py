"""What: rules and conditions that say the same again.

Why: the second one changes nothing. It was copied to be changed, and was not, or it is left over.

Bad:

    default: deny
    tools:
      refund:
        rate_limit: 5/hour
        require:
          - {path: args.amount, op: lte, value: 50}
          - {path: args.amount, op: lte, value: 50}  # <--

Good:

    default: deny
    tools:
      refund:
        rate_limit: 5/hour
        require:
          - {path: args.amount, op: lte, value: 50}
          - {path: args.amount, op: gt, value: 0}
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from ...policy.schema import KeyPath
from ...policy.shape import Model
from ..finding import Confidence, Remark, Severity
from ..subject import Subject

ID: Final = "duplicate-rule"
SEVERITY: Final = Severity.INFO
CONFIDENCE: Final = Confidence.HIGH

_WORDS: Final = {"name", "on_deny", "reason"}


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report rules of one entry, and conditions and limits of one rule, that are equal but for their wording."""
    for entry in subject.entries:
        yield from _twice((rule.at, _content(rule.written)) for rule in entry.rules)
        for rule in entry.rules:
            for key in ("when", "require", "conditions", "limits"):
                parts = enumerate(getattr(rule.written, key))
                yield from _twice(((*rule.at, key, index), _content(part)) for index, part in parts)


def _content(written: Model) -> dict[str, object]:
    return {key: value for key, value in written.content().items() if key not in _WORDS}


def _twice(parts: Iterable[tuple[KeyPath, dict[str, object]]]) -> Iterator[Remark]:
    seen: list[dict[str, object]] = []
    for at, content in parts:
        if content in seen:
            yield Remark(at, "this says again what stands before it", "change it, or take it out")
        seen.append(content)
