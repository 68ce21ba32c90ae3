"""Sound that stands for people in a room: bursts of shaped noise, each person with a spectrum of their own."""

import numpy as np
from scipy.signal import lfilter

RATE = 16_000


def voice(rng, plan, seconds):
    """Noise like speech, with some syllables a second, in the spans (start, end) of a plan; float32 [samples]."""
    samples = round(seconds * RATE)
    pole = rng.uniform(0.5, 0.9)
    sound = np.asarray(lfilter([1.0], [1.0, -pole], rng.standard_normal(samples))) * 0.1
    steps = rng.random(samples // 1600 + 2)
    syllables = np.interp(np.arange(samples) / 1600, np.arange(len(steps)), steps)
    sound *= 0.05 + 2 * np.square(syllables[:samples])
    gate = np.zeros(samples)
    for start, end in plan:
        gate[round(start * RATE) : round(end * RATE)] = 1.0
    return (sound * gate).astype(np.float32)


def plans(people, seconds, rng):
    """Spans for people who talk in turn, 1.5 to 3 s each."""
    spans, at, turn = [[] for _ in range(people)], 0.5, 0
    while at + 3.0 < seconds:
        length = rng.uniform(1.5, 3.0)
        spans[turn % people].append((at, at + length))
        at, turn = at + length + rng.uniform(0.5, 1.0), turn + 1
    return spans


def heard(voices, gains, delays, rng, hiss=1e-4):
    """What microphones hear: `gains` and `delays` (samples) [microphone, voice]; float32 [samples, microphones]."""
    audio = rng.standard_normal((len(voices[0]), len(gains))).astype(np.float32) * np.float32(hiss)
    for mic, (row, late) in enumerate(zip(gains, delays, strict=True)):
        for sound, gain, delay in zip(voices, row, late, strict=True):
            audio[:, mic] += np.float32(gain) * np.roll(sound, delay)
    return audio


def headsets(people=2, seconds=20.0, seed=1, leak=0.1):
    """A headset for each of several people, into which others leak: audio, voices, plans."""
    rng = np.random.default_rng(seed)
    spans = plans(people, seconds, rng)
    voices = [voice(rng, plan, seconds) for plan in spans]
    gains = np.where(np.eye(people), 1.0, leak)
    delays = np.where(np.eye(people), 0, 60)
    return heard(voices, gains, delays, rng), voices, spans


def level(samples, span):
    """The level of a span (seconds), dB."""
    piece = samples[round(span[0] * RATE) : round(span[1] * RATE)]
    return 10 * np.log10(np.mean(np.square(piece, dtype=np.float64)) + 1e-12)
