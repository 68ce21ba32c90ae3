import asyncio
import io

import pytest
from rich.console import Console

from meetscribe import events as ev
from meetscribe.sinks.lines import LineSink, TenthsSink
from meetscribe.sinks.screen import ScreenSink

from . import scripted
from .terminal import screen


def show(sink, *events, close=True):
    async def feed():
        for event in events:
            await sink.emit(event)
        if close:
            await sink.close()

    asyncio.run(feed())


def shown(width, *events, close=True, height=24):
    """What stands on a terminal after events."""
    out = io.StringIO(newline="")
    console = Console(file=out, force_terminal=True, width=width, height=height, color_system=None)
    show(ScreenSink(console), *events, close=close)
    return [line for line in screen(out.getvalue()) if line]


def text_of(lines):
    return " ".join(" ".join(lines).split())


LONG = scripted.turn("t1", 0, 0.0, 10.0, "one two three four five six seven eight nine ten")
SHORT = scripted.turn("t2", 1, 5.2, 5.6, "yeah")


def test_two_people_at_once_stand_side_by_side():
    """A on the left, B on the right, beside the words during which it was said, whichever ended first."""
    lines = shown(60, ev.Partial(turn=LONG, revision=1, stable=0), ev.Final(turn=SHORT), ev.Final(turn=LONG))
    assert [tuple(text_of([side]) for side in line.split("│")) for line in lines] == [
        ("A", "B"),
        ("0:00 one two three four", ""),
        ("five six seven eight", "0:05 yeah"),
        ("nine ten", ""),
    ]


@pytest.mark.parametrize("width", [60, 61, 80, 132])
def test_a_recorded_log_reads_the_same_at_every_width(width):
    """On any terminal each column holds its slot's turns whole and in order; no line is wider than the terminal."""
    turns = scripted.reference_turns()
    lines = shown(width, *scripted.played(turns))
    assert max(map(len, lines)) <= width
    side = (width - 3) // 2
    for slot, cells in enumerate([[line[:side] for line in lines], [line[side + 3 :] for line in lines]]):
        words = [word for word in text_of(cell[8:] for cell in cells).split() if word not in "AB"]
        assert words == " ".join(said.text for said in turns if said.slot == slot).split()
        stamps = [cell[:8].strip() for cell in cells if cell[:8].strip()]
        assert len(stamps) == sum(said.slot == slot for said in turns)
        assert stamps == sorted(stamps)


@pytest.mark.parametrize("width", [20, 40, 59])
def test_a_narrow_terminal_gets_a_line_per_turn(width):
    """Below 60 columns turns follow each other as they close, with their times and their slot's letter."""
    turns = scripted.reference_turns()
    lines = text_of(shown(width, *scripted.played(turns)))
    assert "│" not in lines
    for said in turns:
        letter = "AB"[said.slot]
        assert f"{letter}: {said.text}" in lines
    assert "[00:08.4-00:08.8] B: Yeah." in lines


@pytest.mark.parametrize("width", [40, 60, 100])
def test_what_is_being_said_is_shown_and_dimmed_until_it_is_firm(width):
    """Partials of both slots are shown at once; the words that may still change are dim italic, the firm not."""
    out = io.StringIO(newline="")
    console = Console(file=out, force_terminal=True, width=width, color_system="standard")
    begun = scripted.turn("t1", 0, 0.0, 2.0, "hello th")
    show(
        ScreenSink(console),
        ev.Partial(turn=begun, revision=1, stable=1),
        ev.Partial(turn=scripted.turn("t2", 1, 1.0, 1.5, "mhm"), revision=1, stable=0),
        close=False,
    )
    written = out.getvalue()
    lines = text_of(screen(written))
    assert "hello th" in lines
    assert "mhm" in lines
    firm, loose, other = (written.rindex(word) for word in ("hello", "th", "mhm"))
    assert "\x1b[36mhello" in written[firm - 5 : firm + 5]
    assert "\x1b[2;3;36m" in written[loose - 12 : loose]
    assert "\x1b[2;3;35m" in written[other - 12 : other]


@pytest.mark.parametrize("width", [40, 80])
def test_a_turn_that_had_no_words_after_all_disappears(width):
    """A turn that ends without a final leaves nothing; the bar moves on."""
    lines = shown(
        width,
        ev.TurnStart(turn="t1", slot=0, start=0),
        ev.Partial(turn=scripted.turn("t1", 0, 0.0, 1.0, "hm"), revision=1, stable=0),
        ev.TurnEnd(turn="t1", slot=0, end=16_000),
        ev.Progress(done=32_000, total=64_000),
        close=False,
    )
    assert "hm" not in text_of(lines)
    assert "0:02" in lines[-1]
    assert "0:04" in lines[-1]


def test_closing_leaves_finished_turns_and_takes_the_rest_away():
    """After the end, or an interruption, only what is final stays; closing twice is no harm."""
    out = io.StringIO(newline="")
    sink = ScreenSink(Console(file=out, force_terminal=True, width=80, color_system=None))
    open_turn = ev.Partial(turn=scripted.turn("t3", 0, 11.0, 12.0, "never finished"), revision=1, stable=0)
    show(sink, ev.Progress(done=16_000, total=32_000), ev.Final(turn=SHORT), ev.Final(turn=LONG), open_turn)
    show(sink)
    lines = text_of(screen(out.getvalue()))
    assert lines.count("yeah") == 1
    assert "ten" in lines
    assert "never" not in lines
    assert "━" not in lines


def test_the_picture_is_never_higher_than_the_terminal():
    """On a low terminal the newest rows of what is being said are shown, and nothing is printed twice for it."""
    turns = scripted.reference_turns()
    high, low = (shown(60, *scripted.played(turns), height=height) for height in (40, 5))
    assert low == high


def test_lines_have_times_slots_and_only_finals():
    """A line per finished turn that has words, as it closes: its times show that one lies inside the other."""
    out = io.StringIO()
    show(
        LineSink(out),
        ev.Partial(turn=LONG, revision=1, stable=0),
        ev.Final(turn=SHORT),
        ev.Final(turn=LONG),
        ev.Final(turn=ev.Turn(id="t3", slot=1, start=0, end=0, text="")),
        ev.Final(turn=ev.Turn(id="t4", slot=0, start=0, end=16_000, text="me", speaker_id="s2")),
    )
    assert out.getvalue().splitlines() == [
        "[00:05.2-00:05.6] B: yeah",
        "[00:00.0-00:10.0] A: one two three four five six seven eight nine ten",
        "[00:00.0-00:01.0] s2: me",
    ]


def test_tenths_are_said_once():
    """Progress in a log is at most ten lines."""
    out = io.StringIO()
    show(TenthsSink(out), *[ev.Progress(done=n * 160, total=160_000) for n in range(1001)])
    assert [line.split()[0] for line in out.getvalue().splitlines()] == [str(n * 10) for n in range(1, 11)]
