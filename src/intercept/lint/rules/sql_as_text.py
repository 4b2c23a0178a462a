"""What: SQL that is judged by how it begins.

Why: `SELECT 1; DROP TABLE users` begins with `SELECT`, and so do functions that write files. What holds is an account
that may only read; a policy can only list whole statements.

Bad:

    default: deny
    tools:
      run_query:
        require: [{path: args.sql, op: starts_with, value: "SELECT "}]  # <--

Good:

    default: deny
    tools:
      run_query:
        require: [{path: args.sql, op: in, value: ["SELECT count(*) FROM orders"]}]
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from ..finding import Confidence, Remark, Severity
from ..subject import Condition, Subject
from ..witness import passing, stretched
from ..words import runs_sql, words

ID: Final = "sql-as-text"
SEVERITY: Final = Severity.WARNING
CONFIDENCE: Final = Confidence.HIGH

_READS: Final = re.compile(r"(?i)\b(?:select|with|show|explain|describe)\b")
_NAMES: Final = frozenset({"query", "sql", "statement"})
_LURES: Final = (
    "SELECT 1; DROP TABLE users",
    "select 1; drop table users",
    "WITH x AS (DELETE FROM users RETURNING *) SELECT * FROM x",
    "SELECT pg_read_file('/etc/passwd')",
)


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report comparisons of the beginning that let a statement pass which does more than read; it is tried."""
    for condition in subject.conditions:
        if condition.admits and _is_sql(condition):
            lures = (
                text for text in stretched(condition, "1; DROP TABLE users", " 1; DROP TABLE users") if ";" in text
            )
            if text := passing(subject, condition, (*_LURES, *lures)):
                yield Remark(
                    (*condition.at, "op"),
                    f"`{text}` passes",
                    "list whole statements with `op: in`, or give the server an account that may only read",
                )


def _is_sql(condition: Condition) -> bool:
    value = str(condition.written.value)
    if condition.op not in {"starts_with", "glob", "regex", "contains"} or not _READS.search(value):
        return False
    found = words(condition.argument)
    named = "sql" in found or ("SELECT" in value.upper() and not _NAMES.isdisjoint(found))
    return named or runs_sql(condition.rule.entry)
