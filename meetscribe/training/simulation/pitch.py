"""How high a person's voice is: enough to find pairs of voices that are easy to tell apart.

Not covered: pitch over time.
"""

from collections.abc import Sequence

import numpy as np

from meetscribe.timeline import SAMPLE_RATE
from meetscribe.training.corpus import Corpus
from meetscribe.training.simulation.voices import Voice

FRAME = 1_024  # samples
HEARD = 8 * SAMPLE_RATE  # samples of a person that are listened to at most
LOWEST, HIGHEST = 70.0, 420.0  # Hz
VOICED = 0.5  # autocorrelation, of that at lag 0
SHORTER = 0.85  # a shorter period is taken if it is that likely: twice a period is one, too
HIGHEST_HARMONIC = 1_000.0  # Hz


def median_pitch(pcm: np.ndarray) -> float:
    """Return the median fundamental frequency in Hz of the voiced frames of speech (n,); NaN if there is none."""
    frames = np.lib.stride_tricks.sliding_window_view(pcm, FRAME)[:: FRAME // 2] * np.hanning(FRAME)
    power = np.abs(np.fft.rfft(frames, 2 * FRAME)) ** 2
    power[:, int(HIGHEST_HARMONIC * 2 * FRAME / SAMPLE_RATE) :] = 0.0
    window = np.fft.irfft(np.abs(np.fft.rfft(np.hanning(FRAME), 2 * FRAME)) ** 2)
    likeness = np.fft.irfft(power) / np.maximum(window / window[0], 1e-3)
    low, high = int(SAMPLE_RATE / HIGHEST), int(SAMPLE_RATE / LOWEST)
    found = likeness[:, low:high]
    peak = (found >= likeness[:, low - 1 : high - 1]) & (found >= likeness[:, low + 1 : high + 1])
    best = (peak & (found > SHORTER * found.max(1, keepdims=True))).argmax(1) + low
    loud = likeness[:, 0] > 0.1 * np.quantile(likeness[:, 0], 0.9)
    voiced = loud & (likeness[np.arange(len(best)), best] > VOICED * likeness[:, 0])
    return float(np.median(SAMPLE_RATE / best[voiced])) if voiced.sum() >= 5 else float("nan")


def pitch_of(voice: Voice, corpora: Sequence[Corpus]) -> float:
    """Return the median pitch of a person in Hz, or NaN."""
    parts: list[np.ndarray] = []
    for run in voice.runs:
        corpus, utterance = corpora[run.source[0]], run.source[1]
        begin, end = int(run.starts[0]), int(run.ends[-1])
        parts.append(corpus.audio.read(corpus.utterances[utterance].offset + begin, end - begin))
        if sum(map(len, parts)) > HEARD:
            break
    heard = np.concatenate(parts)[:HEARD]
    return median_pitch(heard) if len(heard) >= 4 * FRAME else float("nan")
