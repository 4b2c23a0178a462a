"""The official conformance suite for 2026-07-28 finds the same through the proxy as without it.

That version of the suite is only published as a preview, so this runs by hand, in a few seconds:

    npm install --no-save --prefix tests/e2e/node \
        conformance-modern@npm:@modelcontextprotocol/conformance@0.2.0-alpha.12
    pytest tests/e2e/conformance/modern.py

The suite counts more than the fixture server and the bridge have to offer: the tasks extension and the rules for
HTTP headers. Those scenarios are run and compared like all others, but need not pass.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from .suite import HERE, Findings, Suite


@pytest.fixture(scope="module")
def findings(node22: str, node_modules: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Findings, Findings]:
    """What the suite found without and with the proxy, in that order."""
    suite = Suite(node22, node_modules / "conformance-modern" / "dist" / "index.js", HERE / "bridge_modern.mjs")
    reports = tmp_path_factory.mktemp("conformance")
    return suite.examine_both("allow-all.yaml", reports, "--requirements", "2026-07-28")


def test_the_fixture_server_alone_passes_what_a_stdio_server_can(findings: tuple[Findings, Findings]) -> None:
    direct, _ = findings

    failed = direct.with_status("FAILURE")
    assert [found for found in failed if not found[0].startswith(("tasks-", "http-"))] == [
        # The Python SDK answers `initialize` with the versions it supports, as its stdio server must.
        ("server-stateless", "sep-2575-http-server-method-not-found-404-initialize"),
    ]
    assert len(direct.checks) >= 50
    assert len(direct.with_status("SUCCESS")) >= 144


def test_the_suite_finds_the_same_through_the_proxy(findings: tuple[Findings, Findings]) -> None:
    direct, proxied = findings

    assert proxied.checks == direct.checks
