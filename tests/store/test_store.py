import multiprocessing
from datetime import UTC, datetime

import pytest
import stored_meetings as made
import strategies
from hypothesis import given, settings

from meetscribe import events as ev
from meetscribe.errors import InputError, SequenceError, StorageError, UsageError
from meetscribe.meeting import fold
from meetscribe.session.commands import Command, CommandError
from meetscribe.store import forget
from meetscribe.store.database import MIGRATIONS, Database
from meetscribe.store.live import LOG_FILE, LiveLogs
from meetscribe.store.store import Store


@settings(max_examples=12)
@given(strategies.logs)
def test_a_log_is_read_back_as_it_was_written(tmp_path_factory, events):
    """What was appended comes back equal, from this store and from one that opens later, but for what is secret."""
    folder = tmp_path_factory.mktemp("data")
    finals = [event.turn for event in events if isinstance(event, ev.Final)]
    secrets = any(isinstance(event, ev.OffRecord) for event in events) or any(t.redacted for t in finals)
    with Store(folder) as store:
        log = store.begin(made.start("m"))
        for event in events:
            log.append(event)
        assert secrets or list(log.since(0)) == events
        assert list(log.since(len(events) // 2)) == list(log.since(0))[len(events) // 2 :]
    with Store(folder) as store:
        assert secrets or store.log("m") == events
        assert secrets or store.meeting("m") == fold(events)


def test_an_event_out_of_order_is_refused_and_changes_nothing(store):
    """A log has no holes and nothing twice."""
    log = made.record(store, ended=False)
    for wrong in (1, 3):
        with pytest.raises(SequenceError, match="cannot follow"):
            log.append(ev.Bookmark(session=log.session, seq=wrong))
    made.add(log, ev.Bookmark(note="here"))
    assert [event.seq for event in store.log(log.session)] == [1, 2]


def test_a_list_says_what_each_meeting_is(store):
    """Newest first, with duration, speakers by their first turn, number of turns and state."""
    made.record(
        store,
        ev.Final(turn=made.turn("t1", 0, 2, "hello there", "s2")),
        ev.Final(turn=made.turn("t2", 1, 3, "good morning", "s1")),
        made.person(ev.Change("s1", speaker="Zoë")),
    )
    later = made.record(store, first=made.start("later", "Later", "2026-11-22T09:00:00-05:00"), ended=False)
    newest, oldest = store.meetings()
    assert (newest.id, newest.title, newest.state, newest.turns) == ("later", "Later", "open", 0)
    assert (oldest.speakers, oldest.turns, oldest.state) == (("s2", "Zoë"), 2, "ended")
    assert (oldest.duration, oldest.seq) == (60 * 16000, 5)
    later.close()
    assert [meeting.id for meeting in store.unfinished()] == ["later"]


def test_ids_are_unique_and_fit_for_file_names(store):
    """The same title on the same day gives another id; letters without ASCII do not matter."""
    day = datetime(2026, 11, 22, tzinfo=UTC)
    assert store.new_meeting_id(day, "Über uns: Köln/Bonn!") == "2026-11-22-uber-uns-koln-bonn"
    assert store.new_meeting_id(day, "Standup") == "2026-11-22-standup"
    assert store.new_meeting_id(day, "stand-up?") == "2026-11-22-stand-up"
    assert store.new_meeting_id(day, "Standup") == "2026-11-22-standup-2"
    assert store.new_meeting_id(day, "会议") == "2026-11-22-meeting"


@pytest.mark.parametrize("name", ["", "last", "../x", "a b", ".hidden", "x" * 101])
def test_an_id_that_is_no_file_name_is_refused(store, name):
    """Nobody can write outside the folder, and `last` keeps its meaning."""
    with pytest.raises(InputError, match="cannot be a meeting's id"):
        store.begin(made.start(name))


def test_a_meeting_is_found_by_id_prefix_or_last(store):
    """Full ids win over longer ones, prefixes must be unique, `last` is the newest."""
    for name, hour in (("a-1", "09"), ("a-12", "11"), ("b", "10")):
        made.record(store, first=made.start(name, started=f"2026-11-22T{hour}:00:00+00:00"))
    assert [store.find(text) for text in ("a-1", "a-12", "b", "last")] == ["a-1", "a-12", "b", "a-12"]
    with pytest.raises(UsageError, match="may mean a-12, a-1"):
        store.find("a")
    for unknown in ("x", ""):
        with pytest.raises(InputError, match="there is no meeting"):
            store.find(unknown)


def test_a_meeting_can_go_on_after_its_process_died(store):
    """`resume` gives the log where it stopped; it is open again, and only one process may have it."""
    made.record(store, ev.Bookmark(note="one"), ended=False).close()
    log = store.resume("2026-11-22-standup")
    with pytest.raises(InputError, match="is being recorded by another"):
        store.resume("2026-11-22-standup")
    made.add(log, ev.Bookmark(note="two"), ev.End(reason="recovered", duration=16000))
    assert store.summary("2026-11-22-standup").state == "ended"
    assert [mark.note for mark in store.meeting("2026-11-22-standup").bookmarks] == ["one", "two"]


def test_a_second_meeting_of_the_same_id_is_refused(store):
    """What was recorded is never written over."""
    made.record(store)
    with pytest.raises(InputError, match="already"):
        made.record(store)


@pytest.mark.parametrize("moment", ["opened", "looked at"])
def test_a_meeting_that_is_moved_while_it_is_looked_for_is_nobodys_error(tmp_path, monkeypatch, moment):
    """Another process may end its meeting, and take its log away, between any two looks at it."""
    with Store(tmp_path) as store:
        made.record(store, ended=False)
    (file,) = tmp_path.glob(f"*/*/{LOG_FILE}")
    chmod = type(file).chmod

    def opened(path, mode):
        if path == file:
            file.unlink()
        chmod(path, mode)

    def looked_at(database, _folder):
        if database.path == file:
            file.unlink()
            raise StorageError("gone")

    if moment == "opened":
        monkeypatch.setattr(type(file), "chmod", opened)
    else:
        monkeypatch.setattr(forget, "finish", looked_at)
    with Store(tmp_path) as store:
        assert store.meetings() == []


def test_a_log_that_cannot_be_finished_is_told(tmp_path, monkeypatch):
    """One that is still there is not passed over."""

    def broken(database, _folder):
        if database.path.name == LOG_FILE:
            raise StorageError("the disk is broken")

    with Store(tmp_path) as store:
        made.record(store, ended=False)
    monkeypatch.setattr(forget, "finish", broken)
    with pytest.raises(StorageError, match="the disk is broken"), Store(tmp_path):
        pass


def _write(folder, name):
    with Store(folder) as store:
        marks = [ev.Bookmark(note=str(number)) for number in range(20)]
        made.record(store, *marks, first=made.start(name))


def test_several_processes_write_at_once(tmp_path):
    """Meetings of several processes in one folder all arrive whole."""
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_write, args=(tmp_path, f"m{number}")) for number in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    with Store(tmp_path) as store:
        assert sorted((meeting.id, meeting.seq) for meeting in store.meetings()) == [
            ("m0", 22),
            ("m1", 22),
            ("m2", 22),
        ]


def test_a_database_of_a_newer_version_is_left_alone(tmp_path):
    """An older program says so instead of guessing."""
    Database(tmp_path / "meetscribe.sqlite3").close()
    newer = Database(tmp_path / "meetscribe.sqlite3")
    with newer.writing() as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    newer.close()
    with pytest.raises(InputError, match="a newer meetscribe wrote it"):
        Store(tmp_path)


def test_a_file_that_is_no_database_is_a_sentence(tmp_path):
    """Damage is said with the remedy."""
    (tmp_path / "meetscribe.sqlite3").write_text("this is not a database, whatever its name may say" * 100)
    with pytest.raises(StorageError, match="no good database"):
        Store(tmp_path)


def test_writes_are_synced(store):
    """What was appended survives a power cut: every transaction is synced, while a meeting goes on and later."""
    for database in (store._database, made.record(store, ended=False)._database):
        assert database.rows("PRAGMA synchronous") == [(2,)]
        assert database.rows("PRAGMA journal_mode") == [("wal",)]


def test_a_meeting_that_goes_on_is_seen_by_others(store):
    """Another process lists, reads and searches it while it is recorded, and finds it whole when it has ended."""
    log = made.record(store, ev.Final(turn=made.turn("t1", 0, 2, "good morning")), ended=False)
    with Store(store.data_dir) as other:
        assert [(meeting.id, meeting.state) for meeting in other.meetings()] == [(log.session, "open")]
        assert [hit.turn for hit in other.search("morning")] == ["t1"]
        assert other.find("last") == log.session
        with pytest.raises(CommandError, match="being recorded"):
            other.command(log.session, Command("c", "bookmark"))
        made.add(log, ev.End(reason="stopped", duration=32_000))
        assert [(meeting.id, meeting.state) for meeting in other.meetings()] == [(log.session, "ended")]
        assert other.log(log.session) == list(log.since(0)) == store.log(log.session)
        assert [hit.turn for hit in other.search("morning")] == ["t1"]
        assert other.command(log.session, Command("c", "bookmark")).seq == 4


@pytest.mark.parametrize("copied", [False, True])
def test_a_meeting_that_ended_in_a_dying_process_is_moved_by_the_next(tmp_path, monkeypatch, copied):
    """Whether it died before the copy or before the removal, the meeting is there once and whole."""
    with Store(tmp_path) as store:
        with monkeypatch.context() as patch:
            if not copied:
                patch.setattr(LiveLogs, "_copy", _full_disk)
            patch.setattr("pathlib.Path.unlink", lambda *_, **__: None)
            log = made.record(store, ev.Bookmark(note="here"))
        before = store.log(log.session)
    with Store(tmp_path) as store:
        assert store.log(log.session) == before
        assert [meeting.state for meeting in store.meetings()] == ["ended"]
        assert not list(store.folder(log.session).glob("log.sqlite3*"))


def _full_disk(*_):
    raise StorageError("the disk is full")
