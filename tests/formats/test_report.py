import json
import re

import pytest
import strategies
from formats_material import ALICE_AND_BOB, log, turn
from hypothesis import given, settings

from meetscribe.errors import FormatError
from meetscribe.formats.report import page
from meetscribe.formats.report.timeline import overlaps
from meetscribe.meeting import fold


@given(strategies.logs)
@settings(max_examples=30)
def test_a_report_holds_the_meeting(events):
    """Any meeting becomes a page, from which turns, names and gaps are read back."""
    before = fold(events)
    (after,) = page.decode(page.encode(before))
    assert (after.turns, after.duration) == (before.turns, before.duration)


def test_a_page_needs_nothing_from_outside():
    """Styles, script and data are inside; nothing is fetched, and what people say is never mark-up."""
    nasty = turn(1, 0, "s1", 0, 2, "</script><script>alert(1)</script><img src=x onerror=y>")
    text = page.encode(fold(log(nasty, title="<b>&")))
    assert "<script>alert" not in text
    assert "<img" not in text
    assert "<title>&lt;b&gt;&amp;</title>" in text
    assert not re.search(r"(?:src|href)=\"(?:https?:|//)", text)
    assert "@import" not in text
    assert page.decode(text)[0].turns[0].text == nasty.text


def test_shares_and_overlap_are_those_of_the_turns():
    """Who spoke how long, how many turns and words, and how long several talked at once."""
    text = page.encode(fold(log(*ALICE_AND_BOB)))
    rows = re.findall(r'<th scope="row">(.*?)</th><td>(.*?)</td><td>(.*?)</td><td>(.*?)</td>', text)
    assert rows == [("Alice", "0:03", "1", "8"), ("Bob", "0:01", "2", "5")]
    assert "3 turns · 0:00 with several talking at once" in text
    assert overlaps(ALICE_AND_BOB) == [(40_000, 46_400)]


def test_those_who_talk_at_once_stand_side_by_side():
    """Turns that share time are in one group, a column for each person; a turn alone is in none."""
    text = page.encode(fold(log(*ALICE_AND_BOB)))
    group = re.search(r'<div class="together".*?</div>', text, re.S)
    assert group is not None
    assert re.findall(r'<article id="(t\d)".*?style="--column:(\d)"', group[0]) == [("t1", "1"), ("t2", "2")]
    assert '<article id="t3"' not in group[0]


def test_without_sound_there_is_nothing_to_play():
    """Buttons and player are there where sound is, and a voice of its own only where there is one."""
    meeting = fold(log(*ALICE_AND_BOB))
    assert not re.search(r"<button|<audio", page.encode(meeting))
    text = page.encode(meeting, page.Sound("a.wav", {"t2": "data:audio/ogg;base64,AA=="}))
    assert text.count('class="play"') == 3
    assert re.findall(r'data-voice="(.*?)" aria-label="(.*?)"', text) == [
        ("data:audio/ogg;base64,AA==", "Hear Bob alone at 0:02")
    ]


def test_nobody_speaking_is_a_page_too():
    """Without speech the page says so."""
    assert "Nobody was heard." in page.encode(fold(log(changes=())))


def test_other_pages_are_refused():
    """A page that holds no meeting is a FormatError."""
    for text in ("<html></html>", page.encode(fold(log())).replace('"version": 1', '"version": 9')):
        with pytest.raises(FormatError):
            page.decode(text)
    assert json.loads(re.findall(r'id="meeting">(.*?)</script>', page.encode(fold(log())), re.S)[0])
