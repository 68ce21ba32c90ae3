import asyncio

import numpy as np
import pytest
from sound_server import running_sound_server

from meetscribe.session.ports import Block, SourceState
from meetscribe.sources.inputs import look, open_inputs

pytestmark = [pytest.mark.sound_server]
RATE = 16_000
PATIENCE = 20.0


@pytest.fixture
def server(monkeypatch):
    """A sound server with two sinks, the first of which is in use."""
    with running_sound_server() as running:
        for name, value in running.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("PULSE_SOURCE", raising=False)
        running.add_sink("meeting")
        running.add_sink("other")
        running.control("set-default-sink", "meeting")
        yield running


class Recording:
    """What a source gave so far."""

    def __init__(self, source):
        self.source, self.items = source, []

    async def run(self):
        async for item in self.source.blocks():
            self.items.append(item)

    @property
    def states(self):
        return [item for item in self.items if isinstance(item, SourceState)]

    @property
    def blocks(self):
        return [item for item in self.items if isinstance(item, Block)]

    @property
    def loudest(self):
        return max((np.abs(block.samples).max() for block in self.blocks), default=0)

    @property
    def heard(self):
        return sum(len(block.samples) for block in self.blocks)

    def holes(self):
        """Return the positions that no block has, as (start, end)."""
        holes, end = [], 0
        for block in self.blocks:
            if block.position > end:
                holes.append((end, block.position))
            end = block.position + len(block.samples)
        return holes

    def sound(self):
        """Return all samples, with silence in the holes."""
        last = self.blocks[-1]
        whole = np.zeros((last.position + len(last.samples), self.source.channels), np.float32)
        for block in self.blocks:
            whole[block.position : block.position + len(block.samples)] = block.samples
        return whole


def record(source, scenario):
    """Record while a scenario happens."""

    async def both():
        recording = Recording(source)
        running = asyncio.create_task(recording.run())
        try:
            await scenario(recording)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        return recording

    return asyncio.run(both())


async def until(condition):
    """Wait for something to come true."""
    clock = asyncio.get_running_loop()
    end = clock.time() + PATIENCE
    while not condition():
        assert clock.time() < end, "it never happened"
        await asyncio.sleep(0.02)


def noise(seconds, seed):
    """Noise that is like itself alone, under 3 kHz so that resampling changes little."""
    white = np.random.default_rng(seed).normal(size=int(seconds * RATE))
    return (0.2 * np.convolve(white, np.hanning(9) / 3, "same")).astype(np.float32)


def likeness(sound, played):
    """Return how alike a recording is to what was played, at the best delay: 0 to 1."""
    size = 1 << (len(sound) + len(played)).bit_length()
    product = np.fft.rfft(sound, size) * np.conj(np.fft.rfft(played, size))
    best = np.abs(np.fft.irfft(product, size)).max()
    return float(best / (np.linalg.norm(sound) * np.linalg.norm(played)))


def test_monitors_are_listed_and_the_loudspeaker_in_use_is_known(server):
    """Every source of the server is listed by its stable name, and system sound is that of the default sink."""
    found = look()
    assert [known.name for known in found.known] == ["meeting.monitor", "other.monitor"]
    assert [known.monitor_of for known in found.known] == ["meeting", "other"]
    assert found.system_audio().name == "meeting.monitor"
    server.control("set-default-sink", "other")
    assert look().system_audio().name == "other.monitor"


def test_what_is_played_is_recorded(server):
    """The monitor of a sink gives what is played into it, whole, at the right times."""
    played = noise(3, 1)

    async def scenario(recording):
        await until(lambda: recording.heard)
        player = server.play("meeting", played)
        await until(lambda: player.poll() is not None)
        end = recording.heard
        await until(lambda: recording.heard > end + RATE // 2)

    recording = record(open_inputs(["meeting.monitor"], False), scenario)
    assert recording.states == []
    assert recording.holes() == []
    assert likeness(recording.sound()[:, 0], played) > 0.95


def test_a_removed_sink_is_shown_and_no_other_source_is_heard(server):
    """When its sink goes the server moves the recording to another; that is shown, not heard, and leaves a gap."""
    server.control("set-default-sink", "other")  # or the player would be moved to the sink that comes back
    server.play("other", noise(60, 2))

    async def scenario(recording):
        await until(lambda: recording.heard > RATE)
        server.remove_sink("meeting")
        await until(lambda: recording.states)
        await asyncio.sleep(1)
        server.add_sink("meeting")
        await until(lambda: len(recording.states) > 1)
        start = recording.heard
        await until(lambda: recording.heard > start + RATE // 2)

    recording = record(open_inputs(["meeting.monitor"], False), scenario)
    lost, back = recording.states
    assert (lost.state, back.state) == ("device_lost", "listening")
    assert "moved the recording to other.monitor" in str(lost.reason)
    assert "(meeting.monitor) is recorded again" in str(back.reason)
    ((start, end),) = recording.holes()
    assert end - start > RATE
    assert recording.loudest < 1e-4


def test_a_recording_that_somebody_moves_comes_back(server):
    """A recording that is moved by hand is shown as lost at once, and the input that was asked for is opened again."""
    server.play("other", noise(60, 3))

    async def scenario(recording):
        await until(lambda: recording.heard > RATE)
        moved = server.control("list", "short", "source-outputs").split("\t")[0]
        server.control("move-source-output", moved, "other.monitor")
        await until(lambda: [state.state for state in recording.states] == ["device_lost", "listening"])

    recording = record(open_inputs(["meeting.monitor"], False), scenario)
    assert recording.loudest < 1e-4


def test_a_server_that_dies_is_waited_for(server):
    """When the server is killed the state says so, and when it is back the recording goes on at the right time."""

    async def scenario(recording):
        await until(lambda: recording.heard > RATE)
        server.kill()
        await until(lambda: recording.states)
        server.start()
        server.add_sink("meeting")
        await until(lambda: len(recording.states) > 1)

    recording = record(open_inputs(["meeting.monitor"], False), scenario)
    assert [state.state for state in recording.states] == ["device_lost", "listening"]
    assert len(recording.holes()) == 1


def test_microphone_and_system_sound_are_recorded_side_by_side(server):
    """Two inputs are two channels with the sound of each, and nothing of the other."""
    near, far = noise(2, 4), noise(2, 5)

    async def scenario(recording):
        await until(lambda: recording.heard)
        await asyncio.sleep(1)
        players = [server.play("other", near), server.play("meeting", far)]
        await until(lambda: all(player.poll() is not None for player in players))
        start = recording.heard
        await until(lambda: recording.heard > start + RATE)

    recording = record(open_inputs(["other.monitor"], True, remove_echo=False), scenario)
    assert recording.states == []
    sound = recording.sound()
    assert sound.shape[1] == 2
    assert likeness(sound[:, 0], near) > 0.9
    assert likeness(sound[:, 1], far) > 0.9
    assert likeness(sound[:, 0], far) < 0.1
