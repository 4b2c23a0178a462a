"""Findings as people and programs want them: text, JSON, SARIF 2.1.0, workflow commands of GitHub Actions.

Each function takes the findings of all files and returns the whole output, without a newline at its end.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Final
from urllib.parse import quote

from .. import __version__
from ..values import Json
from .engine import INVALID, About, described
from .finding import Confidence, Finding, Severity

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
"""SARIF section 3.27.10."""
_PRECISION: Final = {Confidence.HIGH: "high", Confidence.MEDIUM: "medium"}
_COMMANDS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def text(found: Mapping[str, Sequence[Finding]]) -> str:
    """A line for each finding, and one for each file (the keys) that has none."""
    return "\n".join(line for path, findings in found.items() for line in [*map(_line, findings)] or [f"{path}: ok"])


def _line(finding: Finding) -> str:
    place = f"{finding.path}:{finding.line}:{finding.column}" if finding.line else finding.path
    # What keeps a policy from being loaded reads as it does when the proxy refuses it; it cannot be silenced by its id.
    kind = str(finding.severity) if finding.rule == INVALID else f"{finding.severity}[{finding.rule}]"
    return f"{place}: {kind}: {_sentence(finding)}"


def _sentence(finding: Finding) -> str:
    return f"{finding.message}; {finding.help}" if finding.help else finding.message


def as_json(found: Mapping[str, Sequence[Finding]]) -> str:
    """The documented list (DESIGN section 7)."""
    return json.dumps([asdict(finding) for findings in found.values() for finding in findings], indent=2)


def github(found: Mapping[str, Sequence[Finding]]) -> str:
    """An annotation for each finding; a place that is not known is left out."""
    return "\n".join(_annotation(finding) for findings in found.values() for finding in findings)


def _annotation(finding: Finding) -> str:
    place = f",line={finding.line},col={finding.column}" if finding.line else ""
    name = _escaped(finding.path).replace(":", "%3A").replace(",", "%2C")
    command = _COMMANDS[finding.severity]
    return f"::{command} file={name}{place},title={finding.rule}::{_escaped(_sentence(finding))}"


def _escaped(message: str) -> str:
    return message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def sarif(found: Mapping[str, Sequence[Finding]]) -> str:
    """One run with the rules that found something (SARIF 2.1.0 section 3.14)."""
    findings = [finding for each in found.values() for finding in each]
    known = described()
    rules = sorted({finding.rule for finding in findings})
    run: Json = {
        "tool": {
            "driver": {"name": "intercept", "version": __version__, "rules": [_rule(known, rule) for rule in rules]}
        },
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, rules.index(finding.rule)) for finding in findings],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _rule(known: Mapping[str, About], rule: str) -> Json:
    about = known[rule]
    return {
        "id": rule,
        "shortDescription": {"text": about.what},
        "help": {"text": about.why},
        "defaultConfiguration": {"level": _LEVELS[about.severity]},
        "properties": {"precision": _PRECISION[about.confidence], "tags": ["security"]},
    }


def _result(finding: Finding, index: int) -> Json:
    where: dict[str, Json] = {"artifactLocation": {"uri": _uri(finding.path)}}
    if finding.line:
        where["region"] = {"startLine": finding.line, "startColumn": finding.column}
    return {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": _LEVELS[finding.severity],
        "message": {"text": _sentence(finding)},
        "locations": [{"physicalLocation": where}],
    }


def _uri(path: str) -> str:
    """A URI reference: relative as the path is, so that it names the file in the repository that was checked out."""
    plain = quote(path.removeprefix("./").encode("utf-8", "surrogateescape"))
    return f"file://{plain}" if plain.startswith("/") else plain
