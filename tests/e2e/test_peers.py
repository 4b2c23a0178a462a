"""Real clients and real servers cannot tell that the proxy is between them.

Every client runs the same script against every server twice at once: alone, and through the proxy under a
policy that allows everything. Taps record what passes at both ends of the proxy.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from intercept.values import Json

from .peers.driving import CLIENTS, Client, Run, run
from .peers.scenarios import SERVERS, Server, call
from .peers.transcripts import alike, carried, seen_alike, settled

POLICY = 'version: "1"\ndefault: allow\n'


def converse(client: Client, server: Server, folder: Path, *proxy: str) -> Run:
    """One run of the server's script in a new folder, alone or behind the proxy."""
    work = folder / "work"
    work.mkdir(parents=True)
    server.prepare(work)
    return run(
        client,
        server.command(work),
        server.steps(work),
        folder=folder,
        proxy=proxy,
        environment=server.environment(work),
        elicited=server.elicited,
    )


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.name)
@pytest.mark.usefixtures("node_modules")
def test_nobody_can_tell_that_the_proxy_is_there(client: Client, server: Server, tmp_path: Path) -> None:
    policy = tmp_path / "allow.yaml"
    policy.write_text(POLICY, encoding="utf-8")
    audit = str(policy.parent / "audit")
    intercept = (sys.executable, "-m", "intercept", "--policy", str(policy), "--audit", audit)
    with ThreadPoolExecutor() as both:
        started = (
            both.submit(converse, client, server, tmp_path / "direct"),
            both.submit(converse, client, server, tmp_path / "proxied", *intercept),
        )
        direct, proxied = (future.result() for future in started)

    modern = client.speaks_modern and server.modern_events is not None
    assert direct.protocol == ("2026-07-28" if modern else "2025-11-25")
    told = server.modern_events if modern else server.legacy_events
    assert told is not None
    assert told <= direct.events
    assert all("result" in line for line in direct.steps if line["do"] in {"connect", "list_tools", "await"})

    assert carried(proxied.outer, proxied.inner) == []
    folders = (tmp_path / "direct", tmp_path / "proxied")
    assert seen_alike(direct.seen, proxied.seen, folders) == []
    assert alike(direct.outer, proxied.outer, folders) == []


def environment_seen(folder: Path, *proxy: str) -> Json:
    """The variables that server-everything finds when the client gives it only those that the SDKs pass."""
    (everything,) = [server for server in SERVERS if server.name == "everything"]
    (sdk,) = [client for client in CLIENTS if client.kind == "sdk"]
    (folder / "work").mkdir(parents=True)
    seen = run(sdk, everything.command(folder), [call("get-env")], folder=folder, proxy=proxy).steps[-1]
    return settled(seen, ())


@pytest.mark.usefixtures("node_modules")
def test_the_server_gets_the_environment_that_the_client_gave(tmp_path: Path) -> None:
    policy = tmp_path / "allow.yaml"
    policy.write_text(POLICY, encoding="utf-8")
    audit = str(policy.parent / "audit")
    intercept = (sys.executable, "-m", "intercept", "--policy", str(policy), "--audit", audit)
    direct = environment_seen(tmp_path / "direct")
    assert "PATH" in str(direct)
    assert environment_seen(tmp_path / "proxied", *intercept) == direct
