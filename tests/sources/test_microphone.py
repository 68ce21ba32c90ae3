import asyncio

import numpy as np
import pytest
from sources.capture_fakes import Inline, Studio, an_input

from meetscribe.errors import MissingError
from meetscribe.session.ports import Block, SourceState
from meetscribe.sources.line import Line
from meetscribe.sources.listening import Channels
from meetscribe.sources.microphone import LiveSource


def live(*studios, channels=None, follows=False):
    """A source whose inputs are in these studios, all with the clock of the first, begun."""
    lines = []
    for studio in studios:
        studio.clock = studios[0].clock
        channel = channels or Channels()
        wanted = an_input(rate=studio.rate, channels=studio.channels)
        lines.append(Line(wanted, studio.find, studio.open, channel, follows=follows, executor=Inline()))
    source = LiveSource(lines, clock=studios[0].clock)
    for line in lines:
        line.start(studios[0].time)
    return source


def pass_time(source, studios, seconds, value=0.5, silent=()):
    """Let time pass in steps of 0.1 s, in which all open streams but those of `silent` give sound."""
    items = []
    for _ in range(round(seconds * 10)):
        studios[0].time += 0.1
        for studio in studios:
            if studio.streams and studio not in silent and not studio.streams[-1].closed and studio.plugged:
                studio.streams[-1].come(0.1, value)
        items += source.poll()
    return items


def states(items):
    return [item.state for item in items if isinstance(item, SourceState)]


def spans(items):
    """Return where there is sound, as seconds."""
    joined = []
    for block in items:
        if not isinstance(block, Block):
            continue
        start, end = block.position / 16_000, (block.position + len(block.samples)) / 16_000
        if joined and start - joined[-1][1] < 0.002:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return [(round(start, 2), round(end, 2)) for start, end in joined]


def test_sound_comes_from_position_zero_without_holes():
    """A live input gives its sound from the first sample on, at the pace at which it comes."""
    studio = Studio()
    source = live(studio)
    studio.time += 1.7  # a device may take its time
    items = pass_time(source, [studio], 3)
    assert spans(items) == [(0, 3)]
    assert states(items) == []
    assert source.length is None


@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000])
def test_any_rate_becomes_16_khz(rate):
    """A tone keeps its pitch and its time, whatever the rate of the device."""
    studio = Studio(rate)
    source = live(studio)
    sound, blocks = np.sin(2 * np.pi * 440 * np.arange(2 * rate) / rate).astype(np.float32)[:, None], []
    for part in np.split(sound, 40):
        studio.time += 0.05
        studio.streams[-1].ring.write(part)
        blocks += source.poll()
    heard = np.concatenate([block.samples[:, 0] for block in blocks])
    wanted = np.sin(2 * np.pi * 440 * np.arange(len(heard)) / 16_000)
    assert len(heard) > 31_000
    np.testing.assert_allclose(heard[1_000:], wanted[1_000:], atol=0.01)


@pytest.mark.parametrize("silently", [True, False])
def test_a_lost_device_is_said_at_once_and_its_time_is_a_hole(silently):
    """A device that says it stopped, or only gives nothing any more, is lost; opened again, times are still true."""
    studio = Studio()
    source = live(studio)
    items = pass_time(source, [studio], 2)
    studio.plugged = False
    if not silently:
        studio.streams[-1].trouble = "the device stopped"
    items += pass_time(source, [studio], 1.2 if silently else 0.1)
    (lost,) = (item for item in items if isinstance(item, SourceState))
    assert lost.state == "device_lost"
    assert lost.reason is not None
    assert ("no sound has come for 1 s" if silently else "desk: the device stopped") in lost.reason
    assert studio.streams[0].closed
    began = studio.time
    items += pass_time(source, [studio], 7)
    assert len(studio.streams) == 1
    studio.plugged = True
    items += pass_time(source, [studio], 5)
    assert states(items) == ["device_lost", "listening"]
    (first, second) = spans(items)
    assert first == (0, 2)
    assert began - 100 + 7 - 0.2 <= second[0] <= began - 100 + 9.2
    assert second[1] == pytest.approx(studio.time - 100, abs=0.01)


def test_a_device_that_opens_but_stays_silent_is_still_lost():
    """Only sound ends the state; a device that opens and gives nothing is opened again, and nothing is said twice."""
    studio = Studio()
    source = live(studio)
    pass_time(source, [studio], 1)
    items = pass_time(source, [studio], 20, silent=[studio])
    assert states(items) == ["device_lost"]
    assert 3 <= len(studio.streams) <= 5
    assert all(stream.closed for stream in studio.streams[:-1])


def test_a_device_that_is_missing_at_the_beginning_is_an_error():
    """A meeting does not begin with an input that cannot be opened."""
    studio = Studio()
    studio.plugged = False
    source = LiveSource([Line(an_input(), studio.find, studio.open, Channels(), executor=Inline())])

    async def begin():
        async for _ in source.blocks():
            pass

    with pytest.raises(MissingError, match="desk"):
        asyncio.run(begin())


def test_whoever_stops_reading_closes_the_inputs():
    """When the blocks are not read any more, devices are closed."""
    studio = Studio()
    line = Line(an_input(), studio.find, studio.open, Channels(), executor=Inline())
    source = LiveSource([line], clock=studio.clock)

    async def read_one():
        blocks = source.blocks()
        reading = asyncio.ensure_future(anext(blocks))
        while not studio.streams:
            await asyncio.sleep(0.001)
        studio.streams[0].come(0.1)
        await reading
        await blocks.aclose()

    asyncio.run(read_one())
    assert studio.streams[0].closed


def test_two_inputs_are_two_channels_and_one_may_fail():
    """When one of two inputs is lost the other goes on, the lost one's channel is silent, and the state says which."""
    desk, loudspeaker = Studio(), Studio()
    source = live(desk, loudspeaker)
    items = pass_time(source, [desk, loudspeaker], 2)
    loudspeaker.plugged, loudspeaker.streams[-1].trouble = False, "the sound server moved the recording to x"
    items += pass_time(source, [desk, loudspeaker], 4)
    loudspeaker.plugged = True
    items += pass_time(source, [desk, loudspeaker], 4)
    assert source.channels == 2
    assert states(items) == ["device_lost", "listening"]
    (hole,) = (hole for item in items if isinstance(item, SourceState) for hole in item.holes)
    assert (hole.channel, round(hole.start / 16_000)) == (1, 2)
    assert 6 <= hole.end / 16_000 <= 8.3
    assert "moved the recording" in hole.reason
    assert spans(items) == [(0, pytest.approx(10, abs=0.05))]
    sound = np.concatenate([item.samples for item in items if isinstance(item, Block)])
    np.testing.assert_allclose(sound[16_000 : 16_000 * 5, 0], 0.5, atol=0.001)
    assert (sound[16_000 * 3 : 16_000 * 5, 1] == 0).all()
    np.testing.assert_allclose(sound[-8_000:, 1], 0.5, atol=0.001)


def test_two_inputs_whose_clocks_differ_stay_together():
    """A device that is 100 millionths slow stays within 15 ms of the other, instead of losing 24 ms in four minutes."""
    desk, loudspeaker = Studio(), Studio()
    source = live(desk, loudspeaker)
    ends, owed = [0, 0], 0.0
    for _ in range(1_200):
        desk.time += 0.2
        desk.streams[0].come(0.2, 0)
        owed += 3_200 * (1 - 100e-6)
        loudspeaker.streams[0].come(int(owed) / 16_000, 0)
        owed -= int(owed)
        source.poll()
        ends = source._together.ends
    assert abs(ends[0] - ends[1]) < 0.015 * 16_000


def test_sound_that_came_faster_than_it_was_taken_is_shown():
    """An overrun is a state with how much is missing, a hole of that length, and then all is well again."""
    studio = Studio()
    source = live(studio)
    items = pass_time(source, [studio], 1)
    for _ in range(12):  # the program does nothing for 12 s
        studio.time += 1
        studio.streams[-1].come(1)
    items += source.poll()
    items += pass_time(source, [studio], 1)
    assert states(items) == ["degraded", "listening"]
    reason = next(item.reason for item in items if isinstance(item, SourceState))
    assert reason is not None
    assert "2.0 s of sound came faster" in reason
    assert spans(items) == [(0, 11), (13, 14)]


def test_a_computer_that_slept_has_a_hole():
    """When the clock went on and no sound came, though the device never stopped, the time is missing."""
    studio = Studio()
    source = live(studio)
    items = pass_time(source, [studio], 10)
    studio.time += 60
    studio.streams[-1].come(0.1)
    items += source.poll()
    items += pass_time(source, [studio], 10)
    assert "degraded" in states(items)
    assert spans(items)[-1][1] == pytest.approx(80, abs=0.2)


def test_channels_are_kept_apart_or_mixed():
    """Chosen channels each become one of the meeting; otherwise their mean does; what is no number is silence."""
    sound = np.array([[0.2, 0.4, np.nan, 7.0]], np.float32)
    np.testing.assert_allclose(Channels().pick(sound[:, :2]), [[0.3]])
    np.testing.assert_allclose(Channels((3, 1, 2)).pick(sound), [[1.0, 0.4, 0.0]])
    np.testing.assert_allclose(Channels((0, 9)).pick(sound), [[0.2, 0.0]])


def test_system_sound_follows_the_loudspeaker_and_says_so():
    """When the system plays through another loudspeaker, that one's sound is recorded, and the state tells."""
    studio = Studio()
    source = live(studio, follows=True)
    items = pass_time(source, [studio], 2)
    studio.found = an_input("headset.monitor")
    items += pass_time(source, [studio], 5)
    assert states(items) == ["device_lost", "listening"]
    reasons = [item.reason for item in items if isinstance(item, SourceState)]
    assert "the sound goes to headset.monitor now" in str(reasons[0])
    assert "headset.monitor is recorded again" in str(reasons[1])
