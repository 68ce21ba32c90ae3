import pytest
import stored_meetings as made
import strategies
from hypothesis import given, settings
from hypothesis import strategies as st

from meetscribe import events as ev
from meetscribe.errors import UsageError
from meetscribe.meeting import shown_speaker
from meetscribe.store.store import Store


def found(store, words):
    return [(hit.speaker, hit.text) for hit in store.search(words)]


@pytest.fixture
def budget(store):
    return made.record(
        store,
        ev.Final(turn=made.turn("t1", 0, 2, "can we move the budget to Friday", "s1")),
        ev.Final(turn=made.turn("t2", 3, 5, "the café's budget isn't ready", "s2")),
        ended=False,
    )


def test_a_hit_is_a_turn_with_meeting_speaker_and_time(store, budget):
    """Who wants to know where a word fell gets the turn."""
    (hit,) = store.search("friday", marks=("<", ">"))
    assert (hit.meeting, hit.title, hit.turn, hit.speaker) == ("2026-11-22-standup", "Standup", "t1", "s1")
    assert (hit.start, hit.end, hit.snippet) == (0, 32000, "can we move the budget to <Friday>")


def test_all_words_must_be_in_one_turn(store, budget):
    """Words may stand in any order; capitals and accents do not matter; quotes make a phrase, * a beginning."""
    assert len(found(store, "budget")) == 2
    assert found(store, "FRIDAY move") == [("s1", "can we move the budget to Friday")]
    assert found(store, "budget nothing") == []
    assert found(store, '"budget to"') == [("s1", "can we move the budget to Friday")]
    assert found(store, '"to budget"') == []
    assert found(store, "cafe isn't")[0][0] == found(store, "rea*")[0][0] == "s2"
    assert found(store, "rea") == []


@given(st.text(max_size=30))
@settings(max_examples=100)
def test_no_words_are_an_error_of_syntax(words):
    """Whatever is typed is searched for, or there is no word in it."""
    try:
        OPEN.search(words)
    except UsageError:
        assert not any(character.isalnum() and character.isascii() for character in words)


@pytest.fixture(autouse=True, scope="module")
def _store_of_all_examples(tmp_path_factory):
    global OPEN
    with Store(tmp_path_factory.mktemp("search")) as OPEN:
        yield


def test_search_sees_what_people_see(store, budget):
    """A correction replaces the words, a name and a merge the speaker, at once."""
    made.add(
        budget,
        ev.Correction(turn="t1", text="can we move the gadget to Friday"),
        made.person(ev.Change("s1", speaker="Alice"), ev.Change("s2", into="s1")),
    )
    assert found(store, "gadget") == [("Alice", "can we move the gadget to Friday")]
    assert found(store, "budget") == [("Alice", "the café's budget isn't ready")]


def test_the_newest_meeting_comes_first(store, budget):
    """Hits are ordered by meeting, newest first, then by time; a limit keeps the first."""
    made.record(
        store,
        ev.Final(turn=made.turn("t1", 9, 10, "budget again")),
        first=made.start("later", started="2026-11-23T09:00:00+00:00"),
    )
    assert [(hit.meeting, hit.start) for hit in store.search("budget")] == [
        ("later", 9 * 16000),
        ("2026-11-22-standup", 0),
        ("2026-11-22-standup", 3 * 16000),
    ]
    assert [hit.meeting for hit in store.search("budget", limit=1)] == ["later"]


@settings(max_examples=15)
@given(strategies.logs)
def test_the_index_is_what_the_log_folds_to(tmp_path_factory, events):
    """After any events the index holds the meeting's turns as people see them, and nothing else."""
    with Store(tmp_path_factory.mktemp("index")) as store:
        log = store.begin(made.start("m"))
        for event in events:
            log.append(event)
        meeting = store.meeting("m")
        shown = {(t.id, shown_speaker(t, meeting.speakers), t.start, t.end, t.text) for t in meeting.turns}
        held = log._database.rows('SELECT turn, speaker, start, "end", text FROM turns')
        assert set(held) == shown
        assert log.meeting == meeting
        log._database.rows("INSERT INTO words (words, rank) VALUES ('integrity-check', 1)")
