import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetscribe.errors import InputError
from meetscribe.evaluation import segments as sg
from meetscribe.evaluation.normaliser import PLAIN
from meetscribe.events import Turn, Word
from meetscribe.timeline import to_samples

from .builders import segment

WORDS = st.lists(st.text("abc", min_size=1, max_size=5), min_size=1, max_size=8)


@given(WORDS, st.integers(0, 10**6), st.integers(0, 10**6))
def test_spread_words_fill_the_segment_in_order(words, start, length):
    """Words without times share the segment from its start to its end, without holes."""
    timed = sg.spread(words, start, start + length)
    assert [word.word for word in timed] == words
    assert timed[0].start == start
    assert timed[-1].end == start + length
    assert all(a.end == b.start for a, b in itertools.pairwise(timed))


def test_a_turns_own_word_times_are_kept():
    """Where a turn's words make up its text, their times are used; after a correction they are spread."""
    words = (Word("hello", 1600, 3200), Word("there", 4800, 6400))
    turn = Turn("t1", 0, 0, 8000, "hello there", words)
    assert sg.of_turn("m", turn, None).words[1] == sg.TimedWord("there", 4800, 6400)
    corrected = Turn("t1", 0, 0, 8000, "hello here", words)
    assert not sg.of_turn("m", corrected, None).timed


def test_short_pauses_join_into_turns_and_long_ones_do_not():
    """One speaker's segments join across 0.5 s and not across more, whoever talks in between."""
    pieces = [
        segment("A", 0, 1, "one"), segment("B", 1.1, 1.3, "mhm"), segment("A", 1.5, 2, "two"),
        segment("A", 2.501, 3, "three"),
    ]  # fmt: skip
    turns = sg.joined_turns(pieces)
    assert [(t.speaker, t.text) for t in turns] == [("A", "one two"), ("B", "mhm"), ("A", "three")]


def test_a_segment_with_word_times_is_cut_at_long_pauses():
    """A read sentence with a pause of over 0.5 s inside holds two turns."""
    words = (Word("one", 0, 16000), Word("two", 32000, 40000))
    whole = sg.of_turn("m", Turn("t1", 0, 0, 40000, "one two", words), "A")
    assert [t.text for t in sg.joined_turns([whole])] == ["one", "two"]


def test_normalising_keeps_times_inside_the_word():
    """A word that becomes two shares its time; one that becomes nothing is gone."""
    before = sg.Segment("m", "A", 0, 300, (sg.TimedWord("Twenty-five", 0, 200), sg.TimedWord("—", 200, 300)))
    (after,) = sg.normalised([before], PLAIN)
    assert [word.word for word in after.words] == ["twenty", "five"]
    assert after.words[-1].end == 200


def test_seglst_is_read(tmp_path):
    """A SegLST file gives sessions, speakers, times, slots where it has them."""
    path = tmp_path / "a.seglst.json"
    row = {"session_id": "x", "speaker": "Ann", "start_time": 0.5, "end_time": 1.5, "words": "hi there"}
    path.write_text(json.dumps([row, {**row, "slot": 1}]))
    plain, slotted = sg.read_segments(path)
    assert (plain.session, plain.speaker, plain.start, plain.slot) == ("x", "Ann", to_samples(0.5), None)
    assert slotted.slot == 1


@pytest.mark.parametrize("content", ["", "{", '[{"speaker": "A"}]', "[1]", '{"a": 1}'])
def test_what_is_no_segment_list_is_refused_by_name(tmp_path, content):
    """A damaged file is named in one sentence."""
    path = tmp_path / "bad.seglst.json"
    path.write_text(content)
    with pytest.raises(InputError, match=r"bad\.seglst\.json"):
        sg.read_segments(path)


def test_a_missing_file_and_a_format_without_times_are_refused(tmp_path):
    """No file, and plain text, are refused with the remedy."""
    with pytest.raises(InputError, match="cannot be read"):
        sg.read_segments(tmp_path / "none.seglst.json")
    (tmp_path / "a.txt").write_text("hello")
    with pytest.raises(InputError, match="has no times"):
        sg.read_segments(tmp_path / "a.txt")
