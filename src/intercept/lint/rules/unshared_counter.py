"""What: counters of one name that are not shared.

Why: limits share their use if counter, window, scope and `per` are the same. With another window each counts for
itself, although the name says otherwise.

Bad:

    default: deny
    tools:
      send_text: {limits: [{counter: messages, max: 60, window: 1m}]}
      send_image: {limits: [{counter: messages, max: 60, window: 2m}]}  # <--

Good:

    default: deny
    tools:
      send_text: {limits: [{counter: messages, max: 60, window: 1m}]}
      send_image: {limits: [{counter: messages, max: 60, window: 1m}]}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ...policy import schema
from ...policy.schema import KeyPath
from ..finding import Confidence, Remark, Severity
from ..subject import Subject

ID: Final = "unshared-counter"
SEVERITY: Final = Severity.INFO
CONFIDENCE: Final = Confidence.MEDIUM


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report limits in other entries whose counter has a name in common with earlier ones and nothing else."""
    seen: dict[str, dict[str, list[object]]] = {}
    for entry in subject.entries:
        named: dict[str, list[tuple[KeyPath, object]]] = {}
        for rule in entry.rules:
            for at, limit in rule.limits:
                if not isinstance(limit, schema.State) and limit.counter:
                    key = (_window(limit, subject), limit.scope, sorted(limit.per))
                    named.setdefault(limit.counter, []).append((at, key))
        for counter, places in named.items():
            others = seen.setdefault(counter, {})
            keys = [key for found in others.values() for key in found]
            if keys and not any(key in keys for _, key in places):
                yield Remark(
                    (*places[0][0], "counter"),
                    f"`{counter}` is counted apart here: window, scope or `per` differ from those before",
                    "make them the same, or give this counter another name",
                )
            others[entry.name] = [key for _, key in places]


def _window(limit: schema.Limit | schema.Concurrency, subject: Subject) -> object:
    if isinstance(limit, schema.Concurrency):
        return "in flight"
    if limit.align == "sliding":
        return limit.window.seconds
    return limit.window.text, limit.timezone or subject.file.timezone
