"""From the plan of a meeting to its sound, what each slot contributes, and exact times.

Not covered: several microphones (`microphones.py`), and echo.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.signal import oaconvolve

from meetscribe.timeline import SAMPLE_RATE
from meetscribe.training.augmentation import Surroundings, resampled
from meetscribe.training.corpus import AlignedWord, AudioCache, Corpus
from meetscribe.training.simulation.plan import MeetingPlan, PlannedTurn

LONGEST_FADE = SAMPLE_RATE // 20


@dataclass(frozen=True)
class SimulatedTurn:
    """A turn in a mixture; times are its samples. `words` is empty where there is no transcript."""

    speaker: str
    slot: int
    start: int  # of the first word
    end: int  # of the last
    words: tuple[AlignedWord, ...]


@dataclass(frozen=True)
class Mixture:
    """What a microphone hears, and what it is made of: audio = sources.sum(0) + noise, clipped to -1…1."""

    audio: np.ndarray  # float32 (n,), or (n, microphones)
    sources: np.ndarray  # float32 (2, n): what each slot's talkers contribute, after room, gain and level
    turns: tuple[SimulatedTurn, ...]  # by start


def render(
    plan: MeetingPlan, corpora: Sequence[Corpus], surroundings: Surroundings, rng: np.random.Generator
) -> Mixture:
    """Return the sound of a plan.

    Args:
        plan: of which corpora, of how many impulse responses: those that it was made for.
        corpora: where its clips lie.
        surroundings: impulse responses and noise.
        rng: decides the noise.
    """
    sources = np.zeros((2, plan.samples), np.float32)
    for turn, slot in zip(plan.turns, plan.slots, strict=True):
        sound, start = turn_sound(turn, corpora[turn.source[0]], surroundings)
        add(sources[slot], sound, start)
    level = 10 ** (plan.level / 20)
    speech = _speech_level(plan, sources)
    if speech:
        sources *= np.float32(level / speech)
    audio = sources.sum(axis=0)
    audio += rng.standard_normal(plan.samples, np.float32) * np.float32(10 ** (plan.hiss / 20))
    if plan.noise is not None and surroundings.noise is not None:
        audio += noise_piece(surroundings.noise, plan.samples, level * 10 ** (-plan.noise / 20), rng)
    turns = tuple(
        simulated_turn(turn, slot, corpora) for turn, slot in zip(plan.turns, plan.slots, strict=True)
    )
    return Mixture(np.clip(audio, -1.0, 1.0), sources, turns)


def simulated_turn(turn: PlannedTurn, slot: int, corpora: Sequence[Corpus]) -> SimulatedTurn:
    """Return a planned turn with its words in the mixture's time."""
    words = corpora[turn.source[0]].utterances[turn.source[1]].words[turn.first : turn.last]
    return SimulatedTurn(
        turn.speaker, slot, turn.start, turn.end, tuple(_moved(word, turn) for word in words)
    )


def _moved(word: AlignedWord, turn: PlannedTurn) -> AlignedWord:
    def place(sample: int) -> int:
        return turn.start + round((sample - turn.clip.begin) / turn.speed)

    return AlignedWord(word.text, place(word.start), word.symbols, tuple(place(end) for end in word.ends))


def turn_sound(turn: PlannedTurn, corpus: Corpus, surroundings: Surroundings) -> tuple[np.ndarray, int]:
    """Return a turn's samples and where they start in the mixture."""
    utterance, clip = corpus.utterances[turn.source[1]], turn.clip
    first = max(0, clip.begin - clip.before)
    last = min(utterance.samples, clip.stop + clip.after)
    whole = corpus.audio.read(utterance.offset, utterance.samples)
    loudness = float(np.sqrt(np.mean(np.square(whole)))) + 1e-6
    sound = resampled(whole[first:last] * np.float32(10 ** (turn.gain / 20) / loudness), turn.speed)
    _fade(sound, round(min(clip.before, LONGEST_FADE) / turn.speed))
    _fade(sound[::-1], round(min(clip.after, LONGEST_FADE) / turn.speed))
    if turn.room is not None:
        sound = oaconvolve(sound, surroundings.responses[turn.room]).astype(np.float32)
    return sound, turn.start - round((clip.begin - first) / turn.speed)


def _fade(sound: np.ndarray, samples: int) -> None:
    """Let a sound begin softly, in place."""
    ramp = np.linspace(0.0, 1.0, min(samples, len(sound) // 2), dtype=np.float32)
    sound[: len(ramp)] *= ramp


def add(track: np.ndarray, sound: np.ndarray, start: int) -> None:
    """Add a sound to a track in place, as far as it lies within."""
    first, last = max(0, start), min(len(track), start + len(sound))
    if first < last:
        track[first:last] += sound[first - start : last - start]


def _speech_level(plan: MeetingPlan, sources: np.ndarray) -> float:
    """Return the root mean square of the turns' samples."""
    energy = sum(
        float(np.dot(s, s))
        for turn, slot in zip(plan.turns, plan.slots, strict=True)
        for s in [sources[slot, turn.start : turn.end]]
    )
    samples = sum(turn.end - turn.start for turn in plan.turns)
    return float(np.sqrt(energy / samples)) if samples else 0.0


def noise_piece(noise: AudioCache, samples: int, level: float, rng: np.random.Generator) -> np.ndarray:
    """Return a stretch of one of the recordings of noise, repeated where it is short; `level` is its RMS."""
    names = list(noise.places)
    offset, available = noise.places[names[rng.integers(len(names))]]
    start = int(rng.integers(max(1, available - samples)))
    piece = np.resize(noise.read(offset + start, min(samples, available - start)), samples)
    return piece * np.float32(level / (np.sqrt(np.mean(np.square(piece))) + 1e-6))
