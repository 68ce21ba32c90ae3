from datetime import UTC, datetime

import pytest
import stored_meetings as made

from meetscribe.apps.beginning import open_for_recording
from meetscribe.apps.config import Settings
from meetscribe.apps.retention import apply_retention
from meetscribe.store.store import Store

NOW = datetime(2026, 12, 22, tzinfo=UTC)


@pytest.fixture
def store(tmp_path):
    """Meetings of different ages, each with a recording; one was interrupted, one has no known start."""
    starts = {"old": "2026-10-01T09:00:00+00:00", "cut": "2026-11-20T09:00:00+00:00", "unknown": ""}
    starts |= {"middle": "2026-11-21T09:00:00+00:00", "new": "2026-12-21T09:00:00+00:00"}
    with Store(tmp_path) as opened:
        for name, started in starts.items():
            made.record(opened, first=made.start(name, started=started), ended=name != "cut").close()
            (opened.folder(name) / "audio-0-1.wav").write_bytes(b"sound")
        yield opened


def audio(store):
    return sorted(path.parent.name for path in (store.data_dir / "meetings").glob("*/audio-*"))


def test_meetings_and_recordings_are_deleted_after_their_days(store):
    """What is too old goes and is named; younger, unfinished and undated ones keep what they need."""
    said = []
    settings = Settings(retention_days=60, audio_retention_days=20)
    apply_retention(store, settings, said.append, NOW)
    assert sorted(meeting.id for meeting in store.meetings()) == ["cut", "middle", "new", "unknown"]
    assert audio(store) == ["cut", "new", "unknown"]
    assert said == [
        "deleted, older than 60 days (retention_days): old",
        "recordings deleted, older than 20 days (audio_retention_days): middle",
    ]
    apply_retention(store, settings, said.append, NOW)
    assert len(said) == 2


def test_nothing_is_deleted_unless_it_is_asked_for(store):
    """Without settings meetings stay for ever."""
    apply_retention(store, Settings(), print, NOW)
    assert len(audio(store)) == len(store.meetings()) == 5


def test_before_a_meeting_people_are_told_what_they_should_know(store, tmp_path):
    """The notice, on which day all agreed, and which meeting waits to be recovered."""
    said = []
    settings = Settings(data_dir=tmp_path, notice="We record.", consent=datetime(2026, 11, 22).date())
    open_for_recording(settings, said.append).close()
    assert said == [
        "meeting 'cut' was interrupted; `meetscribe recover cut` finishes its transcript",
        "We record. Everybody agreed on 2026-11-22.",
    ]
