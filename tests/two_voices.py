"""A recogniser of two people at once that needs no model: low tones are one voice's words, high ones another's.

What separates them is a filter; each burst is a turn of its slot, whose word is its pitch to the nearest 20 Hz.
"""

from dataclasses import replace

import numpy as np
from fakes import BurstTranscriber, LoudnessEngine
from scipy.signal import butter, sosfilt

from meetscribe import events as ev
from meetscribe.apps.recogniser import Recogniser
from meetscribe.timeline import SAMPLE_RATE

LOW, HIGH = (200, 220, 240, 260, 280, 300), (700, 720, 740, 760, 780, 800)
_BETWEEN = 460  # Hz


class TwoVoices:
    """Transcribes each voice by itself."""

    def __init__(self):
        bands = [butter(10, _BETWEEN, kind, fs=SAMPLE_RATE, output="sos") for kind in ("low", "high")]
        self.voices = [(BurstTranscriber(), np.asarray(band), np.zeros((5, 2))) for band in bands]
        self.asked = []

    def receive_audio(self, samples):
        for voice, band, state in self.voices:
            heard, state[:] = sosfilt(band, samples, zi=state)
            voice.receive_audio(heard.astype(np.float32))

    def receive_eof(self):
        for voice, *_ in self.voices:
            voice.receive_eof()

    def requests(self):
        wanted = [(voice, request) for voice, *_ in self.voices for request in voice.requests()]
        self.asked = [voice for voice, _ in wanted]
        return [request for _, request in wanted]

    def receive_result(self, result):
        self.asked.pop(0).receive_result(result)

    def events(self):
        return [
            _of_slot(slot, event) for slot, (voice, *_) in enumerate(self.voices) for event in voice.events()
        ]


def _of_slot(slot, event):
    if not isinstance(event, ev.Final):
        return replace(event, turn=f"{slot}{event.turn}", slot=slot)
    (word,) = event.turn.words
    pitch = str(round(int(word.word) / 20) * 20)
    words = (replace(word, word=pitch),)
    turn = replace(event.turn, id=f"{slot}{event.turn.id}", slot=slot, text=pitch, words=words)
    return replace(event, turn=turn)


def load_two_voices(directory):
    """Load the recogniser of two voices."""
    return Recogniser(directory.name, LoudnessEngine(), TwoVoices)


def burst(pitch, seconds=0.8):
    """A word of this pitch."""
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    edge = np.minimum(1, np.minimum(time, time[::-1]) / 0.02)
    return (0.3 * edge * np.sin(2 * np.pi * pitch * time)).astype(np.float32)


def conversation(low, high):
    """Words of both voices, each of the high one begun before the low one's has ended: float32 at 16 kHz."""
    sound = np.zeros(int((1.6 * max(len(low), len(high)) + 1.0) * SAMPLE_RATE), np.float32)
    for pitches, late in ((low, 0.0), (high, 0.3)):
        for number, pitch in enumerate(pitches):
            begin = int((1.6 * number + late + 0.2) * SAMPLE_RATE)
            sound[begin : begin + len(burst(pitch))] += burst(pitch)
    return sound
