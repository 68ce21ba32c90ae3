import asyncio
import io

from rich.console import Console

from meetscribe import events as ev
from meetscribe.sinks.lines import LineSink, TenthsSink
from meetscribe.sinks.screen import ScreenSink


def turn(slot, text):
    return ev.Turn(id=f"t{slot}", slot=slot, start=16_000, end=32_000, text=text)


def show(sink, *events):
    async def feed():
        for event in events:
            await sink.emit(event)
        await sink.close()

    asyncio.run(feed())


def test_finished_turns_stay_and_what_was_said_meanwhile_goes():
    """Finals are printed once each, in order; the partials of both slots are shown until then."""
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=60, color_system=None)
    show(
        ScreenSink(console),
        ev.Progress(done=16_000, total=32_000),
        ev.Partial(turn=turn(0, "hello th"), revision=1, stable=1),
        ev.Partial(turn=turn(1, "mhm"), revision=1, stable=0),
        ev.Final(turn=turn(0, "hello there")),
        ev.Final(turn=turn(1, "mhm yes")),
        ev.Status(state="stopped"),
    )
    shown = out.getvalue()
    assert shown.count("hello there") == 1
    assert shown.index("hello there") < shown.index("mhm yes")
    assert "0:01" in shown


def test_lines_have_times_and_only_finals():
    """A line per finished turn that has words."""
    out = io.StringIO()
    show(
        LineSink(out),
        ev.Partial(turn=turn(0, "hel"), revision=1, stable=0),
        ev.Final(turn=turn(0, "hello")),
        ev.Final(turn=turn(1, "")),
    )
    assert out.getvalue() == "   0:01  hello\n"


def test_tenths_are_said_once():
    """Progress in a log is at most ten lines."""
    out = io.StringIO()
    show(TenthsSink(out), *[ev.Progress(done=n * 160, total=160_000) for n in range(1001)])
    assert [line.split()[0] for line in out.getvalue().splitlines()] == [str(n * 10) for n in range(1, 11)]
