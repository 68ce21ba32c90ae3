import functools
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from search_worlds import clear_scores, random_ngram

from meetscribe.lm.lexicon import Lexicon
from meetscribe.lm.mixture import MixtureWeights
from meetscribe.lm.symbols import BLANK, END_OF_TURN, START_OF_TURN, spell
from meetscribe.streaming.rules import ClosingRule, SplitRule
from meetscribe.streaming.search import FRAME_SAMPLES, Search, SearchSettings
from meetscribe.streaming.turns import (
    Evidence,
    TurnClosed,
    TurnOpened,
    Turns,
    TurnSettings,
    TurnUpdate,
    TurnUpdated,
    is_over,
    needed_silence,
)

BAA = spell(["B", "AA"])
KAA = spell(["K", "AA"])
MARKED = TurnSettings(active_pause=22, ended_pause=8, ended_quiet_pause=5, withdraw=20, open_steps=3)
SETTINGS = TurnSettings(pause=18, disputed_pause=30, long=100, short_pause=6, longest=200, shortest_pause=3)


@functools.cache
def search(marks: bool = False) -> Search:
    """A search that knows the words baa and kaa."""
    model = random_ngram(np.random.default_rng(1), 2)
    settings = SearchSettings(marks=marks)
    return Search.build(Lexicon(("baa", "kaa"), ((BAA,), (KAA,))), model, model, settings)


def word(frame: int, symbols: tuple[int, ...] = BAA) -> dict[int, int]:
    """Says a word of two symbols, the last of which comes at `frame`."""
    return {frame - 1: symbols[0], frame: symbols[1]}


def updates_of(said: dict[int, int], frames: int, chunk: int = 1) -> list[tuple[int, TurnUpdate]]:
    """Returns (frames heard, update) pairs."""
    turns, scores, updates = Turns(search(), SETTINGS), clear_scores(said, frames), []
    for begin in range(0, frames, chunk):
        part = scores[begin : begin + chunk]
        updates += [(begin + len(part), update) for update in turns.advance(part)]
    return updates


def closings(updates: list[tuple[int, TurnUpdate]]) -> list[tuple[int, TurnClosed]]:
    return [(heard, update) for heard, update in updates if isinstance(update, TurnClosed)]


def test_silence_has_no_turns() -> None:
    """As long as nobody says a word nothing is opened, updated or closed."""
    assert updates_of({}, 200, chunk=8) == []


def test_turn_opens_with_a_word_and_closes_after_silence() -> None:
    """A word opens a turn, which shows it and closes with it once nothing came for as long as a pause."""
    updates = updates_of(word(20), 60)
    kinds = [type(update) for _, update in updates]
    assert kinds[:2] == [TurnOpened, TurnUpdated]
    assert kinds.count(TurnOpened) == kinds.count(TurnClosed) == 1
    ((heard, closed),) = closings(updates)
    assert [found.text for found in closed.words] == ["baa"]
    assert closed.end == closed.words[-1].end == 21 * FRAME_SAMPLES
    assert heard == 21 + SETTINGS.pause


@given(st.integers(2, 40))
def test_pause_decides_between_one_turn_and_two(gap: int) -> None:
    """Words belong to one turn if fewer frames than the pause lie between their symbols, else to two."""
    updates = updates_of(word(20) | word(21 + gap, KAA), 120)
    texts = [[found.text for found in closed.words] for _, closed in closings(updates)]
    assert texts == ([["baa", "kaa"]] if gap <= SETTINGS.pause else [["baa"], ["kaa"]])


@given(st.lists(st.integers(2, 40), min_size=1, max_size=6), st.sampled_from([1, 2, 4, 8, 14]))
def test_turns_follow_one_another(gaps: list[int], chunk: int) -> None:
    """Every word is in one turn; turns open and close in turn, and none begins before the last has ended."""
    ends = np.cumsum([gap + 2 for gap in gaps]).tolist()
    said = {frame: symbol for end in ends for frame, symbol in word(end).items()}
    updates = [update for _, update in updates_of(said, ends[-1] + 60, chunk)]
    kinds = [type(update) for update in updates if not isinstance(update, TurnUpdated)]
    assert kinds == [TurnOpened, TurnClosed] * (len(kinds) // 2)
    words = [found for update in updates if isinstance(update, TurnClosed) for found in update.words]
    assert [found.end // FRAME_SAMPLES - 1 for found in words] == ends
    edges = [edge for found in words for edge in (found.start, found.end)]
    assert edges == sorted(edges)


def test_long_turn_closes_at_shorter_pauses() -> None:
    """After a while a short pause closes a turn, later a very short one, so that no turn lasts for ever."""
    steady = {frame: symbol for end in range(10, 600, 9) for frame, symbol in word(end).items()}
    heard = [frames for frames, _ in closings(updates_of(steady, 700))]
    first, second = SETTINGS.long, SETTINGS.longest
    assert first < heard[0] < first + 20, "pauses between these words are seven frames"
    brisk = {frame: symbol for end in range(10, 600, 6) for frame, symbol in word(end).items()}
    heard = [frames for frames, _ in closings(updates_of(brisk, 700))]
    assert second < heard[0] < second + 20, "and between these four frames"


def test_next_turn_starts_afresh() -> None:
    """After a turn was closed by hand the next one begins as a sentence, with the weights that were set."""
    turns = Turns(search(), SETTINGS)
    turns.advance(clear_scores(word(5), 8))
    assert turns.is_open
    turns.weights = MixtureWeights(3.0, 4.0)
    assert [found.text for found in turns.close().words] == ["baa"]
    assert not turns.is_open
    assert turns.advance(clear_scores({}, 8)) == []
    opened = turns.advance(clear_scores(word(5, KAA), 8))[0]
    assert isinstance(opened, TurnOpened)
    assert 16 * FRAME_SAMPLES <= opened.start < 22 * FRAME_SAMPLES


def marked_updates(
    said: dict[int, int], frames: int, chunk: int, activity: np.ndarray | None = None
) -> list[tuple[int, TurnUpdate]]:
    """Returns (frames heard, update) pairs of a network that emits starts and ends of turns."""
    turns, scores, updates = Turns(search(True), MARKED), clear_scores(said, frames), []
    speaks = np.ones(frames, np.float32) if activity is None else activity
    for begin in range(0, frames, chunk):
        part = slice(begin, begin + chunk)
        heard = min(begin + chunk, frames)
        updates += [(heard, update) for update in turns.advance(scores[part], speaks[part])]
    return updates


def outline(updates: list[tuple[int, TurnUpdate]]) -> list[list[str]]:
    return [[found.text for found in closed.words] for _, closed in closings(updates)]


def test_an_end_of_turn_closes_sooner_and_quiet_sooner_still() -> None:
    """The same silence closes a turn sooner after its end was emitted, and soonest if its slot is quiet too."""
    said = word(20)
    ended = said | {22: END_OF_TURN}
    quiet = np.where(np.arange(80) > 20, 0.0, 1.0).astype(np.float32)
    cases = [(said, None), (said, quiet), (ended, None), (ended, quiet)]
    heard = [closings(marked_updates(case, 80, 1, speaks))[0][0] - 21 for case, speaks in cases]
    assert heard == [MARKED.active_pause, MARKED.quiet_pause, MARKED.ended_pause, MARKED.quiet_steps]


@given(st.lists(st.booleans(), min_size=1, max_size=8), st.sampled_from([1, 3, 8, 16, 40]))
def test_turns_follow_one_another_without_silence(ends: list[bool], chunk: int) -> None:
    """Wherever an end and a start of a turn come between words there are two turns, many in one chunk too."""
    said, frame, expected = {3: START_OF_TURN}, 4, [[]]
    for number, end in enumerate(ends):
        said |= word(frame + 2, KAA if number % 2 else BAA)
        expected[-1].append("kaa" if number % 2 else "baa")
        frame += 4
        if end and number < len(ends) - 1:
            said |= {frame: END_OF_TURN, frame + 1: START_OF_TURN}
            expected.append([])
            frame += 2
    updates = marked_updates(said, 200, chunk)
    assert outline(updates) == expected
    kinds = [type(update) for _, update in updates if not isinstance(update, TurnUpdated)]
    assert kinds == [TurnOpened, TurnClosed] * (len(kinds) // 2)
    for (_, closed), (_, opened) in pairwise(
        (heard, update) for heard, update in updates if not isinstance(update, TurnUpdated)
    ):
        if isinstance(closed, TurnClosed) and closed.until is not None and isinstance(opened, TurnOpened):
            assert closed.end <= closed.until <= opened.start


def test_a_start_of_turn_opens_before_the_first_word() -> None:
    """A turn opens with its start if the slot is active, at that step; its words come later."""
    said = {10: START_OF_TURN} | word(25)
    (heard, opened), *_ = marked_updates(said, 60, 4)
    assert opened == TurnOpened(10 * FRAME_SAMPLES, early=True)
    assert heard == 12
    assert outline(marked_updates(said, 60, 4)) == [["baa"]]


def test_without_activity_the_first_word_opens() -> None:
    """In a slot that is not active the start of a turn alone opens nothing, and a word does."""
    said = {10: START_OF_TURN} | word(25)
    (_, opened), *_ = marked_updates(said, 60, 4, np.full(60, 0.4, np.float32))
    assert isinstance(opened, TurnOpened)
    assert not opened.early
    assert opened.start > 20 * FRAME_SAMPLES


@given(st.sampled_from([1, 4, 8, 13]))
def test_a_turn_without_a_word_is_withdrawn(chunk: int) -> None:
    """A start of a turn that no word follows is given up after a while, and the next one counts again."""
    said = {10: START_OF_TURN, 60: START_OF_TURN} | word(64)
    updates = marked_updates(said, 120, chunk)
    (heard, closed), *_ = closings(updates)
    assert closed == TurnClosed((), 10 * FRAME_SAMPLES)
    assert 30 <= heard < 31 + chunk
    assert outline(updates) == [[], ["baa"]]
    assert [update.start for _, update in updates if isinstance(update, TurnOpened)] == [
        10 * FRAME_SAMPLES,
        60 * FRAME_SAMPLES,
    ]


@given(st.integers(0, 2000), st.integers(0, 40), st.integers(0, 40), st.floats(0, 1), st.integers(0, 40))
def test_more_evidence_never_needs_more_silence(
    age: int, silence: int, agreed: int, share: float, quiet: int
) -> None:
    """An end of turn, or quiet, or age, can only shorten the silence that closes a turn."""
    silent = Evidence(age, max(silence, agreed), agreed, False, 0.0, 0)
    ended = replace(silent, ended=True, ended_share=share)
    both = replace(ended, quiet=quiet)
    needed = [needed_silence(MARKED, seen) for seen in (silent, ended, both)]
    assert needed == sorted(needed, reverse=True)
    assert needed_silence(MARKED, replace(both, age=age + 800)) <= needed[-1]
    if is_over(MARKED, silent):
        assert is_over(MARKED, both)


RULED = TurnSettings(
    pause=18,
    quiet_pause=18,
    quiet=0.5,
    open_run=3,
    closing=ClosingRule(bias=-2.0, silence=0.2, agreed=0.2, still=0.2, ended=1.0),
    splitting=SplitRule(bias=-4.0, length=0.3, still=0.0, marks=1.0, voice=0.6, spread=(8.0, 8.0)),
)
ACTIVE = 0.9


@functools.cache
def hidden_search() -> Search:
    """The same search, which does not have the marks that the network emits."""
    settings = replace(search().settings, hidden_marks=True)
    return search().with_settings(settings)


def ruled_updates(
    scores: np.ndarray, active: list[tuple[int, int]], voice: np.ndarray | None = None, chunk: int = 8
) -> list[tuple[int, TurnUpdate]]:
    """Returns (frames heard, update) pairs of a network whose slot is active in some (from, to)."""
    turns, updates = Turns(hidden_search(), RULED), []
    activity = np.full(len(scores), 0.05, np.float32)
    for begin, end in active:
        activity[begin:end] = ACTIVE
    for begin in range(0, len(scores), chunk):
        part = slice(begin, begin + chunk)
        heard = min(begin + chunk, len(scores))
        own = None if voice is None else voice[part]
        updates += [(heard, update) for update in turns.advance(scores[part], activity[part], own)]
    return updates


def ending(said: dict[int, int], frames: int, ends: list[int]) -> np.ndarray:
    """Returns a table in which the network also ends turns in some steps and starts one in the step after each."""
    scores = clear_scores(said, frames)
    for end in ends:
        scores[end, :, END_OF_TURN], scores[end, :, BLANK] = -0.01, -8.0
        scores[end + 1, END_OF_TURN, START_OF_TURN], scores[end + 1, END_OF_TURN, BLANK] = -0.01, -8.0
    return scores


def test_marks_beside_the_search_close_sooner() -> None:
    """Where the network would end the turn less silence closes it, though no hypothesis has the mark."""
    (plain, _), *_ = closings(ruled_updates(clear_scores(word(20), 80), [(16, 21)], chunk=1))
    (marked, closed), *_ = closings(ruled_updates(ending(word(20), 80, [23]), [(16, 21)], chunk=1))
    assert marked < plain < 21 + RULED.pause
    assert [found.text for found in closed.words] == ["baa"]


def test_activity_opens_before_the_first_word_and_withdraws_without_one() -> None:
    """Three active steps open a turn where they began; one in which no word follows is withdrawn."""
    updates = ruled_updates(clear_scores(word(90), 140), [(20, 26), (80, 92)])
    assert [update for _, update in updates if isinstance(update, TurnOpened)] == [
        TurnOpened(20 * FRAME_SAMPLES, early=True),
        TurnOpened(80 * FRAME_SAMPLES, early=True),
    ]
    assert [[found.text for found in closed.words] for _, closed in closings(updates)] == [[], ["baa"]]


@pytest.mark.parametrize("chunk", [1, 4, 8, 16])
def test_marks_between_words_divide_turns(chunk: int) -> None:
    """Two words without a pause are two turns where the network would have ended one and begun another, else one."""
    said = word(20) | word(26, KAA)
    marked = ruled_updates(ending(said, 80, [22]), [(16, 27)], chunk=chunk)
    assert outline(marked) == [["baa"], ["kaa"]]
    assert outline(ruled_updates(clear_scores(said, 80), [(16, 27)], chunk=chunk)) == [["baa", "kaa"]]


@pytest.mark.parametrize("moved", [0.0, 12.0])
def test_another_voice_is_another_turn(moved: float) -> None:
    """Words of two voices are two turns, even without a pause or mark; those of one are one."""
    said = {frame: symbol for end in range(12, 60, 6) for frame, symbol in word(end).items()}
    voice = np.random.default_rng(1).normal(0.0, 1.0, (100, 2)).astype(np.float32)
    voice[35:] += moved
    updates = ruled_updates(clear_scores(said, 100), [(8, 56)], voice)
    found = outline(updates)
    assert sum(map(len, found)) == len(said) // 2
    assert [len(words) for words in found] == ([8] if moved == 0 else [4, 4])
