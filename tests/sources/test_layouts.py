import asyncio

import numpy as np
import pytest
import rooms_material as rooms
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from meetscribe.errors import AudioError
from meetscribe.sources import layouts
from meetscribe.sources.beamforming import Beamformer
from meetscribe.sources.crosstalk import CrosstalkRemover, measure_coupling
from meetscribe.sources.names import channel_names
from meetscribe.sources.spectra import HOP, Analysis, Synthesis, band_power


def write(path, audio, rate=16_000):
    """Write a recording and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, audio, rate, subtype="FLOAT" if path.suffix == ".wav" else None)
    return path


def through(process, audio, sizes):
    """All that a process gives for audio in blocks of these sizes, again and again."""
    parts, at, number = [], 0, 0
    while at < len(audio):
        size = sizes[number % len(sizes)]
        parts.append(process(audio[at : at + size]))
        at, number = at + size, number + 1
    return np.concatenate([*parts, process.finish()])


def remover(audio):
    """A remover of what leaks, measured on the same audio."""
    return CrosstalkRemover(measure_coupling(band_power(Analysis(audio.shape[1])(audio))))


def test_frames_come_back_as_the_samples_were():
    """What nobody changes comes out of analysis and synthesis as it went in."""
    audio = np.random.default_rng(1).standard_normal((8 * HOP, 2)).astype(np.float32)
    out = Synthesis(2)(Analysis(2)(np.concatenate([audio, np.zeros((4 * HOP, 2), np.float32)])))
    np.testing.assert_allclose(out[: len(audio)], audio, atol=1e-5)


def test_a_voice_stays_with_its_owner_alone():
    """What leaks at -20 dB is 30 dB further down in neighbours' channels, and stays as loud as it was in its own."""
    audio, _, spans = rooms.headsets(people=3)
    clean = through(remover(audio), audio, [8000])
    for owner, plan in enumerate(spans):
        for span in plan:
            inner = (span[0] + 0.2, span[1] - 0.2)
            assert abs(rooms.level(clean[:, owner], inner) - rooms.level(audio[:, owner], inner)) < 1.0
            for other in {0, 1, 2} - {owner}:
                assert rooms.level(clean[:, other], inner) < rooms.level(audio[:, other], inner) - 30


def test_two_who_talk_at_once_both_stay():
    """Where two talk over each other each channel keeps its owner's voice."""
    rng = np.random.default_rng(2)
    spans = [[(1.0, 4.0), (8.0, 11.0), (14.0, 17.0)], [(4.5, 7.5), (10.0, 13.0), (15.0, 16.0)]]
    voices = [rooms.voice(rng, plan, 20.0) for plan in spans]
    audio = rooms.heard(voices, [[1, 0.1], [0.1, 1]], [[0, 60], [60, 0]], rng)
    clean = through(remover(audio), audio, [8000])
    for owner, voice in enumerate(voices):
        both = (15.2, 15.8)
        assert abs(rooms.level(clean[:, owner], both) - rooms.level(voice, both)) < 2.0


@given(st.lists(st.integers(1, 30_000), min_size=1, max_size=4))
@settings(max_examples=5)
def test_blocks_do_not_matter(sizes):
    """Whatever the blocks, the same samples come out, as many as went in."""
    audio, _, _ = rooms.headsets(seconds=6.0)
    for whole, other in [
        (remover(audio), remover(audio)),
        (Beamformer(2), Beamformer(2)),
    ]:
        expected = through(whole, audio, [len(audio)])
        given_back = through(other, audio, [max(size, 500) for size in sizes])
        assert len(given_back) == len(audio)
        np.testing.assert_allclose(given_back, expected, atol=1e-4)


def test_an_array_hears_better_than_its_best_microphone():
    """Six microphones together hear a voice in noise at least 4 dB better than the best one alone."""
    rng = np.random.default_rng(3)
    voice = rooms.voice(rng, rooms.plans(1, 12.0, rng)[0], 12.0)
    delays = [[0], [3], [7], [11], [5], [-4]]
    speech = rooms.heard([voice], [[1]] * 6, delays, rng, hiss=0)
    noise = rng.standard_normal(speech.shape).astype(np.float32) * 0.03
    beam = through(Beamformer(6), speech + noise, [8000])[:, 0]

    def clearness(sound):
        share = np.dot(sound, voice) / np.dot(voice, voice)
        rest = sound - share * voice
        return 10 * np.log10(np.sum(np.square(share * voice)) / np.sum(np.square(rest)))

    assert clearness(beam) > clearness(speech[:, 0] + noise[:, 0]) + 4


def test_channels_are_told_by_who_is_loud_where(tmp_path):
    """A channel for each person, microphones that all hear everybody, copies, and silence are told apart."""
    rng = np.random.default_rng(4)
    near, _, _ = rooms.headsets()
    voices = [rooms.voice(rng, plan, 20.0) for plan in rooms.plans(2, 20.0, rng)]
    far = rooms.heard(voices, [[1, 0.8], [0.9, 1], [0.8, 0.9]], [[0, 5], [4, 0], [9, 2]], rng, hiss=1e-3)
    copies = np.repeat(near[:, :1] + near[:, 1:], 2, axis=1)
    half = np.stack([near[:, 0], np.zeros(len(near), np.float32)], 1)
    for name, audio, layout, channels in [
        ("near", near, "per-speaker", 2),
        ("far", far, "array", 1),
        ("copies", copies, "mixed", 2),
        ("half", half, "mixed", 1),
        ("mono", near[:, :1], "mixed", 1),
        ("silence", np.zeros((32_000, 2), np.float32), "mixed", 2),
    ]:
        laid = layouts.open_recording([write(tmp_path / f"{name}.wav", audio)])
        assert (name, laid.layout, laid.source.channels) == (name, layout, channels)
        assert laid.apart == (layout == "per-speaker")


def test_a_layout_can_be_told(tmp_path):
    """What a person says about the channels is done, whatever they sound like."""
    audio, _, _ = rooms.headsets(seconds=4.0)
    path = write(tmp_path / "a.wav", audio)
    told: list[tuple[layouts.Layout, int]] = [("mixed", 2), ("per-speaker", 2), ("array", 1)]
    for layout, channels in told:
        laid = layouts.open_recording([path], layout)
        blocks = list(laid.source.read())
        assert (laid.layout, laid.source.channels) == (layout, channels)
        assert sum(len(block.samples) for block in blocks) == len(audio)
        assert blocks[0].samples.shape[1] == channels


@pytest.mark.parametrize("stretch", [0.0, 1e-4, -1e-4])
def test_files_of_one_meeting_are_put_where_they_belong(tmp_path, stretch):
    """A recorder that began 3 s later and whose clock is 100 ppm off is put back to the millisecond."""
    audio, _, _ = rooms.headsets(seconds=120.0, leak=0.2)
    late = round(3.0 * 16_000)
    positions = late + np.arange(round((len(audio) - late - 100) * (1 - abs(stretch)))) / (1 + stretch)
    second = np.interp(positions, np.arange(len(audio)), audio[:, 1]).astype(np.float32)
    paths = [write(tmp_path / "m-alice.wav", audio[:, 0]), write(tmp_path / "m-bob.wav", second)]
    first, clock = layouts.measured_clocks(paths)
    assert first.offset == 0.0
    for place in (late, 60 * 16_000, 110 * 16_000):
        sample = (place - late) * (1 + stretch)
        assert abs(clock.place(sample) - place) < 80
    laid = layouts.open_recording(paths, together=True)
    assert (laid.layout, laid.names) == ("per-speaker", ("alice", "bob"))
    assert abs((laid.source.length or 0) - len(audio)) < 200


def test_a_recorder_that_began_first_begins_the_meeting(tmp_path):
    """Times count from the start of the recording that began first, whichever is given first."""
    audio, _, _ = rooms.headsets(seconds=40.0, leak=0.2)
    paths = [write(tmp_path / "late.wav", audio[32_000:, 0]), write(tmp_path / "early.wav", audio[:, 1])]
    first, second = layouts.measured_clocks(paths)
    assert abs(first.offset - 32_000) < 160
    assert abs(second.offset) < 1


def test_strangers_are_refused(tmp_path):
    """A recording that has nothing in common with the first is named, with the remedy."""
    one, two = rooms.headsets(seconds=30.0, seed=5)[0], rooms.headsets(seconds=30.0, seed=6)[0]
    paths = [write(tmp_path / "a.wav", one[:, 0]), write(tmp_path / "b.wav", two[:, 0])]
    with pytest.raises(AudioError, match=r"b\.wav: .*without --together"):
        layouts.open_recording(paths, together=True)


def test_a_file_that_fails_gives_what_it_had(tmp_path):
    """Of a truncated recording all that is there comes through the layout, then the error."""
    audio, _, _ = rooms.headsets(seconds=8.0)
    path = tmp_path / "a.wav"
    soundfile.write(path, audio, 16_000, subtype="PCM_16")
    path.write_bytes(path.read_bytes()[: 44 + 5 * 16_000 * 4])
    laid = layouts.open_recording([path], "per-speaker")

    async def read():
        return [len(block.samples) async for block in laid.source.blocks()]

    with pytest.raises(AudioError, match="truncated"):
        asyncio.run(read())


@pytest.mark.parametrize(
    ("files", "channels", "names"),
    [
        (["m-alice.wav", "m-bob.wav"], 2, ("alice", "bob")),
        (["2026 Standup Anna.flac", "2026 Standup Anton.flac"], 2, ("Anna", "Anton")),
        (["audioAlice1.m4a", "audioBob2.m4a"], 2, ("audioAlice1", "audioBob2")),
        (["call.wav"], 2, ("Channel 1", "Channel 2")),
    ],
)
def test_names_come_from_what_tells_files_apart(tmp_path, files, channels, names):
    """A file's name without what all have in common is whose it is; channels of one file are numbered."""
    for name in files:
        (tmp_path / name).write_bytes(b"x")
    assert channel_names([tmp_path / name for name in files], channels) == names


def test_names_of_tracks_inside_a_file_count(tmp_path):
    """A field recorder's names of tracks (iXML) name the channels."""
    path = write(tmp_path / "a.wav", np.zeros((100, 2), np.float32))
    tracks = "".join(
        f"<TRACK><INTERLEAVE_INDEX>{n}</INTERLEAVE_INDEX><NAME>{name}</NAME></TRACK>"
        for n, name in [(1, "Alice"), (2, "Bob")]
    )
    body = f"<BWFXML><TRACK_LIST>{tracks}</TRACK_LIST></BWFXML> ".encode()
    data = path.read_bytes() + b"iXML" + len(body).to_bytes(4, "little") + body
    path.write_bytes(data[:4] + (len(data) - 8).to_bytes(4, "little") + data[8:])
    assert channel_names([path], 2) == ("Alice", "Bob")
