"""What a proxy costs, seen from outside: `python -m tests.bench.relay [SUBJECT...]`.

Every sample of a subject stands between two samples of its baseline (no proxy; two `cat` processes for large
results) that were taken milliseconds before and after it, and is compared with these two: a machine that
others use too slows all three alike. Each round starts new processes; figures are medians over the samples of
all rounds. README.md says how to read them.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import os
import shlex
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from . import budgets
from .budgets import Spread, measured
from .connection import Connection, WrongAnswerError, at_most
from .subjects import CAT, DIRECT, OURS, SUBJECTS, UPSTREAM, Subject, server_everything

FAILURES = (OSError, EOFError, TimeoutError, ValueError, KeyError, WrongAnswerError)
"""What a peer may do wrong without ending the run: its figure is missing then."""

clock = time.perf_counter


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured."""

    rounds: int = 3
    """New processes each."""
    blocks: int = 10
    """Samples of each figure in a round."""
    calls: int = 100
    """Calls one after the other in a sample."""
    pipelined: int = 3000
    """Calls written without waiting in a sample."""
    starts: int = 5
    """Starts in a round."""
    megabytes: int = 10
    """Size of a large result; one a round and form is measured after one to warm up."""
    soak: int = 200_000
    """Calls over which memory may grow; once."""
    reloads: int = 3
    """Hot reloads; in the last round."""


@dataclass(slots=True)
class Results:
    """All samples, by figure and subject: what was measured, and the baseline's mean before and after it."""

    samples: dict[tuple[str, str], list[tuple[float, float | None]]] = field(default_factory=dict)
    failures: dict[tuple[str, str], str] = field(default_factory=dict)

    def add(self, figure: str, subject: str, value: float, baseline: float | None = None) -> None:
        self.samples.setdefault((figure, subject), []).append((value, baseline))

    def fail(self, figure: str, subject: str, error: Exception) -> None:
        self.failures[figure, subject] = repr(error)[:200]

    def value(self, figure: str, subject: str) -> Spread | None:
        return self._spread(figure, subject, lambda value, _: value)

    def ratio(self, figure: str, subject: str) -> Spread | None:
        return self._spread(figure, subject, lambda value, baseline: value / baseline if baseline else None)

    def extra(self, figure: str, subject: str) -> Spread | None:
        return self._spread(figure, subject, lambda value, base: None if base is None else value - base)

    def _spread(self, figure: str, subject: str, view: Callable[[float, float | None], float | None]) -> Spread | None:
        seen = [view(value, baseline) for value, baseline in self.samples.get((figure, subject), ())]
        numbers = [one for one in seen if one is not None]
        return Spread.of(numbers) if numbers else None


@dataclass(slots=True)
class Lane:
    """A subject with its running processes."""

    subject: Subject
    work: Path
    connection: Connection

    @classmethod
    def open(cls, subject: Subject, upstream: tuple[str, ...] = UPSTREAM) -> Lane:
        """Start the subject; returns when it has listed its tools."""
        work = Path(tempfile.mkdtemp(prefix="bench-"))
        with at_most(60):
            connection = subject.open(work, upstream)
            connection.handshake("echo")
        return cls(subject, work, connection)

    def reopen(self) -> None:
        self.connection.close()
        fresh = Lane.open(self.subject)
        shutil.rmtree(self.work, ignore_errors=True)
        self.work, self.connection = fresh.work, fresh.connection

    def close(self) -> None:
        self.connection.close()
        shutil.rmtree(self.work, ignore_errors=True)


Measure = Callable[[Lane, Effort], float]


@contextlib.contextmanager
def quiet_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def check(line: bytes, number: int, *, denied: bool = False) -> None:
    message = json.loads(line)
    refused = "error" in message or message["result"].get("isError") is True
    if message["id"] != number or refused is not denied:
        raise WrongAnswerError(f"{'denial' if denied else 'answer'} {number}: {message}"[:300])


def one_by_one(lane: Lane, effort: Effort, tool: str = "echo") -> list[float]:
    """Seconds from writing a call to having read its answer, one call at a time."""
    connection = lane.connection
    calls = [connection.call_bytes(tool, {"message": f"hello {n}"}) for n in range(effort.calls)]
    taken, answers = [], []
    with quiet_collector(), at_most(60):
        for _, call in calls:
            before = clock()
            connection.write(call)
            answers.append(connection.answer_line())
            taken.append(clock() - before)
    for (number, _), answer in zip(calls, answers, strict=True):
        check(answer, number, denied=tool == "danger" and lane.subject.enforces)
    return taken


def round_trip(lane: Lane, effort: Effort) -> float:
    return statistics.median(one_by_one(lane, effort)) * 1e6


def near_slowest(lane: Lane, effort: Effort) -> float:
    return sorted(one_by_one(lane, effort))[-1 - effort.calls // 100] * 1e6


def denial(lane: Lane, effort: Effort) -> float:
    return statistics.median(one_by_one(lane, effort, "danger")) * 1e6


def processor(lane: Lane, effort: Effort) -> float:
    before = lane.connection.processor_time()
    one_by_one(lane, effort)
    return (lane.connection.processor_time() - before) / effort.calls * 1e6


def pipelined(lane: Lane, effort: Effort) -> float:
    connection = lane.connection
    calls = [connection.call_bytes("echo", {"message": f"hello {n}"}) for n in range(effort.pipelined)]
    together = b"".join(call for _, call in calls)
    writer = threading.Thread(target=connection.write_all, args=(together,), daemon=True)
    with quiet_collector(), at_most(60):
        before = clock()
        writer.start()
        answers = connection.answer_lines(len(calls))
        taken = clock() - before
        writer.join()
    if sorted(json.loads(answer)["id"] for answer in answers) != [number for number, _ in calls]:
        raise WrongAnswerError("not every pipelined call was answered exactly once")
    return len(calls) / taken


def echo_mebibyte(lane: Lane, _effort: Effort) -> float:
    text = "x" * (1 << 20)
    answer, taken = timed_call(lane.connection, "echo", {"message": text})
    if text not in answer.decode():
        raise WrongAnswerError("1 MiB of text came back changed")
    return taken * 1e3


def large_result(form: str) -> Measure:
    def measure(lane: Lane, effort: Effort) -> float:
        arguments = {"bytes": effort.megabytes * 1_000_000, "form": form}
        return timed_call(lane.connection, "result", arguments)[1] * 1e3

    return measure


def timed_call(connection: Connection, tool: str, arguments: dict[str, object]) -> tuple[bytes, float]:
    number, call = connection.call_bytes(tool, arguments)
    with quiet_collector(), at_most(10):
        before = clock()
        connection.write(call)
        answer = connection.answer_line()
        taken = clock() - before
    check(answer, number)
    return answer, taken


SMALL: dict[str, Measure] = {
    "round trip": round_trip,
    "p99": near_slowest,
    "denied": denial,
    "processor a call": processor,
    "pipelined": pipelined,
}
LARGE: dict[str, Measure] = {"1 MiB echo": echo_mebibyte}
RESULTS: dict[str, Measure] = {
    "large text": large_result("text"),
    "large JSON text": large_result("json"),
    "large rows": large_result("rows"),
}


def alternate(
    figure: str,
    measure: Measure,
    baseline: Lane,
    lanes: Sequence[Lane],
    effort: Effort,
    blocks: int,
    results: Results,
) -> None:
    """Take `blocks` samples of each lane, each between two of the baseline, after one to warm it up."""
    measure(baseline, effort)
    for block in range(-1, blocks):
        before = measure(baseline, effort)
        for lane in lanes:
            name = lane.subject.name
            if (figure, name) in results.failures:
                continue
            try:
                sample = measure(lane, effort)
            except FAILURES as error:
                results.fail(figure, name, error)
                lane.reopen()
                continue
            after = measure(baseline, effort)
            if block >= 0:
                results.add(figure, name, sample, (before + after) / 2)
                results.add(figure, baseline.subject.name, after)
            before = after


def measure_starts(
    subjects: Sequence[Subject], upstream: tuple[str, ...], figure: str, effort: Effort, results: Results
) -> None:
    """ms from spawning to the first answer to `tools/list`; processor time used until the proxy rests."""

    def start(subject: Subject) -> float:
        work = Path(tempfile.mkdtemp(prefix="bench-"))
        try:
            with at_most(60):
                before = clock()
                connection = subject.open(work, upstream)
                try:
                    connection.handshake("echo")
                    taken = clock() - before
                    if subject.enforces:
                        results.add(f"{figure}: processor", subject.name, settled(connection) * 1e3)
                finally:
                    connection.close()
        finally:
            shutil.rmtree(work, ignore_errors=True)
        return taken * 1e3

    start(DIRECT)
    for _ in range(effort.starts):
        before = start(DIRECT)
        for subject in subjects:
            try:
                sample = start(subject)
            except FAILURES as error:
                results.fail(figure, subject.name, error)
                continue
            after = start(DIRECT)
            results.add(figure, subject.name, sample, (before + after) / 2)
            results.add(figure, DIRECT.name, after)
            before = after


def settled(connection: Connection) -> float:
    """Seconds of processor time once nothing was used for 100 ms: work after the first answer counts too."""
    used = connection.processor_time()
    while True:
        time.sleep(0.1)
        before, used = used, connection.processor_time()
        if used - before < 0.001:
            return used


def measure_growth(lane: Lane, effort: Effort, results: Results) -> None:
    """MB by which the proxy's memory grew over `effort.soak` calls, after 20,000 that warm it up."""
    batch = Effort(pipelined=5000)
    for _ in range(4):
        pipelined(lane, batch)
    before = lane.connection.memory("VmRSS")
    for _ in range(effort.soak // batch.pipelined):
        pipelined(lane, batch)
    results.add("memory growth", lane.subject.name, lane.connection.memory("VmRSS") - before)


def measure_reload(lane: Lane, effort: Effort, results: Results) -> None:
    """ms from saving the policy to the first call judged by it; the slowest call until 0.5 s later."""
    policy = lane.work / "policy.yaml"
    text = policy.read_text()
    closed = text.replace("  tool_0000: {}\n", "  tool_0000: {action: deny, reason: closed}\n")
    for reload in range(effort.reloads):
        denies = reload % 2 == 0
        calm = calls_until(lane, clock() + 0.5, lambda _: False)
        (lane.work / "new.yaml").write_text(closed if denies else text)
        os.replace(lane.work / "new.yaml", policy)
        saved = clock()
        switch = calls_until(lane, saved + 10, denies.__eq__)
        judged = clock() - saved
        after = calls_until(lane, clock() + 0.5, lambda _: False)
        results.add("reload", lane.subject.name, judged * 1e3)
        results.add("slowest call in a reload", lane.subject.name, max(switch, after) * 1e3, calm * 1e3)


def calls_until(lane: Lane, end: float, stop: Callable[[bool], bool]) -> float:
    """Call `tool_0000` until `stop(refused)` or the clock says `end`; the slowest call in seconds."""
    slowest = 0.0
    with at_most(60):
        while (before := clock()) < end:
            number, call = lane.connection.call_bytes("tool_0000", {"message": "?"})
            lane.connection.write(call)
            message = json.loads(lane.connection.answer_line())
            slowest = max(slowest, clock() - before)
            if message["id"] != number:
                raise WrongAnswerError(f"answer {message['id']} for {number}")
            if stop(message["result"]["isError"]):
                break
    return slowest


def measure_round(subjects: Sequence[Subject], effort: Effort, results: Results, *, last: bool) -> None:
    measure_starts(subjects, UPSTREAM, "start", effort, results)
    direct = Lane.open(DIRECT)
    lanes = []
    for subject in subjects:
        try:
            lanes.append(Lane.open(subject))
        except FAILURES as error:
            results.fail("start", subject.name, error)
    for figure, measure in SMALL.items():
        alternate(figure, measure, direct, lanes, effort, effort.blocks, results)
    for lane in lanes:
        results.add("memory", lane.subject.name, lane.connection.memory("VmRSS"))
    for figure, measure in LARGE.items():
        alternate(figure, measure, direct, lanes, effort, effort.blocks, results)
    if effort.megabytes:
        cat = Lane.open(CAT)
        others = [lane for lane in lanes if lane.subject is not CAT]
        for figure, measure in RESULTS.items():
            alternate(figure, measure, cat, others, effort, min(3, effort.blocks), results)
        cat.close()
    for lane in lanes:
        results.add("highest memory", lane.subject.name, lane.connection.memory("VmHWM"))
    if last:
        for lane in lanes:
            if lane.subject.name.startswith(OURS.name):
                lane.reopen()
                measure_reload(lane, effort, results)
                if effort.soak:
                    measure_growth(lane, effort, results)
    for lane in (direct, *lanes):
        lane.close()


def measure_node_starts(subjects: Sequence[Subject], effort: Effort, results: Results) -> None:
    if everything := server_everything():
        measure_starts(subjects, everything, "start before server-everything", effort, results)


FIGURES = (
    ("start", "ms"),
    ("start: processor", "ms"),
    ("start before server-everything", "ms"),
    ("round trip", "µs"),
    ("p99", "µs"),
    ("denied", "µs"),
    ("processor a call", "µs"),
    ("pipelined", "calls/s"),
    ("1 MiB echo", "ms"),
    ("large text", "ms"),
    ("large JSON text", "ms"),
    ("large rows", "ms"),
    ("memory", "MB"),
    ("highest memory", "MB"),
    ("memory growth", "MB"),
)


def subject_table(subjects: Sequence[str], results: Results) -> str:
    """A row a figure, a column a subject: the median, and its ratio to the baseline beside it."""
    rows = []
    for figure, unit in FIGURES:
        row = [f"{figure}, {unit}"]
        for subject in subjects:
            value, ratio = results.value(figure, subject), results.ratio(figure, subject)
            text = "failed" if (figure, subject) in results.failures else ""
            if value is not None:
                text = budgets.number(value.median)
            if ratio is not None:
                text += f" ({ratio.median:.2f}x)"
            row.append(text)
        rows.append(row)
    return budgets.markdown(["", *subjects], rows)


def against_budgets(subject: str, effort: Effort, results: Results) -> str:
    found = {
        "round trip to direct": results.ratio("round trip", subject),
        "pipelined": results.value("pipelined", subject),
        "1 MiB echo to direct": results.ratio("1 MiB echo", subject),
        "10 MB result (text) to two `cat`": results.ratio("large text", subject),
        "10 MB result (JSON in text) to two `cat`": results.ratio("large JSON text", subject),
        "start before a server that boots in 20 ms, over direct": results.extra("start", subject),
        "start before server-everything, over direct": results.extra("start before server-everything", subject),
        "processor time of a start": results.value("start: processor", subject),
        "memory in steady state": results.value("memory", subject),
        "hot reload, from saving to the first call judged by it": results.value("reload", subject),
        "slowest call during a hot reload": results.value("slowest call in a reload", subject),
    }
    if effort.soak == 1_000_000:
        found["memory growth over 1,000,000 calls"] = results.value("memory growth", subject)
    return budgets.comparison(budgets.relay(subject), {figure: spread for figure, spread in found.items() if spread})


def run(subjects: Sequence[Subject], effort: Effort) -> Results:
    results = Results()
    with contextlib.suppress(KeyboardInterrupt):  # a long run that was ended early still says what it saw
        for n in range(effort.rounds):
            measure_round(subjects, effort, results, last=n == effort.rounds - 1)
            nearest = [subject for subject in subjects if subject.name in {CAT.name, OURS.name}]
            measure_node_starts(nearest, effort, results)
            print(f"round {n + 1} of {effort.rounds} done", file=sys.stderr)
    return results


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.relay", description=__doc__.splitlines()[0] if __doc__ else None
    )
    parser.add_argument(
        "subjects", nargs="*", metavar="SUBJECT", help=f"of {', '.join(SUBJECTS)}; default: all installed"
    )
    parser.add_argument("--out", type=Path, help="write every sample here as JSON")
    parser.add_argument(
        "--also",
        action="append",
        default=[],
        metavar="NAME=COMMAND",
        help="another proxy; the server's command follows",
    )
    defaults = asdict(Effort())
    for option in fields(Effort):
        parser.add_argument(f"--{option.name}", type=int, default=defaults[option.name], metavar="N")
    arguments = vars(parser.parse_args())
    names, out = arguments.pop("subjects"), arguments.pop("out")
    others = [
        Subject(name, tuple(shlex.split(command)), enforces=False)
        for name, _, command in (other.partition("=") for other in arguments.pop("also"))
    ]
    if unknown := set(names) - set(SUBJECTS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(SUBJECTS)}")
    subjects = [subject for name, subject in SUBJECTS.items() if (name in names if names else subject.installed())]
    subjects += others
    effort = Effort(**arguments)
    results = run(subjects, effort)
    columns = [DIRECT.name, *(subject.name for subject in subjects)]
    print(measured())
    print(subject_table(columns, results))
    for subject in columns:
        if subject.startswith(OURS.name):
            print(f"\n`{subject}` against the budgets:\n\n{against_budgets(subject, effort, results)}")
    for (figure, subject), error in results.failures.items():
        print(f"\n{subject} failed at {figure}: {error}")
    if out:
        samples = [{"figure": f, "subject": s, "samples": v} for (f, s), v in results.samples.items()]
        out.write_text(json.dumps(samples, indent=1))


if __name__ == "__main__":
    main()
