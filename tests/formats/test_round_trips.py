import formats_material
import pytest
from hypothesis import given, settings

from meetscribe.formats import building, registry
from meetscribe.meeting import fold, shown_speaker

READABLE = [known for known in registry.FORMATS if known.decode is not None]
HOLDS = {  # what a format keeps of a turn; docs/formats.md says the same
    "rttm": {"times", "who"},
    "stm": {"times", "who", "text"},
    "ctm": {"words", "text"},
    "srt": {"times", "who", "text"},
    "vtt": {"times", "who", "text"},
    "csv": {"times", "who", "text", "slot"},
    "seglst": {"times", "who", "text", "slot"},
    "json": {"times", "who", "text", "slot", "words"},
    "jsonl": {"times", "who", "text", "slot", "words"},
    "html": {"times", "who", "text", "slot", "words"},
}

WORDS_ALONE = {"stm", "srt", "vtt", "seglst"}  # a turn without words, as RTTM's are, has no place in them


def kept(meeting, what):
    """What formats that hold these things keep of a meeting."""
    names = meeting.speakers
    rows = []
    for turn in meeting.turns:
        row = {
            "times": (turn.start, turn.end),
            "who": "_".join(shown_speaker(turn, names).split()),
            "text": turn.text,
            "slot": turn.slot,
            "words": tuple((word.word, word.start, word.end, word.confidence) for word in turn.words),
        }
        rows.append(tuple(row[name] for name in sorted(what)))
    return sorted(rows)


def through(log, known):
    """The one log that comes back from a format."""
    (back,) = registry.read(known, known.encode(log), "standup")
    return list(back)


@given(formats_material.conversations())
@settings(max_examples=25)
def test_every_pair_of_formats_keeps_what_both_can_hold(log):
    """From any format that can be read to any other: whatever both can hold stays, be it times, people or words.

    Streams of CTM have turns by pauses of their own, so it is compared with itself alone.
    """
    for first in READABLE:
        once = through(log, first)
        for second in READABLE:
            if "ctm" in (first.name, second.name) or (first.name == "rttm" and second.name in WORDS_ALONE):
                continue
            both = HOLDS[first.name] & HOLDS[second.name]
            assert kept(fold(through(once, second)), both) == kept(fold(log), both), (first.name, second.name)


@given(formats_material.conversations())
@settings(max_examples=25)
def test_words_and_their_times_come_back_from_ctm(log):
    """Every word with its time, confidence and stream is in CTM and comes back; a second time nothing changes."""
    ctm = registry.by_name("ctm")
    once = through(log, ctm)

    def words(log):
        turns = fold(log).turns
        return sorted((t.slot, w.word, w.start, w.end, w.confidence) for t in turns for w in t.words)

    assert words(once) == words(log)
    assert ctm.encode(through(once, ctm)) == ctm.encode(once)


@given(formats_material.conversations())
@settings(max_examples=25)
def test_merged_subtitles_can_be_read_too(log):
    """SRT with one cue at a time gives the same turns as SRT whose cues share time."""
    merged = registry.with_srt_overlap(registry.by_name("srt"), "merge")
    assert kept(fold(through(log, merged)), HOLDS["srt"]) == kept(fold(log), HOLDS["srt"])


@given(formats_material.conversations())
@settings(max_examples=25)
def test_slots_that_a_file_does_not_say_keep_people_apart(log):
    """Turns that share time come back in different slots from formats that know none."""
    for name in ("stm", "vtt"):
        turns = fold(through(log, registry.by_name(name))).turns
        for one in turns:
            for other in turns:
                assert one is other or one.slot != other.slot or not one.interval.touches(other.interval)


@given(formats_material.conversations())
@settings(max_examples=10)
def test_a_log_of_a_meeting_folds_to_it(log):
    """What people see of a meeting survives being made a log again."""
    before = fold(log)
    after = fold(building.log_of(before))
    assert (after.turns, after.speakers, after.duration) == (before.turns, before.speakers, before.duration)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("srt", "hello\nthere\n"),
        ("srt", "1\nnow --> then\nhello\n"),
        ("vtt", "1\n00:00.000 --> 00:01.000\nhello\n"),
        ("rttm", "SPEAKER a 1 x 2 <NA> <NA> s <NA> <NA>\n"),
        ("stm", "a 1 s 0.0\n"),
        ("stm", "a 1 s inf 1 x\n"),
        ("ctm", "a 1 0.0 0.5\n"),
        ("csv", "a,b\n1,2\n"),
        ("csv", "start,end,text\nnow,2,x\n"),
    ],
)
def test_what_is_not_of_the_format_is_refused(name, text):
    """A file that is not what its name says is a FormatError."""
    from meetscribe.errors import FormatError

    with pytest.raises(FormatError):
        registry.read(registry.by_name(name), text, "x")


def said(name, text):
    """Who says what when in a file of others."""
    (log,) = registry.read(registry.by_name(name), text, "x")
    meeting = fold(log)
    return [(t.start // 16, t.end // 16, meeting.name(t.speaker_id), t.text) for t in meeting.turns]


def test_subtitles_of_others_are_read():
    """Brackets or a colon say who speaks; without either nobody is named, and cues stay apart."""
    assert said(
        "srt", "\ufeff1\r\n00:00:01,000 --> 00:00:02,000\r\n[SPEAKER_00]: Hi\r\nthere\r\n\r\n2\r\n"
    ) == [(1000, 2000, "SPEAKER_00", "Hi there")]
    plain = "1\n0:0:1,0 --> 0:0:2,0\nso\nwhat: now\n\n2\n00:00:02,000 --> 00:00:03,5\nBut\n"
    assert said("srt", plain) == [(1000, 2000, None, "so what: now"), (2000, 3500, None, "But")]
    text = (
        "WEBVTT - made by others\n\nNOTE 00:00.000 --> 00:01.000\nno cue\n\nSTYLE\n::cue {}\n\n"
        "intro\n00:01.000 --> 00:02.000 position:10%\n<v.loud Mary Ann>Hi &amp; <b>bye</b>\n<v Roger>No\n"
    )
    assert said("vtt", text) == [(1000, 2000, "Mary Ann", "Hi & bye"), (1000, 2000, "Roger", "No")]


def test_files_of_evaluations_are_read():
    """Comments and labels are skipped, several files are several meetings, several channels are told apart."""
    stm = ";; comment\na 1 x 0 1 <o,f0,male> hello <unk> you\n\nb 1 y 0 1\nb 2 z 0.5 1 no\n"
    first, second = registry.read(registry.by_name("stm"), stm, "x")
    assert [t.text for t in fold(first).turns] == ["hello <unk> you"]
    assert [(t.channel, t.text) for t in fold(second).turns] == [(0, ""), (1, "no")]
    assert [(t.start, t.end) for t in fold(second).turns] == [(0, 16_000), (8000, 16_000)]


def test_a_table_runs_nothing_in_a_spreadsheet():
    """Cells that begin like formulas are guarded, and come back as they were."""
    table = registry.by_name("csv")
    before = formats_material.log(formats_material.turn(1, 0, "s1", 0, 1, "=1+1"), changes=())
    assert ",'=1+1" in table.encode(before)
    assert [t.text for t in fold(through(before, table)).turns] == ["=1+1"]
