import io
import json

import pytest
import stored_meetings as made

from meetscribe import events as ev
from meetscribe.formats import jsonl
from meetscribe.store.store import Store

STANDUP = "2026-11-22-standup"


@pytest.fixture
def data(tmp_path):
    """A data folder with two meetings."""
    folder = tmp_path / "data" / "meetscribe"
    with Store(folder) as store:
        made.record(
            store,
            ev.Final(turn=made.turn("t1", 0, 2, "can we move the budget", "s1")),
            ev.Final(turn=made.turn("t2", 1, 3, "to Friday please", "s2")),
            made.person(ev.Change("s1", speaker="Alice")),
            ev.Gap(start=5 * 16000, end=6 * 16000, reason="device lost"),
            ev.Bookmark(at=7 * 16000, note="decide"),
        )
        made.record(
            store, first=made.start("2026-11-23-retro", "Retro", "2026-11-23T10:00:00+00:00"), ended=False
        )
    return folder


def test_list_is_for_people_and_programs(cli, data):
    """Newest first; `--json` has times in seconds, speakers, turns and the state."""
    lines = cli("list").out.splitlines()
    assert [line.split()[0] for line in lines] == ["ID", "2026-11-23-retro", STANDUP]
    assert "Alice, s2" in lines[2]
    assert "(interrupted)" in lines[1]
    newest, oldest = json.loads(cli("list", "--json").out)
    assert (newest["id"], newest["state"]) == ("2026-11-23-retro", "recovering")
    assert oldest == {
        "id": STANDUP, "title": "Standup", "started": "2026-11-22T09:00:00+00:00", "duration": 60.0,
        "speakers": ["Alice", "s2"], "turns": 2, "seq": 7, "state": "ended",
    }  # fmt: skip


def test_an_empty_store_is_said(cli):
    """Nothing on stdout but an empty list for programs, a hint on stderr."""
    result = cli("list")
    assert (result.code, result.out) == (0, "")
    assert "there are no meetings yet" in result.err
    assert cli("list", "--json").out == "[]\n"


def test_show_prints_who_said_what_and_when(cli, data):
    """Turns, gaps and bookmarks in order of time; `last` and prefixes are ids."""
    shown = cli("show", "2026-11-22")
    assert shown.out.splitlines() == [
        "Standup · 2026-11-22 09:00 · 1:00 · Alice, s2",
        "[0:00] Alice: can we move the budget",
        "[0:01] s2: to Friday please",
        "[0:05–0:06] (device lost)",
        "[0:07] (bookmark: decide)",
    ]
    assert "[0:00] t1 Alice:" in cli("show", STANDUP, "--ids").out
    assert json.loads(cli("show", STANDUP, "--json").out)["turns"][0]["speaker"] == "Alice"
    assert cli("show", "last").out.startswith("Retro")


def test_show_tells_what_went_off_the_record(cli, tmp_path):
    """A turn that was taken back says so itself; where nothing had been said yet a line of its own does."""
    with Store(tmp_path / "data" / "meetscribe") as store:
        made.record(
            store,
            ev.Final(turn=made.turn("t1", 0, 2, "a secret", "s1")),
            ev.OffRecord(start=0, end=3 * 16000),
            ev.OffRecord(start=10 * 16000, end=15 * 16000),
        )
    assert cli("show", "last").out.splitlines()[1:] == [
        "[0:00] s1: (off the record)",
        "[0:10–0:15] (off the record)",
    ]


def test_unknown_and_ambiguous_ids_are_bad_input(cli, data):
    """One sentence and exit code 2."""
    for name, message in [("x", "there is no meeting 'x'"), ("2026-11-2", "may mean")]:
        result = cli("show", name)
        assert (result.code, result.out) == (2, "")
        assert message in result.err


def test_search_finds_turns(cli, data):
    """A hit says meeting, time and speaker; nothing found is no error."""
    assert cli("search", "budget", "move").out == f"{STANDUP} [0:00] Alice: can we move the budget\n"
    (hit,) = json.loads(cli("search", "friday", "--json").out)
    assert (hit["meeting"], hit["turn"], hit["start"], hit["speaker"]) == (STANDUP, "t2", 1.0, "s2")
    nothing = cli("search", "holiday")
    assert (nothing.code, nothing.out, "nobody said" in nothing.err) == (0, "", True)
    assert cli("search", "...").code == 2


def test_export_writes_formats_and_names(cli, data, tmp_path):
    """By -f or by extension, to stdout or a file; the names are filled in."""
    assert cli("export", STANDUP).out == "Alice: can we move the budget\ns2: to Friday please\n"
    assert cli("export", STANDUP, "-o", "x.seglst.json").out == ""
    assert json.loads((tmp_path / "x.seglst.json").read_text())[0]["speaker"] == "Alice"
    events = jsonl.decode(cli("export", STANDUP, "-f", "jsonl").out)
    assert len(events) == 7
    assert cli("export", STANDUP, "-f", "docx", "-o", "x.docx").code == 0
    assert cli("export", STANDUP, "-o", "x.unknown").code == 2


def test_edit_changes_a_past_meeting(cli, data):
    """Names by id, by name or by turn; merges; corrections, which search finds."""
    assert cli("edit", "rename", STANDUP, "s2", "Bob").code == 0
    assert cli("edit", "rename", STANDUP, "Alice", "Alice B.").code == 0
    assert cli("edit", "correct", STANDUP, "t2", "to Thursday please").code == 0
    assert cli("search", "thursday").out == f"{STANDUP} [0:01] Bob: to Thursday please\n"
    assert cli("edit", "merge", STANDUP, "Bob", "Alice B.").code == 0
    assert cli("search", "thursday").out == f"{STANDUP} [0:01] Alice B.: to Thursday please\n"
    wrong = cli("edit", "rename", STANDUP, "s9", "Eve")
    assert (wrong.code, "there is no speaker 's9'" in wrong.err) == (2, True)
    with Store(data) as store:
        assert store.corrected_words() == ["Thursday"]


def test_delete_asks_or_wants_yes(cli, data, monkeypatch):
    """Without a terminal --yes is needed; what is deleted is gone from every file."""
    assert cli("delete", STANDUP).code == 2
    assert made.bytes_with(data, "Friday")
    result = cli("delete", STANDUP, "--yes")
    assert (result.code, result.out) == (0, "")
    assert "deleted 2026-11-22-standup" in result.err
    assert not made.bytes_with(data, "Friday")
    assert not made.bytes_with(data, "budget")
    for answer, left in [("n\n", 1), ("y\n", 0)]:
        terminal = io.StringIO(answer)
        terminal.isatty = lambda: True
        monkeypatch.setattr("sys.stdin", terminal)
        assert "Nothing brings it back" in cli("delete", "last").err
        assert len(json.loads(cli("list", "--json").out)) == left
