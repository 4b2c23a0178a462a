"""What: tools that run SQL, with no rule about which.

Why: a statement can read every table, change it, or drop it, also where the tool is said to read only. What holds is
an account that may do no more than it should; a policy can keep the statements to a few known ones.

Bad:

    default: deny
    tools:
      execute_sql: {}  # <--

Good:

    default: deny
    tools:
      execute_sql:
        require: [{path: args.sql, op: in, value: ["SELECT count(*) FROM orders"]}]
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..finding import Confidence, Remark, Severity
from ..subject import Subject
from ..words import runs_sql

ID: Final = "unchecked-sql"
SEVERITY: Final = Severity.WARNING
CONFIDENCE: Final = Confidence.MEDIUM


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report such tools where no rule looks at an argument."""
    for entry in subject.allowed_tools:
        if runs_sql(entry.name) and not subject.checks_arguments(entry):
            yield Remark(
                entry.at,
                f"`{entry.name}` runs whatever SQL it is given, and no rule looks at what that is",
                "list the statements that are meant with `op: in`, or give the server an account that may only read",
                of_key=True,
            )
