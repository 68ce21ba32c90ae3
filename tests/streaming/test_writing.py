from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetscribe.lm.hotwords import HotPhrase
from meetscribe.lm.punctuation import NONE, PERIOD, QUESTION, Tag, capitalised
from meetscribe.streaming.search import FoundWord
from meetscribe.streaming.writing import HOLD, NEAR, Draft, Said, Writer, spellings_of

WORDS = ("so", "will", "anna", "stop", "why", "twenty", "three", "hundred", "percent", "smith")


@dataclass(frozen=True)
class Marks:
    """Ends a sentence after "stop" and asks after "why" if nothing or "so" follows; "anna" has a capital."""

    def tags(self, words, pauses):
        assert len(words) == len(pauses)
        ahead = [*words[1:], "so"]
        return [
            Tag(
                PERIOD if word == "stop" else QUESTION if word == "why" and after == "so" else NONE,
                word == "anna",
            )
            for word, after in zip(words, ahead, strict=True)
        ]

    def own_form(self, word):
        return capitalised(word)


def found(words: str | list[str], start: int = 0) -> list[FoundWord]:
    """Returns words of a tenth of a second each, one after another."""
    spoken = words.split() if isinstance(words, str) else words
    return [
        FoundWord(0, word, start + 1600 * i, start + 1600 * (i + 1), 0.9) for i, word in enumerate(spoken)
    ]


def text(draft: Draft, words: list[FoundWord]) -> str:
    """Returns a whole turn as it is written."""
    return " ".join(word.word for word in draft.show(words, len(words), whole=True).words)


MARKED = Writer(Marks())  # type: ignore[arg-type]
PHRASES = [
    HotPhrase(("iPhone",), ("iphone",), (((),),)),
    HotPhrase(("Will", "Smith"), ("will", "smith"), (((),), ((),))),
    HotPhrase(("So",), ("so",), (((),),)),
]


def test_marks_and_capitals_are_written_into_the_words() -> None:
    """Sentences begin with a capital and end with their mark, names have their own form, times stay."""
    words = found("so stop anna why so")
    shown = Draft(MARKED).show(words, len(words), whole=True).words
    assert [word.word for word in shown] == ["So", "stop.", "Anna", "why?", "So"]
    assert [(word.start, word.end) for word in shown] == [(word.start, word.end) for word in words]


def test_without_a_model_words_stay_as_they_were_heard() -> None:
    """A model of the recogniser alone writes its words in small letters."""
    assert text(Draft(Writer()), found("so anna stop why")) == "so anna stop why"


@pytest.mark.parametrize(("pause", "begin"), [(1600, "so"), (NEAR + 1, "So")])
def test_a_turn_may_go_on_with_a_sentence(pause: int, begin: str) -> None:
    """What follows soon in the same slot after an open sentence begins small, later on with a capital."""
    before = Draft(MARKED)
    words = found("anna will")
    text(before, words)
    assert text(Draft(MARKED, before.said(words)), found("so will", words[-1].end + pause)) == f"{begin} will"
    assert text(Draft(MARKED, Said(("stop",), (Tag(PERIOD, False),), 0)), found("so")) == "So"


def test_a_persons_own_spelling_is_kept() -> None:
    """Listed phrases are written as the list has them, also at the begin of a sentence and without a model."""
    spellings = spellings_of(PHRASES, {"so": 3, "will": 30, "smith": 4000})
    for model in (Marks(), None):
        writer = Writer(model, spellings)  # type: ignore[arg-type]
        assert text(Draft(writer), found("iphone will smith will")).split()[:4] == [
            "iPhone",
            "Will",
            "Smith",
            "will",
        ]


def test_a_listed_name_that_is_a_common_word_needs_its_capital() -> None:
    """A common word that is also on the list gets a capital only where the model of capitals says so."""
    writer = Writer(Marks(), spellings_of(PHRASES, {"so": 3}))  # type: ignore[arg-type]
    assert text(Draft(writer), found("anna so")) == "Anna so"


def test_numbers_take_the_time_of_their_words() -> None:
    """A number of several words becomes one, from the first one's start to the last one's end."""
    words = found("so twenty three percent stop")
    shown = Draft(Writer(Marks(), digits=True)).show(words, len(words), whole=True).words  # type: ignore[arg-type]
    assert [(word.word, word.start, word.end) for word in shown] == [
        ("So", 0, 1600),
        ("23%", 1600, 6400),
        ("stop.", 6400, 8000),
    ]


@given(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=40),
    st.integers(0, 2**32 - 1),
    st.booleans(),
    st.sampled_from([None, Marks()]),
)
def test_stable_words_never_change(words: list[str], seed: int, digits: bool, model: Marks | None) -> None:
    """However a turn grows, what was stable once is the beginning of all that follows, and of the final."""
    rng = np.random.default_rng(seed)
    spellings = spellings_of(PHRASES, {"so": 3})
    draft = Draft(Writer(model, spellings, digits))  # type: ignore[arg-type]
    stable: tuple = ()
    firm = 0
    while firm < len(words):
        firm = int(rng.integers(firm, len(words) + 1))
        loose = [str(word) for word in rng.choice(WORDS, rng.integers(0, 4))]
        shown = draft.show(found([*words[:firm], *loose]), firm)
        assert shown.words[: len(stable)] == stable
        assert shown.stable >= len(stable)
        stable = shown.words[: shown.stable]
    final = draft.show(found(words), len(words), whole=True)
    assert final.words[: len(stable)] == stable
    assert firm < HOLD or digits or len(stable) >= firm - HOLD
