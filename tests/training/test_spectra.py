import numpy as np
import pytest

from meetscribe.streaming.spectra import weight_of
from meetscribe.training.corpus import AlignedWord
from meetscribe.training.simulation.render import Mixture, SimulatedTurn
from meetscribe.training.spectra import LEAST, Sounding, fitted, turns_of

SIZE = 12


def meetings(rng: np.random.Generator, count: int = 60) -> list[Sounding]:
    """Return meetings of four in which people differ in the first two bands, and turns in all."""
    made = []
    for _ in range(count):
        places = rng.standard_normal((4, SIZE)) * np.r_[6.0, 4.0, np.zeros(SIZE - 2)]
        who, seconds = np.arange(24) % 4, rng.uniform(0.5, 8.0, 24)
        own = rng.standard_normal((24, SIZE)) / np.sqrt(weight_of(seconds))[:, None]
        made.append(Sounding(tuple(f"p{person}" for person in who), places[who] + own, seconds))
    return made


def test_people_are_told_by_what_differs_between_them() -> None:
    """The first axes are those in which people differ; what a turn's own is has variance one there."""
    made = meetings(np.random.default_rng(1))
    spectra = fitted(made, np.random.default_rng(2))
    assert spectra.spread[1] > 5 * spectra.spread[2]
    energy = np.square(spectra.projection[:, :2]).sum(1)
    assert energy[:2].sum() > 0.95 * energy.sum()
    fresh = meetings(np.random.default_rng(3), 1)[0]
    places = spectra.places(fresh.spectra, fresh.spectra.mean(0))
    weights = weight_of(fresh.seconds)
    pairs = [(a, b) for a in range(24) for b in range(a)]
    odds = [float(spectra.odds(places[a], weights[a], places[b], weights[b])) for a, b in pairs]
    same = [fresh.people[a] == fresh.people[b] for a, b in pairs]
    right = np.mean([(value > 0) == alike for value, alike in zip(odds, same, strict=True)])
    assert right > 0.9


def test_turns_sound_as_they_do_alone() -> None:
    """A turn's spectrum is that of its words while nobody else talks; short ones are left out."""
    rng = np.random.default_rng(4)
    audio = rng.standard_normal(64_000).astype(np.float32) * np.float32(0.001)
    audio[:32_000] *= 30
    audio[24_000:40_000] += rng.standard_normal(16_000).astype(np.float32) * np.float32(0.5)

    def turn(name: str, start: int, end: int) -> SimulatedTurn:
        return SimulatedTurn(name, 0, start, end, (AlignedWord("a", start, (1,), (end,)),))

    said = (turn("a", 0, 32_000), turn("b", 24_000, 40_000), turn("c", 48_000, 48_000 + LEAST * 100))
    found = turns_of(Mixture(audio, np.zeros((2, 64_000), np.float32), said))
    assert found.people == ("a", "b")
    assert found.seconds == pytest.approx([1.5, 0.5])
    assert found.spectra[1].mean() > found.spectra[0].mean() + 2


def test_a_meeting_without_turns_is_empty() -> None:
    """Nobody says enough: no turns, and no error."""
    found = turns_of(Mixture(np.zeros(16_000, np.float32), np.zeros((2, 16_000), np.float32), ()))
    assert (found.people, len(found.spectra)) == ((), 0)
