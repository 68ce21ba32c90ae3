from hypothesis import given
from hypothesis import strategies as st

from meetscribe.evaluation.run import final_turns, first_pass_turns
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
