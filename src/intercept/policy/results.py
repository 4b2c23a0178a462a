"""What may come back to the model: `results` of a policy, compiled (POLICY section 8). Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from .. import detectors
from ..detectors import DETECTORS, SECRET, Detector, is_card, names_secret
from ..values import Json


class Redaction(NamedTuple):
    """One thing to be taken out of texts, with a mark in its place."""

    name: str
    """As the policy has it, for the operator: `emails`, or a pattern."""
    find: Detector
    is_pattern: bool = False
    """Whether it is the author's own, and may match anything."""


class Results(NamedTuple):
    """What is done to what the upstream sends."""

    max_bytes: int | None = None
    """Longest message with a result, in bytes, that reaches the client; None: any."""
    strip_invisible: bool = False
    redactions: tuple[Redaction, ...] = ()
    """Detectors first, in their order, then patterns as written."""

    @property
    def edits(self) -> bool:
        """Whether it could change a text."""
        return self.strip_invisible or bool(self.redactions)

    def edited(self, text: str, found: Counter[str]) -> str:
        """`text` as it may be seen; what was taken out is counted in `found`.

        What shows nothing goes first: it would part what a redaction looks for.
        """
        text = self.stripped(text, found)
        for redaction in self.redactions:
            text, count = redaction.find(text)
            if count:
                found[redaction.name] += count
        return text

    def stripped(self, text: str, found: Counter[str]) -> str:
        """`text` without what shows nothing, if that is asked for."""
        if self.strip_invisible:
            text, count = detectors.invisible(text)
            if count:
                found["invisible characters"] += count
        return text

    def edited_number(self, number: float, found: Counter[str]) -> Json:
        """`number` as it may be seen: a text, if it is one that is redacted."""
        whole = isinstance(number, int)
        for redaction in self.redactions:
            if redaction.is_pattern or (whole and redaction.find is detectors.cards and is_card(int(number))):
                text, count = redaction.find(str(number))
                if count:
                    found[redaction.name] += count
                    return text
        return number

    def is_secret(self, key: str) -> bool:
        """Whether the value under `key` is redacted, whatever it is."""
        return any(redaction.find is detectors.secrets for redaction in self.redactions) and names_secret(key)

    def secret(self, found: Counter[str]) -> str:
        """What stands in the place of such a value."""
        found["secrets"] += 1
        return SECRET


def together(asked: Sequence[Results]) -> Results:
    """What several policies ask for at once: the smallest size, and everything that one of them takes out."""
    sizes = [results.max_bytes for results in asked if results.max_bytes is not None]
    redactions = {redaction.name: redaction for results in asked for redaction in results.redactions}
    order = {name: place for place, name in enumerate(DETECTORS)}
    return Results(
        min(sizes) if sizes else None,
        any(results.strip_invisible for results in asked),
        tuple(sorted(redactions.values(), key=lambda each: order.get(each.name, len(order)))),
    )
