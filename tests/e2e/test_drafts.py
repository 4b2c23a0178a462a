"""Policies that `intercept scan` drafts for real servers are fine, and the servers work behind them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..bench.live_scan import SERVERS, Real, check

PROGRAMS = Path(__file__).resolve().parent / "node/node_modules/.bin"


@pytest.mark.parametrize("server", [each for each in SERVERS if each.program.endswith(("-filesystem", "-memory"))])
def test_a_real_server_works_behind_its_draft(server: Real, tmp_path: Path) -> None:
    (tmp_path / "repository").mkdir()

    outcome = check(tmp_path, server, PROGRAMS)

    assert outcome.problems == []
    assert outcome.tools >= 9
