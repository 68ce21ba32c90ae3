import io

import pytest
from formats_material import ALICE_AND_BOB, log

from meetscribe.formats import registry
from meetscribe.meeting import fold


def written(name, **options):
    """The two-talker meeting in a format."""
    known = registry.by_name(name)
    if options:
        known = registry.with_srt_overlap(known, **options)
    return known.data(log(*ALICE_AND_BOB))


SAID = [
    ("Alice", 0.0, 3.2, "Can we move it to Friday & why?"),
    ("Bob", 2.5, 2.9, "mhm"),
    ("Bob", 4.0, 5.25, "I <think> so: yes."),
]


def test_webvtt_py_reads_voices_and_sides():
    """Each turn is a cue with a voice; those that share time have a half of the picture each, the other has it all."""
    webvtt = pytest.importorskip("webvtt")
    captions = list(webvtt.from_string(written("vtt").decode()))
    assert [(c.voice, c.start_in_seconds, c.end_in_seconds) for c in captions] == [
        (who, int(start), int(end)) for who, start, end, _ in SAID
    ]
    assert [(c.start, c.end) for c in captions][1] == ("00:00:02.500", "00:00:02.900")
    assert captions[0].text.replace("&amp;", "&") == SAID[0][3]
    lines = written("vtt").decode().splitlines()
    sides = [line.split(" ", 3)[3] if line.count(" ") > 2 else "" for line in lines if "-->" in line]
    assert sides == ["align:left size:50%", "align:right size:50%", ""]


def test_pysubs2_reads_both_ways_of_showing_two_at_once():
    """Stacked, each turn is an event with its own times; merged, no two events share time and nothing is lost."""
    pysubs2 = pytest.importorskip("pysubs2")
    stacked = pysubs2.SSAFile.from_string(written("srt").decode(), "srt")
    assert [(e.start, e.end) for e in stacked] == [(0, 3200), (2500, 2900), (4000, 5250)]
    assert stacked[1].plaintext == "Bob: mhm"
    merged = pysubs2.SSAFile.from_string(written("srt", overlap="merge").decode(), "srt")
    assert [(e.start, e.end) for e in merged] == [(0, 2500), (2500, 2900), (2900, 3200), (4000, 5250)]
    assert merged[1].plaintext.split("\n") == ["Alice: Can we move it to Friday & why?", "Bob: mhm"]


@pytest.mark.parametrize("name", ["seglst", "stm", "rttm", "ctm"])
def test_meeteval_reads_what_is_evaluated(name, tmp_path):
    """With meeteval one finds who spoke when (SegLST, STM, RTTM), and the words of each stream (CTM)."""
    meeteval = pytest.importorskip("meeteval")
    path = tmp_path / f"x{registry.by_name(name).extension}"
    path.write_bytes(written(name))
    if name == "ctm":
        words = meeteval.io.CTM.load(path).lines
        assert [(w.channel, w.word, float(w.begin_time)) for w in words][:2] == [
            ("A", "Can", 0.0),
            ("A", "we", 0.4),
        ]
        assert [w.word for w in words if w.channel == "B"] == ["mhm", *SAID[2][3].split()]
        return
    rows = meeteval.io.load(path).to_seglst()
    assert [(r["speaker"], float(r["start_time"]), float(r["end_time"])) for r in rows] == [
        s[:3] for s in SAID
    ]
    assert {r["session_id"] for r in rows} == {"standup"}
    if name != "rttm":
        assert [r["words"] for r in rows] == [s[3] for s in SAID]


def test_python_docx_reads_title_people_and_turns():
    """The document has the title as heading and property, who took part, and a paragraph a turn."""
    docx = pytest.importorskip("docx.api")
    document = docx.Document(io.BytesIO(written("docx")))
    texts = [paragraph.text for paragraph in document.paragraphs]
    assert (document.core_properties.title, texts[0]) == ("Weekly", "Weekly")
    assert texts[1] == "2026-11-22 09:00 · 0:10 · Alice, Bob"
    assert texts[2] == "Alice  0:00\nCan we move it to Friday & why?"
    assert document.paragraphs[2].runs[0].bold
    assert len(texts) == 2 + len(SAID)


def test_yaml_reads_the_front_matter_of_notes():
    """What stands between the lines of a note's head is YAML; below is a paragraph a turn."""
    yaml = pytest.importorskip("yaml")
    _, head, body = written("md").decode().split("---\n", 2)
    facts = yaml.safe_load(head)
    assert facts["title"] == "Weekly"
    assert (facts["date"], facts["duration"]) == ("2026-11-22T09:00:00+00:00", "0:10")
    assert (facts["participants"], facts["consent"]) == (["Alice", "Bob"], None)
    assert body.split("\n\n")[2:] == ["[Bob 0:02] mhm", "[Bob 0:04] I \\<think\\> so: yes.\n"]


def test_a_long_turn_is_several_cues_that_can_be_read():
    """No cue has more than two lines of text or lasts over seven seconds where the words allow it."""
    from meetscribe import events as ev

    texts = [f"word{n}{',' if n % 7 == 6 else ''}" for n in range(60)]
    words = tuple(ev.Word(text, n * 6400, n * 6400 + 4800) for n, text in enumerate(texts))
    turn = ev.Turn(id="t1", slot=0, start=0, end=words[-1].end, text=" ".join(texts), words=words)
    pysubs2 = pytest.importorskip("pysubs2")
    cues = list(pysubs2.SSAFile.from_string(registry.by_name("srt").encode(log(turn)), "srt"))
    assert len(cues) > 3
    assert all(cue.end - cue.start <= 7400 and len(cue.plaintext) <= 84 + len("A: ") for cue in cues)
    assert all(cue.plaintext.endswith(",") for cue in cues[:-1])
    srt = registry.by_name("srt")
    assert srt.decode is not None
    (meeting,) = srt.decode(srt.encode(log(turn)))
    assert [t.text for t in meeting.turns] == [turn.text]
    assert fold(log(turn)).turns[0].end == meeting.turns[0].end
