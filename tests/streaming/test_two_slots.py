import functools
import tracemalloc
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted import ScriptedEngine, script
from search_worlds import random_ngram, random_recurrent

from meetscribe.events import Event, Final, Partial, Turn, TurnEnd, TurnStart
from meetscribe.lm.lexicon import Lexicon
from meetscribe.lm.recurrent import SENTENCE_END
from meetscribe.lm.symbols import END_OF_TURN, START_OF_TURN, spell
from meetscribe.streaming.search import Search, SearchSettings
from meetscribe.streaming.steps import STEP_SAMPLES
from meetscribe.streaming.transcriber import Transcriber, TranscriberSettings

WORDS = {"baa": ("B", "AA"), "kaa": ("K", "AA"), "moo": ("M", "UW"), "see": ("S", "IY")}
LENGTH = 6  # steps from one word to the next


@functools.cache
def search() -> Search:
    """A search that knows four words."""
    model = random_ngram(np.random.default_rng(1), len(WORDS))
    ways = tuple((spell(phones),) for phones in WORDS.values())
    return Search.build(Lexicon(tuple(WORDS), ways), model, model, SearchSettings(marks=True))


def turn(begin: int, words: Sequence[str]) -> tuple[dict[int, int], tuple[int, int]]:
    """Says a turn from a step on, marks included; also returns from when to when somebody speaks."""
    said, frame = {begin: START_OF_TURN}, begin
    for word in words:
        frame += LENGTH
        said |= dict(zip((frame - 2, frame), spell(WORDS[word]), strict=True))
    return said | {frame + 5: END_OF_TURN}, (begin, frame + 1)


def slots(*turns: Sequence[tuple[int, Sequence[str]]], steps: int = 200) -> ScriptedEngine:
    """Returns the network that says the turns (step, words) of each slot."""
    said: list[dict[int, int]] = [{} for _ in turns]
    active: list[list[tuple[int, int]]] = [[] for _ in turns]
    for number, slot in enumerate(turns):
        for begin, words in slot:
            symbols, span = turn(begin, words)
            said[number] |= symbols
            active[number].append(span)
    return script(said, active, steps)


def transcriber(count: int) -> Transcriber:
    return Transcriber(search(), search(), TranscriberSettings(slots=count))


def think(subject: Transcriber, engine: ScriptedEngine) -> list[Event]:
    while requests := subject.requests():
        for result in engine.run(requests):
            subject.receive_result(result)
    return subject.events()


def events_of(
    engine: ScriptedEngine,
    cuts: Sequence[int] = (),
    samples: int | None = None,
    subject: Transcriber | None = None,
) -> list[Event]:
    """Returns the events of a stream that is given in blocks which end at `cuts`."""
    length = engine.tables.shape[1] * STEP_SAMPLES if samples is None else samples
    subject = subject or transcriber(len(engine.tables))
    events: list[Event] = []
    for part in np.split(np.zeros(length, np.float32), list(cuts)):
        subject.receive_audio(part)
        events += think(subject, engine)
    subject.receive_eof()
    return events + think(subject, engine)


def finals(events: Sequence[Event]) -> list[Turn]:
    return [event.turn for event in events if isinstance(event, Final)]


def test_two_people_at_once_are_two_turns() -> None:
    """What two slots say at the same time comes out as two turns whose times intersect."""
    engine = slots([(10, ["baa", "kaa", "baa", "kaa"])], [(25, ["moo", "see", "moo"])])
    events = events_of(engine)
    first, second = sorted(finals(events), key=lambda turn: turn.start)
    assert (first.slot, first.text) == (0, "baa kaa baa kaa")
    assert (second.slot, second.text) == (1, "moo see moo")
    assert second.start < first.end
    assert (first.id, second.id) == ("t1", "t2")
    assert (first.overlaps, second.overlaps) in {((), ("t1",)), (("t2",), ())}, "whoever is finished last"


def test_ids_count_over_both_slots() -> None:
    """Turns are numbered in the order in which they open, whichever slot they are in."""
    engine = slots([(10, ["baa"]), (90, ["kaa"])], [(50, ["moo"]), (130, ["see"])])
    opened = [(event.turn, event.slot) for event in events_of(engine) if isinstance(event, TurnStart)]
    assert opened == [("t1", 0), ("t2", 1), ("t3", 0), ("t4", 1)]


def test_what_anybody_said_before_counts_for_the_final_words() -> None:
    """Of words that sound alike a final has the one that goes with the turn before, whichever slot that was in."""
    words = {"baa": ("B", "AA"), "kaa": ("K", "AA"), "moo": ("M", "UW"), "mu": ("M", "UW")}
    flat = random_ngram(np.random.default_rng(1), len(words), share=1.0)
    flat = replace(flat, arrays=flat.arrays._replace(prob_values=np.full(256, -2.0, np.float32)))
    lexicon = Lexicon(tuple(words), tuple((spell(phones),) for phones in words.values()))
    model, expected = random_recurrent(np.random.default_rng(7), lexicon.words), {}
    for first in ("baa", "kaa"):
        memory = model.begin
        for row in (model.numbers[first], SENTENCE_END):
            memory = model.after(memory, np.array([row]))
        scores = {}
        for word in ("moo", "mu"):
            row = np.array([model.numbers[word]])
            ends = model.log_probs(model.outlook(model.after(memory, row)), np.array([SENTENCE_END]))
            scores[word] = model.log_probs(model.outlook(memory), row) + ends
        expected[first] = max(scores, key=scores.__getitem__)
    assert set(expected.values()) == {"moo", "mu"}, "choose another seed: it has to matter"
    asked = SearchSettings(marks=True, recurrent_share=0.99)
    both = Search.build(lexicon, flat, flat, SearchSettings(marks=True), recurrent=model)
    for first, second in expected.items():
        engine = slots([(10, [first])], [(60, ["moo"])])
        subject = Transcriber(both, both.with_settings(asked), TranscriberSettings(slots=2))
        assert [turn.text for turn in finals(events_of(engine, subject=subject))] == [first, second]


plans = st.lists(
    st.tuples(st.integers(0, 30), st.lists(st.sampled_from(sorted(WORDS)), min_size=1, max_size=4)),
    max_size=4,
)


def placed(plan: Sequence[tuple[int, Sequence[str]]]) -> list[tuple[int, Sequence[str]]]:
    """Returns turns (pause before it, words) with the steps in which they begin."""
    turns, frame = [], 2
    for pause, words in plan:
        turns.append((frame + pause, words))
        frame += pause + LENGTH * len(words) + 7
    return turns


@settings(max_examples=12, deadline=None)
@given(plans, plans, st.lists(st.integers(0, 240 * STEP_SAMPLES), max_size=10).map(sorted))
def test_any_blocks_give_the_same_events(
    first: list[tuple[int, list[str]]], second: list[tuple[int, list[str]]], cuts: list[int]
) -> None:
    """However the audio is cut on its way in, the events of both slots are the same, in the same order."""
    engine = slots(placed(first), placed(second), steps=240)
    assert events_of(engine, cuts) == events_of(engine)


@settings(max_examples=12, deadline=None)
@given(plans, plans)
def test_every_turn_is_announced_shown_and_ended(
    first: list[tuple[int, list[str]]], second: list[tuple[int, list[str]]]
) -> None:
    """Each turn starts once, has partials in order, ends once and has a final then; all words are there once."""
    events = events_of(slots(placed(first), placed(second), steps=240))
    for number, plan in enumerate((first, second)):
        said = [word for turn in finals(events) if turn.slot == number for word in turn.text.split()]
        leaks = sum(len(words) for _, words in plan) - len(said)
        assert leaks == 0 or said == []
    for turn in finals(events):
        own = [
            event
            for event in events
            if (isinstance(event, TurnStart | TurnEnd) and event.turn == turn.id)
            or (isinstance(event, Partial | Final) and event.turn.id == turn.id)
        ]
        assert isinstance(own[0], TurnStart)
        assert [type(event) for event in own[-2:]] == [TurnEnd, Final]
        revisions = [event.revision for event in own if isinstance(event, Partial)]
        assert revisions == list(range(1, len(revisions) + 1))


def test_text_that_leaks_is_never_shown() -> None:
    """Words in a slot whose talker is silent make no turn, no partial and no final."""
    said, span = turn(10, ["baa", "kaa"])
    engine = script([said, said], [[span], []], 120)
    events = events_of(engine)
    assert [(turn.slot, turn.text) for turn in finals(events)] == [(0, "baa kaa")]
    assert not [event for event in events if isinstance(event, Partial) and event.turn.slot == 1]
    assert not [event for event in events if isinstance(event, TurnStart) and event.slot == 1]


def test_a_start_without_words_is_withdrawn() -> None:
    """A turn that was announced too early ends without a final, and is numbered all the same."""
    said, span = turn(100, ["baa"])
    engine = script([{10: START_OF_TURN} | said, {}], [[(10, 20), span], []], 160)
    events = events_of(engine)
    starts = [event.turn for event in events if isinstance(event, TurnStart)]
    ends = [event.turn for event in events if isinstance(event, TurnEnd)]
    assert starts == ends == ["t1", "t2"]
    assert [(turn.id, turn.text) for turn in finals(events)] == [("t2", "baa")]


@pytest.mark.parametrize("gap", [0, 1, 3])
def test_two_turns_inside_one_chunk(gap: int) -> None:
    """Where one turn ends and the next begins inside a chunk of the network, both come out, in order."""
    first, span = turn(9, ["baa"])
    second, other = turn(max(first) + 1 + gap, ["kaa", "moo"])
    events = events_of(script([first | second, {}], [[span, other], []], 120))
    assert [turn.text for turn in finals(events)] == ["baa", "kaa moo"]
    one, two = finals(events)
    assert one.end <= two.start


def test_memory_stays_flat() -> None:
    """While two people go on talking the transcriber holds no more than when it had heard them for a while."""
    engine = slots(*[placed([(5, ["baa", "kaa"]), (9, ["moo"]), (20, ["see", "baa"])])] * 2, steps=130)
    subject, held = transcriber(2), []
    block = np.zeros(130 * STEP_SAMPLES, np.float32)
    tracemalloc.start()
    for _ in range(54):
        subject.receive_audio(block)
        think(subject, engine)
        held.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert max(held[36:]) < 1.05 * max(held[18:36])
