import json

import numpy as np
import pytest
import soundfile
import torch
from fakes import LoudnessEngine, LoudnessTranscriber
from stored_meetings import bytes_with

from meetscribe import events as ev
from meetscribe.apps import enrolment
from meetscribe.apps.cli import past, transcribe
from meetscribe.apps.recogniser import Recogniser
from meetscribe.embedder_file import SpeakerEmbedder
from meetscribe.models import EmbedderFacts
from meetscribe.nn.features import Features
from meetscribe.store.store import Store
from meetscribe.streaming.likeness import Likeness
from meetscribe.streaming.resemblance import Resemblance

RATE = 16_000
LIKENESS = Likeness(offset=-30.0, score=40.0, length=0.0, score_length=0.0)


class Spectrum(torch.nn.Module):
    """The voice is the mean spectrum, whatever is said."""

    def forward(self, frames, lengths=None):
        mean = frames.clamp_min(0.0).mean(1)
        return torch.nn.functional.normalize(mean - mean.mean(1, keepdim=True), dim=-1)


class VoiceEngine(LoudnessEngine):
    """Tells the level of a second of audio, and its voice."""

    def run(self, requests):
        levels = super().run(requests)
        voices = [Spectrum()(Features()(torch.from_numpy(one)[None]))[0] for one in requests]
        return list(zip(levels, voices, strict=True))


class VoiceTranscriber(LoudnessTranscriber):
    """Every loud second is a turn of five seconds' evidence, with its voice."""

    def receive_result(self, result):
        level, vector = result
        super().receive_result(level)
        if self.pending and isinstance(self.pending[-1], ev.Final) and self.pending[-1].voice is None:
            final = self.pending.pop()
            voice = ev.Voice(tuple(vector.tolist()), 5.0, "spectrum")
            self.pending.append(ev.Final(at=final.at, turn=final.turn, voice=voice))


def say(path, plan, seed=0):
    """Write a recording in which letters are seconds of people, each noise of a band of their own; "." is silence."""
    rng = np.random.default_rng(seed)
    bands = {"A": (200, 700), "B": (1500, 2500), "C": (4000, 6000)}
    seconds = []
    for letter in plan:
        noise = rng.standard_normal(RATE)
        if letter in bands:
            low, high = bands[letter]
            spectrum = np.fft.rfft(noise)
            hertz = np.fft.rfftfreq(RATE, 1 / RATE)
            noise = np.fft.irfft(spectrum * ((hertz > low) & (hertz < high)), RATE)
            noise *= (
                0.2 / np.std(noise) * np.clip(np.sin(np.arange(RATE) * 2 * np.pi * 3 / RATE) + 0.7, 1e-3, 1)
            )
        seconds.append(noise if letter in bands else noise * 1e-4)
    soundfile.write(path, np.concatenate(seconds).astype(np.float32), RATE, subtype="PCM_16")
    return path


@pytest.fixture
def people(cli, monkeypatch):
    """The command line with a model whose embedder hears the spectrum."""

    def load(directory):
        return Recogniser(directory.name, VoiceEngine(), VoiceTranscriber)

    embedder = SpeakerEmbedder("spectrum", Spectrum(), Resemblance(LIKENESS))  # type: ignore[arg-type]
    monkeypatch.setattr(enrolment, "embedder_of", lambda model: embedder)
    for module in (transcribe, past):
        monkeypatch.setattr(module, "load_recogniser", load)
    facts = EmbedderFacts("spectrum", {}, LIKENESS.weights)
    for place in ("meetscribe.apps.speakers", "meetscribe.apps.cli.people"):
        monkeypatch.setattr(f"{place}.embedder_facts", lambda directory: facts)
    return cli


def names_in(cli, path):
    out = json.loads(cli("transcribe", path, "-f", "json").out)
    return [turn["speaker"] for turn in out["turns"]]


def test_who_is_enrolled_from_a_recording_is_named_and_a_stranger_is_not(people, tmp_path):
    """Alice, enrolled from a file, is named in another recording; Bob, whom nobody enrolled, has no name."""
    result = people(
        "people", "enrol", "Alice", say(tmp_path / "alice.wav", ".AAAAAAA."), "--consent", "2026-11-01"
    )
    assert (result.code, result.out) == (0, "Alice\n")
    assert names_in(people, say(tmp_path / "meeting.wav", ".AABB.AB.", seed=5)) == [
        "Alice",
        "Alice",
        None,
        None,
        "Alice",
        None,
    ]
    (row,) = json.loads(people("people", "list", "--json").out)
    assert (row["name"], row["consent"], row["usable"]) == ("Alice", "2026-11-01", True)
    assert "vector" not in json.dumps(row)


def test_who_is_enrolled_from_a_meeting_is_named_in_the_next(people, tmp_path):
    """A speaker of meeting one gets a name there, and is found again by it in meeting two, in search and export too."""
    one = people("import", say(tmp_path / "one.wav", ".AAAAAAA.BBBBBBB.", seed=1)).out.strip()
    assert people("people", "enrol", "Alice", "--meeting", one, "--speaker", "s1").code == 0
    two = people("import", say(tmp_path / "two.wav", ".BB.AAA.", seed=2)).out.strip()
    for meeting in (one, two):
        text = people("export", meeting, "-f", "text", "-o", tmp_path / "out.txt")
        assert text.code == 0
        assert "Alice" in (tmp_path / "out.txt").read_text()
        assert "Bob" not in (tmp_path / "out.txt").read_text()
    hits = json.loads(people("search", "6", "--json").out)
    assert {hit["speaker"] for hit in hits} == {"Alice"}


def test_what_would_do_harm_is_not_enrolled(people, tmp_path):
    """Too little speech, nothing but noise, and two voices are refused with a sentence that says what to do."""
    for plan, words in ((".A.", "too little"), ("........", "noise"), (".AAAABBBB.", "one person")):
        result = people("people", "enrol", "Alice", say(tmp_path / "x.wav", plan))
        assert result.code == 2
        assert words in result.err
    assert people("people", "list", "--json").out.strip() == "[]"


def test_after_forgetting_nothing_is_found_in_the_data_folder(people, tmp_path):
    """Neither the name, in people and past meetings, nor the voice is in any byte of the folder."""
    recording = say(tmp_path / "one.wav", ".AAAAAAA.", seed=1)
    one = people("import", recording).out.strip()
    people("people", "enrol", "Zacharias", "--meeting", one, "--speaker", "s1")
    (person,) = json.loads(people("people", "export").out)["people"]
    folder = tmp_path / "data"
    assert bytes_with(folder, "Zacharias")
    vector = person["examples"][0]["vector"]
    assert bytes_with(folder, vector)
    assert people("people", "forget", "Zacharias").code == 2
    assert people("people", "forget", "Zacharias", "--yes").code == 0
    assert bytes_with(folder, "Zacharias") == []
    assert bytes_with(folder, vector) == []
    assert "s1" in people("show", one).out
    assert people("people", "forget", "Zacharias", "--yes").code == 2


def test_unlearning_renaming_and_merging(people, tmp_path):
    """One example goes, a name changes, two become one; a name that nobody has is a sentence."""
    alice = say(tmp_path / "alice.wav", ".AAAAAAA.")
    people("people", "enrol", "Al", alice)
    people("people", "enrol", "Alice", say(tmp_path / "again.wav", ".AAAAAAA.", seed=3))
    assert people("people", "merge", "Al", "Alice").out == "Alice\n"
    assert people("people", "unlearn", "Alice", "--file", "again.wav").code == 0
    assert people("people", "rename", "Alice", "Alicia").out == "Alicia\n"
    (row,) = json.loads(people("people", "list", "--json").out)
    assert row["name"] == "Alicia"
    assert [example["source"] for example in row["examples"]] == ["file alice.wav"]
    for command in (("rename", "Bob", "Rob"), ("merge", "Bob", "Alicia"), ("unlearn", "Bob", "--file", "x")):
        result = people("people", *command)
        assert result.code == 2
        assert "Alicia" in result.err


def test_with_a_key_the_file_is_sealed(people, tmp_path, monkeypatch):
    """MEETSCRIBE_PEOPLE_KEY seals what is kept, and without it nobody is recognised but told why."""
    pytest.importorskip("cryptography")
    monkeypatch.setenv("MEETSCRIBE_PEOPLE_KEY", "open sesame")
    people("people", "enrol", "Zacharias", say(tmp_path / "alice.wav", ".AAAAAAA."))
    assert bytes_with(tmp_path / "data", "Zacharias") == []
    assert names_in(people, say(tmp_path / "meeting.wav", ".AA.", seed=5)) == ["Zacharias"] * 2
    assert "open sesame" not in people("config").out
    monkeypatch.delenv("MEETSCRIBE_PEOPLE_KEY")
    assert "people_key" in people("people", "list").err


def test_the_store_takes_a_name_out_only_where_it_is(people, tmp_path):
    """Other names and other meetings stay as they are."""
    first = people("import", say(tmp_path / "one.wav", ".AAA.BBB.", seed=1)).out.strip()
    people("edit", "rename", first, "s1", "Alice")
    people("edit", "rename", first, "s2", "Bob")
    with Store(tmp_path / "data" / "meetscribe") as store:
        assert store.change_name("Alice", None) == 1
        assert store.change_name("Nobody", None) == 0
        assert set(store.meeting(first).speakers.values()) == {None, "Bob"}


def test_who_is_renamed_is_called_so_everywhere(people, tmp_path):
    """Past meetings and exports have the new name, and no byte has the old one."""
    people("people", "enrol", "Zacharias", say(tmp_path / "one.wav", ".AAAAAAA."))
    meeting = people("import", say(tmp_path / "two.wav", ".AAA.BBB.", seed=5)).out.strip()
    assert "Zacharias" in people("show", meeting).out
    result = people("people", "rename", "Zacharias", "Quentin")
    assert (result.code, result.out) == (0, "Quentin\n")
    assert "1 meeting of the past" in result.err
    assert "Quentin" in people("show", meeting).out
    assert "Quentin" in people("export", meeting, "-f", "md").out
    assert bytes_with(tmp_path / "data", "Zacharias") == []
    people("people", "enrol", "Xaver", say(tmp_path / "three.wav", ".AAAAAAA.", seed=7))
    assert people("people", "merge", "Quentin", "Xaver").out == "Xaver\n"
    assert "Xaver" in people("show", meeting).out
    assert bytes_with(tmp_path / "data", "Quentin") == []
    assert people("people", "forget", "Xaver", "--yes").code == 0
    assert bytes_with(tmp_path / "data", "Xaver") == []
