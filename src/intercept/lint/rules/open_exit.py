"""What: policies with which a stranger's text can carry private data out.

Why: who controls a web page or a mail that the model reads controls what it does next. Where the model may also read
files, mail or a database, and may send, one planted sentence is enough. Close the exit once such text was read:
`after`.

Bad:

    default: deny
    tools:
      list_emails: {}
      send_email: {rate_limit: 10/hour}  # <--

Good:

    default: deny
    tools:
      list_emails: {}
      send_email:
        rules:
          - {rate_limit: 10/hour}
          - name: only to us after reading mail
            after: [list_emails]
            require: [{path: "args.to[*]", op: ends_with, value: "@example.com"}]
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..finding import Confidence, Remark, Severity
from ..subject import Entry, Subject
from ..words import reads_private, reads_strangers, sends_out

ID: Final = "open-exit"
SEVERITY: Final = Severity.WARNING
CONFIDENCE: Final = Confidence.MEDIUM


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report what sends, where the same session may read private data and what strangers wrote."""
    names = [entry.name for entry in subject.allowed_tools]
    private = next(filter(reads_private, names), "")
    strange = next(filter(reads_strangers, names), "")
    if not private or not strange:
        return
    for entry in subject.allowed_tools:
        if sends_out(entry.name) and not _is_closed(subject, entry):
            yield Remark(
                entry.at,
                f"`{entry.name}` can carry out what `{private}` reads when text from `{strange}` says so",
                f"say where it may go (`require`), or add a rule with `after: [{strange}]`",
                of_key=True,
            )


def _is_closed(subject: Subject, entry: Entry) -> bool:
    rules = subject.covering(entry.kind, entry.name)
    return subject.checks_arguments(entry) or any(rule.written.after and rule.can_refuse for rule in rules)
