"""What: tools of the server that the policy does not mention.

Why: what no entry matches is left to `default`. Under `deny` it is refused, which may be right; under `allow` nobody
has looked at it.

Tools:

    [{"name": "list_orders"}, {"name": "delete_order"}]

Bad:

    default: deny
    tools:  # <--
      list_orders: {}

Good:

    default: deny
    tools:
      list_orders: {}
      delete_order: {action: deny, reason: Orders are not deleted. Ask the user.}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ...policy.names import Names
from ..finding import Confidence, Remark, Severity
from ..subject import Subject

ID: Final = "unmentioned-tool"
SEVERITY: Final = Severity.INFO
CONFIDENCE: Final = Confidence.HIGH


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report tools that neither an entry but `"*"` nor `hide` covers, in one finding."""
    listed = Names.parse([*subject.file.hide, *(entry.name for entry in subject.tool_entries if entry.name != "*")])
    missing = [tool.name for tool in subject.tools or () if tool.name not in listed]
    if missing:
        what = "allowed" if subject.file.default == "allow" else "denied"
        shown = ", ".join(f"`{name}`" for name in missing[:5]) + (
            f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        )
        message = f"not mentioned, and so {what}: {shown}"
        yield Remark(
            ("tools",), message, "add an entry for each: `name: {}` or `name: {action: deny, reason: ...}`", of_key=True
        )
