"""Runs the official conformance suite against a stdio command, behind a bridge that offers it over HTTP."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parents[2]

FIXTURE: Final = (sys.executable, "-m", f"{__package__}.fixture_server")
"""The command of the fixture server, to be run in `ROOT`."""

RUN_DEADLINE: Final = 480
"""Seconds for one run: nearly all of it is 32 starts of a Python server, so a busy machine makes it long."""

BRIDGE_DEADLINE: Final = 15
"""Seconds for the bridge to end its sessions: three times the five that the slowest of them may take."""

Check: TypeAlias = dict[str, object]


@dataclass(frozen=True, slots=True)
class Findings:
    """What one run of the suite reported."""

    checks: dict[str, list[Check]]
    """By scenario, without what differs between any two runs."""

    def with_status(self, status: str) -> list[tuple[str, object]]:
        """Return scenario and id of the checks that ended as `status`."""
        return [
            (scenario, check["id"])
            for scenario, checks in self.checks.items()
            for check in checks
            if check["status"] == status
        ]


@dataclass(frozen=True, slots=True)
class Suite:
    """One version of the suite's npm package, and what is needed to run it."""

    node: str
    """A Node >= 22."""
    program: Path
    bridge: Path
    """The bridge for the protocol era of this version."""

    def examine(self, command: tuple[str, ...], reports: Path, *options: str) -> Findings:
        """Run the suite against the stdio server `command`; `reports` is a new directory for what it writes."""
        reports.mkdir()
        with self._offered_over_http(command) as url:
            run = subprocess.run(
                [self.node, self.program, "server", "--url", url, "--output-dir", str(reports), *options],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                timeout=RUN_DEADLINE,
                check=False,
            )
        findings = Findings({_scenario(folder): _read_checks(folder, url) for folder in reports.iterdir()})
        assert findings.checks, f"the suite examined nothing: {run.stderr}"
        return findings

    def examine_both(self, policy: str, reports: Path, *options: str) -> tuple[Findings, Findings]:
        """Examine the fixture server without and with the proxy, in that order, both at the same time."""
        with ThreadPoolExecutor() as pool:
            direct = pool.submit(self.examine, FIXTURE, reports / "direct", *options)
            proxied = pool.submit(self.examine, through_the_proxy(policy), reports / "proxied", *options)
        return direct.result(), proxied.result()

    @contextmanager
    def _offered_over_http(self, command: tuple[str, ...]) -> Iterator[str]:
        """Run the bridge in front of `command`; yield its URL; leave no process behind."""
        bridge = subprocess.Popen(
            [self.node, self.bridge, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        with bridge:
            try:
                assert bridge.stdout is not None
                yield bridge.stdout.readline().strip()
                bridge.communicate(timeout=BRIDGE_DEADLINE)
            finally:
                bridge.kill()
        assert bridge.returncode == 0


def through_the_proxy(policy: str) -> tuple[str, ...]:
    """Return the command of the fixture server behind the proxy with the policy file `policy` of this folder."""
    return (sys.executable, "-m", "intercept", "--audit", "off", "--policy", str(HERE / policy), "--", *FIXTURE)


def _scenario(folder: Path) -> str:
    match = re.fullmatch(r"server-(.+)-\d{4}-\d\d-\d\dT[\d-]+Z", folder.name)
    assert match, folder.name
    return match[1]


def _read_checks(folder: Path, url: str) -> list[Check]:
    """Return the checks of one scenario that judge something.

    Those with status INFO only record the HTTP exchange, whose dates and session ids are the bridge's own.
    """
    file = folder / "checks.json"
    if not file.exists():
        return [{"id": "the scenario broke off", "status": "FAILURE"}]
    report = file.read_text(encoding="utf-8")
    report = report.replace(url.removeprefix("http://").removesuffix("/mcp"), "the-bridge")
    report = re.sub(r'(?<=subscriptionId": )\d+', '"the time of the request"', report)
    checks: list[Check] = json.loads(report)
    return [
        {key: value for key, value in check.items() if key != "timestamp"}
        for check in checks
        if check["status"] != "INFO"
    ]
