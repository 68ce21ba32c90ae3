import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st
from scripted_meetings import CONVERSATION, NAMES, START, TURNS, at, finals, long_meeting

from meetscribe import events as ev
from meetscribe.apps.live.commands import people
from meetscribe.apps.live.scripted import spoken, turn
from meetscribe.apps.live.transcript.finding import find
from meetscribe.apps.live.transcript.layout import Said
from meetscribe.apps.live.transcript.view import View

from .test_layout import meetings, read


def numbered(events):
    """The events as a session numbers them."""
    seq, done = 0, []
    for event in events:
        done.append(ev.numbered(event, "m", seq))
        seq += isinstance(event, ev.DurableEvent)
    return done


def seen(events, width=80, batch=1):
    """A view after events that were taken one by one, or several at once, and all its rows."""
    view = View()
    view.pages.resize(width)
    waiting = numbered(events)
    for first in range(0, len(waiting), batch):
        view.take(*waiting[first : first + batch])
        view.pages.lay_out(view.now)
    return view, [view.pages.row(number) for number in range(len(view.pages))]


@given(meetings(), st.integers(30, 120), st.integers(1, 50))
def test_what_was_watched_live_stands_there_as_if_it_were_opened_later(turns, width, batch):
    """Partials, finals in any order, many at once or one by one: at the end every turn stands there once, as said."""
    _, rows = seen([START, *spoken(turns)], width, batch)
    assert read(rows) == {said.id: said.text.replace(" ", "") for said in turns}


def test_a_talk_without_a_pause_is_cut_into_pages():
    """An hour in which somebody always speaks costs at its end what it did at its beginning."""
    turns = []
    for number in range(400):
        start = number * 4.0
        turns.append(
            turn(f"t{number}", number % 2, start, start + 5.5, "we all talk and nobody listens to us at all")
        )
    view, rows = seen([START, *spoken(turns)], batch=7)
    assert read(rows) == {said.id: said.text.replace(" ", "") for said in turns}
    assert max(len(page.rows) for page in view.pages._pages) < 100


def test_a_new_event_lays_out_the_last_page_alone(monkeypatch):
    """What is said at the end of two hours touches nothing of the hours before."""
    view, _ = seen([START, *finals(long_meeting(120))], batch=100)
    before = len(view.pages)
    laid = []
    refresh = view.pages._refresh
    monkeypatch.setattr(view.pages, "_refresh", lambda number: (laid.append(number), refresh(number)))
    partial = ev.Partial(at=at(7201), turn=turn("new", 0, 7200, 7201, "still here"), revision=1, stable=0)
    view.take(ev.numbered(partial, "m", view.meeting.seq))
    changed = view.pages.lay_out(view.now)
    assert changed >= before - 100
    assert len(laid) <= 2


def test_a_slot_that_goes_on_gives_up_a_turn_that_never_ended():
    """When the engine died in the middle of a turn its partial does not stand there for ever."""
    lost = ev.Partial(at=at(2), turn=turn("t1", 0, 1, 2, "half a sen"), revision=1, stable=0)
    again = ev.Partial(at=at(9), turn=turn("t2", 0, 8, 9, "go on"), revision=1, stable=0)
    _, rows = seen([START, lost, again])
    assert read(rows) == {"t2": "goon"}


def test_durable_events_that_come_twice_change_nothing():
    """A reader that connects again may see what it knows."""
    view, rows = seen([START, *CONVERSATION])
    view.take(*[event for event in numbered([START, *CONVERSATION]) if isinstance(event, ev.DurableEvent)])
    view.pages.lay_out(view.now)
    assert len(view.pages) == len(rows)


def test_people_are_listed_with_something_that_they_said():
    """A short word says little about who somebody is; whoever is not known stands there by the turn alone."""
    view, _ = seen([START, *CONVERSATION])
    known, chosen = people(view, "t3")
    assert [person.name for person in known] == ["Alice", "Bob", "s3"]
    assert known[chosen].name == "Alice"
    assert known[0].quote.startswith("Then we could move")
    with_unknown, chosen = people(view, "t6")
    assert with_unknown[chosen].turn == "t6"


def test_a_speaker_keeps_the_colour_when_renamed_and_takes_the_others_when_merged():
    """Colours belong to people, in the order in which they were first heard."""
    view, _ = seen([START, *finals(TURNS)])
    before = [view.number(said) for said in TURNS]
    assert before[0] == before[2]
    assert len({before[0], before[1], before[4]}) == 3
    merged = ev.SpeakerUpdate(changes=(ev.Change("s3", into="s2"),), by="person")
    view.take(*[ev.numbered(one, "m", view.meeting.seq + n) for n, one in enumerate((NAMES, merged))])
    shown = {name: view.pages.said(name) for name in ("t1", "t2", "t5")}
    assert [view.number(one.turn) for one in shown.values() if one] == [before[0], before[1], before[1]]


def test_search_finds_words_whatever_their_case_and_across_words():
    """Hits are turns with the numbers of their words."""
    said = [Said(one, 99, True) for one in TURNS]
    assert [(hit.turn, sorted(hit.words)) for hit in find("MOVE before", said)] == [("t4", [3, 4])]
    assert [hit.turn for hit in find("mo", said)] == ["t1", "t2", "t4"]
    assert find("  ", said) == []
    assert find("nothing like it", said) == []


def test_the_screen_does_without_torch():
    """The process that records never loads the network's library."""
    code = "import sys, meetscribe.apps.live.app; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
