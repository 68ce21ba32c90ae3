import os
import shutil
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from meetscribe.errors import RecordingError
from meetscribe.session import segments
from meetscribe.session.ports import Block
from meetscribe.session.recorder import FileRecorder, Recording
from meetscribe.session.segments import from_pcm, to_pcm

RATE = 16_000


def noise(samples: int, channels: int = 1, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-0.5, 0.5, (samples, channels)).astype(np.float32)


def rounded(samples: np.ndarray) -> np.ndarray:
    """Samples as 16 bits hold them."""
    return from_pcm(to_pcm(samples))


def test_every_file_is_valid_at_any_moment(tmp_path: Path) -> None:
    """After every block the WAV file, read by another program, holds all of it, a channel to a file."""
    recorder, audio = FileRecorder(tmp_path, 2), noise(8_000, 2)
    for at in range(0, 8_000, 1_600):
        recorder.write(Block(at, audio[at : at + 1_600]))
        for channel in (0, 1):
            heard, rate = soundfile.read(tmp_path / f"audio-{channel}-1.wav", dtype="float32")
            assert rate == RATE
            np.testing.assert_array_equal(heard, rounded(audio[: at + 1_600, channel]))
    recorder.close()


def test_segments_rotate_and_become_flac(tmp_path: Path) -> None:
    """A long recording is several files; those that are closed are FLAC in the end, and nothing is lost."""
    recorder, audio = FileRecorder(tmp_path, 1, longest=8_000), noise(30_000)
    for at in range(0, 30_000, 1_000):
        recorder.write(Block(at, audio[at : at + 1_000]))
    np.testing.assert_array_equal(recorder.read(0, 0, 30_000), rounded(audio[:, 0]))
    recorder.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"audio-0-{n}.flac" for n in (1, 2, 3, 4)]
    recording = Recording(tmp_path)
    assert (recording.channels, recording.length) == (1, 30_000)
    np.testing.assert_array_equal(recording.read(0, 0, 30_000), rounded(audio[:, 0]))
    np.testing.assert_array_equal(recording.read(0, 7_000, 9_000), rounded(audio[7_000:9_000, 0]))


@settings(max_examples=15)
@given(st.lists(st.tuples(st.integers(0, 5_000), st.integers(1, 3_000)), min_size=1, max_size=6), st.data())
def test_the_time_line_is_the_meetings(tmp_path_factory, blocks: list[tuple[int, int]], data) -> None:
    """Whatever is missing between blocks is silence, and takes its time."""
    directory = tmp_path_factory.mktemp("recording")
    recorder, expected, end = FileRecorder(directory, 1, longest=4_000), np.zeros(0, np.float32), 0
    for seed, (missing, length) in enumerate(blocks):
        audio = noise(length, seed=seed)
        recorder.write(Block(end + missing, audio))
        expected = np.concatenate([expected, np.zeros(missing, np.float32), rounded(audio[:, 0])])
        end += missing + length
    start = data.draw(st.integers(0, end))
    np.testing.assert_array_equal(recorder.read(0, start, end), expected[start:])
    recorder.close()
    np.testing.assert_array_equal(
        Recording(directory).read(0, start, end + 10), [*expected[start:], *np.zeros(10)]
    )


def test_a_recording_goes_on_after_it_was_cut_off(tmp_path: Path) -> None:
    """A new recorder mends what a killed one left, and goes on after it, all channels at one time."""
    first, audio = FileRecorder(tmp_path, 2), noise(10_000, 2)
    first.write(Block(0, audio[:5_000]))
    for channel, broken in ((0, b"\x01"), (1, b"")):  # half a sample; a header that was not written
        path = tmp_path / f"audio-{channel}-1.wav"
        raw = bytearray(path.read_bytes() + broken)
        raw[40:44] = b"\x00\x00\x00\x00"
        (tmp_path / f"copy-{channel}").write_bytes(raw)
    first.close()
    for channel in (0, 1):
        (tmp_path / f"audio-{channel}-1.flac").unlink()
        (tmp_path / f"copy-{channel}").rename(tmp_path / f"audio-{channel}-1.wav")
    os.truncate(tmp_path / "audio-1-1.wav", 44 + 2 * 4_000)  # it was behind the other
    (tmp_path / "audio-0-1.flac.part").write_bytes(b"half")
    second = FileRecorder(tmp_path, 2)
    assert second.length == 5_000
    assert soundfile.info(tmp_path / "audio-0-1.wav").frames == 5_000
    second.write(Block(5_000, audio[5_000:]))
    second.close()
    recording = Recording(tmp_path)
    np.testing.assert_array_equal(recording.read(0, 0, 10_000), rounded(audio[:, 0]))
    expected = rounded(audio[:, 1])
    expected[4_000:5_000] = 0.0
    np.testing.assert_array_equal(recording.read(1, 0, 10_000), expected)
    assert not list(tmp_path.glob("*.part"))


def test_what_is_erased_is_gone_from_every_file(tmp_path: Path) -> None:
    """Silence stands in the open file and in those that are compressed already, and nowhere else is what was there."""
    recorder, audio = FileRecorder(tmp_path, 1, longest=8_000), noise(20_000)
    for at in range(0, 20_000, 4_000):
        recorder.write(Block(at, audio[at : at + 4_000]))
    while list(tmp_path.glob("*-[12].wav")):
        time.sleep(0.01)
    recorder.erase(6_000, 18_000)
    expected = rounded(audio[:, 0])
    expected[6_000:18_000] = 0.0
    np.testing.assert_array_equal(recorder.read(0, 0, 20_000), expected)
    raw = (tmp_path / "audio-0-3.wav").read_bytes()
    assert to_pcm(audio[16_000:16_100, 0]).tobytes() not in raw
    recorder.close()
    np.testing.assert_array_equal(Recording(tmp_path).read(0, 0, 20_000), expected)
    assert {path.suffix for path in tmp_path.iterdir()} == {".flac"}


def test_a_segment_that_does_not_compress_well_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the FLAC file differs, the WAV file is kept and the other one goes."""
    monkeypatch.setattr(segments, "_are_equal", lambda *_: False)
    recorder = FileRecorder(tmp_path, 1)
    recorder.write(Block(0, noise(1_000)))
    recorder.close()
    assert [path.name for path in tmp_path.iterdir()] == ["audio-0-1.wav"]


def test_a_disk_that_cannot_be_written_is_told_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write that fails leaves a valid file; when there is room again the recording goes on in its place."""
    recorder, audio, pwrite = FileRecorder(tmp_path, 1), noise(6_000), os.pwrite
    recorder.write(Block(0, audio[:2_000]))

    def half(descriptor: int, data: bytes, offset: int) -> int:
        return pwrite(descriptor, data[: len(data) // 2], offset)

    monkeypatch.setattr(os, "pwrite", half)
    with pytest.raises(RecordingError, match="No space left"):
        recorder.write(Block(2_000, audio[2_000:4_000]))
    monkeypatch.undo()
    assert soundfile.info(tmp_path / "audio-0-1.wav").frames == 2_000
    recorder.write(Block(4_000, audio[4_000:]))
    expected = rounded(audio[:, 0])
    expected[2_000:4_000] = 0.0
    np.testing.assert_array_equal(recorder.read(0, 0, 6_000), expected)
    recorder.close()


def test_little_space_is_told_in_time(tmp_path: Path) -> None:
    """A recorder complains before the disk is full."""
    recorder = FileRecorder(tmp_path, 1, low_space=1 << 60)
    for _ in range(100):
        if recorder.complaint:
            break
        time.sleep(0.05)
    assert "MB are free" in (recorder.complaint or "")
    recorder.close()


def test_the_last_room_is_left_to_the_transcript(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A recording stops before the disk is full: what is said can still be written down, and taken back."""
    disk, recorder = SimpleNamespace(total=8 << 30, free=30 << 20), FileRecorder(tmp_path, 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: disk)
    with pytest.raises(RecordingError, match="has stopped: the transcript needs the 30 MB"):
        recorder.write(Block(0, noise(1_000)))
    disk.total = 128 << 20
    recorder.write(Block(0, noise(1_000)))  # an eighth of a small disk is enough
    disk.free = 15 << 20
    with pytest.raises(RecordingError, match="has stopped"):
        recorder.write(Block(1_000, noise(1_000)))
    assert recorder.length == 1_000
    recorder.close()


def test_audio_is_synced_while_it_is_recorded(tmp_path: Path) -> None:
    """Half a second later what was written is known to be on the disk."""
    recorder = FileRecorder(tmp_path, 1)
    assert recorder.synced == 0
    recorder.write(Block(0, noise(1_000)))
    for _ in range(200):
        if recorder.synced:
            break
        time.sleep(0.05)
    assert recorder.synced == 1_000
    recorder.close()


def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    """A file where the folder should be is one clear sentence."""
    (tmp_path / "file").touch()
    with pytest.raises(RecordingError, match="nothing can be recorded here"):
        FileRecorder(tmp_path / "file", 1)
