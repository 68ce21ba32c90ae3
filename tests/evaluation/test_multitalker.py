import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meetscribe.errors import MissingError
from meetscribe.evaluation import multitalker
from meetscribe.evaluation.error_rate import word_error_rate

from .builders import segment

needs_meeteval = pytest.mark.skipif(not multitalker.available(), reason="meeteval is not installed")
TEXT = st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map(" ".join)


@st.composite
def segments(draw, speakers: str, slots: bool):
    """Up to four turns, one after another, by any of the speakers."""
    made = []
    for index in range(draw(st.integers(0, 4))):
        who = draw(st.sampled_from(speakers))
        slot = "xy".index(who) if slots else None
        made.append(segment(who, 2 * index, 2 * index + 1.5, draw(TEXT), slot))
    return made


def _stream(parts, key) -> list[str]:
    return [word.word for part in parts if key(part) for word in part.words]


def slow_orc(reference, hypothesis) -> int:
    """The least errors over every assignment of reference turns to the two slots."""
    streams = [_stream(hypothesis, lambda s, slot=slot: s.slot == slot) for slot in (0, 1)]
    best = None
    for choice in itertools.product((0, 1), repeat=len(reference)):
        errors = 0
        for slot in (0, 1):
            words = [w.word for s, c in zip(reference, choice, strict=True) if c == slot for w in s.words]
            errors += word_error_rate(words, streams[slot]).errors
        best = errors if best is None else min(best, errors)
    assert best is not None
    return best


def slow_cp(reference, hypothesis) -> int:
    """The least errors over every pairing of the two sides' speakers."""
    left = [_stream(reference, lambda s, who=who: s.speaker == who) for who in "AB"]
    right = [_stream(hypothesis, lambda s, who=who: s.speaker == who) for who in "xy"]
    pairings = (zip(left, order, strict=True) for order in itertools.permutations(right))
    return min(sum(word_error_rate(a, b).errors for a, b in pairing) for pairing in pairings)


@needs_meeteval
@settings(max_examples=60, deadline=None)
@given(segments("AB", slots=False), segments("xy", slots=True))
def test_orc_and_cp_are_the_best_assignments(reference, hypothesis):
    """ORC-WER and cpWER equal the minimum over all assignments, tried one by one."""
    assert multitalker.orc_wer(reference, hypothesis).errors == slow_orc(reference, hypothesis)
    cp = multitalker.cp_wer(reference, hypothesis)
    assert cp.errors == slow_cp(reference, hypothesis)
    assert multitalker.tcp_wer(reference, hypothesis).errors >= cp.errors


@needs_meeteval
def test_words_far_away_in_time_do_not_match():
    """A word that comes a minute late is wrong for tcpWER, and right for cpWER."""
    reference, late = [segment("A", 0, 1, "hello")], [segment("x", 60, 61, "hello")]
    assert multitalker.cp_wer(reference, late).errors == 0
    assert multitalker.tcp_wer(reference, late).errors == 2


def test_without_meeteval_the_message_names_the_extra(monkeypatch):
    """The error says which extra is missing, and it ends with exit code 3."""
    monkeypatch.setitem(__import__("sys").modules, "meeteval.wer", None)
    with pytest.raises(MissingError, match=r"meetscribe\[eval\]") as caught:
        multitalker.orc_wer([segment("A", 0, 1, "a")], [segment("x", 0, 1, "a")])
    assert caught.value.exit_code == 3
    assert not multitalker.available()
