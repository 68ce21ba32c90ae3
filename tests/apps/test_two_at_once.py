"""What the shipped model hears when two people talk over each other, seen from outside."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

import meetscribe
from meetscribe import models
from meetscribe.apps.recogniser import load_bypassed, load_recogniser
from meetscribe.apps.transcribe import task_of
from meetscribe.apps.transcribe import transcribe as run
from meetscribe.evaluation import multitalker
from meetscribe.evaluation.normaliser import PLAIN
from meetscribe.evaluation.segments import Segment, normalised, of_meeting, read_segments, spread
from meetscribe.meeting import fold
from meetscribe.timeline import SAMPLE_RATE, Interval, to_samples
from meetscribe.training.voices import Delivery, missing_programs, speak, voice_named

DEMO = Path(meetscribe.__file__).parent / "demo"
VOICES = tuple(
    voice_named(name) for name in ("rhvoice-clb", "flite-rms")
)  # no model of ours was trained with them
SENTENCES = (
    "we could paint the kitchen in a warm yellow this summer",
    "I would rather leave the walls white and buy new chairs",
    "the old chairs are fine if somebody repairs the legs",
    "my brother has all the tools that we need for that",
    "please ask him whether he can come on Sunday morning",
    "he will be glad to help us if there is some coffee",
)
SHARE = 0.4  # of the time in which somebody talks, two do


@pytest.fixture(scope="module")
def hear():
    """Transcribe a file with the shipped model; returns the segments of its final turns."""
    model = models.find(None)
    if not model.configuration().get("separator"):
        pytest.skip("the shipped model has no separator")
    loaded = {load: load(model.path) for load in (load_recogniser, load_bypassed)}

    def transcribe(path, load=load_recogniser):
        transcript = run(task_of(path), lambda: loaded[load])
        assert transcript.error is None
        return of_meeting(fold(transcript.log or ()))

    return transcribe


def pairs_at_once(segments, told_apart):
    """The pairs of segments of different `told_apart` that share time, as the time that they share."""
    return [
        Interval(max(a.start, b.start), min(a.end, b.end))
        for i, a in enumerate(segments)
        for b in segments[:i]
        if told_apart(a) != told_apart(b) and max(a.start, b.start) < min(a.end, b.end)
    ]


def heard_at_once(expected, found):
    """How many of the moments at which two talked at once also are such in what was heard."""
    heard = pairs_at_once(found, lambda segment: segment.slot)
    moments = pairs_at_once(expected, lambda segment: segment.speaker)
    return sum(any(moment.touches(other) for other in heard) for moment in moments), len(moments)


def cut(audio):
    """Audio without the silence at both ends."""
    loud = np.flatnonzero(np.abs(audio) > 0.01 * np.abs(audio).max())
    return audio[loud[0] : loud[-1] + 1]


def dialogue(folder, first=0):
    """Two voices in turns, each beginning before the other has ended: the audio and who says what when.

    `first` is the number of the voice that begins.
    """
    voices = [VOICES[(first + n) % 2] for n in range(len(SENTENCES))]
    spoken = [
        cut(speak(voice, text, Delivery(), folder)) for voice, text in zip(voices, SENTENCES, strict=True)
    ]
    total, joins = sum(map(len, spoken)), len(spoken) - 1
    shared = round(total * SHARE / (1 + SHARE) / joins)
    mixed, at, rows = np.zeros(total + SAMPLE_RATE, np.float32), SAMPLE_RATE // 2, []
    for number, (audio, text) in enumerate(zip(spoken, SENTENCES, strict=True)):
        mixed[at : at + len(audio)] += 0.07 * audio / np.sqrt(np.mean(audio**2))
        words = spread(text.split(), at, at + len(audio))
        rows.append(Segment("two", voices[number].name, at, at + len(audio), words))
        at += len(audio) - shared
    return mixed[: at + shared + SAMPLE_RATE], rows


def test_the_demonstration_becomes_two_columns(hear):
    """Most moments of the bundled recording at which two talk at once are turns of both slots that share time."""
    expected, found = read_segments(DEMO / "reference.seglst.json"), hear(DEMO / "recording.flac")
    right, of = heard_at_once(expected, found)
    assert right >= 0.6 * of


@pytest.mark.skipif(bool(missing_programs(VOICES)), reason="the synthesisers are not installed")
def test_two_synthetic_voices_become_two_turns_with_their_words(hear, tmp_path):
    """Unseen sentences of unseen voices, two at once for 40 % of the time: turns share time, and more words are right.

    More than without the separator, of two dialogues that each of them begins; how many `benchmarks/two_talkers.py`
    tells (`two-voices`).
    """
    errors, path = {"separated": 0, "mixed": 0}, tmp_path / "two.flac"
    for first in range(len(VOICES)):
        audio, expected = dialogue(tmp_path, first)
        soundfile.write(path, audio, SAMPLE_RATE)
        found = hear(path)
        right, of = heard_at_once(expected, found)
        assert right >= 0.6 * of
        if multitalker.available():
            for name, one in (("separated", found), ("mixed", hear(path, load_bypassed))):
                rate = multitalker.orc_wer(normalised(expected, PLAIN), normalised(one, PLAIN))
                errors[name] += rate.errors
    assert errors["separated"] < errors["mixed"] or not multitalker.available(), errors


@pytest.mark.skipif(bool(missing_programs(VOICES)), reason="the synthesisers are not installed")
def test_the_dialogue_is_what_it_is_meant_to_be(tmp_path):
    """Somebody talks over somebody for 40 % of the time, never three at once, and nobody's turns touch their own."""
    audio, rows = dialogue(tmp_path)
    talking = np.zeros(len(audio), int)
    for row in rows:
        talking[row.start : row.end] += 1
    assert talking.max() == 2
    assert (talking == 2).sum() / (talking > 0).sum() == pytest.approx(SHARE, abs=0.01)
    assert all(b.start - a.end > to_samples(0.5) for a, b in zip(rows, rows[2:], strict=False))
