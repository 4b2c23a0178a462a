"""What a scan found, for people (a table), for programs (JSON) and for keeping (Markdown).

Names and evidence come from the server: nothing invisible in them is ever printed.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ..answers import printable
from ..values import Json
from .names import look_alikes
from .risk import FLAGS, SEVERITY, Category, Verdict, classify

_NAME: Final = 44
"""Columns for names in the table; longer ones push the rest of their line."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What one server offers."""

    server: str
    """Who it says that it is, or how it was started."""
    protocol: str
    """The version that it speaks; empty if that is not known."""
    tools: list[Json]
    """Their definitions, as it gave them."""

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """How dangerous each is, the worst first."""
        found = look_alikes([classify(tool) for tool in self.tools], self.tools)
        return tuple(sorted(found, key=lambda verdict: (-SEVERITY[verdict.category], -verdict.score, verdict.name)))


def as_json(listing: Listing) -> str:
    """The documented form for programs (DESIGN section 7); `tools` in the order of the server."""
    return json.dumps(jsonable(listing), indent=2)


def jsonable(listing: Listing) -> dict[str, Json]:
    """What `as_json` prints, as a value."""
    found = {verdict.name: verdict for verdict in reversed(listing.verdicts)}
    order = dict.fromkeys(verdict.name for verdict in (classify(tool) for tool in listing.tools))
    return {
        "server": listing.server,
        "protocol": listing.protocol,
        "tools": [
            {
                "name": verdict.name,
                "category": verdict.category,
                "risk": verdict.risk,
                "score": verdict.score,
                "evidence": list(verdict.evidence),
                "flags": list(verdict.flags),
            }
            for verdict in (found[name] for name in order)
        ],
    }


def table(listing: Listing) -> str:
    """Lines for a terminal: what each tool is and why, the worst first, and a sum."""
    verdicts = listing.verdicts
    width = min(_NAME, max((len(printable(verdict.name)) for verdict in verdicts), default=0))
    lines = [
        f"{verdict.category:<12}{verdict.risk:<9}{verdict.score}  {printable(verdict.name):<{width}}  {_why(verdict)}"
        for verdict in verdicts
    ]
    return "\n".join([*lines, summary(listing.server, verdicts)])


def _why(verdict: Verdict) -> str:
    told = "; ".join(printable(each) for each in verdict.evidence)
    return f"{told} [{', '.join(verdict.flags)}]" if verdict.flags else told


def summary(server: str, verdicts: Sequence[Verdict]) -> str:
    """One line: how many tools of each class."""
    shares = Counter(verdict.category for verdict in verdicts)
    told = ", ".join(f"{shares[category]} {category}" for category in Category if shares[category])
    count = f"{len(verdicts)} tool{'' if len(verdicts) == 1 else 's'}"
    return f"{printable(server)}: {count}" + (f": {told}" if told else "")


def markdown(listing: Listing) -> str:
    """A report to keep or to paste: a sum, what wants attention, and every tool."""
    verdicts = listing.verdicts
    lines = [f"# Tools of {_cell(listing.server)}", "", summary(_cell(listing.server), verdicts) + ".", ""]
    if listing.protocol:
        lines += [f"Protocol {_cell(listing.protocol)}.", ""]
    flagged = [flag for flag in FLAGS if any(flag in verdict.flags for verdict in verdicts)]
    for flag in flagged:
        names = ", ".join(f"`{_cell(verdict.name)}`" for verdict in verdicts if flag in verdict.flags)
        lines.append(f"- {flag} ({FLAGS[flag]}): {names}")
    if flagged:
        lines.append("")
    lines += ["| tool | class | risk | score | evidence |", "|---|---|---|---|---|"]
    lines += [
        f"| `{_cell(verdict.name)}` | {verdict.category} | {verdict.risk} | {verdict.score} | "
        f"{_cell('; '.join(verdict.evidence))} |"
        for verdict in verdicts
    ]
    return "\n".join(lines)


# --- several servers --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Survey:
    """All servers of a client, together everything that its agent can call."""

    scanned: tuple[tuple[str, Listing], ...]
    """By the names that the client has for them."""
    failed: tuple[tuple[str, str], ...]
    """Those that could not be asked, and why."""

    @property
    def everything(self) -> tuple[Verdict, ...]:
        """The tools of all servers."""
        return tuple(verdict for _, listing in self.scanned for verdict in listing.verdicts)

    @property
    def shared(self) -> dict[str, list[str]]:
        """Names that more than one server uses, each with these servers: who answers a call is up to the client."""
        owners: dict[str, list[str]] = {}
        for server, listing in self.scanned:
            for name in {verdict.name for verdict in listing.verdicts}:
                owners.setdefault(name, []).append(server)
        return {name: servers for name, servers in sorted(owners.items()) if len(servers) > 1}


def survey_as_json(survey: Survey) -> str:
    """`{servers: [{name, server, protocol, tools} or {name, error}]}`."""
    servers: list[Json] = [{"name": name, **jsonable(listing)} for name, listing in survey.scanned]
    servers += [{"name": name, "error": why} for name, why in survey.failed]
    return json.dumps({"servers": servers}, indent=2)


def survey_table(survey: Survey) -> str:
    """A table for each server, and what they come to together."""
    parts = [f"{printable(name)}:\n{table(listing)}\n" for name, listing in survey.scanned]
    parts += [f"{printable(name)}: not scanned: {_first_line(why)}" for name, why in survey.failed]
    parts += [
        f"`{printable(name)}` is a tool of {' and '.join(map(printable, s))}" for name, s in survey.shared.items()
    ]
    return "\n".join([*parts, summary("all servers", survey.everything)])


def survey_markdown(survey: Survey) -> str:
    """A report on everything that the client's agent can call."""
    lines = ["# What the agent can call", "", summary("all servers", survey.everything) + ".", ""]
    lines += [f"- {_cell(name)}: not scanned: {_cell(_first_line(why))}" for name, why in survey.failed]
    for name, servers in survey.shared.items():
        lines.append(f"- `{_cell(name)}` is a tool of {' and '.join(map(_cell, servers))}")
    for name, listing in survey.scanned:
        lines += ["", f"## {_cell(name)}", "", *markdown(listing).split("\n")[2:]]
    return "\n".join(lines)


def _first_line(text: str) -> str:
    return printable(text.split("\n", maxsplit=1)[0])


def _cell(text: str) -> str:
    """`text` where nothing in it can end a cell or begin markup that is not ours."""
    return printable(text).replace("|", "\\|").replace("<", "&lt;")
