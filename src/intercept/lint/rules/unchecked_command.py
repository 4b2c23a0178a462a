"""What: tools that run commands or code, with no rule about which.

Why: whoever may run any command may do all that the other rules forbid: read the policy, send mail, delete files. A
limit on how often does not help; one command is enough.

Bad:

    default: deny
    tools:
      run_command: {rate_limit: 10/minute}  # <--

Good:

    default: deny
    tools:
      run_command:
        require: [{path: args.command, op: in, value: [make test, make lint]}]
        rate_limit: 10/minute
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..finding import Confidence, Remark, Severity
from ..subject import Subject
from ..words import runs_commands

ID: Final = "unchecked-command"
SEVERITY: Final = Severity.WARNING
CONFIDENCE: Final = Confidence.MEDIUM


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report such tools where no rule looks at an argument."""
    for entry in subject.allowed_tools:
        if runs_commands(entry.name) and not subject.checks_arguments(entry):
            yield Remark(
                entry.at,
                f"`{entry.name}` runs whatever it is given, and no rule looks at what that is",
                "list the commands that are meant with `op: in`, or deny the tool",
                of_key=True,
            )
