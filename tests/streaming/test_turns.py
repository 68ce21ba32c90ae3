import functools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from search_worlds import clear_scores, random_ngram

from meetscribe.lm.lexicon import Lexicon
from meetscribe.lm.mixture import MixtureWeights
from meetscribe.lm.symbols import spell
from meetscribe.streaming.search import FRAME_SAMPLES, Search, SearchSettings
from meetscribe.streaming.turns import TurnClosed, TurnOpened, Turns, TurnSettings, TurnUpdate, TurnUpdated

BAA = spell(["B", "AA"])
KAA = spell(["K", "AA"])
SETTINGS = TurnSettings(pause=18, disputed_pause=30, long=100, short_pause=6, longest=200, shortest_pause=3)


@functools.cache
def search() -> Search:
    """A search that knows the words baa and kaa."""
    model = random_ngram(np.random.default_rng(1), 2)
    return Search.build(Lexicon(("baa", "kaa"), ((BAA,), (KAA,))), model, model, SearchSettings())


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
    outline = [type(update) for update in updates if not isinstance(update, TurnUpdated)]
    assert outline == [TurnOpened, TurnClosed] * (len(outline) // 2)
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
