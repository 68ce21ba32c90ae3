import os
import signal
from pathlib import Path

import pytest

import meetscribe

from .terminal import Terminal

PROGRAM = str(Path(__file__).parent / "scripted_program.py")

BESIDE_ANOTHER = """
from meetscribe import events as ev
from meetscribe.apps.live.app import run
from meetscribe.apps.live.scripted import ScriptedMeeting


class BesideAnother(ScriptedMeeting):
    async def run(self):
        self.say("meeting 'rooms' was interrupted; 0:12 of it is transcribed now")
        return await super().run()


run(BesideAnother([ev.Session(title="Stairs", started="2026-11-25T10:00:00")]))
"""


def settled(lines):
    return any("first." in line for line in lines)


def test_a_real_terminal_shows_both_speakers_of_an_overlap_on_the_same_rows():
    """80×24, as most terminals are: keys are answered, and q ends the program with everything finished."""
    with Terminal(PROGRAM) as terminal:
        terminal.wait_for(settled)
        lines = terminal.lines
        both = next(line for line in lines if "could move" in line)
        assert "That would" in both
        assert lines[0].startswith(" ● listening")
        assert lines[-1].endswith("q Quit")
        terminal.press("p")
        terminal.wait_for(lambda lines: lines[0].startswith(" ‖ paused"))
        terminal.press("q")
        terminal.wait_for(lambda lines: any("Stop the meeting?" in line for line in lines))
        terminal.press("\r")
        assert terminal.wait_for_end() == 0
        assert b"torch: False" in terminal.written


def test_what_becomes_of_meetings_that_were_cut_off_is_said_on_the_screen():
    """Whoever opens the next meeting sees it, and can read it again when the screen is gone."""
    with Terminal("-c", BESIDE_ANOTHER) as terminal:
        terminal.wait_for(lambda lines: any("meeting 'rooms' was interrupted" in line for line in lines))
        terminal.press("q\r")
        assert terminal.wait_for_end() == 0
        assert "meetscribe: meeting 'rooms' was interrupted" in "".join(terminal.lines)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_finishes_the_meeting(number):
    """Whoever ends the process, or closes its terminal, gets the last turn finished and the terminal restored."""
    with Terminal(PROGRAM) as terminal:
        terminal.wait_for(settled)
        os.kill(terminal.pid, number)
        assert terminal.wait_for_end() == 0
        assert b"events: " in terminal.written
        assert b"\x1b[?1049l" in terminal.written  # the screen that was there before


def test_a_terminal_that_goes_away_ends_the_program():
    """A closed window: the meeting is finished, and nothing goes on recording unseen."""
    with Terminal(PROGRAM) as terminal:
        terminal.wait_for(settled)
        terminal.hang_up()
        assert terminal.wait_for_end() in (0, 129)


def test_no_colour_is_sent_where_none_is_wanted():
    """NO_COLOR: the terminal's own two colours, and nothing else."""
    with Terminal(PROGRAM, environment={"NO_COLOR": "1"}) as terminal:
        terminal.wait_for(settled)
        cells = [cell for row in terminal.cells.values() for cell in row.values()]
        assert {cell.fg for cell in cells} == {"default"}
        assert {cell.bg for cell in cells} == {"default"}
        assert any(cell.bold for cell in cells)


@pytest.mark.slow
def test_the_command_shows_a_recording_as_if_it_were_live(tmp_path):
    """`meetscribe live --from-file` in a terminal: words stand there, and when the recording has ended q leaves."""
    recording = Path(meetscribe.__file__).parent / "demo" / "recording.flac"
    command = ["-m", "meetscribe.apps.cli.main", "live", "--from-file", str(recording), "--speed", "max"]
    with Terminal(*command, "--data-dir", str(tmp_path)) as terminal:
        terminal.wait_for(lambda lines: lines[0].startswith(" ■ stopped"), seconds=240)
        assert "end of the audio" in "\n".join(terminal.lines)
        assert sum("▎" in line for line in terminal.lines) > 5
        terminal.press("q")
        assert terminal.wait_for_end() == 0
        assert b"is kept" in terminal.written
