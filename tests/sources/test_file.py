import asyncio
import struct
import wave

import av
import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from meetscribe.errors import AudioError
from meetscribe.sources import headers
from meetscribe.sources.file import FileSource

SECONDS = 2.5
TONE = 440.0


def tone(rate, channels=1, seconds=SECONDS):
    """A sine of 440 Hz at half scale: float32 [samples, channels]."""
    time = np.arange(round(rate * seconds)) / rate
    return np.repeat(0.5 * np.sin(2 * np.pi * TONE * time)[:, None], channels, axis=1).astype(np.float32)


def read(path):
    """All samples of a source, and that its blocks follow each other."""
    blocks = list(FileSource(path).read())
    position = 0
    for block in blocks:
        assert block.position == position
        assert block.samples.dtype == np.float32
        position += len(block.samples)
    return np.concatenate([block.samples for block in blocks])


def read_with_error(path):
    """What a source gives before its error, and the error's sentence."""
    blocks = []
    with pytest.raises(AudioError) as caught:
        blocks.extend(FileSource(path).read())  # keeps what came before the error
    sentence = str(caught.value)
    assert str(path) in sentence
    assert "\n" not in sentence
    return sum(len(block.samples) for block in blocks) / 16_000, sentence


def write_av(path, codec, rate=48_000, video=False, audio=True, container_format=None):
    """Write a tone, or a black picture, with PyAV."""
    with av.open(str(path), "w", format=container_format) as out:
        sound = out.add_stream(codec, rate=rate, layout="mono") if audio else None
        pictures = out.add_stream("mpeg4", rate=10, width=64, height=64, pix_fmt="yuv420p") if video else None
        if pictures is not None:
            for number in range(round(SECONDS * 10)):
                frame = av.VideoFrame(64, 64, "yuv420p")
                frame.pts = number
                out.mux(pictures.encode(frame))
            out.mux(pictures.encode(None))
        if sound is not None:
            frame = av.AudioFrame.from_ndarray(tone(rate).T.copy(), format="fltp", layout="mono")
            frame.sample_rate, frame.pts = rate, 0
            parts = av.AudioResampler(format=sound.format, layout="mono", rate=rate, frame_size=960)
            for part in [*parts.resample(frame), *parts.resample(None)]:
                out.mux(sound.encode(part))
            out.mux(sound.encode(None))


@pytest.mark.parametrize(
    ("name", "rate", "channels", "subtype"),
    [
        ("a.wav", 16_000, 1, "PCM_16"),
        ("a.wav", 192_000, 1, "PCM_24"),
        ("a.wav", 44_100, 8, "PCM_24"),
        ("a.wav", 8_000, 2, "PCM_U8"),
        ("a.wav", 22_050, 1, "FLOAT"),
        ("a.wav", 48_000, 2, "DOUBLE"),
        ("a.flac", 96_000, 2, "PCM_24"),
        ("a.ogg", 44_100, 1, "VORBIS"),
        ("a.ogg", 48_000, 2, "OPUS"),
        ("a.mp3", 44_100, 2, "MPEG_LAYER_III"),
        ("a.aiff", 32_000, 1, "PCM_16"),
        ("a.wav", 16_000, 3, "PCM_32"),
    ],
)
def test_rates_depths_and_channels_become_16_khz(tmp_path, name, rate, channels, subtype):
    """Every rate, depth and number of channels gives the same tone at 16 kHz, channels kept apart."""
    path = tmp_path / name
    soundfile.write(path, tone(rate, channels), rate, subtype=subtype)
    samples = read(path)
    assert samples.shape[1] == channels
    assert abs(len(samples) - SECONDS * 16_000) <= 0.1 * 16_000
    assert FileSource(path).length == pytest.approx(len(samples), abs=2)
    expect_tone(samples)


def expect_tone(samples):
    """The loudest frequency is the tone's, at its level."""
    middle = samples[8_000:24_000]
    for channel in middle.T:
        assert np.argmax(np.abs(np.fft.rfft(channel))) == TONE
        assert np.sqrt(np.mean(channel**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.15)


@pytest.mark.parametrize(
    ("name", "codec", "video"),
    [
        ("a.m4a", "aac", False),
        ("a.mp4", "aac", True),
        ("a.webm", "libopus", False),
        ("a.mkv", "aac", True),
        ("a.opus", "libopus", False),
        ("a.aac", "aac", False),
    ],
)
def test_containers_and_videos_are_read(tmp_path, name, codec, video):
    """AAC, Opus and the sound of videos are fine input."""
    path = tmp_path / name
    write_av(path, codec, video=video)
    samples = read(path)
    assert abs(len(samples) - SECONDS * 16_000) <= 0.1 * 16_000
    expect_tone(samples)


@given(cut=st.integers(1, 16_000))
def test_the_size_of_blocks_does_not_show(tmp_path_factory, cut):
    """Reading in blocks gives the same samples as resampling the whole."""
    import soxr

    folder = tmp_path_factory.mktemp("blocks")
    generator = np.random.default_rng(cut)
    audio = generator.uniform(-1, 1, cut + 20_000).astype(np.float32)
    soundfile.write(folder / "a.wav", audio, 44_100, subtype="FLOAT")
    whole = soxr.resample(audio, 44_100, 16_000)
    streamed = read(folder / "a.wav")[:, 0]
    assert len(streamed) == len(whole)
    np.testing.assert_allclose(streamed, whole, atol=1e-5)


def test_blocks_come_one_by_one(tmp_path):
    """A long file is not held in memory: no block is longer than a second."""
    soundfile.write(tmp_path / "a.wav", tone(48_000, seconds=30), 48_000)
    sizes = [len(block.samples) for block in FileSource(tmp_path / "a.wav").read()]
    assert len(sizes) > 30
    assert max(sizes) <= 16_000


def test_blocks_come_to_tasks_too(tmp_path):
    """The asynchronous reading gives what the plain one gives."""
    soundfile.write(tmp_path / "a.wav", tone(16_000), 16_000)

    async def collect():
        return [block.samples async for block in FileSource(tmp_path / "a.wav").blocks()]

    np.testing.assert_array_equal(np.concatenate(asyncio.run(collect())), read(tmp_path / "a.wav"))


def refused(path, match):
    with pytest.raises(AudioError, match=match) as caught:
        list(FileSource(path).read())
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_paths_that_are_no_files_are_refused(tmp_path):
    """No such file, a directory, an empty file: one sentence each."""
    refused(tmp_path / "none.wav", "no such file")
    refused(tmp_path, "directory")
    (tmp_path / "empty.wav").touch()
    refused(tmp_path / "empty.wav", "empty")
    refused(tmp_path / ("x" * 300), "cannot be opened")


def test_a_file_that_may_not_be_read_is_refused(tmp_path, monkeypatch):
    """No permission is said as such (simulated, as the superuser may read everything)."""
    path = tmp_path / "secret.wav"
    path.write_bytes(b"RIFF")

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)
    refused(path, "may not read")


@pytest.mark.parametrize(
    "content", [b"hello, this is text\n" * 50, b"\0" * 5000, b"#EXTM3U\nhttp://127.0.0.1/\n"]
)
@pytest.mark.parametrize("name", ["a.wav", "a.txt", "a.mp3", "a.m3u8", "a.raw"])
def test_other_files_are_refused(tmp_path, name, content):
    """Text, zeros and playlists are no audio, whatever they are called."""
    (tmp_path / name).write_bytes(content)
    refused(tmp_path / name, "no audio")


def test_a_file_that_ends_before_any_audio_is_refused(tmp_path):
    """A header alone holds nothing."""
    for name in ("a.wav", "a.flac", "a.ogg", "a.mp3"):
        soundfile.write(tmp_path / name, tone(16_000), 16_000)
        data = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(data[:100] if name != "a.wav" else data[:30])
        refused(tmp_path / name, "audio")


def test_a_video_without_sound_is_refused(tmp_path):
    """A picture alone cannot be transcribed."""
    write_av(tmp_path / "a.mp4", "aac", video=True, audio=False)
    refused(tmp_path / "a.mp4", "no sound")


def wav_with(tmp_path, **changes):
    """A WAV file whose header says other things than the truth."""
    path = tmp_path / "lie.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes((tone(16_000) * 32767).astype("<i2").tobytes())
    data = bytearray(path.read_bytes())
    places = {"channels": (22, "<H"), "rate": (24, "<I"), "length": (40, "<I")}
    for name, value in changes.items():
        place, code = places[name]
        struct.pack_into(code, data, place, value)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"channels": 0}, "no channels"),
        ({"channels": 5000}, "5000 channels"),
        ({"rate": 0}, "0 samples a second"),
        ({"rate": 4_000_000_000}, "4000000000 samples a second"),
        ({"length": 0}, "0 bytes of audio, but 80000 are there"),
    ],
)
def test_headers_that_cannot_be_true_are_refused(tmp_path, changes, match):
    """Rates, channels and lengths that no recording has are refused at once."""
    refused(wav_with(tmp_path, **changes), match)


@pytest.mark.parametrize(("length", "seconds"), [(1_000_000, SECONDS), (40_000, SECONDS / 2)])
def test_a_header_that_lies_about_the_length_is_noticed(tmp_path, length, seconds):
    """More or less audio than the header says: what can be used is given, then the error."""
    given_seconds, sentence = read_with_error(wav_with(tmp_path, length=length))
    assert given_seconds == pytest.approx(seconds)
    assert f"{length} bytes" in sentence


def test_a_streamed_header_is_no_lie(tmp_path):
    """Programs that write to a pipe cannot know the length and say all ones."""
    assert len(read(wav_with(tmp_path, length=0xFFFFFFFF))) == SECONDS * 16_000


def test_chunks_after_the_audio_are_no_lie(tmp_path):
    """Titles and other chunks may follow the audio."""
    path = wav_with(tmp_path)
    with path.open("ab") as file:
        file.write(b"LIST" + struct.pack("<I", 9_000) + bytes(9_000))
    assert len(read(path)) == SECONDS * 16_000


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.opus", "a.mp3", "a.m4a"])
def test_a_truncated_file_gives_its_beginning_and_an_error(tmp_path, name):
    """Half a file: what is there is given, then one sentence says that it is not all."""
    path = tmp_path / name
    if name == "a.m4a":
        write_av(path, "aac", container_format="mp4")
        data = path.read_bytes()
        assert data.index(b"mdat") < data.index(b"moov")
        path.write_bytes(data[: len(data) // 2])
        refused(path, "no audio that can be read")
        return
    subtype = "OPUS" if name == "a.opus" else None
    noise = np.random.default_rng(0).uniform(-0.1, 0.1, (480_000, 1)).astype(np.float32)
    soundfile.write(path, noise, 48_000, format="OGG" if name == "a.opus" else None, subtype=subtype)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    seconds, sentence = read_with_error(path)
    assert 2 < seconds < 8
    assert "truncated" in sentence or "only its first" in sentence


def test_an_mp3_file_that_does_not_say_its_length_is_read_to_its_end(tmp_path):
    """Without the frame that counts the others nothing is lost (a library would guess, and stop early)."""
    path = tmp_path / "a.mp3"
    noise = np.random.default_rng(0).uniform(-0.1, 0.1, 441_000).astype(np.float32)
    soundfile.write(path, noise, 44_100)
    data = path.read_bytes()
    assert b"Xing" in data[:200]
    path.write_bytes(data[data.index(data[:2], 10) :])
    assert len(read(path)) >= 9.9 * 16_000


@pytest.mark.parametrize("rate", [16_000, 44_100])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
def test_samples_that_are_no_numbers_end_the_audio(tmp_path, rate, value):
    """NaN and infinity stop the reading there, and only finite samples were given."""
    audio = tone(rate)
    audio[rate] = value
    path = tmp_path / "nan.wav"
    soundfile.write(path, audio, rate, subtype="FLOAT")
    blocks = []
    with pytest.raises(AudioError, match=r"sample at 0:0[01] is not a number"):
        blocks.extend(FileSource(path).read())
    good = np.concatenate([block.samples for block in blocks])
    assert len(good) == pytest.approx(16_000, abs=1)
    assert np.isfinite(good).all()


@given(st.binary(max_size=200), st.integers(0, 300))
def test_any_bytes_give_audio_or_one_sentence(tmp_path_factory, junk, place):
    """Damage anywhere in a WAV file gives samples or an AudioError, never another error."""
    folder = tmp_path_factory.mktemp("fuzz")
    path = wav_with(folder)
    data = bytearray(path.read_bytes()[:2000])
    data[place : place + len(junk)] = junk
    path.write_bytes(data)
    try:
        samples = read(path)
    except AudioError:
        return
    assert np.isfinite(samples).all()


def test_wav_files_of_other_programs_are_believed(tmp_path):
    """An extensible header and an even number of padding bytes are no lie."""
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(16_000)[:1001], 16_000, subtype="PCM_24", format="WAVEX")
    assert headers.wav_complaint(path) is None
    assert len(read(path)) == 1001
