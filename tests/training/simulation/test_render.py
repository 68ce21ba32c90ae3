from dataclasses import replace

import numpy as np
import pytest
from scipy.signal import correlate

from meetscribe.training.augmentation import Surroundings
from meetscribe.training.corpus import Corpus
from meetscribe.training.simulation.config import SimulationConfig
from meetscribe.training.simulation.meetings import SimulatedMeetings
from meetscribe.training.simulation.plan import MeetingPlan, plan_meeting
from meetscribe.training.simulation.render import Mixture, noise_piece, render
from meetscribe.training.simulation.voices import collect_voices

RATE = 16_000
DRY = replace(SimulationConfig(), room_share=0.0, noise_share=0.0, samples=20 * RATE)


def rendered(
    corpus: Corpus, surroundings: Surroundings, config: SimulationConfig, seed: int
) -> tuple[MeetingPlan, Mixture]:
    rng = np.random.default_rng(seed)
    rooms = (tuple(range(len(surroundings.responses))),)
    plan = plan_meeting(collect_voices([corpus]), config, rng, rooms)
    return plan, render(plan, [corpus], surroundings, rng)


@pytest.mark.parametrize("seed", range(8))
def test_words_lie_exactly_where_their_times_say(corpus: Corpus, surroundings: Surroundings, seed: int):
    """A slot is loud from a word's start to its end and silent between words, to within two samples."""
    _, mixture = rendered(corpus, surroundings, DRY, seed)
    expected = np.zeros((2, DRY.samples), bool)
    unsure = np.zeros((2, DRY.samples), bool)
    for turn in mixture.turns:
        assert (turn.start, turn.end) == (turn.words[0].start, turn.words[-1].end)
        for word in turn.words:
            expected[turn.slot, word.start : word.end] = True
            for edge in (word.start, word.end):
                unsure[turn.slot, edge - 2 : edge + 2] = True
        unsure[turn.slot, turn.start - 200 : turn.start] = True
        unsure[turn.slot, turn.end : turn.end + 200] = True
    loud = np.abs(mixture.sources) > 0
    assert not np.any(loud & ~expected & ~unsure)
    assert np.mean(loud[expected & ~unsure]) > 0.99


def test_a_turn_is_found_in_the_mixture_where_its_recording_fits_best(
    corpus: Corpus, surroundings: Surroundings
):
    """Sliding the recording along the slot, it fits best at the turn's start."""
    config = replace(DRY, speed=0.0, styles=(("overlapped", 1.0),))
    plan, mixture = rendered(corpus, surroundings, config, 3)
    for turn, slot in zip(plan.turns, plan.slots, strict=True):
        utterance = corpus.utterances[turn.source[1]]
        original = corpus.audio.read(utterance.offset + turn.clip.begin, turn.clip.samples)
        near = mixture.sources[slot, max(0, turn.start - 50) : turn.end + 50]
        lag = int(np.argmax(correlate(near, original, "valid")))
        assert max(0, turn.start - 50) + lag == turn.start


def test_sources_and_noise_make_the_mixture(corpus: Corpus, surroundings: Surroundings):
    """Without noise the mixture is the sum of its slots and a hiss too faint to hear."""
    config = replace(DRY, room_share=1.0, level=(-35.0, -30.0), hiss=(-90.0, -90.0))
    _, mixture = rendered(corpus, surroundings, config, 1)
    rest = mixture.audio - mixture.sources.sum(axis=0)
    assert 20 * np.log10(np.sqrt(np.mean(rest**2))) == pytest.approx(-90.0, abs=0.5)
    assert mixture.audio.dtype == mixture.sources.dtype == np.float32


def test_noise_is_as_much_fainter_than_the_speech_as_asked(corpus: Corpus, surroundings: Surroundings):
    """The ratio is that of the speech while somebody talks to the noise."""
    config = replace(
        DRY, noise_share=1.0, snr=(12.0, 12.0), level=(-30.0, -30.0), hiss=(-120.0, -120.0), gain=0.0
    )
    config = replace(config, styles=(("single", 1.0),))
    _, mixture = rendered(corpus, surroundings, config, 2)
    noise = mixture.audio - mixture.sources.sum(axis=0)
    said = np.concatenate([mixture.sources[t.slot, t.start : t.end] for t in mixture.turns])
    assert 20 * np.log10(np.sqrt(np.mean(said**2))) == pytest.approx(-30.0, abs=0.2)
    assert 20 * np.log10(np.sqrt(np.mean(noise**2))) == pytest.approx(-42.0, abs=0.2)


def test_a_piece_of_noise_longer_than_the_recording_repeats_it(surroundings: Surroundings):
    """Short noise fills any length at the level asked."""
    assert surroundings.noise is not None
    piece = noise_piece(surroundings.noise, 10 * RATE, 0.1, np.random.default_rng(0))
    assert len(piece) == 10 * RATE
    assert np.sqrt(np.mean(piece**2)) == pytest.approx(0.1, rel=0.01)


def test_mixtures_are_a_function_of_seed_and_number(corpus: Corpus, surroundings: Surroundings):
    """The same number gives the same mixture in another object and another order; others differ."""
    config = replace(SimulationConfig(), samples=6 * RATE)
    first, second = (SimulatedMeetings([corpus], surroundings, config, 5) for _ in range(2))
    wanted = {number: first[number] for number in range(4)}
    for number in (3, 1, 0, 2):
        again = second[number]
        assert np.array_equal(again.audio, wanted[number].audio)
        assert np.array_equal(again.sources, wanted[number].sources)
        assert again.turns == wanted[number].turns
    assert not np.array_equal(wanted[0].audio, wanted[1].audio)
    other = SimulatedMeetings([corpus], surroundings, config, 6)
    assert not np.array_equal(wanted[0].audio, other[0].audio)


def test_all_mixtures_have_the_length_asked(corpus: Corpus, surroundings: Surroundings):
    """Batches need no padding."""
    config = replace(SimulationConfig(), samples=7 * RATE + 1)
    meetings = SimulatedMeetings([corpus], surroundings, config, 0)
    for number in range(10):
        mixture = meetings[number]
        assert mixture.audio.shape == (config.samples,)
        assert mixture.sources.shape == (2, config.samples)
        assert np.abs(mixture.audio).max() <= 1.0


def test_turns_of_recordings_without_transcript_have_no_words(corpus: Corpus, surroundings: Surroundings):
    """Speech without words serves the separator; its turns have their times all the same."""
    bare = Corpus(tuple(replace(u, words=(), text="") for u in corpus.utterances), corpus.audio)
    _, mixture = rendered(bare, surroundings, replace(DRY, styles=(("meeting", 1.0),)), 4)
    assert mixture.turns
    for turn in mixture.turns:
        assert turn.words == ()
        assert np.any(mixture.sources[turn.slot, turn.start : turn.end])
