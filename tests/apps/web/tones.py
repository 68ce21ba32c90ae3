"""Speech that needs no recogniser: a tone for each number, told apart by its pitch."""

from itertools import pairwise

import numpy as np
import soundfile

LOWEST, STEP = 300, 60  # hertz: number n is a tone of LOWEST + STEP * n
LOUD, PAUSE = 0.5, 0.3  # seconds of a tone, and of the silence after it
HOP = 0.02
DROPOUT = 0.16  # seconds that a busy machine may lose inside of a tone


def write_numbers(path, count, rate=48_000):
    """Write a recording in which the numbers from 1 to `count` are said; returns its length in seconds."""
    silence, first = np.zeros(round(PAUSE * rate)), np.zeros(rate)
    time = np.arange(round(LOUD * rate)) / rate
    tones = [0.4 * np.sin(2 * np.pi * (LOWEST + STEP * number) * time) for number in range(1, count + 1)]
    samples = np.concatenate([first, *(part for tone in tones for part in (tone, silence)), silence])
    soundfile.write(path, samples, rate, subtype="PCM_16")
    return len(samples) / rate


def hear(samples, rate, is_whole):
    """The numbers in a recording as (start, end, number), times in samples at 16 kHz, without one that goes on."""
    hop = round(HOP * rate)
    frames = samples[: len(samples) // hop * hop].reshape(-1, hop).astype(float) / 32768
    loud = np.sqrt(np.mean(np.square(frames), axis=1)) > 0.03
    loud = _without_dropouts(loud)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], loud, [False]])))
    found = []
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        is_over = is_whole or last < len(loud)
        if is_over and last - first >= 0.2 / HOP:
            spectrum = np.abs(np.fft.rfft(frames[first:last].ravel(), 8 * rate))
            number = round((np.argmax(spectrum) / 8 - LOWEST) / STEP)
            found.append((round(first * HOP * 16_000), round(last * HOP * 16_000), number))
    return found


def _without_dropouts(loud):
    """Fill short silences between loud frames."""
    filled = loud.copy()
    places = np.flatnonzero(loud)
    for before, after in pairwise(places):
        if after - before <= DROPOUT / HOP:
            filled[before:after] = True
    return filled
