from dataclasses import replace

import pytest
import stored_meetings as made
from hypothesis import given, settings
from hypothesis import strategies as st

from meetscribe import events as ev
from meetscribe.errors import InputError, StorageError
from meetscribe.store import forget
from meetscribe.store.database import Database
from meetscribe.store.store import Store

WORDS = st.text("abcdefghijklmnopqrstuvwxyzäßéЖ", min_size=7, max_size=30)


def spoken(number, word, filler=""):
    text = f"{filler} {word} {filler}".strip()
    return ev.Final(turn=made.turn(f"t{number}", number, number + 0.5, text, "s1"))


@settings(max_examples=8)
@given(st.lists(WORDS, min_size=4, max_size=40, unique=True), st.data())
def test_what_goes_off_the_record_is_in_no_file(tmp_path_factory, secrets, data):
    """No byte of redacted turns or of their corrections is left; numbers and times stay; the others stay whole."""
    folder = tmp_path_factory.mktemp("data")
    hidden = data.draw(st.sets(st.integers(0, len(secrets) - 1), min_size=1))
    filler = "x" * data.draw(st.sampled_from([0, 50, 5000]))  # long ones take pages of their own
    texts = [f"{word}q{number}" for number, word in enumerate(secrets)]
    fixed = [f"{word}z{number}" for number, word in enumerate(secrets)]
    with Store(folder) as store:
        log = made.record(store, *(spoken(*item, filler) for item in enumerate(texts)), ended=False)
        made.add(log, *(ev.Correction(turn=f"t{n}", text=text) for n, text in enumerate(fixed)))
        before = store.log(log.session)
        log.redact([f"t{number}" for number in hidden])
        after = store.log(log.session)
        for number, (text, fix) in enumerate(zip(texts, fixed, strict=True)):
            assert bool(made.bytes_with(folder, text)) != (number in hidden)
            assert bool(made.bytes_with(folder, fix)) != (number in hidden)
            assert bool(store.search(f'"{fix}"')) != (number in hidden)
        assert [(event.seq, event.at) for event in after] == [(event.seq, event.at) for event in before]
        turns = {event.turn.id: event.turn for event in after if isinstance(event, ev.Final)}
        assert {turn.id for turn in turns.values() if turn.redacted} == {f"t{number}" for number in hidden}
        assert log.meeting == store.meeting(log.session)


@settings(max_examples=6)
@given(st.lists(WORDS, min_size=1, max_size=30, unique=True), st.booleans())
def test_what_was_deleted_is_in_no_file(tmp_path_factory, secrets, corrected):
    """Neither words nor title nor audio nor folder of a deleted meeting are left; other meetings are."""
    folder = tmp_path_factory.mktemp("data")
    texts = [f"{word}q{number}" for number, word in enumerate(secrets)]
    with Store(folder) as store:
        logs = [store.begin(made.start(name, f"title-of-{name}")) for name in ("gone", "kept")]
        for log, mark in zip(logs, "gk", strict=True):
            made.add(log, made.start(log.session, f"title-of-{log.session}"))
            (store.folder(log.session) / "audio-0-0.wav").write_bytes(f"sound of {log.session}".encode())
            for number, text in enumerate(texts):
                made.add(log, spoken(number, mark + text))
                if corrected:
                    made.add(log, ev.Correction(turn=f"t{number}", text=f"{mark}c{text}"))
            made.add(log, ev.End(reason="stopped", duration=16000))
        store.delete("gone")
        for text in texts:
            assert not made.bytes_with(folder, f"g{text}")
            assert not made.bytes_with(folder, f"gc{text}")
            assert made.bytes_with(folder, f"k{text}")
        assert not made.bytes_with(folder, "title-of-gone")
        assert not made.bytes_with(folder, "sound of gone")
        assert not store.folder("gone").exists()
        assert [meeting.id for meeting in store.meetings()] == ["kept"]
        assert len(store.search(f'"{"kc" if corrected else "k"}{texts[0]}"')) == 1


def test_off_the_record_empties_at_once_and_for_what_comes_later(store):
    """Finals before and after the event lose their words, whether or not the session asks for it."""
    log = made.record(store, spoken(1, "secretone"), spoken(9, "openword"), ended=False)
    made.add(log, ev.OffRecord(start=0, end=5 * 16000))
    assert not made.bytes_with(store.data_dir, "secretone")
    made.add(log, spoken(2, "secrettwo"), ev.Correction(turn="t2", text="secretthree"))
    for word in ("secrettwo", "secretthree"):
        assert not made.bytes_with(store.data_dir, word)
    assert [turn.redacted for turn in store.meeting(log.session).turns] == [True, True, False]
    assert store.search("openword")


def test_a_correction_that_came_before_its_secret_turn_is_emptied(store):
    """Nobody can say a hidden turn's words in advance."""
    log = made.record(
        store, ev.OffRecord(start=0, end=16000), ev.Correction(turn="t0", text="secretword"), ended=False
    )
    made.add(log, spoken(0, "nothing"))
    assert not made.bytes_with(store.data_dir, "secretword")


def test_a_meeting_that_is_recorded_cannot_be_deleted(store):
    """It is stopped first."""
    log = made.record(store, ended=False)
    with pytest.raises(InputError, match="is being recorded"):
        store.delete(log.session)
    assert store.meetings()


def test_a_deletion_that_was_interrupted_is_finished_by_the_next_start(tmp_path, monkeypatch):
    """If the process dies between taking away and tidying up, opening the store tidies up."""
    with Store(tmp_path) as store:
        made.record(store, spoken(1, "secretword"))
        (store.folder("2026-11-22-standup") / "audio-0-0.wav").write_bytes(b"secretsound")
        with monkeypatch.context() as patch:
            patch.setattr(forget, "finish", lambda *_: True)
            store.delete("2026-11-22-standup")
        assert made.bytes_with(tmp_path, "secretsound")
    with Store(tmp_path):
        assert not made.bytes_with(tmp_path, "secretword")
        assert not made.bytes_with(tmp_path, "secretsound")


def test_another_reader_does_not_keep_traces(tmp_path):
    """A second store that has read everything holds nothing open that would keep old pages."""
    with Store(tmp_path) as reader, Store(tmp_path) as store:
        made.record(store, spoken(1, "secretword"))
        assert reader.search("secretword")
        store.delete("2026-11-22-standup")
        assert not made.bytes_with(tmp_path, "secretword")
        assert not reader.search("secretword")


def test_a_redaction_that_was_interrupted_is_finished_by_the_next_start(tmp_path, monkeypatch):
    """Also in a meeting that was cut off itself."""
    with Store(tmp_path) as store:
        log = made.record(store, spoken(1, "secretword"), ended=False)
        monkeypatch.setattr(Database, "scrub", lambda self: False)
        log.redact(["t1"])
        assert made.bytes_with(tmp_path, "secretword")
        monkeypatch.undo()
    with Store(tmp_path):
        assert not made.bytes_with(tmp_path, "secretword")


def no_room(database):
    raise StorageError("the disk is full; free some space")


def test_a_redaction_for_which_there_was_no_room_is_finished_when_it_is_tried_again(tmp_path, monkeypatch):
    """The rows are emptied already then, and the files still hold the words."""
    with Store(tmp_path) as store:
        log = made.record(store, spoken(1, "secretword"), ended=False)
        with monkeypatch.context() as patch:
            patch.setattr(Database, "scrub", no_room)
            with pytest.raises(StorageError, match="full"):
                log.redact({"t1"})
        assert made.bytes_with(tmp_path, "secretword")
        log.redact({"t1"})
        assert not made.bytes_with(tmp_path, "secretword")


def test_an_event_is_added_once_although_there_was_no_room_to_forget(tmp_path, monkeypatch):
    """What could not be forgotten does not make the log say that the event is missing."""
    with Store(tmp_path) as store:
        log = made.record(store, spoken(1, "secretword"), ended=False)
        with monkeypatch.context() as patch:
            patch.setattr(Database, "scrub", no_room)
            made.add(log, ev.OffRecord(start=0, end=5 * 16000))
        made.add(log, spoken(9, "openword"))
        assert [event.seq for event in log.since(0)] == [1, 2, 3, 4]
        log.redact({"t1"})
        assert not made.bytes_with(tmp_path, "secretword")


def test_what_goes_off_the_record_after_the_end_is_in_no_file(store):
    """A log goes on to be the meeting's when it has moved to where meetings of the past are kept."""
    log = made.record(store, spoken(1, "secretword"))
    log.redact(["t1"])
    assert not made.bytes_with(store.data_dir, "secretword")
    assert [event.seq for event in log.since(0)] == [1, 2, 3]


@settings(max_examples=6)
@given(st.lists(WORDS, min_size=1, max_size=30, unique=True), st.sampled_from([0, 50, 5000]))
def test_words_of_a_transcript_that_was_redone_are_in_no_file(tmp_path_factory, secrets, length):
    """What only the old transcript said is not found in any byte of the store; the new one is, and so are others."""
    folder = tmp_path_factory.mktemp("data")
    filler, texts = "x" * length, [f"{word}q{number}" for number, word in enumerate(secrets)]
    with Store(folder) as store:
        old = made.record(store, *(spoken(n, text, filler) for n, text in enumerate(texts)))
        anew = [
            replace(event, turn=made.turn(event.turn.id, 0, 1, f"new{n}", "s1"))
            if isinstance(event, ev.Final)
            else event
            for n, event in enumerate(store.log(old.session))
        ]
        store.write_anew(old.session, anew)
        for text in texts:
            assert not made.bytes_with(folder, text)
        assert made.bytes_with(folder, "new1")
        assert len(store.search("new1")) == 1


def test_a_redo_that_was_interrupted_is_scrubbed_by_the_next_start(tmp_path, monkeypatch):
    """That old words are to go is noted with the new ones."""
    with Store(tmp_path) as store:
        log = made.record(store, spoken(1, "secretword"))
        monkeypatch.setattr(Database, "scrub", lambda self: False)
        events = [event for event in store.log(log.session) if not isinstance(event, ev.Final)]
        with pytest.raises(StorageError, match="keeps traces of the old one"):
            store.write_anew(log.session, [replace(event, seq=seq) for seq, event in enumerate(events, 1)])
        monkeypatch.undo()
    with Store(tmp_path):
        assert not made.bytes_with(tmp_path, "secretword")
