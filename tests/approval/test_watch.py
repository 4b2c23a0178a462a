"""The live view of what waits: what is on the screen, and what keys do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from intercept.approval.record import Record, State
from intercept.approval.watch import HELP, Watch, Wish, standing
from intercept.policy import ToolCall

NOW = 1_000.0
DOWN, UP = "\x1b[B", "\x1b[A"


def record(name: str, **arguments: int) -> Record:
    uses = (ToolCall("pay", dict(arguments)),)
    return Record(name, "me", "0123456789abcdef", uses, "bank", "Look at it.", "p", NOW, NOW + 240, 300.0)


def view(*records: Record) -> Watch:
    watch = Watch()
    watch.show(records, NOW)
    return watch


def selected(watch: Watch) -> str:
    assert watch.selected is not None
    return watch.selected.id


def screen(watch: Watch, width: int = 80, height: int = 24) -> list[str]:
    return watch.lines(NOW, width, height)


def test_everything_about_the_selected_one_is_on_the_screen() -> None:
    lines = screen(view(record("aaaa", amount=5), record("bbbb", amount=7)))

    assert lines[:4] == [
        "2 approvals waiting",
        "",
        "> aaaa  waits, 4 minutes left  pay on bank",
        "  bbbb  waits, 4 minutes left  pay on bank",
    ]
    assert "  amount: 5" in lines
    assert "  amount: 7" not in lines
    assert "Reason: Look at it." in lines
    assert lines[-1] == HELP


def test_keys_move_the_selection_and_stop_at_the_ends() -> None:
    watch = view(record("aaaa"), record("bbbb"), record("cccc"))
    seen = []
    for key in (UP, DOWN, "j", DOWN, "k"):
        watch.press(key)
        seen.append(selected(watch))

    assert seen == ["aaaa", "bbbb", "cccc", "cccc", "bbbb"]


@pytest.mark.parametrize(("key", "wish"), [("a", Wish.APPROVE), ("d", Wish.DENY)])
def test_an_answer_has_to_be_confirmed(key: str, wish: Wish) -> None:
    watch = view(record("aaaa"))
    assert watch.press(key) is None
    assert screen(watch)[-1] == f"{wish} `aaaa`? y to do it, any other key not to"
    assert watch.press("y") is wish

    for other in ("a", "n", "\r", "q", "\x1b", DOWN):
        watch.press(key)
        assert watch.press(other) is None
        assert watch.press("y") is None


def test_what_comes_in_meanwhile_moves_nothing_under_the_finger() -> None:
    watch = view(record("bbbb"))
    watch.press("a")
    watch.show([record("aaaa"), record("bbbb")], NOW)

    assert selected(watch) == "bbbb"
    assert watch.press("y") is Wish.APPROVE


def test_what_is_gone_is_not_answered_and_another_not_in_its_place() -> None:
    watch = view(record("aaaa"), record("bbbb"))
    watch.press("a")
    watch.show([replace(record("aaaa"), state=State.USED), record("bbbb")], NOW)

    assert selected(watch) == "bbbb"
    assert watch.press("y") is None


def test_only_what_can_be_answered_is_shown() -> None:
    over = [
        replace(record("aaaa"), expires=NOW),
        *(replace(record(f"x{state}"), state=state) for state in State if state is not State.WAITING),
    ]
    watch = view(*over)

    assert screen(watch) == ["0 approvals waiting", "", "", HELP]
    assert watch.press("a") is watch.press("y") is watch.press(DOWN) is None


@pytest.mark.parametrize("key", ["q", "\x03", "\x04", "\x1b"])
def test_there_is_a_way_out(key: str) -> None:
    assert view(record("aaaa")).press(key) is Wish.QUIT


@pytest.mark.parametrize("height", [3, 5, 10, 24])
@pytest.mark.parametrize("width", [1, 20, 80])
def test_the_screen_is_never_larger_than_the_terminal(width: int, height: int) -> None:
    watch = view(*(record(f"r{n:03}", **{f"argument{k}": k for k in range(30)}) for n in range(50)))
    for _ in range(49):
        watch.press(DOWN)
        lines = screen(watch, width, height)
        assert len(lines) <= height
        assert all(len(line) <= width for line in lines)
        if width == 80 and height >= 5:
            assert any(line.startswith(f"> {selected(watch)}") for line in lines)


def test_nothing_on_the_screen_is_an_escape_of_somebody_else() -> None:
    trick = "\x1b[2J\u202e\n"
    watch = view(replace(record("aaaa"), server=trick, reason=trick, uses=(ToolCall(trick, {trick: trick}),)))

    assert all(line.isprintable() for line in screen(watch, 200))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "waits, 4 minutes left"),
        ({"expires": NOW - 1}, "nobody answered in time"),
        ({"state": State.APPROVED, "who": "ann"}, "approved by ann, 4 minutes left to call"),
        ({"state": State.APPROVED, "expires": NOW}, "approved, not used in time"),
        ({"state": State.DENIED, "who": "ann"}, "denied by ann"),
        ({"state": State.USED, "who": "ann"}, "approved by ann and used"),
        ({"state": State.USED, "until": NOW + 60}, "approved and used, passes for 1 minute"),
    ],
)
def test_where_one_stands_is_said_in_words(changes: dict[str, object], told: str) -> None:
    assert standing(replace(record("aaaa"), **changes), NOW) == told  # type: ignore[arg-type]
