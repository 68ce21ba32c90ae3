from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meetscribe.events import Change, Turn, Voice
from meetscribe.streaming.evidence import EvidenceSettings
from meetscribe.streaming.likeness import Likeness
from meetscribe.streaming.resemblance import Resemblance
from meetscribe.streaming.second_pass import SecondPassSettings, decide_anew
from meetscribe.streaming.speakers import Heard, Tracker, TrackerSettings
from meetscribe.streaming.spectra import Spectra

SIZE, SECOND = 128, 16_000
LIKENESS = Likeness(offset=-6.0, score=14.0, length=0.0, score_length=2.0)
SETTINGS = TrackerSettings(Resemblance(LIKENESS))


def person(number: int) -> np.ndarray:
    vector = np.random.default_rng(1000 + number).standard_normal(SIZE)
    return vector / np.linalg.norm(vector)


def said(number: int, who: int, seconds: float, overlaps: tuple[str, ...] = (), noise: float = 0.3):
    """Return turn `number` and its voice, noisier the shorter it is."""
    rng = np.random.default_rng((number, who))
    spread = noise / np.sqrt(max(seconds, 0.1) * SIZE)
    vector = person(who) + rng.standard_normal(SIZE) * spread
    start = number * 4 * SECOND
    turn = Turn(f"t{number}", 0, start, start + int(seconds * SECOND), "words", overlaps=overlaps)
    return turn, Voice(tuple(vector / np.linalg.norm(vector)), seconds, "e")


class Book:
    """What a meeting shows after everything that a tracker said of it."""

    def __init__(self, tracker_settings: TrackerSettings = SETTINGS) -> None:
        self.ids = 0
        self.tracker = Tracker(tracker_settings, self.new_id)
        self.labels: dict[str, str | None] = {}
        self.merges: dict[str, str] = {}

    def new_id(self) -> str:
        self.ids += 1
        return f"s{self.ids}"

    def hear(self, turn: Turn, voice: Voice | None) -> tuple[Change, ...]:
        self.labels[turn.id], changes = self.tracker.hear(turn, voice)
        for change in changes:
            if change.into is not None:
                self.merges[change.speaker_id] = change.into
            self.labels.update(dict.fromkeys(change.turns or (), change.speaker_id))
        return changes

    def label(self, turn: str) -> str | None:
        name = self.labels[turn]
        while name in self.merges:
            name = self.merges[name]
        return name


def test_people_are_told_apart_and_found_again() -> None:
    """Three people who speak in turn get three ids, each of them always the same one."""
    book = Book()
    for number in range(30):
        book.hear(*said(number, number % 3, 3.0))
    labels = [book.label(f"t{number}") for number in range(30)]
    assert labels == [f"s{number % 3 + 1}" for number in range(30)]


def test_a_short_turn_waits_and_stays_unknown() -> None:
    """A turn of a third of a second is nobody's, and a short one that is like nobody makes no new speaker."""
    book = Book()
    book.hear(*said(0, 0, 5.0))
    book.hear(*said(1, 0, 0.3))
    book.hear(*said(2, 1, 0.9))
    assert [book.label(f"t{number}") for number in range(3)] == ["s1", None, None]


def test_what_comes_later_decides_a_turn_that_waited() -> None:
    """A short turn of somebody new is theirs as soon as they have said enough, and that is announced."""
    book = Book()
    book.hear(*said(0, 0, 5.0))
    book.hear(*said(1, 1, 1.2))
    assert book.label("t1") is None
    changes = book.hear(*said(2, 1, 4.0))
    assert book.label("t2") == book.label("t1") == "s2"
    assert Change("s2", turns=("t1",)) in changes


def test_a_decision_is_firm_after_some_time() -> None:
    """What was unknown for longer than the patience stays so."""
    book = Book(replace(SETTINGS, patience=10 * SECOND))
    book.hear(*said(0, 1, 1.2))
    for number in range(5, 9):
        book.hear(*said(number, 1, 4.0))
    assert book.label("t0") is None


def test_who_talks_at_the_same_time_is_not_the_same() -> None:
    """Two turns at once with one and the same voice do not get one id."""
    book = Book()
    book.hear(*said(0, 0, 5.0))
    book.hear(*said(1, 0, 5.0))
    book.hear(*said(2, 0, 5.0, overlaps=("t1",)))
    assert book.label("t1") == "s1"
    assert book.label("t2") != "s1"


def test_a_turn_without_a_voice_is_nobodys() -> None:
    """Models without an embedder give no voices, and all turns stay as they are."""
    book = Book()
    assert book.hear(said(0, 0, 3.0)[0], None) == ()
    assert book.label("t0") is None


def test_the_owner_of_a_channel_keeps_their_turns() -> None:
    """A turn that has a speaker already is not given to anybody else."""
    book = Book()
    turn, voice = said(0, 0, 3.0)
    book.hear(replace(turn, speaker_id="s7"), voice)
    assert book.label("t0") == "s7"


turns = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from([0.4, 0.8, 1.5, 3.0, 6.0]), st.booleans()),
    min_size=1,
    max_size=25,
)


def meeting(drawn: list[tuple[int, float, bool]]) -> list[tuple[Turn, Voice]]:
    """Return turns; some overlap the one before."""
    return [
        said(number, who, seconds, (f"t{number - 1}",) if overlaps and number else (), noise=1.0)
        for number, (who, seconds, overlaps) in enumerate(drawn)
    ]


@settings(max_examples=60, deadline=None)
@given(turns)
def test_nobody_is_ever_given_two_turns_at_once(drawn: list[tuple[int, float, bool]]) -> None:
    """After every turn, and after the second pass, turns that overlap have different speakers or none."""
    book = Book()
    for number, (turn, voice) in enumerate(meeting(drawn)):
        book.hear(turn, voice)
        for later in range(1, number + 1):
            overlapping = drawn[later][2]
            first, second = book.label(f"t{later - 1}"), book.label(f"t{later}")
            assert not overlapping or first is None or first != second
    heard = [Heard(t, np.asarray(v.vector), v.seconds, book.label(t.id)) for t, v in meeting(drawn)]
    decide_anew(heard, SecondPassSettings(Resemblance(LIKENESS)), book.new_id)
    placed = {one.turn.id: one.speaker for one in heard}
    for number, (_, _, overlapping) in enumerate(drawn):
        if overlapping and number:
            first, second = placed[f"t{number - 1}"], placed[f"t{number}"]
            assert first is None or first != second


@settings(max_examples=40, deadline=None)
@given(turns)
def test_the_same_turns_get_the_same_speakers(drawn: list[tuple[int, float, bool]]) -> None:
    """Who is who depends on the turns alone."""
    books = [Book(), Book()]
    for turn, voice in meeting(drawn):
        assert books[0].hear(turn, voice) == books[1].hear(turn, voice)
    assert books[0].labels == books[1].labels


def test_memory_does_not_grow_with_the_meeting() -> None:
    """After thousands of turns of four people only the recent ones and four speakers are held."""
    book = Book()
    for number in range(2_000):
        book.hear(*said(number, number % 4, 2.5))
    assert len(book.tracker.speakers) == 4
    assert len(book.tracker._recent) <= SETTINGS.recent


def test_there_is_no_cap_on_people() -> None:
    """Thirty people are thirty speakers."""
    book = Book()
    for number in range(90):
        book.hear(*said(number, number % 30, 6.0, noise=0.1))
    assert len({book.label(f"t{number}") for number in range(90)}) == 30


def test_the_second_pass_mends_what_was_decided_too_early() -> None:
    """One person who was split in two, and two who were one, are right again, with as few changes as that takes."""
    heard = []
    for number in range(24):
        turn, voice = said(number, number % 2, 3.0)
        early = "s1" if number < 4 else ("s3" if number % 2 == 0 and number > 18 else f"s{number % 2 + 1}")
        heard.append(Heard(turn, np.asarray(voice.vector), voice.seconds, early))
    changes = decide_anew(heard, SecondPassSettings(Resemblance(LIKENESS)), lambda: "s9")
    assert [one.speaker for one in heard] == [f"s{number % 2 + 1}" for number in range(24)]
    assert {turn for change in changes for turn in change.turns or ()} == {"t1", "t3", "t20", "t22"}


@pytest.mark.parametrize("count", [0, 1])
def test_a_second_pass_over_next_to_nothing_changes_nothing(count: int) -> None:
    """No turns, or a short one, give no changes."""
    heard = [Heard(*((t := said(0, 0, 0.5))[0], np.asarray(t[1].vector), 0.5)) for _ in range(count)]
    assert decide_anew(heard, SecondPassSettings(Resemblance(LIKENESS)), lambda: "s9") == ()


@pytest.mark.parametrize("told", [1, 2, 3, 4])
def test_a_second_pass_that_knows_how_many_there_are_finds_so_many(told: int) -> None:
    """Of four people the likest become one until so many are left; one person's turns stay together."""
    heard = []
    for number in range(24):
        turn, voice = said(number, number % 4, 3.0)
        heard.append(Heard(turn, np.asarray(voice.vector), voice.seconds))
    decide_anew(heard, SecondPassSettings(Resemblance(LIKENESS), people=told), Book().new_id)
    found = [one.speaker for one in heard]
    assert len(set(found)) == told
    assert all(len(set(found[who::4])) == 1 for who in range(4))


def test_people_of_few_words_are_somebody_in_a_short_recording() -> None:
    """Two who say three seconds each are two people where nobody says more."""
    heard = []
    for number in range(4):
        turn, voice = said(number, number % 2, 1.6)
        heard.append(Heard(turn, np.asarray(voice.vector), voice.seconds))
    decide_anew(heard, SecondPassSettings(Resemblance(LIKENESS)), Book().new_id)
    assert [one.speaker for one in heard] == ["s1", "s2", "s1", "s2"]


@pytest.mark.parametrize("people", [1, 2, 5, 9])
def test_a_second_pass_finds_how_many_there_are(people: int) -> None:
    """Nobody told it, and the tracker had made one person of all."""
    heard = []
    for number in range(12 * people):
        turn, voice = said(number, number % people, 2.5, noise=1.0)
        heard.append(Heard(turn, np.asarray(voice.vector), voice.seconds, "tracked"))
    decide_anew(heard, SecondPassSettings(Resemblance(LIKENESS)), Book().new_id)
    found = [one.speaker for one in heard]
    assert len(set(found)) == people
    assert all(len(set(found[who::people])) == 1 for who in range(people))


def placed(number: int, who: int, place: float, voice: int | None = None) -> Heard:
    """Return a turn of somebody, with somebody's voice, heard from some place."""
    turn, told = said(number, who if voice is None else voice, 3.0)
    spectrum = np.random.default_rng(number).normal(0.0, 0.1, 4) + place * np.eye(4)[who % 4]
    return Heard.of(turn, replace(told, spectrum=tuple(spectrum)))


PLACES = Resemblance(LIKENESS, Spectra(3 * np.eye(4), np.full(4, 20.0)))


def test_who_sounds_alike_is_told_apart_by_where_they_are() -> None:
    """Two people with one voice are two where they are heard from two places, live and in a recording."""
    heard = [placed(number, number % 2, 3.0, voice=0) for number in range(24)]
    decide_anew(heard, SecondPassSettings(Resemblance(LIKENESS)), Book().new_id)
    assert len({one.speaker for one in heard}) == 1
    without_voices = replace(PLACES, voice=0.0)
    wanted = SecondPassSettings(without_voices, evidence=EvidenceSettings(places=1.0, dimensions=0.0))
    heard = [replace(one, speaker=None) for one in heard]
    decide_anew(heard, wanted, Book().new_id)
    assert [one.speaker for one in heard] == ["s1", "s2"] * 12
    book = Book(TrackerSettings(without_voices))
    for one in heard:
        book.hear(one.turn, Voice(tuple(one.voice), one.seconds, "e", tuple(one.spectrum)))
    assert [book.label(f"t{number}") for number in range(24)] == ["s1", "s2"] * 12


def test_who_moves_is_one_person_still() -> None:
    """Two people, one of whom goes on from another place: voices say that these are two, and not three."""
    heard = [
        placed(number, number % 2 if number < 16 else 2 * (number % 2), 3.0, number % 2)
        for number in range(32)
    ]
    decide_anew(heard, SecondPassSettings(PLACES), Book().new_id)
    assert [one.speaker for one in heard] == ["s1", "s2"] * 16
