"""The measurement of the risk classifier counts what it says that it counts."""

from __future__ import annotations

import json

from .risk import labelled, score


def _line(tool: str, category: str, *also: str, risk: str = "low") -> str:
    return json.dumps({"tool": tool, "category": category, "also_acceptable": also, "risk": risk})


def test_agreement_and_each_kind_of_mistake_are_counted() -> None:
    result = score(list(labelled([
        _line("get_board", "Read"),
        _line("update_board", "Write", risk="high"),
        _line("create_board", "Read", "Write"),
        _line("list_boards", "Destructive"),
        _line("add_board", "Financial"),
    ])))  # fmt: skip

    assert (result.tools, result.exact, result.acceptable, result.same_risk) == (5, 2, 3, 1)
    assert (result.read, result.written, result.dangerous) == (1, 1, 2)
    assert (result.blocked, result.reads) == (1, 2)
    assert not result.good


def test_full_agreement_is_good() -> None:
    assert score(list(labelled([_line("get_board", "Read"), _line("delete_board", "Destructive")]))).good
