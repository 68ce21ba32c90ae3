from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from meetscribe.apps.recogniser import Recogniser
from meetscribe.evaluation.run import (
    final_turns,
    first_pass_turns,
    resident,
    transcribe,
    transcribe_together,
)
from meetscribe.events import Final, Partial, Turn, Word

STEP = 1600


def _words(text: str, start: int = 0) -> tuple[Word, ...]:
    return tuple(
        Word(word, (start + index) * STEP, (start + index + 1) * STEP)
        for index, word in enumerate(text.split())
    )


def _turn(words: tuple[Word, ...]) -> Turn:
    return Turn("t1", 0, 0, words[-1].end if words else 0, " ".join(word.word for word in words), words)


def _partial(text: str, stable: int) -> Partial:
    return Partial(turn=_turn(_words(text)), revision=1, stable=stable)


def test_the_last_partial_is_the_first_pass():
    """Revisions replace each other; the final's words are not looked at."""
    events = [
        _partial("he", 0),
        _partial("hello", 0),
        _partial("hello where", 0),
        Final(turn=_turn(_words("x"))),
    ]
    assert [turn.text for turn in first_pass_turns(events)] == ["hello where"]
    assert [turn.text for turn in final_turns(events)] == ["x"]


def test_firm_words_of_the_final_pass_do_not_count_as_the_first_pass():
    """Where firm words replace what was shown, the first pass keeps what it had there."""
    events = [_partial("aye sea the", 0), _partial("i see the", 2), _partial("i see the dog", 2)]
    assert [turn.text for turn in first_pass_turns(events)] == ["aye sea the dog"]


def test_a_turn_without_partials_is_taken_from_its_final():
    """A turn that closed before anything was shown has one version."""
    assert [turn.text for turn in first_pass_turns([Final(turn=_turn(_words("yes")))])] == ["yes"]


def test_what_a_split_turn_showed_is_divided_among_its_parts():
    """Words that were shown in one turn count once when its final pass makes two of it."""
    words = _words("aye sea the dog")
    first, second = (
        replace(_turn(words[:2]), id="t1"),
        replace(_turn(words[2:]), id="t2", start=words[2].start),
    )
    shown = Partial(turn=replace(_turn(words), id="t1"), revision=1, stable=0)
    events = [shown, Final(turn=first), Final(turn=second)]
    assert [turn.text for turn in first_pass_turns(events)] == ["aye sea", "the dog"]
    again = Partial(turn=replace(second, words=_words("the dog", 2), text="the dog"), revision=1, stable=1)
    assert [t.text for t in first_pass_turns([shown, Final(turn=first), again])] == ["aye sea", "the dog"]


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=8), st.data())
def test_a_first_pass_that_never_errs_is_found_whole(words, data):
    """However words become firm, when both passes agree the first pass is the whole turn."""
    events, shown, firm = [], 0, 0
    while shown < len(words):
        shown = data.draw(st.integers(shown + 1, len(words)))
        events.append(_partial(" ".join(words[:shown]), firm))
        firm = data.draw(st.integers(firm, shown))
        events.append(_partial(" ".join(words[:shown]), firm))
    assert [turn.text for turn in first_pass_turns(events)] == [" ".join(words)]


class _Sums:
    """An engine that adds up the samples of steps, and remembers how many came at once."""

    def __init__(self):
        self.batches = []

    def run(self, requests):
        self.batches.append(len(requests))
        return [float(np.sum(request)) for request in requests]


class _Chunks:
    """A transcriber whose steps have 1000 samples, and whose turns are the sums that it was given."""

    def __init__(self):
        self._waiting, self._asked, self._events, self._ended = np.zeros(0), False, [], False

    def receive_audio(self, samples):
        self._waiting = np.concatenate([self._waiting, samples])

    def receive_eof(self):
        self._ended = True

    def requests(self):
        ready = len(self._waiting) >= 1000 or (self._ended and len(self._waiting) > 0)
        if self._asked or not ready:
            return []
        self._asked, chunk = True, self._waiting[:1000]
        self._waiting = self._waiting[1000:]
        return [chunk]

    def receive_result(self, result):
        self._asked = False
        self._events.append(Final(turn=Turn("t", 0, 0, 0, str(result))))

    def events(self):
        taken, self._events = self._events, []
        return taken


def _pipeline(engine=None):
    return Recogniser("sums", engine or _Sums(), _Chunks)


@given(st.lists(st.integers(0, 6000), max_size=4), st.integers(300, 4000))
def test_recordings_together_are_heard_as_each_alone(lengths, block):
    """Recordings of any lengths that share an engine have the events that each has for itself."""
    recordings = [np.random.default_rng(n).standard_normal(n).astype(np.float32) for n in lengths]
    together = transcribe_together(_pipeline(), recordings, block)
    for samples, found in zip(recordings, together, strict=True):
        alone = transcribe(_pipeline(), samples, block)
        assert found.events == alone.events
        assert found.heard == alone.heard


def test_recordings_together_share_batches():
    """The engine is given the steps of all recordings at once, fewer when some have ended."""
    engine = _Sums()
    transcribe_together(_pipeline(engine), [np.zeros(n, np.float32) for n in (1000, 3000)], 1000)
    assert engine.batches == [2, 1, 1]


def test_memory_is_watched_by_the_minute():
    """Two and a half minutes have two figures, where the system tells them, and all their events."""
    audio = np.random.default_rng(1).standard_normal(150 * 16_000).astype(np.float32)
    found = transcribe(_pipeline(), audio, 16_000)
    assert len(found.memory) == (0 if resident() is None else 2)
    assert found.events == transcribe_together(_pipeline(), [audio], 16_000)[0].events
