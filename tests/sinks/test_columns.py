from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from meetscribe import events as ev
from meetscribe.sinks.columns import Columns, in_rows, words_of
from meetscribe.timeline import to_samples

from . import scripted

texts = st.lists(st.text("abcdé語", min_size=1, max_size=9), min_size=1, max_size=8).map(" ".join)


@st.composite
def meetings(draw):
    """Turns by start in two slots; within a slot they follow each other, across slots they overlap as they like."""
    turns = []
    for slot in (0, 1):
        end = 0.0
        for _ in range(draw(st.integers(0, 4))):
            start = end + draw(st.integers(0, 30)) / 10
            end = start + draw(st.integers(1, 60)) / 10
            turns.append(scripted.turn(f"{slot}-{len(turns)}", slot, start, end, draw(texts)))
    return sorted(turns, key=lambda said: said.start)


def all_words(turns):
    words = [word for said in turns for word in words_of(said, 99)]
    return sorted(words, key=lambda word: (word.time, word.turn.start, word.turn.id))


def read(rows):
    """What the rows say in each turn, letters only: words wider than a cell are cut."""
    said = {}
    for row in rows:
        for word in row.words:
            said[word.turn.id] = said.get(word.turn.id, "") + word.text
    return said


@given(meetings(), st.integers(2, 30))
def test_rows_hold_every_word_once_and_time_runs_downwards(turns, width):
    """Each turn reads as it was said; nothing was said before what stands in a row above; no cell is too wide."""
    rows = in_rows(all_words(turns), width)
    assert read(rows) == {said.id: said.text.replace(" ", "") for said in turns}
    times = [[word.time for word in row.words] for row in rows]
    assert all(max(above) <= min(below) for above, below in pairwise(times))
    for row in rows:
        for slot, cell in enumerate(row.cells):
            assert cell_len(" ".join(word.text for word in cell.words)) == cell.width <= width
            assert {word.turn.slot for word in cell.words} <= {slot}
            assert len({word.turn.id for word in cell.words}) <= 1


@given(meetings(), st.integers(2, 30))
def test_turns_share_a_row_only_when_they_overlap(turns, width):
    """A row with words on both sides shows two people who talked at the same time."""
    for row in in_rows(all_words(turns), width):
        left, right = (cell.words for cell in row.cells)
        if left and right:
            assert left[0].turn.interval.touches(right[0].turn.interval)


def test_a_word_thrown_in_stands_beside_the_words_it_was_thrown_into():
    """The other column's row is that of the moment, not of the long turn's beginning or end."""
    long = scripted.turn("t1", 0, 0.0, 10.0, "one two three four five six seven eight nine ten")
    short = scripted.turn("t2", 1, 5.2, 5.6, "yeah")
    rows = in_rows(all_words([long, short]), 14)
    shown = [tuple(" ".join(word.text for word in cell.words) for cell in row.cells) for row in rows]
    assert shown == [("one two three", ""), ("four five six", "yeah"), ("seven eight", ""), ("nine ten", "")]
    assert [tuple(cell.begins for cell in row.cells) for row in rows[:2]] == [(True, False), (False, True)]


def test_words_without_times_are_spread_over_their_turn():
    """A corrected text has more words than were timed: they get even times, in order."""
    said = ev.Turn(id="t1", slot=0, start=0, end=32_000, text="a b c d", words=(ev.Word("a", 0, 16_000),))
    assert [word.time for word in words_of(said, 2)] == [0, 8_000, 16_000, 24_000]
    assert [word.firm for word in words_of(said, 2)] == [True, True, False, False]


@given(meetings(), st.integers(2, 30), st.data())
def test_what_is_taken_is_never_taken_back(turns, width, data):
    """However partials interleave and finals arrive, each turn is taken once and as its final says."""
    columns, taken = Columns(), []
    for event in scripted.played(turns):
        match event:
            case ev.Partial(turn=said, stable=stable):
                columns.update(said, stable)
            case ev.TurnEnd(turn=name):
                columns.drop(name)
                continue
            case ev.Final(turn=said):
                columns.finish(said)
        taken += columns.take(width, event.at)
        if data.draw(st.booleans()):
            columns.rows(width)
    assert columns.rows(width) == []
    assert read(taken) == {said.id: said.text.replace(" ", "") for said in turns}


@given(st.permutations(range(4)))
def test_finals_in_any_order_give_the_same_words(order):
    """A short turn's final comes before that of the long turn it lies in, or after it."""
    turns = [
        scripted.turn("t1", 0, 0.0, 9.0, "a long turn that goes on and on"),
        scripted.turn("t2", 1, 3.0, 4.0, "yes yes"),
        scripted.turn("t3", 1, 6.0, 12.0, "let me say something too"),
        scripted.turn("t4", 0, 10.0, 11.0, "right"),
    ]
    columns, taken = Columns(), []
    for said in turns:
        columns.update(said, len(said.words) - 1)
    for number in order:
        columns.finish(turns[number])
        taken += columns.take(12, to_samples(20))
    assert read(taken) == {said.id: said.text.replace(" ", "") for said in turns}


@pytest.mark.parametrize("width", [20, 29, 60])
def test_nothing_waits_long_while_people_keep_talking_over_each_other(width):
    """An hour without a moment of silence does not pile up: rows that are firm are taken while turns are open."""
    turns = [
        scripted.turn(f"t{n}", n % 2, 3.0 * n, 3.0 * n + 4.0, "we all talk and nobody listens to us")
        for n in range(200)
    ]
    columns, waiting = Columns(), 0
    for event in scripted.played(turns):
        match event:
            case ev.Partial(turn=said, stable=stable):
                columns.update(said, stable)
            case ev.Final(turn=said):
                columns.finish(said)
        columns.take(width, event.at)
        waiting = max(waiting, len(columns.rows(width)))
    assert waiting <= 12
