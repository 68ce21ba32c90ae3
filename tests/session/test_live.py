import asyncio
import contextlib
import threading

import numpy as np
import pytest
from fakes import FlakyRecognition, ListSink, PushSource, speech

from meetscribe import events as ev
from meetscribe.errors import AudioError, StorageError
from meetscribe.meeting import fold
from meetscribe.session.commands import Command, CommandError
from meetscribe.session.log import MemoryLog
from meetscribe.session.ports import Block, Hole, SourceState
from meetscribe.session.recorder import FileRecorder, Recording
from meetscribe.session.segments import Segment
from meetscribe.session.session import MeetingSession, SessionSettings

START = ev.Session(session="m", title="m", started="2026-11-22T09:00:00+00:00")
RATE = 16_000


class Scene:
    """A live meeting on the way: what is pushed is heard at once."""

    def __init__(self, channels=1, recorder=None, kept=None, **settings):
        self.source, self.recognition, self.sink = PushSource(channels), FlakyRecognition(), ListSink()
        settings = SessionSettings(**settings)
        self.session = MeetingSession(
            START, self.source, self.recognition, [self.sink], settings, kept or MemoryLog(), recorder
        )

    async def __aenter__(self):
        self.running = asyncio.create_task(self.session.run())
        return self

    async def __aexit__(self, *_):
        self.running.cancel()
        await asyncio.wait([self.running])

    async def hear(self, *given):
        """Push audio and wait until it is transcribed."""
        self.source.push(*given)
        await self.until(lambda: self.session.heard >= self.source.position and self.session.behind == 0)

    async def until(self, condition):
        async with asyncio.timeout(20):
            while not condition():
                await asyncio.sleep(0.005)

    async def state(self, state):
        await self.until(lambda: self.session.state == state)

    async def end(self):
        """End the source, and return the log."""
        self.source.end()
        return await asyncio.wait_for(self.running, 20)

    def command(self, name, **fields):
        return self.session.command(Command(id="c", name=name, **fields))


def play(scene, **settings):
    """Run a scene of a meeting and return what it returns."""

    async def whole():
        async with Scene(**settings) as meeting:
            return await scene(meeting)

    return asyncio.run(whole())


def of(kind, log):
    return [event for event in log if isinstance(event, kind)]


def texts(log):
    return [turn.text for turn in fold(log).turns]


def test_a_live_meeting_tells_its_state_and_its_levels():
    """The state is in the log from the beginning; levels come a few times a second, on every channel."""

    async def scene(meeting):
        await meeting.hear(*np.split(speech("Ab", 2), 20))
        assert meeting.session.state == "listening"
        return await meeting.end()

    log = play(scene, channels=2)
    assert [type(event) for event in log] == [ev.Session, ev.Status, ev.Final, ev.End]
    assert (log[1].state, log[-1].reason) == ("listening", "end of the audio")


def test_levels_are_dbfs():
    """A sine at half of full scale is -9 dBFS, silence -120."""

    async def scene(meeting):
        await meeting.hear(*np.split(speech("A", 2) * [[1.0, 0.0]], 10))
        await meeting.end()
        return of(ev.Level, meeting.sink.events)

    levels = play(scene, channels=2)
    assert levels
    assert all(level.levels == (-9.0, -120.0) for level in levels)


def test_an_engine_that_is_lost_is_seen_and_nothing_is_lost_or_said_twice():
    """Recording goes on, the state says so, and what was not final is heard again."""

    async def scene(meeting):
        await meeting.hear(*np.split(speech("AbCdE"), 50))
        meeting.recognition.failures = 2
        meeting.recognition.lose()
        await meeting.state("degraded")
        meeting.source.push(speech("fG"))
        await meeting.state("listening")
        return await meeting.end()

    log = play(scene)
    turns = fold(log).turns
    assert [turn.start // RATE for turn in turns] == [0, 2, 4, 6]
    assert len({turn.id for turn in turns}) == 4
    reasons = [event.reason for event in of(ev.Status, log)]
    assert any("killed" in reason for reason in reasons if reason)


def test_pauses_are_neither_recorded_nor_transcribed(tmp_path):
    """What is said in a pause is nowhere; a gap says why, and the turn before it is finished at once."""

    async def scene(meeting):
        await meeting.hear(speech("Ab"), speech("C")[:8_000])
        ack = await meeting.command("pause")
        assert (ack.seq, meeting.session.state) == (meeting.session.meeting.seq, "paused")
        await meeting.until(lambda: len(meeting.session.meeting.turns) == 2)
        with pytest.raises(CommandError, match="already"):
            await meeting.command("pause")
        meeting.source.push(speech("DE"))
        await asyncio.sleep(0.05)
        await meeting.command("resume")
        with pytest.raises(CommandError, match="not paused"):
            await meeting.command("resume")
        await meeting.hear(speech("fG"))
        return await meeting.end()

    log = play(scene, recorder=FileRecorder(tmp_path, 1))
    (gap,) = of(ev.Gap, log)
    assert (gap.start, gap.end, gap.reason) == (40_000, 72_000, "paused")
    assert [event.state for event in of(ev.Status, log)] == ["listening", "paused", "listening"]
    assert [turn.start for turn in fold(log).turns] == [0, 32_000, 88_000]
    recording = Recording(tmp_path)
    assert recording.length == 104_000
    assert not recording.read(0, 40_000, 72_000).any()
    assert recording.read(0, 88_000, 104_000).any()


def test_a_meeting_that_ends_in_a_pause_says_what_is_missing():
    """The gap is told before the end."""

    async def scene(meeting):
        await meeting.hear(speech("A"))
        await meeting.command("pause")
        meeting.source.push(speech("B"))
        return await meeting.end()

    log = play(scene)
    assert (fold(log).gaps[0].start, fold(log).gaps[0].end, fold(log).duration) == (16_000, 32_000, 32_000)


def test_off_the_record_takes_back_audio_and_text(tmp_path):
    """The last seconds are gone from the recording, the log and every reader; what was said around them stays."""

    async def scene(meeting):
        reader = meeting.session.subscribe(0)
        await meeting.hear(*np.split(speech("AbCdE"), 50))
        seq = (await meeting.command("off_record", seconds=3.5)).seq
        await meeting.hear(speech("fG"))
        log = await meeting.end()
        return log, seq, [event async for event in reader]

    recorder = FileRecorder(tmp_path, 1)
    log, seq, seen = play(scene, recorder=recorder)
    off = log[seq - 1]
    assert isinstance(off, ev.OffRecord)
    assert (off.start, off.end) == (24_000, 80_000)
    finals = [event.turn for event in of(ev.Final, log)]
    assert [(turn.start // RATE, turn.text != "", turn.redacted) for turn in finals] == [
        (0, True, False),
        (2, False, True),
        (4, False, True),
        (6, True, False),
    ]
    assert of(ev.Final, seen) == of(ev.Final, log)
    recording = Recording(tmp_path)
    assert not recording.read(0, 24_000, 80_000).any()
    assert recording.read(0, 0, 16_000).any()


class SlowLog(MemoryLog):
    """A log on a slow disk: emptying turns takes until a test lets it go on, in whatever thread that is."""

    def __init__(self):
        super().__init__()
        self.begun, self.may_end = threading.Event(), threading.Event()

    def redact(self, turns):
        self.begun.set()
        assert self.may_end.wait(20)
        super().redact(turns)


def test_everything_goes_on_while_a_slow_disk_forgets(tmp_path):
    """While turns are emptied on the disk, audio is recorded and events reach readers, who do not see them any more."""
    kept, recorder = SlowLog(), FileRecorder(tmp_path, 1)

    async def scene(meeting):
        session = meeting.session
        await meeting.hear(*np.split(speech("AbCb"), 40))
        taking_back = asyncio.create_task(meeting.command("off_record", seconds=2.5))
        await meeting.until(kept.begun.is_set)
        seen = len(meeting.sink.events)
        meeting.source.push(SourceState("degraded", "a little"), *np.split(speech("d"), 10))
        await meeting.until(lambda: recorder.length >= meeting.source.position)
        await meeting.until(lambda: {ev.Status, ev.Level} <= {type(e) for e in meeting.sink.events[seen:]})
        assert not taking_back.done()
        assert [event for event in of(ev.Status, kept.since(0)) if event.reason] == []  # the disk is busy
        with contextlib.closing(session.subscribe()) as reader:
            assert texts([await anext(reader) for _ in session.log]) == ["1", ""]
        bookmark = asyncio.create_task(meeting.command("bookmark", note="later"))
        kept.may_end.set()
        first, second = await taking_back, await bookmark
        assert first.seq < second.seq
        return await meeting.end()

    log = play(scene, recorder=recorder, kept=kept)
    assert log == kept.since(0)
    assert texts(log)[:2] == ["1", ""]
    assert "3" not in texts(log)


def test_a_meeting_that_ends_while_the_disk_forgets_ends_afterwards():
    """What was to be taken back is gone, and the end is in the log, although the source ended meanwhile."""
    kept = SlowLog()

    async def scene(meeting):
        await meeting.hear(*np.split(speech("Ab"), 20))
        taking_back = asyncio.create_task(meeting.command("off_record", seconds=5))
        await meeting.until(kept.begun.is_set)
        meeting.source.end()
        await asyncio.sleep(0.05)
        kept.may_end.set()
        await taking_back
        return await asyncio.wait_for(meeting.running, 20)

    log = play(scene, kept=kept)
    assert log == kept.since(0)
    assert [type(event) for event in log[-2:]] == [ev.OffRecord, ev.End]
    assert texts(log) == [""]


def test_a_turn_that_goes_on_while_it_is_taken_back_keeps_what_comes_after(tmp_path):
    """What is said after the command is transcribed, though its turn began before."""

    async def scene(meeting):
        await meeting.hear(speech("aB"), speech("C")[:12_000])
        await meeting.command("off_record", seconds=0.5)
        await meeting.hear(speech("C")[12_000:], speech("D"))
        return await meeting.end()

    log = play(scene, recorder=FileRecorder(tmp_path, 1))
    kept = [turn for turn in fold(log).turns if not turn.redacted]
    assert any(turn.end >= 60_000 for turn in kept)


def test_off_the_record_can_be_begun_and_ended():
    """From `start` to `stop` nothing is kept, and the log says so."""

    async def scene(meeting):
        await meeting.hear(speech("A"))
        await meeting.command("off_record", action="start")
        assert meeting.session.state == "paused"
        meeting.source.push(speech("B"))
        await asyncio.sleep(0.05)
        await meeting.command("off_record", action="stop")
        await meeting.hear(speech("C"))
        return await meeting.end()

    log = play(scene)
    assert [(event.start, event.end) for event in of(ev.OffRecord, log)] == [(16_000, 32_000)]
    assert [turn.start for turn in fold(log).turns] == [0, 32_000]


def test_people_decide_through_commands():
    """Bookmarks, corrections and names are events that every reader gets; after the end nothing is accepted."""

    async def scene(meeting):
        await meeting.hear(speech("A"))
        await meeting.until(lambda: meeting.session.meeting.turns)
        await meeting.command("bookmark", note="here")
        await meeting.command("correct", turn="t1", text="hello")
        await meeting.command("rename", turn="t1", speaker="Alice")
        await meeting.command("stop")
        log = await asyncio.wait_for(meeting.running, 20)
        with pytest.raises(CommandError, match="has ended"):
            await meeting.command("pause")
        assert meeting.session.state == "stopped"
        return log

    log = play(scene)
    (turn,) = fold(log).turns
    assert (turn.text, fold(log).name(turn.speaker_id)) == ("hello", "Alice")
    assert fold(log).bookmarks[0].note == "here"
    assert log[-1].reason == "stopped"


def test_a_device_that_is_gone_is_seen_and_leaves_a_gap():
    """The state follows the source, the turn before is finished, and the gap has the source's reason."""

    async def scene(meeting):
        await meeting.hear(speech("b"), speech("A")[:8_000])
        meeting.source.push(SourceState("device_lost", "the microphone is gone"))
        await meeting.state("device_lost")
        await meeting.until(lambda: meeting.session.meeting.turns)
        await meeting.hear(Block(20 * RATE, speech("A")), SourceState("listening"))
        await meeting.state("listening")
        return await meeting.end()

    log = play(scene)
    assert [event.state for event in of(ev.Status, log)] == ["listening", "device_lost", "listening"]
    (gap,) = of(ev.Gap, log)
    assert (gap.start, gap.end, gap.reason) == (24_000, 20 * RATE, "the microphone is gone")
    assert [turn.start for turn in fold(log).turns] == [16_000, 20 * RATE]


def test_what_one_channel_lacks_is_a_gap_of_that_channel():
    """A hole that a source tells of is a gap of its channel, with the hole's own reason."""

    async def scene(meeting):
        await meeting.hear(speech("Ab"))
        hole = Hole(1, 4_000, 12_000, "the headset was gone")
        await meeting.hear(SourceState("degraded", "busy", (hole,)))
        await meeting.state("degraded")
        return await meeting.end()

    (gap,) = of(ev.Gap, play(scene))
    assert (gap.channel, gap.start, gap.end, gap.reason) == (1, 4_000, 12_000, "the headset was gone")


def test_a_source_that_stands_still_is_seen():
    """When no audio comes for a while the state says so, until it comes again."""

    async def scene(meeting):
        await meeting.hear(speech("A"))
        await meeting.state("degraded")
        await meeting.hear(speech("B"))
        assert meeting.session.state == "listening"
        return await meeting.end()

    log = play(scene, stall=0.1)
    assert any("no audio comes from push" in (event.reason or "") for event in of(ev.Status, log))


def test_a_source_that_fails_ends_a_meeting_that_is_complete():
    """What it gave is transcribed, the log has an end, and the error is raised."""

    async def scene(meeting):
        meeting.source.push(speech("Ab"))
        meeting.source.end(AudioError("the cable was cut; plug it in"))
        with pytest.raises(AudioError, match="cable"):
            await asyncio.wait_for(meeting.running, 20)
        return meeting.session.log

    log = play(scene)
    assert texts(log) == ["1"]
    assert log[-1].reason == "the audio failed"


def test_a_block_of_another_shape_or_without_sense_does_no_harm():
    """Channels that are missing are silent, surplus ones left out; what is no number is silence."""

    async def scene(meeting):
        await meeting.hear(speech("A", 1), speech("B", 3), np.full((RATE, 2), np.nan, np.float32))
        return await meeting.end()

    assert [turn.start for turn in fold(play(scene, channels=2)).turns] == [0, 16_000]


def test_channels_that_are_kept_apart_are_turns_of_their_own():
    """Each channel has its stream; ids differ, and turns that share time name each other, across channels."""

    async def scene(meeting):
        both = np.concatenate([speech("AbC"), speech("aBC")], axis=1)
        await meeting.hear(*np.split(both, 6))
        return await meeting.end()

    turns = fold(play(scene, channels=2, mixed=False)).turns
    assert sorted((turn.channel, turn.start // RATE) for turn in turns) == [(0, 0), (0, 2), (1, 1), (1, 2)]
    assert len({turn.id for turn in turns}) == 4
    one, other = (turn for turn in turns if turn.start == 32_000)
    assert (one.overlaps, other.overlaps) == ((other.id,), (one.id,))


def test_a_meeting_goes_on_where_its_log_and_recording_end(tmp_path):
    """What was recorded and is not in the log is transcribed, the numbers go on, and nothing is said twice."""
    recorder = FileRecorder(tmp_path, 1)
    recorder.write(Block(0, speech("AbCdE")))
    recorder.close()
    said = [START, ev.Final(turn=ev.Turn(id="t7", slot=0, start=0, end=2 * RATE, text="one"))]
    kept = MemoryLog([ev.numbered(event, "m", number) for number, event in enumerate(said)])  # type: ignore[misc]

    async def scene(meeting):
        await meeting.state("listening")
        await meeting.hear(Block(5 * RATE, speech("fG")))
        return await meeting.end()

    log = play(scene, recorder=FileRecorder(tmp_path, 1), kept=kept)
    assert [(turn.id, turn.start // RATE) for turn in fold(log).turns] == [
        ("t7", 0),
        ("t8", 2),
        ("t9", 4),
        ("t10", 6),
    ]
    assert [event.state for event in of(ev.Status, log)] == ["recovering", "listening"]


class FailingLog(MemoryLog):
    """A log that cannot be written for a while."""

    def __init__(self):
        super().__init__()
        self.fails = False

    def append(self, event):
        if self.fails:
            raise OSError(28, "No space left on device")
        super().append(event)

    def redact(self, turns):
        if self.fails:
            raise OSError(28, "No space left on device")
        super().redact(turns)


def test_a_log_that_cannot_be_written_loses_no_event():
    """Events wait and keep their numbers, the state says so, and they are written when that is possible again."""
    kept = FailingLog()

    async def scene(meeting):
        await meeting.hear(speech("A"))
        kept.fails = True
        await meeting.hear(speech("bC"))
        await meeting.state("degraded")
        assert len(kept.since(0)) < len(meeting.session.log)
        kept.fails = False
        await meeting.state("listening")
        return await meeting.end()

    log = play(scene, kept=kept)
    assert log == kept.since(0)
    assert [event.seq for event in log] == list(range(1, len(log) + 1))
    assert any("No space left" in (event.reason or "") for event in of(ev.Status, log))


def test_a_log_that_could_not_be_written_to_its_end_is_an_error():
    """Nobody is told that a meeting is kept whose end is only in memory; it says until when it is."""
    kept = FailingLog()

    async def scene(meeting):
        await meeting.hear(speech("A"))
        kept.fails = True
        await meeting.hear(speech("bC"))
        with pytest.raises(
            StorageError, match=r"No space left on device\), and ends there at 0:0[0-3].*recover m`"
        ):
            await meeting.end()
        return meeting.session.log

    log = play(scene, kept=kept)
    assert isinstance(log[-1], ev.End)
    assert log[-1].reason.startswith("end of the audio; the transcript cannot be written to disk")
    assert kept.since(0) == log[: len(kept.since(0))] != log


def test_words_that_are_still_on_a_full_disk_are_not_said_to_be_gone():
    """They are gone from the meeting at once, whoever asked hears that the disk has them, and then they go."""
    kept = FailingLog()

    async def scene(meeting):
        await meeting.hear(speech("Ab"))
        kept.fails = True
        with pytest.raises(CommandError, match="still on the disk") as refused:
            await meeting.command("off_record", seconds=60.0)
        assert refused.value.code == "disk"
        assert texts(meeting.session.log) == [""]
        assert texts(kept.since(0)) != [""]
        kept.fails = False
        await meeting.state("listening")
        return await meeting.end()

    log = play(scene, kept=kept)
    assert log == kept.since(0)
    assert texts(log) == [""]


def test_sound_that_cannot_be_erased_is_not_said_to_be_gone(tmp_path, monkeypatch):
    """The text goes all the same."""

    def broken(segment, start, end):
        raise OSError(5, "Input/output error")

    async def scene(meeting):
        await meeting.hear(speech("Ab"))
        with monkeypatch.context() as patch:
            patch.setattr(Segment, "silence", broken)
            with pytest.raises(CommandError, match=r"sound is still on the disk.*Input/output error"):
                await meeting.command("off_record", seconds=60.0)
        return await meeting.end()

    assert texts(play(scene, recorder=FileRecorder(tmp_path, 1))) == [""]


def test_lag_is_told_when_the_transcript_is_behind():
    """How far behind it is, and when it has caught up."""

    async def scene(meeting):
        meeting.recognition.failures = 1_000_000
        for part in np.split(speech("AbCdEf"), 6):
            meeting.source.push(part)
        await meeting.until(lambda: of(ev.Lag, meeting.sink.events))
        meeting.recognition.failures = 0
        await meeting.until(lambda: of(ev.Lag, meeting.sink.events)[-1].behind == 0)
        return await meeting.end(), of(ev.Lag, meeting.sink.events)

    log, lags = play(scene)
    assert max(lag.behind for lag in lags) == 6 * RATE
    assert len(fold(log).turns) == 3


def test_an_output_that_fails_ends_the_meeting_in_order():
    """A reader that must be served and breaks stops the meeting; its log has an end."""

    async def scene(meeting):
        async def broken(event):
            raise BrokenPipeError

        meeting.sink.emit = broken
        meeting.source.push(speech("A"))
        with pytest.raises(BrokenPipeError):
            await asyncio.wait_for(meeting.running, 20)
        return meeting.session.log

    assert play(scene)[-1].reason == "an output failed"
