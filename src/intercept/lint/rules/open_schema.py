"""What: argument schemas that an empty object satisfies.

Why: `properties` says what a value has to be like if it is there. Without `required` a call may leave it out, and
without `additionalProperties: false` it may bring others that nobody looked at.

Bad:

    default: deny
    tools:
      create_ticket:
        rate_limit: 10/hour
        arguments:  # <--
          type: object
          properties:
            priority: {enum: [low, normal]}

Good:

    default: deny
    tools:
      create_ticket:
        rate_limit: 10/hour
        arguments:
          type: object
          required: [priority]
          additionalProperties: false
          properties:
            priority: {enum: [low, normal]}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..finding import Confidence, Remark, Severity
from ..subject import Subject

ID: Final = "open-schema"
SEVERITY: Final = Severity.INFO
CONFIDENCE: Final = Confidence.HIGH

_CLOSING: Final = ("additionalProperties", "unevaluatedProperties", "propertyNames", "maxProperties")


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report schemas that neither require one of their properties nor keep others out."""
    for rule in subject.rules:
        schema = rule.written.arguments or {}
        if "properties" in schema and "required" not in schema and not any(key in schema for key in _CLOSING):
            yield Remark(
                (*rule.at, "arguments"),
                "a call without these properties, and with any other, satisfies this schema",
                "add `required: [...]` and `additionalProperties: false`",
                of_key=True,
            )
