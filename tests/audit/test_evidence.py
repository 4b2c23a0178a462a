"""What is on record is what happened. `python -m tests.audit.run` does the same at length."""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from intercept.audit.reading import verify

from .evidence import calls, command, counted, killed, proxy, received
from .logs import records


@pytest.mark.parametrize("place", ["audit", "audit.jsonl"])
@pytest.mark.parametrize("seed", range(5))
def test_a_proxy_that_is_killed_leaves_every_call_that_reached_the_server_on_record(
    place: str, seed: int, tmp_path: Path
) -> None:
    """And so does the next one, which in a file goes on where the first one was killed."""
    for before in range(2):
        assert killed(tmp_path, tmp_path / place, random.Random(2 * seed + before), before=before).problem == ""


def test_there_are_as_many_decisions_as_calls_and_as_many_outcomes_as_allowed_ones(tmp_path: Path) -> None:
    found = counted(tmp_path, 1_000)

    assert found["decisions"] == found["calls"] == 1_000
    assert found["decision deny"] == 200
    assert found["decision allow"] == found["outcomes"] == found["received"] == 800
    assert found["outcome tool_error"] == sum(n % 7 == 0 and n % 5 != 0 for n in range(1, 1_001))


def ended(process: subprocess.Popen[bytes]) -> str:
    """End the session; what the operator was told."""
    assert process.stdin is not None
    assert process.stderr is not None
    process.stdin.close()
    told = process.stderr.read().decode()
    process.wait(30)
    return told


def answer(process: subprocess.Popen[bytes], data: bytes) -> list[dict[str, object]]:
    stdin, stdout = process.stdin, process.stdout
    assert stdin is not None
    assert stdout is not None
    stdin.write(data)
    stdin.flush()
    return [json.loads(stdout.readline()) for _ in data.splitlines()]


@pytest.mark.parametrize("options", [(), ("--audit-optional",)])
def test_on_a_full_disk_no_call_passes_unless_the_log_is_optional_and_room_heals_it(
    options: tuple[str, ...], tmp_path: Path
) -> None:
    audit = tmp_path / "audit"
    with proxy(command(tmp_path, audit, *options)) as process:
        answer(process, calls(1))
        (path,) = audit.iterdir()
        _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (path.stat().st_size + 10, hard))
        refused = answer(process, calls(3, first=11))
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (hard, hard))
        answer(process, calls(3, first=21))
        told = ended(process)
    assert process.returncode == 0

    texts = [body["result"]["content"] for body in refused]  # type: ignore[index]
    if options:
        assert texts == [[], [], []]
        assert len(received(tmp_path)) == 7
    else:
        assert all("the audit log cannot be written" in content[0]["text"] for content in texts)
        assert all(str(tmp_path) not in content[0]["text"] for content in texts)
        assert len(received(tmp_path)) == 4
    assert told.count("cannot write the audit log") == told.count("can be written again") == 1
    report = verify([str(audit)])
    assert report.faults == ()
    there = [json.loads(line) for line in path.read_bytes().splitlines() if b'"hash"' in line]
    recorded = sum(record["type"] in {"decision", "outcome"} for record in there)
    lost = sum(record.get("lost", 0) for record in there)
    # Seven decisions, and outcomes of what passed; those of the last calls may find room already.
    assert recorded + lost == 7 + len(received(tmp_path))
    assert lost >= 3


def test_a_place_that_cannot_be_written_ends_the_start_with_one_line_and_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with proxy(command(tmp_path, tmp_path / "file" / "audit")) as process:
        told = ended(process)
    assert process.returncode == 2

    assert told.count("\n") == 1
    assert "not a directory" in told
    assert "--audit DIRECTORY" in told


def test_a_session_is_recorded_where_the_platform_keeps_state_unless_told_otherwise(
    tmp_path: Path, state_directory: Path
) -> None:
    before = set((state_directory / "audit").glob("*"))
    default = command(tmp_path, tmp_path)
    at = default.index("--audit")
    with proxy(default[:at] + default[at + 2 :]) as process:
        answer(process, calls(1))
        told = ended(process)
    (path,) = set((state_directory / "audit").glob("*")) - before
    assert f"recording to {path}" in told
    assert [record["type"] for record in records(path)] == ["start", "decision", "outcome", "end"]

    off = [*default[:at], "--audit", "off", *default[at + 2 :]]
    with proxy(off) as process:
        answer(process, calls(1))
        assert "recording" not in ended(process)
    assert set((state_directory / "audit").glob("*")) - before == {path}


def test_no_secret_shows_anywhere_in_the_default_mode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted in values and names of arguments, in the environment, in the server's command, results and errors."""
    secret = "ghp_" + "S3cr" * 9
    plain = "correct horse battery staple"
    monkeypatch.setenv("SERVICE_TOKEN", secret)
    (tmp_path / "leaky.py").write_text(
        "import json, os, sys\n"
        "for line in sys.stdin:\n"
        "    m = json.loads(line)\n"
        "    if 'id' not in m: continue\n"
        "    text = os.environ['SERVICE_TOKEN'] + str(m)\n"
        "    body = {'error': {'code': 1, 'message': text}} if m['id'] == 2 else"
        " {'result': {'content': [{'type': 'text', 'text': text}]}}\n"
        "    print(json.dumps({'jsonrpc': '2.0', 'id': m['id'], **body}), flush=True)\n"
        '    if m[\'id\'] == 3: print(\'{"jsonrpc": "2.0", "id": 3, \' + text, flush=True)\n'
    )
    arguments = command(tmp_path, tmp_path / "audit")
    arguments = [*arguments[: arguments.index("--") + 1], sys.executable, str(tmp_path / "leaky.py")]
    arguments[arguments.index("--policy") + 1] = str(tmp_path / "policy.yaml")
    arguments += ["--token", secret]
    (tmp_path / "policy.yaml").write_text(
        "default: deny\ntools:\n  echo:\n    require: [{path: args.n, op: lt, value: 50}]\n"
        "    arguments: {properties: {n: {type: integer}}}\n    limits: [{max: 6, window: hour, per: args.to}]\n"
    )
    sent = [
        {"n": 1, "to": secret, "password": plain},
        {"n": 2, "to": plain, secret: 1},
        {"n": 3, "to": secret},
        {"n": 99, "to": secret, "note": plain},
        {"n": secret, "to": plain},
        {"n": 4, "to": [secret, plain]},
        *[{"n": 5, "to": secret}] * 8,
    ]
    bodies = [
        {"jsonrpc": "2.0", "id": n, "method": "tools/call", "params": {"name": "echo", "arguments": given}}
        for n, given in enumerate(sent, 1)
    ]
    denials = []
    with proxy(arguments) as process:
        for body in bodies:
            (found,) = answer(process, json.dumps(body).encode() + b"\n")
            if "_meta" in found.get("result", {}):  # type: ignore[operator]
                denials.append(json.dumps(found))
        answer(
            process,
            json.dumps(bodies[0] | {"id": 70, "params": {"name": "echo", "args": secret, "Name": plain}}).encode()
            + b"\n",
        )
        told = ended(process)
    (path,) = (tmp_path / "audit").iterdir()
    everything = path.read_text() + told + "".join(denials)

    assert len(denials) > 4
    assert secret not in everything
    assert plain not in everything
