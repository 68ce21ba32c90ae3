from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from meetscribe.errors import InputError
from meetscribe.evaluation.material import load_audio, read_recordings
from meetscribe.evaluation.segments import joined_turns
from meetscribe.timeline import to_samples
from meetscribe.training.augmentation import Surroundings
from meetscribe.training.corpus import Corpus
from meetscribe.training.simulation import evaluation_sets
from meetscribe.training.simulation.evaluation_sets import SETS, Material, draw_set
from meetscribe.training.simulation.noise_only import PIECE, noise_only
from meetscribe.training.simulation.plan import overlapped_share
from meetscribe.training.simulation.rooms import MeetingRooms
from meetscribe.training.simulation.write import write_set


@pytest.fixture(scope="module")
def material(corpus: Corpus, surroundings: Surroundings) -> Material:
    rooms = MeetingRooms(surroundings.responses, surroundings.noise, (tuple(range(3)),))
    return Material((corpus,), rooms)


@pytest.fixture(autouse=True)
def shorter_sets(monkeypatch: pytest.MonkeyPatch):
    """Few recordings, and short ones: the rules are the same."""
    for name, chosen in SETS.items():
        count = 7 if name == "one-talker" else min(chosen.count, 12)
        seconds = tuple(min(bound, 40.0) for bound in chosen.seconds)
        monkeypatch.setitem(SETS, name, replace(chosen, count=count, seconds=seconds))
    monkeypatch.setattr(evaluation_sets, "NOISE_SAMPLES", 2 * PIECE)


@pytest.mark.parametrize("name", ["two-talkers", "turn-counting", "one-talker", "noise"])
def test_evaluation_reads_the_turns_that_were_simulated(name: str, material: Material, tmp_path: Path):
    """Recordings, turns, slots, words and their times come back from the folder as they were drawn."""
    drawn = list(draw_set(name, material, 1))
    write_set(name, drawn, tmp_path)
    items = read_recordings(tmp_path / "reference.seglst.json", tmp_path)
    assert len(items) == len(drawn)
    for item, (_, mixture) in zip(items, drawn, strict=True):
        assert np.allclose(load_audio(item.audio), mixture.audio, atol=1e-4)
        turns = [segment for segment in joined_turns(item.reference) if segment.words]
        assert [(t.speaker, t.slot, t.text) for t in turns] == [
            (t.speaker, t.slot, " ".join(word.text for word in t.words)) for t in mixture.turns
        ]
        for found, said in zip(turns, mixture.turns, strict=True):
            assert abs(found.start - said.start) <= 8
            assert abs(found.end - said.end) <= 8
            for word, spoken in zip(found.words, said.words, strict=True):
                assert abs(word.start - spoken.start) <= 8


def test_a_set_is_a_function_of_its_seed(material: Material, tmp_path: Path):
    """Written twice, every file is the same; with another seed it is not."""
    for folder, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_set("turn-counting", draw_set("turn-counting", material, seed), tmp_path / folder)
    files = (path for path in (tmp_path / "a").rglob("*") if path.is_file())
    names = sorted(str(path.relative_to(tmp_path / "a")) for path in files)
    assert {"turn-counting-00.flac", "slots/turn-counting-00.flac"} <= set(names)
    assert all((tmp_path / "a" / n).read_bytes() == (tmp_path / "b" / n).read_bytes() for n in names)
    reference = "reference.seglst.json"
    assert (tmp_path / "a" / reference).read_bytes() != (tmp_path / "c" / reference).read_bytes()


@pytest.mark.parametrize("name", ["two-talkers", "two-talkers-rooms"])
def test_two_talkers_overlap_for_a_third_of_the_speech(name: str, material: Material):
    """Every recording has two people and 30 to 40 % of overlap."""
    for plan, _ in draw_set(name, material, 1):
        assert 0.3 <= overlapped_share(plan) <= 0.4
        assert len({turn.speaker for turn in plan.turns}) == 2


def test_turn_counting_has_one_to_six_turns_in_turn(material: Material):
    """Each count comes equally often, in 20 s, with two people at least from two turns on."""
    for number, (plan, _) in enumerate(draw_set("turn-counting", material, 1)):
        assert len(plan.turns) == number % 6 + 1
        assert plan.samples == to_samples(20.0)
        assert len({turn.speaker for turn in plan.turns}) in ((1,) if len(plan.turns) == 1 else (2, 3))
        assert all(0 <= turn.start < turn.end <= plan.samples for turn in plan.turns)


def test_every_single_talker_comes_once(material: Material):
    """One recording for each person, all in the first slot."""
    drawn = list(draw_set("one-talker", material, 1))
    assert len({plan.turns[0].speaker for plan, _ in drawn}) == 7
    for plan, _ in drawn:
        assert len({turn.speaker for turn in plan.turns}) == 1
        assert set(plan.slots) == {0}


def test_every_fifth_piece_of_a_recording_of_noise_is_silent(surroundings: Surroundings):
    """Nobody speaks; four pieces have noise, the fifth only the microphone's own."""
    plan, mixture = noise_only(surroundings.noise, 5 * PIECE, np.random.default_rng(0))
    levels = 20 * np.log10(np.sqrt(np.mean(mixture.audio.reshape(5, PIECE) ** 2, axis=1)))
    assert (levels[:4] > -61.0).all()
    assert levels[4] == pytest.approx(-80.0, abs=0.5)
    assert plan.turns == mixture.turns == ()


def test_an_unknown_set_is_refused_by_name(material: Material):
    """The message says which sets there are."""
    with pytest.raises(InputError, match="two-talkers"):
        draw_set("three-talkers", material, 1)


def test_too_little_speech_is_said(corpus: Corpus, material: Material, monkeypatch: pytest.MonkeyPatch):
    """Speech of one person makes no conversation."""
    alone = Corpus(tuple(u for u in corpus.utterances if u.speaker == "p0"), corpus.audio)
    monkeypatch.setattr(evaluation_sets, "ATTEMPTS", 5)
    with pytest.raises(InputError, match="too little speech"):
        list(draw_set("two-talkers", replace(material, corpora=(alone,)), 1))
