"""Every sentence that tells a model why its call was refused (POLICY section 6).

One sentence each, ending in a full stop, without argument values and without the name of a rule that did not decide.
An author's `on_deny` takes its place. Names of tools come from the model, so only plain ones are repeated.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, assert_never

from ..values import Gap
from .conditions import Condition, Group, Many, Negation, One
from .model import CalendarWindow, Charge, Circumstances, Exhausted, InFlight, Kind, ToolCall, Window

_LONGEST_NAME: Final = 128
_LONGEST_AMOUNT: Final = 40


def named(kind: Kind, name: str) -> str:
    """`name` as a sentence may have it: in backticks, or not at all if it is no plain name."""
    plain = len(name) <= _LONGEST_NAME and name.isascii() and name.isprintable() and "`" not in name
    return f"`{name}`" if plain and name else f"this {kind}"


def not_a_name(kind: Kind) -> str:
    """The name is empty or much too long."""
    return f"the name of the {kind} is empty or too long."


def misspelt(kind: Kind) -> str:
    """The name is another one in disguise (step 0)."""
    return f"the name of the {kind} is not spelled as it is listed; use the exact name."


def hidden(kind: Kind, name: str) -> str:
    """The name is under `hide` (step 1)."""
    return f"{named(kind, name)} is not available."


def invisible(kind: Kind) -> str:
    """The name has characters that show nothing, which `results` takes out everywhere else."""
    return f"the name of the {kind} has invisible characters, so it is not available."


def unlisted(kind: Kind, name: str) -> str:
    """No entry lists the name under `default: deny` (step 2)."""
    return f"{named(kind, name)} is not among the {kind}s that the policy allows."


def denied(rule: str) -> str:
    """A `deny` rule applies."""
    return f"rule `{rule}` denies this call."


def asked(rule: str) -> str:
    """A `require_approval` rule applies."""
    return f"rule `{rule}` requires a person's approval."


def failed(rule: str) -> str:
    """Something went wrong while a rule was evaluated."""
    return f"rule `{rule}` could not be evaluated."


def bad_arguments(rule: str) -> str:
    """The arguments do not satisfy a schema."""
    return f"rule `{rule}` does not accept these arguments."


def unmet(rule: str, condition: Condition, call: ToolCall, circumstances: Circumstances) -> str:
    """A condition of `require` does not hold."""
    if isinstance(condition, One | Many):
        if _is_missing(condition, call, circumstances):
            return f"rule `{rule}` requires `{condition.path}`."
        return f"rule `{rule}` does not accept this value of `{condition.path}`."
    return f"rule `{rule}` does not accept these arguments."


def unclear(rule: str, conditions: tuple[Condition, ...], call: ToolCall, circumstances: Circumstances) -> str:
    """One of `conditions` cannot be evaluated."""
    path = _unclear_path(conditions, call, circumstances)
    if path.startswith("tool.annotations"):
        return f"rule `{rule}` needs the definition of the tool; list the tools first."
    return f"rule `{rule}` cannot judge `{path}`: its value is of the wrong type or ambiguous."


def uncounted(rule: str, path: str) -> str:
    """A limit cannot be charged, because what it counts by is absent."""
    return f"rule `{rule}` requires `{path}`."


def no_amount(rule: str, path: str) -> str:
    """A limit cannot be charged, because its cost is no amount."""
    return f"rule `{rule}` requires `{path}` to be a number that is not negative."


def too_many(rule: str, path: str) -> str:
    """A limit would have to count more values than one call may bring."""
    return f"rule `{rule}` does not accept that many values of `{path}` in one call."


def extent(charge: Charge) -> str:
    """What a limit allows: `30 calls per minute`, `500 per calendar day (UTC)`, `2 calls at a time`."""
    return allowance(charge.max, charge.window, counts_calls=not charge.cost_path and charge.cost == 1)


def allowance(maximum: Decimal, window: Window | CalendarWindow | InFlight, *, counts_calls: bool) -> str:
    """As `extent`, of the parts of a limit."""
    calls = "" if not counts_calls else " call" if maximum == 1 else " calls"
    match window:
        case InFlight():
            return f"{amount(maximum)} {'call' if maximum == 1 else 'calls'} at a time"
        case Window(text=text) | CalendarWindow(text=text):
            return f"{amount(maximum)}{calls} per {text}"
        case _:
            assert_never(window)


def used_up(tool: str, exhausted: Exhausted) -> str:
    """A limit has too little left for a call. What the call asks for is told only where the policy says it."""
    charge, left = exhausted.charge, exhausted.left
    limit, whose = f"limit of {extent(charge)}", named(Kind.TOOL, tool).replace("this tool", "this call")
    if exhausted.retry_after is None:
        return f"the call is above the {limit} for {whose} and can never pass."
    if left == 0:
        return f"{limit} for {whose} is used up."
    asked = f"this call takes {amount(charge.cost)}"
    if charge.cost_path:
        asked = f"this call takes more, as `{charge.cost_path}` says"
    return f"{limit} for {whose} has {amount(left)} left, and {asked}."


def come_back(charge: Charge, seconds: int) -> str:
    """When a call that a limit refused may be made again; `seconds` from now."""
    if isinstance(charge.window, InFlight):
        return "Retry when a call in flight has been answered."
    when = f"Retry in {seconds} second{'' if seconds == 1 else 's'}"
    if isinstance(charge.window, CalendarWindow):
        return f"{when}, when the next {charge.window.unit} begins."
    return f"{when}."


def amount(number: Decimal) -> str:
    """`number` as people write it; very long ones are rounded."""
    text = f"{number:f}"
    return text if len(text) <= _LONGEST_AMOUNT else f"{number:.15g}"


def _is_missing(condition: One | Many, call: ToolCall, circumstances: Circumstances) -> bool:
    found = condition.read(call, circumstances)
    return found is Gap.MISSING or (isinstance(condition, Many) and found == [Gap.MISSING])


def _unclear_path(conditions: tuple[Condition, ...], call: ToolCall, circumstances: Circumstances) -> str:
    for condition in conditions:
        if condition.holds(call, circumstances) is not None:
            continue
        match condition:
            case One() | Many():
                return condition.path
            case Group(parts):
                return _unclear_path(parts, call, circumstances)
            case Negation(part):
                return _unclear_path((part,), call, circumstances)
    return "args"
