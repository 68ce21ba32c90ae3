from pathlib import Path

import numpy as np
import pytest
import torch

from meetscribe.nn.voice import VoiceConfig
from meetscribe.streaming.rules import voices_differ
from meetscribe.testing import tiny_recogniser
from meetscribe.training import voices_apart
from meetscribe.training.corpus import AudioCache, Corpus, Utterance
from meetscribe.training.voices_apart import Utterances, estimated

BINS, CLASSES, STEPS = 80, 79, 200


@pytest.fixture(scope="module")
def heard() -> Utterances:
    """Forty people who differ in two directions, saying phones that differ far more."""
    rng = np.random.default_rng(1)
    phones, voices = rng.normal(0.0, 5.0, (CLASSES, BINS)), rng.normal(0.0, 1.0, (2, BINS))
    found = Utterances([], [], [])
    for person in range(40):
        said = np.eye(CLASSES)[np.repeat(rng.integers(0, 12, STEPS // 4), 4)]
        spectrum = said @ phones + rng.normal(0.0, 1.0, 2) @ voices + rng.normal(0.0, 1.0, (STEPS, BINS))
        found.speakers.append(str(person))
        found.classes.append(said)
        found.spectra.append(spectrum)
    return found


def test_phones_are_taken_away_and_people_are_left(heard: Utterances) -> None:
    """Means of a second vary by about one within a person, and between people in as many numbers as they differ in."""
    voice, spread = estimated(heard, VoiceConfig(dimensions=6, classes=CLASSES))
    assert spread[1] > 5 * spread[2]
    numbers = []
    for spectra, classes in zip(heard.spectra, heard.classes, strict=True):
        features = torch.from_numpy(np.repeat(spectra, 4, 0))[None].float()
        numbers.append(voice(features, torch.from_numpy(classes)[None].float())[0].detach().numpy())
    seconds = np.stack([one.reshape(8, 25, -1).mean(1) for one in numbers])
    assert seconds.std(1).mean() == pytest.approx(1.0, abs=0.3)
    pairs = [(0, 0), (0, 1), (1, 2), (5, 5), (5, 9)]
    for one, other in pairs:
        ratio = voices_differ((seconds[one, :4].mean(0), 100.0), (seconds[other, 4:].mean(0), 100.0), spread)
        assert (ratio > 0) == (one != other)


def test_some_utterances_of_many_people_are_heard(tmp_path: Path) -> None:
    """Those that are too short are left out; what is heard has a spectrum and classes for each step."""
    (tmp_path / "audio.json").write_text("{}")
    np.zeros(voices_apart.SHORTEST, np.int16).tofile(tmp_path / "audio.i16")
    audio = AudioCache(tmp_path / "audio")
    lengths = (voices_apart.SHORTEST, 100, voices_apart.SHORTEST)
    utterances = tuple(
        Utterance(f"{number}", "librispeech", f"{number % 2}", "", 0, samples, ())
        for number, samples in enumerate(lengths)
    )
    corpus = Corpus(utterances, audio)
    chosen = voices_apart.chosen(corpus, np.random.default_rng(1))
    assert {utterance.audio for utterance in chosen} == {"0", "2"}
    found = voices_apart.hear(tiny_recogniser(), corpus, chosen[:1])
    steps = voices_apart.SHORTEST // 640
    assert found.spectra[0].shape == (steps, BINS)
    assert found.classes[0].shape == (steps, CLASSES)
