"""Nothing a client can write makes a forbidden tool run, whatever the server behind the proxy makes of its input."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from .rawclient import ENVELOPE, Missing, RawClient, call, is_answer, line, proxy
from .upstreams import KINDS, ran, received
from .vectors import FREE, VECTORS, Expected, Outcome, Vector

pytestmark = pytest.mark.usefixtures("node_modules")

POLICIES: Final = {
    "others_denied": "default: deny\ntools:\n  safe: {}\n  echo: {}\n  hold: {}\n  release: {}\n",
    "others_allowed": "default: allow\nunknown_methods: allow\ntools:\n  danger: {action: deny, reason: Never.}\n",
}
"""Both forbid `danger`: one by not listing it, one by naming it and letting everything else pass."""

FIRST: Final = 1000
HONEST: Final = 250_000
TWO: Final = 500_000
LAST: Final = 750_000
LONG: Final = 1 << 20


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    """A file that lists what may run, and forbids `danger` by not listing it."""
    return _write(tmp_path, "others_denied")


@pytest.fixture(params=POLICIES)
def each_policy(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Both ways to forbid it, one after the other."""
    return _write(tmp_path, request.param)


@pytest.mark.parametrize("kind", KINDS)
def test_no_vector_runs_the_forbidden_tool_and_each_is_answered(kind: str, each_policy: Path, tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    faults: list[str] = []
    client = _start(kind, each_policy, tmp_path)
    stale: set[object] = set()
    for number, vector in enumerate(VECTORS, FIRST):
        if len(vector.template) > LONG and kind != "python_lines":
            continue  # the proxy's own limits, which no server has a part in
        try:
            # What the proxy says itself comes in order, so that a denial shows that nothing more is to come.
            client.send(vector.data(number) + b"\n" + call("safe", number + HONEST) + call("danger", number + LAST))
            before, honest = client.until(number + LAST, number + HONEST)
        except Missing as problem:
            faults.append(f"{vector.name}: {problem}")
            client.__exit__()
            client = _start(kind, each_policy, tmp_path)
            continue
        if "danger" in ran(journal):
            faults.append(f"{vector.name}: THE FORBIDDEN TOOL RAN")
            os.truncate(journal, 0)
        if "safe ran" not in json.dumps(honest):
            faults.append(f"{vector.name}: the honest call after it got {honest}")
        answers = [answer for frame in before if not _is_stale(answer := json.loads(frame), stale)]
        faults.extend(f"{vector.name}: {fault}" for fault in _compare(vector, number, answers))
        if vector.answers == FREE:
            stale |= {number, number + TWO, str(number)}
    with client:
        code = client.end()
    assert faults == []
    assert "danger" not in ran(journal)
    assert code == 0


def test_a_server_gets_nothing_but_the_canonical_form_of_what_was_judged(each_policy: Path, tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    with _start("python_lines", each_policy, tmp_path) as client:
        for number, vector in enumerate(VECTORS, FIRST):
            client.send(vector.data(number) + b"\n")
        client.send(call("safe", "last"))
        client.until("last", within=60)
        assert client.end() == 0

    lines = received(journal)
    messages = [json.loads(text, object_pairs_hook=_unique) for text in lines]
    for text, message in zip(lines, messages, strict=True):
        assert text == json.dumps(message, separators=(",", ":"), allow_nan=False).encode() + b"\n"
        assert set(message) <= {"jsonrpc", "id", "method", "params"}
        assert message["jsonrpc"] == "2.0"
        assert type(message.get("id", "")) in {int, str}
    called = [message["params"]["name"] for message in messages if message["method"] == "tools/call"]
    assert len(called) > 20
    assert "danger" not in called
    if each_policy.read_text(encoding="utf-8") == POLICIES["others_denied"]:
        assert set(called) == {"safe"}


def test_chunks_of_any_size_change_nothing(each_policy: Path, tmp_path: Path) -> None:
    chance = random.Random(7)
    small = [vector for vector in VECTORS if len(vector.template) < 4096]
    stream = b"".join(vector.data(number) + b"\n" for number, vector in enumerate(small, FIRST))
    with _start("python_lines", each_policy, tmp_path) as client:
        at = 0
        while at < len(stream):
            size = chance.choice((1, 2, 3, 7, 64, 500, 4096, 65_536))
            client.send(stream[at : at + size])
            at += size
        client.send(call("safe", "last"))
        _, honest = client.until("last")
        assert client.end() == 0
    assert "safe ran" in json.dumps(honest)
    assert "danger" not in ran(tmp_path / "journal")


HALF_LINES: Final[dict[str, tuple[bytes, int | None]]] = {
    # What stands at the end of the input without a newline, and the id that must be refused there.
    "a whole call": (call("danger", 7)[:-1], 7),
    "a whole call and CR": (call("danger", 7)[:-1] + b"\r", 7),
    "a call cut off": (call("danger", 7)[:-2], None),
    "a call cut off in a character": (
        b'{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"danger\xe2',
        None,
    ),
    "two calls": (call("danger", 8) + call("danger", 7)[:-1], 7),
    "a call with a key twice": (b'{"method":"ping",' + call("danger", 7)[1:-1], 7),
    "a batch": (b"[" + call("danger", 7)[:-1] + b"]", None),
    "a call after a CR": (b'{"x":1}\r' + call("danger", 7)[:-1], None),
    "UTF-16": (call("danger", 7)[:-1].decode().encode("utf-16"), None),
}


@pytest.mark.parametrize(
    ("kind", "ending"),
    [
        *((kind, ending) for kind in ("node_lines", "python_lines") for ending in HALF_LINES),
        *((kind, "a whole call") for kind in ("python_sdk", "typescript_sdk")),
    ],
)
def test_a_half_line_at_the_end_is_judged_like_any_other(kind: str, ending: str, policy: Path, tmp_path: Path) -> None:
    data, refused = HALF_LINES[ending]
    with _start(kind, policy, tmp_path) as client:
        client.send(call("safe", 1))
        client.until(1)
        client.send(data)
        client.close_input()
        frames = client.rest()
        assert client.process.wait(20) == 0
    assert "danger" not in ran(tmp_path / "journal")
    assert len([frame for frame in frames if _refuses(json.loads(frame), refused)]) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_an_allowed_call_without_a_last_newline_is_served(kind: str, policy: Path, tmp_path: Path) -> None:
    with _start(kind, policy, tmp_path) as client:
        client.send(call("safe", 1)[:-1])
        client.close_input()
        client.rest()
        assert client.process.wait(20) == 0
    assert ran(tmp_path / "journal") == ["safe"]


STARTS: Final[dict[str, bytes]] = {
    # Where a reader might guess the encoding of the stream from its first bytes.
    "UTF-16 with its mark": call("danger", 1)[:-1].decode().encode("utf-16") + b"\n",
    "a byte order mark": b"\xef\xbb\xbf" + call("danger", 1),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("start", STARTS)
def test_calls_before_any_handshake_are_judged(kind: str, start: str, policy: Path, tmp_path: Path) -> None:
    with _start(kind, policy, tmp_path, shake=False) as client:
        client.send(STARTS[start])
        client.send(call("danger", 2))
        client.send(line("tools/call", {"name": "danger", "arguments": {}, "_meta": ENVELOPE}, 3))
        client.send(b"[" + call("danger", 4)[:-1] + b"]\n")
        client.send(line("tools/call", {"name": "danger", "arguments": {}}))
        client.send(line("notifications/initialized") + call("danger", 5))
        client.send(b'{"jsonrpc":"2.0","id":6,"result":{}}\n' + call("danger", 6))
        assert "capabilities" in client.handshake()["result"]
        client.send(call("safe", 9))
        client.until(9)
        assert client.end() == 0
    assert ran(tmp_path / "journal") == ["safe"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_call_between_initialize_and_its_answer_is_judged(kind: str, policy: Path, tmp_path: Path) -> None:
    with _start(kind, policy, tmp_path, shake=False) as client:
        about = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "raw", "version": "1"}}
        client.send(line("initialize", about, 1) + call("danger", 2) + line("notifications/initialized"))
        client.send(call("danger", 3))
        client.until(3)
        client.send(call("safe", 4))
        client.until(4)
        assert client.end() == 0
    assert ran(tmp_path / "journal") == ["safe"]


@pytest.mark.parametrize("kind", ["python_sdk", "python_lines", "typescript_sdk"])
def test_a_stateless_session_is_judged_and_its_denials_are_complete(kind: str, policy: Path, tmp_path: Path) -> None:
    with _start(kind, policy, tmp_path, shake=False) as client:
        client.send(line("server/discover", {"_meta": ENVELOPE}, 1))
        client.until(1)
        client.send(line("tools/call", {"name": "danger", "arguments": {}, "_meta": ENVELOPE}, 2))
        _, denial = client.until(2)
        client.send(call("danger", 3))
        client.until(3)
        client.send(line("tools/call", {"name": "safe", "arguments": {}, "_meta": ENVELOPE}, 4))
        client.until(4)
        assert client.end() == 0
    assert ran(tmp_path / "journal") == ["safe"]
    assert denial["result"]["isError"] is True
    assert denial["result"]["resultType"] == "complete"


@pytest.mark.parametrize("kind", KINDS)
def test_no_spelling_of_an_id_in_flight_lets_a_second_call_in(kind: str, policy: Path, tmp_path: Path) -> None:
    copies = (7, "7", " 7 ", "7 ", "07", "+7", "0x7", "7.0", "7e0", "0b111", "0o7", "\u0667", "0_7", "\n7", "\ufeff7")
    with _start(kind, policy, tmp_path) as client:
        client.send(call("hold", 7))
        for copy in copies:
            client.send(call("safe", copy))
        client.send(b"".join(call("danger", copy) for copy in copies))
        client.send(call("release", "release") + call("danger", "last"))
        before, _ = client.until("release", "last")
        if not any(is_answer(frame, 7) and b"ran" in frame for frame in before):
            client.until(7)
        assert client.end() == 0
    tools = ran(tmp_path / "journal")
    assert "danger" not in tools
    assert "safe" not in tools
    refused = [json.loads(frame) for frame in before]
    for copy in copies:
        refusals = [one for one in refused if _refuses(one, copy)]
        assert len(refusals) == 2, copy


@pytest.mark.parametrize("kind", KINDS)
def test_a_cancelled_id_opens_no_way_in(kind: str, policy: Path, tmp_path: Path) -> None:
    cancel = line("notifications/cancelled", {"requestId": 7})
    with _start(kind, policy, tmp_path) as client:
        client.send(call("hold", 7) + cancel + call("danger", 7) + cancel + call("danger", "7") + cancel)
        client.send(call("release", 8))
        client.until(8)
        client.send(call("safe", 9))
        client.until(9)
        assert client.end() == 0
    assert "danger" not in ran(tmp_path / "journal")


LIVE: Final[dict[str, tuple[int, set[str]]]] = {
    "python_sdk": (80, {"plain call", "CR splits one line into three", "method and result", "NaN", "id 2^64+1"}),
    "typescript_sdk": (75, {"plain call", "id 1.0", "name twice: safe, danger", "lone surrogate in the arguments"}),
    "node_lines": (150, {"plain call", "CR splits the arguments", "batch in a batch", "__proto__ instead of a name"}),
    "python_lines": (320, {"plain call", "UTF-16LE", "key Method alone", "two documents", "U+2028 between tokens"}),
}
"""How many vectors at least, and some by name, run the forbidden tool of each server when no proxy is before it."""


@pytest.mark.parametrize("kind", KINDS)
def test_without_the_proxy_the_same_bytes_do_run_the_tool(kind: str, tmp_path: Path) -> None:
    """The oracle sees what it must see: otherwise every test above would pass for the wrong reason."""
    journal = tmp_path / "journal"
    hit: set[str] = set()
    with RawClient([*KINDS[kind], str(journal)], tmp_path / "stderr") as client:
        client.handshake()
        for number, vector in enumerate(VECTORS, FIRST):
            if len(vector.template) > LONG:
                continue
            client.send(vector.data(number) + b"\n" + call("safe", number + HONEST))
            client.until(number + HONEST)
            if "danger" in ran(journal):
                hit.add(vector.name)
                os.truncate(journal, 0)
    least, known = LIVE[kind]
    assert known <= hit
    assert len(hit) >= least


def _write(folder: Path, name: str) -> Path:
    path = folder / "policy.yaml"
    path.write_text(POLICIES[name], encoding="utf-8")
    return path


def _start(kind: str, policy: Path, folder: Path, *, shake: bool = True) -> RawClient:
    client = RawClient(proxy(policy, *KINDS[kind], str(folder / "journal")), folder / "stderr")
    if shake:
        client.handshake()
    return client


def _is_stale(message: dict[str, Any], ids: set[object]) -> bool:
    """A notification of the upstream's own, or a late answer to something earlier whose answer did not matter."""
    return "method" in message or (isinstance(found := message.get("id"), int | str) and found in ids)


def _compare(vector: Vector, number: int, answers: Sequence[dict[str, Any]]) -> Iterator[str]:
    if vector.answers == FREE:
        return
    if vector.answers is None:
        if any(not _is(answer, Expected(Outcome.UNREAD), number) for answer in answers):
            yield f"expected silence or an error without id, got {_short(answers)}"
        return
    assert isinstance(vector.answers, tuple)
    if len(answers) != len(vector.answers) or not all(
        _is(answer, expected, number) for answer, expected in zip(answers, vector.answers, strict=True)
    ):
        wanted = [(str(e.outcome), e.code) for e in vector.answers]
        yield f"expected {wanted}, got {_short(answers)}"


def _is(answer: dict[str, Any], expected: Expected, number: int) -> bool:
    wanted = json.loads(Vector.fill(expected.id.encode(), number))
    same = type(answer.get("id")) is type(wanted) and answer.get("id") == wanted
    code = answer.get("error", {}).get("code")
    error = "result" not in answer and isinstance(code, int) and expected.code in (None, code)
    match expected.outcome:
        case Outcome.DENIED:
            return same and _is_denial(answer)
        case Outcome.ERROR:
            return same and error
        case Outcome.REFUSED:
            return same and (error or _is_denial(answer))
        case Outcome.UNREAD:
            return answer.get("id") is None and error
        case Outcome.REJECTED:
            return (same or answer.get("id") is None) and (error or _is_denial(answer))
        case Outcome.SERVED:
            return same and "safe ran" in json.dumps(answer.get("result"))


def _is_denial(answer: dict[str, Any]) -> bool:
    result = answer.get("result", {})
    decision = result.get("_meta", {}).get("intercept/decision", {})
    return (
        result.get("isError") is True
        and [block["type"] for block in result["content"]] == ["text"]
        and "structuredContent" not in result
        and decision.get("decision") == "deny"
    )


def _refuses(answer: dict[str, Any], id: object) -> bool:  # noqa: A002
    found = answer.get("id")
    return type(found) is type(id) and found == id and ("error" in answer or _is_denial(answer))


def _short(answers: Sequence[dict[str, Any]]) -> str:
    return json.dumps(answers)[:400]


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)
