"""The official conformance suite finds the same through the proxy as without it.

The suite runs twice at protocol version 2025-11-25 against the fixture server, once directly and once through
the proxy with a policy that allows everything. What it found is compared check by check: the verdict, and what
the suite saw of results, schemas, log messages and progress. `modern.py` does the same for 2026-07-28.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from .suite import HERE, Findings, Suite, through_the_proxy


@pytest.fixture(scope="module")
def suite(node22: str, node_modules: Path) -> Suite:
    program = node_modules / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"
    return Suite(node22, program, HERE / "bridge.mjs")


@pytest.fixture(scope="module")
def findings(suite: Suite, tmp_path_factory: pytest.TempPathFactory) -> tuple[Findings, Findings]:
    """What the suite found without and with the proxy, in that order."""
    return suite.examine_both("allow-all.yaml", tmp_path_factory.mktemp("conformance"), "--suite", "all")


def test_the_fixture_server_alone_passes_every_scenario(findings: tuple[Findings, Findings]) -> None:
    direct, _ = findings

    assert direct.with_status("FAILURE") == []
    assert len(direct.checks) >= 32
    assert len(direct.with_status("SUCCESS")) >= 44


def test_the_suite_finds_the_same_through_the_proxy(findings: tuple[Findings, Findings]) -> None:
    direct, proxied = findings

    assert proxied.checks == direct.checks


def test_the_suite_notices_a_proxy_that_refuses_a_tool(suite: Suite, tmp_path: Path) -> None:
    """Without this the comparison would also hold if the proxy had been left out of both runs."""
    proxy = through_the_proxy("deny-one.yaml")

    refused = suite.examine(proxy, tmp_path / "refused", "--scenario", "tools-call-image")

    [check] = refused.checks["tools-call-image"]
    assert check["status"] == "FAILURE"
    assert check["details"] == {"hasData": False}, "the call itself should have been answered"
