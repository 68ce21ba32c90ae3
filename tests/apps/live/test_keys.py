import json
from dataclasses import replace

import pytest
from scripted_meetings import CONVERSATION, NAMES, START, TURNS, at, finals, long_meeting
from textual.widgets import Input

from meetscribe import events as ev
from meetscribe.apps.live.scripted import ScriptedMeeting, turn
from meetscribe.apps.live.transcript.pane import TranscriptPane
from meetscribe.meeting import apply
from meetscribe.session.commands import Ack, decided

from .shown import in_a_loop, shown


@in_a_loop
async def test_p_pauses_and_goes_on():
    """The state is shown, and the same key takes it back."""
    async with shown() as screen:
        await screen.press("p")
        assert "‖ paused" in screen.lines[0]
        await screen.press("p")
        assert "● listening" in screen.lines[0]
        assert screen.asked == [{"name": "pause"}, {"name": "resume"}]


@in_a_loop
async def test_o_goes_off_the_record_and_on_again():
    """Off the record is a state of its own; p does not take it back by mistake."""
    async with shown() as screen:
        await screen.press("o")
        assert "⊘ off the record" in screen.lines[0]
        await screen.press("p")
        assert "⊘ off the record" in screen.lines[0]
        await screen.press("o")
        assert "● listening" in screen.lines[0]
        asked = [{"name": "off_record", "action": action} for action in ("start", "stop")]
        assert screen.asked == asked


@in_a_loop
async def test_u_takes_back_the_last_30_seconds_after_a_question():
    """Esc keeps them, Enter erases them."""
    async with shown() as screen:
        await screen.press("u")
        assert "erased for good" in screen.text
        await screen.press("escape")
        await screen.press("u", "tab", "enter")
        assert screen.asked == []
        await screen.press("u", "enter")
        assert screen.asked == [{"name": "off_record", "seconds": 30.0}]
        assert "Good morning" not in screen.text


@in_a_loop
async def test_b_marks_the_moment_and_a_capital_one_takes_a_note():
    """A bookmark stands in the transcript where it was made."""
    async with shown() as screen:
        await screen.press("b")
        await screen.press("B")
        await screen.write("ask Bob")
        await screen.press("enter")
        assert screen.asked == [{"name": "bookmark"}, {"name": "bookmark", "note": "ask Bob"}]
        assert "★ ask Bob" in screen.text


@in_a_loop
async def test_r_names_the_speaker_of_the_selected_turn():
    """Arrow keys select a turn, r asks who it is, and the name stands everywhere at once."""
    async with shown() as screen:
        await screen.press("up", "up", "r")
        assert "That would be too early" in screen.text
        await screen.write("Carol")
        await screen.press("enter")
        assert screen.asked == [{"name": "rename", "speaker_id": "s3", "speaker": "Carol"}]
        assert "Carol: That" in screen.text


@in_a_loop
async def test_a_dialog_is_kept_and_begins_anew():
    """To build it costs several pictures; nothing of the last time stands in it."""
    async with shown() as screen:
        await screen.press("B")
        first = screen.app.screen
        await screen.write("ask Bob")
        await screen.press("escape", "B")
        assert screen.app.screen is first
        assert "ask Bob" not in screen.text
        assert "a note, or nothing" in screen.text
        await screen.write("now")
        await screen.press("enter")
        assert screen.asked == [{"name": "bookmark", "note": "now"}]


@in_a_loop
async def test_a_dialog_over_another_one_gives_way_to_it():
    """Ctrl+C asks although a dialog is open, which goes on afterwards."""
    async with shown() as screen:
        await screen.press("r")
        await screen.write("Dora")
        await screen.press("ctrl+c")
        assert "Stop the meeting?" in screen.text
        await screen.press("escape")
        assert "Who is this?" in screen.text
        await screen.press("enter")
        assert screen.asked == [{"name": "rename", "turn": "t6", "speaker": "Dora"}]
        await screen.press("u")
        assert "Erase 30 s" in screen.text


@in_a_loop
async def test_r_without_a_selection_names_whoever_spoke_last():
    """Somebody whom nobody knows yet is named by the turn; in the dialog the arrow keys choose somebody else."""
    async with shown() as screen:
        await screen.press("r")
        await screen.write("Dora")
        await screen.press("enter")
        assert screen.asked == [{"name": "rename", "turn": "t6", "speaker": "Dora"}]
        await screen.press("r", "up", "up")
        await screen.write("Erik")
        await screen.press("enter")
        assert screen.asked[1]["speaker"] == "Erik"
        assert screen.asked[1]["speaker_id"] == "s2"


@in_a_loop
async def test_m_merges_two_speakers():
    """Left and right choose who, up and down into whom."""
    async with shown(START, NAMES, *finals(TURNS[:5])) as screen:
        await screen.press("m")
        assert "is the same person as" in screen.text
        await screen.press("down", "enter")
        assert screen.asked == [{"name": "merge", "speaker_id": "s3", "into": "s2"}]
        assert "Bob: That" in screen.text


@in_a_loop
async def test_m_needs_two_speakers():
    """A sentence says why nothing happens."""
    async with shown(START) as screen:
        await screen.press("m")
        assert "no two speakers" in screen.text
        await screen.press("r", "c")
        assert screen.asked == []


@in_a_loop
async def test_c_corrects_a_turn():
    """The text of the selected turn is edited in place; unchanged or empty, nothing is sent."""
    async with shown() as screen:
        await screen.press("up", "c")
        await screen.press("backspace")
        await screen.write(" exactly?")
        await screen.press("enter")
        assert screen.asked == [{"name": "correct", "turn": "t6", "text": "How long will you need exactly?"}]
        assert "need exactly?" in screen.text
        await screen.press("c", "enter")
        await screen.press("c", "ctrl+u", "enter")
        assert "Write what was said" in screen.text
        assert len(screen.asked) == 1


@in_a_loop
async def test_slash_searches_while_one_writes():
    """The last hit is selected, arrow keys step to the others, Esc leaves it there."""
    async with shown() as screen:
        await screen.press("slash")
        await screen.write("mo")
        assert "3 of 3" in screen.text
        await screen.press("up")
        assert "2 of 3" in screen.text
        pane = screen.app.query_one(TranscriptPane)
        assert pane.selected == "t2"
        await screen.write("zzz")
        assert "nothing found" in screen.text
        await screen.press("escape")
        assert not screen.app.query_one("#search").has_class("-shown")
        assert pane.has_focus


@pytest.mark.parametrize(("steps", "name"), [(0, "scripted.txt"), (1, "scripted.json")])
@in_a_loop
async def test_e_exports_what_there_is_so_far(steps, name, tmp_path):
    """The chosen format is written to the folder; what is written is what stands on the screen."""
    async with shown(folder=tmp_path) as screen:
        await screen.press("e", *["down"] * steps, "enter")
        written = (tmp_path / name).read_text()
        assert "Then we could move before the end of the month." in written
        if name.endswith("json"):
            assert len(json.loads(written)["turns"]) == 6


@in_a_loop
async def test_an_export_that_cannot_be_written_says_why(tmp_path):
    """A sentence, and the meeting goes on."""
    async with shown(folder=tmp_path / "nowhere" / "x\0") as screen:
        await screen.press("e", "tab")
        screen.app.screen.query_one(Input).value = str(tmp_path)
        await screen.press("enter")
        assert "extension" in screen.text
        assert screen.app.is_running


@in_a_loop
async def test_a_line_of_the_page_before_stays():
    """Nothing is skipped by pages, although the line that says what comes lies on the last one."""
    words = " ".join(f"word{number}" for number in range(900))
    async with shown(START, *finals([turn("long", 0, 0, 300, words, "s1")])) as screen:
        before = screen.text.splitlines()
        await screen.press("pageup")
        after = screen.text.splitlines()
        below = next(number for number, line in enumerate(after) if "End follows" in line)
        assert after[below - 1].split() == before[1].split()
        await screen.press("pagedown")
        again = screen.text.splitlines()
        assert [line[:76].rstrip() for line in again] == [line[:76].rstrip() for line in before]


@in_a_loop
async def test_the_transcript_follows_unless_the_reader_scrolled():
    """Scrolled back, the lines stand still and new turns are counted; End follows again."""
    turns = long_meeting(5)
    async with shown(START, *finals(turns)) as screen:
        assert turns[-1].text.split()[0] in screen.text
        await screen.press("pageup")
        before = screen.body
        assert "nothing new below" in screen.text
        new = [
            turn(f"n{number}", 0, 300 + 5 * number, 303 + 5 * number, f"news {number}") for number in range(2)
        ]
        await screen.happens(ev.Partial(at=at(303), turn=new[0], revision=1, stable=1))
        await screen.happens(*finals(new))
        assert screen.body == before
        assert "↓ 2 new turns below" in screen.text
        await screen.press("end")
        assert "news 1" in screen.text
        assert "below" not in screen.text
        await screen.happens(*finals([turn("n3", 0, 320, 322, "and more news")]))
        assert "and more news" in screen.text


@in_a_loop
async def test_what_changes_above_does_not_move_what_one_reads():
    """A correction far above that takes more lines keeps the reader's lines where they were."""
    turns = long_meeting(5)
    async with shown(START, *finals(turns)) as screen:
        await screen.press("pageup", "pageup")
        before = screen.body
        await screen.happens(ev.Correction(at=at(301), turn="a1", text="much longer now " * 20))
        assert screen.body == before


@in_a_loop
async def test_keys_move_through_the_whole_meeting():
    """Home shows the beginning, PgDn goes on, l and Esc jump to live; arrow keys bring their turn into view."""
    turns = long_meeting(5)
    async with shown(START, *finals(turns)) as screen:
        await screen.press("home")
        assert " 0 and then we talked" in screen.text
        await screen.press("pagedown")
        assert " 0 and then we talked" not in screen.text
        await screen.press("l")
        assert " 29 and then" in screen.text
        await screen.press(*["up"] * 30)
        pane = screen.app.query_one(TranscriptPane)
        assert pane.selected == "a7"  # 40 turns, the thirtieth from the end
        assert " 7 and then" in screen.text
        await screen.press("escape")
        assert pane.selected is None
        assert pane.follows


@in_a_loop
async def test_t_changes_between_dark_and_light():
    """The ground and the speakers' colours change."""
    async with shown() as screen:
        dark = screen.styles_of("Alice")
        await screen.press("t")
        light = screen.styles_of("Alice")
        assert dark.bgcolor != light.bgcolor
        assert dark.color != light.color
        await screen.press("t")
        assert screen.styles_of("Alice") == dark


@pytest.mark.parametrize("key", ["question_mark", "f1"])
@in_a_loop
async def test_help_explains_the_keys(key):
    """Esc closes it."""
    async with shown() as screen:
        await screen.press(key)
        assert "Keys and marks" in screen.text
        await screen.press("escape")
        assert "Keys and marks" not in screen.text


@pytest.mark.parametrize("key", ["r", "m", "c", "B", "e", "u", "q", "question_mark"])
@in_a_loop
async def test_escape_closes_every_dialog_and_changes_nothing(key):
    """Nothing was sent to the meeting, and the keys of the screen work again."""
    async with shown() as screen:
        await screen.press(key)
        assert len(screen.app.screen_stack) == 2
        await screen.press("escape")
        assert len(screen.app.screen_stack) == 1
        assert screen.asked == []
        await screen.press("b")
        assert screen.asked == [{"name": "bookmark"}]


@pytest.mark.parametrize("key", ["q", "ctrl+c"])
@in_a_loop
async def test_quitting_asks_finishes_and_leaves(key):
    """“Go on” goes on; “Stop” stops the meeting, and the screen is left when it has ended."""
    async with shown() as screen:
        await screen.press(key, "tab", "enter")
        assert screen.app.is_running
        assert screen.asked == []
        await screen.press(key, "enter")
        assert screen.asked == [{"name": "stop"}]
        assert not screen.app.is_running
        assert screen.meeting.meeting.end is not None


@in_a_loop
async def test_a_meeting_that_has_ended_can_still_be_read_and_left_at_once():
    """When the source ends the screen stays; q leaves it without a question."""
    async with shown(
        START, *CONVERSATION, ev.End(at=at(20), reason="end of the audio", duration=at(20))
    ) as screen:
        assert "■ stopped" in screen.lines[0]
        assert "Good morning" in screen.text
        await screen.press("q")
        assert not screen.app.is_running


class Kept(ScriptedMeeting):
    """A meeting that is kept: names and corrections come after its end too, and nobody is told of them."""

    async def command(self, command):
        if self.meeting.end is None or command.name == "stop":
            return await super().command(command)
        event = replace(decided(command, self.meeting, 0), session="scripted", seq=len(self._log) + 1)
        self._log.append(event)
        self.meeting = apply(self.meeting, event)
        return Ack(command.id, event.seq)


@in_a_loop
async def test_a_meeting_that_has_ended_can_still_be_put_right():
    """Names, corrections and merges are shown after the end as before it; what needs a meeting says so."""
    meeting = Kept([START, *CONVERSATION], waits=False)
    async with shown(meeting=meeting) as screen:
        assert "■ stopped" in screen.lines[0]
        await screen.press("up", "up", "r")
        await screen.write("Carol")
        await screen.press("enter")
        assert "Carol: That" in screen.text
        await screen.press("c")
        await screen.write(" Too early!")
        await screen.press("enter")
        assert "early!" in screen.text
        assert "finish my report first." in screen.text
        assert "■ stopped" in screen.lines[0]
        await screen.press("p")
        assert "needs a meeting that is going on" in screen.text


@in_a_loop
async def test_a_refused_command_says_why():
    """The meeting's own sentence is shown."""
    async with shown() as screen:
        screen.meeting.meeting = screen.meeting.meeting.__class__()
        await screen.press("c", "x", "enter")
        assert "there is no finished turn" in screen.text


@in_a_loop
async def test_the_mouse_works():
    """A click on a turn selects it, on a key presses it, on the line below follows again; the wheel scrolls."""
    async with shown(START, NAMES, *finals(TURNS), *finals(long_meeting(3))) as screen:
        pane = screen.app.query_one(TranscriptPane)
        await screen.press("home")
        await screen.click(TranscriptPane, offset=(30, 0))
        assert pane.selected in ("t1", "a0")
        await screen.click("#below", offset=(5, 0))
        assert pane.follows
        await screen.click("#keybar", offset=(12, 0))
        assert screen.asked == [{"name": "bookmark"}]
        await screen.roll_wheel_up()
        assert not pane.follows
