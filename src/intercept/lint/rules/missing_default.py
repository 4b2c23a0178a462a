"""What: policies that do not say what happens to tools they do not list.

Why: a missing `default` is `deny` here and was `allow` in Intercept 1.x. Whoever reads the file should not have to
know.

Bad:

    tools:  # <--
      list_orders: {}

Good:

    default: deny
    tools:
      list_orders: {}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..finding import Confidence, Remark, Severity
from ..subject import Subject

ID: Final = "missing-default"
SEVERITY: Final = Severity.INFO
CONFIDENCE: Final = Confidence.HIGH


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report a file without `default`."""
    if subject.file.default is None:
        yield Remark((), "there is no `default`, so what no entry lists is denied", "write `default: deny`")
