"""`meetscribe live` on a real sound server, seen from outside."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from sound_server import meeting_sink_and_another

import meetscribe
from meetscribe.evaluation import multitalker
from meetscribe.evaluation.normaliser import PLAIN
from meetscribe.evaluation.segments import normalised, read_segments
from meetscribe.timeline import SAMPLE_RATE, to_samples

pytestmark = [pytest.mark.sound_server, pytest.mark.slow]
DEMO = Path(meetscribe.__file__).parent / "demo"
SECONDS = 16.5  # of the bundled recording, between two turns
PATIENCE = 120.0
COMMAND = [sys.executable, "-m", "meetscribe.apps.cli.main"]


class Live:
    """`meetscribe live --headless --json`, and the events that it has written."""

    def __init__(self, server, folder, *arguments):
        command = [*COMMAND, "live", "--headless", "--json", "--data-dir", str(folder / "data"), *arguments]
        environment = {**os.environ, **server.environment, "OMP_NUM_THREADS": "1"}
        self._errors = (folder / "errors").open("w+")
        self.process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._errors
        )
        self.events, self._rest = [], b""

    def until(self, wanted):
        """Read events until one is wanted; return it."""
        end = time.monotonic() + PATIENCE
        while True:
            for number, event in enumerate(self.events):
                if wanted(event):
                    return self.events[number]
            assert time.monotonic() < end, f"it never came: {self.said()}"
            assert self._read(1.0) or self.process.poll() is None, f"it ended: {self.said()}"

    def stop(self):
        """Interrupt it, and read to the end; return the exit code."""
        self.process.send_signal(signal.SIGINT)
        end = time.monotonic() + PATIENCE
        while self._read(1.0) and time.monotonic() < end:
            pass
        return self.process.wait(PATIENCE)

    def said(self):
        self._errors.seek(0)
        return self._errors.read()

    def _read(self, seconds):
        stream = self.process.stdout
        assert stream is not None
        if not select.select([stream], [], [], seconds)[0]:
            return True
        data = os.read(stream.fileno(), 1 << 16)
        *lines, self._rest = (self._rest + data).split(b"\n")
        self.events += [json.loads(line) for line in lines]
        return bool(data)

    def finals(self):
        return [event["turn"] for event in self.events if event["type"] == "final"]

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        self._errors.close()


@pytest.fixture
def server():
    """A sound server with a sink that a meeting is played into, and one that is in use otherwise."""
    with meeting_sink_and_another() as running:
        yield running


@pytest.fixture
def live(server, tmp_path):
    """Start a live meeting; it is ended with the test."""
    started = []

    def start(*arguments):
        started.append(Live(server, tmp_path, *arguments))
        started[-1].until(lambda event: event["type"] == "level")  # sound comes
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.fixture
def recording(tmp_path):
    """Write the beginning of the bundled recording, and what is said in it."""
    sound, rate = soundfile.read(DEMO / "recording.flac", dtype="float32")
    soundfile.write(tmp_path / "meeting.wav", sound[: int(SECONDS * rate)], rate)
    rows = json.loads((DEMO / "reference.seglst.json").read_text())
    said = [row | {"session_id": "meeting"} for row in rows if row["end_time"] <= SECONDS]
    (tmp_path / "said.seglst.json").write_text(json.dumps(said))
    return tmp_path / "meeting.wav"


def error_rate(folder, heard) -> float:
    """Return ORC-WER of turns as `final` events have them."""
    rows = [
        {
            "session_id": "meeting", "speaker": str(turn["slot"]), "words": turn["text"],
            "start_time": turn["start"], "end_time": turn["end"],
        }
        for turn in heard
    ]  # fmt: skip
    path = folder / "heard.seglst.json"
    path.write_text(json.dumps(rows))
    reference = normalised(read_segments(folder / "said.seglst.json"), PLAIN)
    rate = multitalker.orc_wer(reference, normalised(read_segments(path), PLAIN)).rate
    assert rate is not None
    return rate


@pytest.mark.skipif(not multitalker.available(), reason="meeteval is not installed (extra eval)")
def test_what_is_played_is_transcribed_as_the_file_is(server, live, recording, tmp_path):
    """A recording heard from a monitor has an ORC-WER within 10 points of the same file transcribed."""
    done = subprocess.run(
        [*COMMAND, "transcribe", str(recording), "-f", "json"], capture_output=True, check=True
    )
    of_file = error_rate(tmp_path, json.loads(done.stdout)["turns"])
    meeting = live("--input", "meeting.monitor")
    sound, rate = soundfile.read(recording, dtype="float32")
    assert server.play("meeting", sound, rate).wait(PATIENCE) == 0
    time.sleep(1)  # what was played is still on its way
    assert meeting.stop() == 0, meeting.said()
    assert [event["type"] for event in meeting.events if event.get("seq")][-1] == "end"
    assert not [event for event in meeting.events if event["type"] == "gap"]
    assert error_rate(tmp_path, meeting.finals()) <= of_file + 0.10


def test_a_removed_sink_is_a_state_and_a_gap_and_no_other_source_is_heard(server, live):
    """When the sink is removed the meeting says so at once, has a gap, and holds nothing of the other sink."""
    sound, rate = soundfile.read(DEMO / "recording.flac", dtype="float32")
    meeting = live("--input", "meeting.monitor")
    server.play("other", sound, rate)
    server.remove_sink("meeting")
    lost = meeting.until(lambda event: event.get("state") == "device_lost")
    assert "moved the recording to other.monitor" in lost["reason"]
    time.sleep(1)
    server.add_sink("meeting")
    gap = meeting.until(lambda event: event["type"] == "gap")
    assert gap["end"] - gap["start"] > 1
    assert "moved the recording" in gap["reason"]
    seq = lost["seq"]
    meeting.until(lambda event: event.get("state") == "listening" and event["seq"] > seq)
    assert meeting.stop() == 0, meeting.said()
    assert meeting.finals() == []


def test_microphone_and_system_sound_are_two_channels(server, live):
    """What is played into the microphone's sink and into the default one comes as turns of channel 0 and 1."""
    sound, rate = soundfile.read(DEMO / "recording.flac", dtype="float32")
    first, second = np.split(sound[: 10 * rate], 2)
    meeting = live("--input", "meeting.monitor", "--system-audio")
    assert server.play("meeting", first, rate).wait(PATIENCE) == 0
    assert server.play("other", second, rate).wait(PATIENCE) == 0
    time.sleep(1)
    assert meeting.stop() == 0, meeting.said()
    channels = {turn["channel"] for turn in meeting.finals()}
    assert channels == {0, 1}
    begins = {channel: [] for channel in channels}
    for turn in meeting.finals():
        begins[turn["channel"]].append(to_samples(turn["start"]) / SAMPLE_RATE)
    assert min(begins[0]) < min(begins[1])
