import asyncio
from pathlib import Path

import numpy as np
import pytest
from fakes import FlakyRecognition, speech
from hypothesis import given
from hypothesis import strategies as st

from meetscribe import events as ev
from meetscribe.meeting import fold
from meetscribe.session.again import without_known
from meetscribe.session.log import MemoryLog
from meetscribe.session.marks import Mark, Marks, loads
from meetscribe.session.ports import Block
from meetscribe.session.recorder import FileRecorder
from meetscribe.session.recovery import REASON, Recovery

RATE = 16_000
START = ev.Session(session="m", title="m", started="2026-11-22T09:00:00+00:00")


def turn(id: str, start: float, end: float, text: str = "", **fields) -> ev.Turn:
    """A turn whose words are evenly spread."""
    words, first, length = text.split(), start * RATE, (end - start) * RATE
    said = tuple(
        ev.Word(word, round(first + length * n / len(words)), round(first + length * (n + 1) / len(words)))
        for n, word in enumerate(words)
    )
    return ev.Turn(id=id, slot=0, start=round(first), end=round(end * RATE), text=text, words=said, **fields)


def numbered(*events: ev.DurableEvent) -> MemoryLog:
    return MemoryLog([ev.numbered(event, "m", number) for number, event in enumerate(events)])  # type: ignore[misc]


def recover(directory: Path, kept: MemoryLog) -> list[ev.DurableEvent]:
    return asyncio.run(asyncio.wait_for(Recovery(kept, directory, FlakyRecognition()).run(), 30))


def test_what_was_recorded_becomes_text_and_the_meeting_gets_its_end(tmp_path: Path) -> None:
    """A meeting that was cut off is finished: the state says so, nothing is missing, nothing comes twice."""
    recorder = FileRecorder(tmp_path, 1)
    recorder.write(Block(0, speech("AbCdE")))
    recorder.close()
    kept = numbered(START, ev.Final(turn=turn("t1", 0, 1, "1")))
    log = recover(tmp_path, kept)
    assert [one.start // RATE for one in fold(log).turns] == [0, 2, 4]
    assert [event.state for event in log if isinstance(event, ev.Status)] == ["recovering", "listening"]
    assert log[-1] == ev.End(session="m", at=5 * RATE, seq=len(log), reason=REASON, duration=5 * RATE)
    assert log == kept.since(0)


def test_a_meeting_without_audio_gets_its_end(tmp_path: Path) -> None:
    """Where nothing was recorded the meeting ends after its last event."""
    log = recover(tmp_path, numbered(START, ev.Final(turn=turn("t1", 0, 2, "1"))))
    assert (fold(log).duration, len(fold(log).turns)) == (2 * RATE, 1)


def test_a_recovery_that_is_cut_off_is_done_again(tmp_path: Path) -> None:
    """It goes on where the first one was."""
    recorder = FileRecorder(tmp_path, 1)
    recorder.write(Block(0, speech("AbCdE")))
    recorder.close()
    kept = numbered(START)

    async def half() -> None:
        running = asyncio.create_task(Recovery(kept, tmp_path, FlakyRecognition()).run())
        while len(fold(kept.since(0)).turns) < 2:
            await asyncio.sleep(0.001)
        running.cancel()
        await asyncio.wait({running})

    asyncio.run(half())
    log = recover(tmp_path, kept)
    assert [one.start // RATE for one in fold(log).turns] == [0, 2, 4]


def test_channels_that_were_kept_apart_are_recovered_apart(tmp_path: Path) -> None:
    """The recording's marks say how it was heard."""
    recorder = FileRecorder(tmp_path, 2)
    recorder.write(Block(0, np.concatenate([speech("AbC"), speech("aBc")], axis=1)))
    recorder.write_marks(Marks(False, {0: Mark(), 1: Mark()}).dumps())
    recorder.close()
    turns = fold(recover(tmp_path, numbered(START))).turns
    assert [(one.channel, one.start // RATE) for one in turns] == [(0, 0), (1, 1), (0, 2)]


def test_a_turn_that_was_open_while_another_ended_is_not_lost() -> None:
    """Marks say where open turns began; those that are final since do not count."""
    finals = [turn("t1", 1, 2), turn("t3", 20, 20.5)]
    mark = Mark(21 * RATE, {"t2": 10 * RATE, "t3": 20 * RATE})
    assert mark.resume(finals) == 10 * RATE - RATE // 4
    assert mark.resume([*finals, turn("t2", 10, 25)]) == 25 * RATE
    assert Mark(21 * RATE, {"t2": 2 * RATE}).resume(finals) == 2 * RATE  # not before what was final


def test_silence_is_not_heard_again() -> None:
    """Where no turn is open only the last seconds are heard again, in which one may have begun unnoticed."""
    assert Mark(600 * RATE).resume([turn("t1", 1, 2)]) == 595 * RATE
    assert Mark(3 * RATE).resume([turn("t1", 1, 2)]) == 2 * RATE
    assert Mark().resume([]) == 0


@given(
    st.booleans(),
    st.dictionaries(
        st.none() | st.integers(0, 9),
        st.builds(Mark, st.integers(0, 10**9), st.dictionaries(st.text(max_size=4), st.integers(0, 10**9))),
    ),
)
def test_marks_are_read_as_they_were_written(mixed: bool, streams: dict) -> None:
    """Text and value are the same thing."""
    marks = Marks(mixed, streams)
    assert loads(marks.dumps()) == marks


@pytest.mark.parametrize(
    "text", [None, "", "{", "[]", "{}", '{"mixed": 1, "streams": {"x": {}}}', '{"streams": []}']
)
def test_damaged_marks_are_as_good_as_none(text: str | None) -> None:
    """A meeting is recovered without them."""
    assert loads(text) is None


def test_what_is_heard_again_is_left_out() -> None:
    """Of a turn that was final only what comes after it is new; capitals, marks and small shifts do not matter."""
    known = [turn("t1", 10, 14, "can we move it")]
    again = turn("t9", 10.1, 16.1, "Can we move it to Friday")
    new = without_known(again, known)
    assert new is not None
    assert (new.text, new.start, new.end) == ("to Friday", again.words[4].start, again.end)
    assert without_known(turn("t9", 10, 14.2, "can we move it"), known) is None
    assert without_known(turn("t9", 10, 14.2, "Can, we move. It?"), known) is None


def test_somebody_else_at_the_same_time_is_not_left_out() -> None:
    """Other words at the time of a final are another person's."""
    known = [turn("t1", 12, 12.5, "mhm")]
    other = turn("t9", 10, 16, "can we move it to Friday")
    assert without_known(other, known) is other
    assert without_known(turn("t9", 20, 21, "mhm"), known) is not None


def test_two_turns_that_are_heard_as_one_are_left_out() -> None:
    """A stream that begins elsewhere may join what was two turns."""
    known = [turn("t1", 0, 2, "one two"), turn("t2", 3, 5, "three four")]
    joined = ev.Turn(
        id="t9",
        slot=0,
        start=0,
        end=5 * RATE,
        text="one two three four",
        words=(*known[0].words, *known[1].words),
    )
    assert without_known(joined, known) is None
