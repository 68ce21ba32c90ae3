"""The screen of `meetscribe live`: what is said, in what state the meeting is, and keys for all that people decide.

It shows a meeting's events and acts on it through commands only. Events are taken as they come and drawn at most 25
times a second; a partial that was replaced meanwhile is never drawn.
Not covered: recording and transcribing, which go on whatever becomes of the screen (`feed.py`).
"""

import asyncio
import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from functools import partial
from multiprocessing import resource_tracker
from pathlib import Path
from queue import SimpleQueue
from typing import Any, ClassVar, TypeVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.message import Message
from textual.widgets import Input

from meetscribe.apps.files import write_whole
from meetscribe.apps.live import commands, themes
from meetscribe.apps.live.bottom import Below, Key, KeyBar, Meters, SearchBar
from meetscribe.apps.live.dialogs.confirm import ConfirmDialog
from meetscribe.apps.live.dialogs.dialog import Dialog
from meetscribe.apps.live.dialogs.export import ExportDialog
from meetscribe.apps.live.dialogs.help import HelpDialog
from meetscribe.apps.live.dialogs.speakers import MergeDialog, RenameDialog
from meetscribe.apps.live.dialogs.text import CorrectDialog, NoteDialog
from meetscribe.apps.live.feed import Meeting, MeetingThread, RunningMeeting
from meetscribe.apps.live.keyboard import Keyboard
from meetscribe.apps.live.palette import Palette
from meetscribe.apps.live.top import Reason, StateBar
from meetscribe.apps.live.transcript.pane import TranscriptPane
from meetscribe.apps.live.transcript.view import Condition, View
from meetscribe.errors import MeetscribeError
from meetscribe.events import DurableEvent, End
from meetscribe.formats.registry import by_path
from meetscribe.timeline import clock

_FRAME = 0.04  # seconds between two pictures, at least
_READ = 8.0  # seconds that a sentence about other meetings stays on the screen
_GRACE = 3.0  # seconds for the screen to end by itself when its terminal is gone
_HUNG_UP = 129  # exit code, as shells give it
_SETTLE = 200  # finished turns, about a quarter of an hour of talk
_KEYS = (
    Key("p", "Pause", "app.pause"),
    Key("b", "Bookmark", "app.bookmark"),
    Key("r", "Rename", "app.rename"),
    Key("/", "Search", "app.search"),
    Key("o", "Off record", "app.off_record"),
    Key("c", "Correct", "app.correct"),
    Key("e", "Export", "app.export"),
    Key("u", "Unsay 30 s", "app.take_back"),
    Key("m", "Merge", "app.merge"),
    Key("l", "Live", "app.follow"),
    Key("t", "Light", "app.ground"),
)
_ALWAYS = (Key("?", "Help", "app.help"), Key("q", "Quit", "app.leave"))
Answer = TypeVar("Answer")
Kept = TypeVar("Kept", bound=Dialog[Any])


async def _do_nothing(answer: None) -> None:
    """Do nothing with the answer of a dialog that only tells."""


class Changed(Message):
    """Something came that is to be shown; one is enough for all that came before it is handled."""

    def can_replace(self, message: Message) -> bool:
        """Replace what asks for the same."""
        return isinstance(message, Changed)


class LiveApp(App[None]):
    """Shows a meeting. It ends when the reader leaves; what the meeting failed with is shown."""

    CSS_PATH = "live.tcss"
    ENABLE_COMMAND_PALETTE = False
    TITLE = "meetscribe"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "pause", "Pause"),
        Binding("b", "bookmark", "Bookmark"),
        Binding("B", "bookmark_with_note", "Bookmark with a note"),
        Binding("r", "rename", "Rename"),
        Binding("m", "merge", "Merge"),
        Binding("c", "correct", "Correct"),
        Binding("slash", "search", "Search"),
        Binding("e", "export", "Export"),
        Binding("o", "off_record", "Off the record"),
        Binding("u", "take_back", "Take back"),
        Binding("t", "ground", "Dark or light"),
        Binding("question_mark,f1", "help", "Help"),
        Binding("q", "leave", "Quit"),
        Binding("ctrl+c,ctrl+q", "leave", "Quit", priority=True),
    ]

    def __init__(self, meeting: Meeting, folder: Path | None = None, is_light: bool | None = None) -> None:
        super().__init__(driver_class=Keyboard, ansi_color=True if "NO_COLOR" in os.environ else None)
        self.meeting = meeting
        self.view = View()
        self._folder = Path.cwd() if folder is None else folder
        self._is_light = themes.prefers_light(os.environ) if is_light is None else is_light
        self._leaving = self._ended = self._is_due = False
        self._failure: str | None = None
        self.told: list[str] = []
        self._untold: SimpleQueue[str] = SimpleQueue()
        self._dialogs: dict[type[Dialog[Any]], Dialog[Any]] = {}
        self._settled = 0  # finished turns that the garbage collector need not look at

    def compose(self) -> ComposeResult:
        """Compose the screen from top to bottom."""
        with Vertical():
            yield StateBar(id="state")
            yield Reason(id="reason")
            with Container(id="middle"):
                yield TranscriptPane(self.view, id="transcript")
                yield Below(id="below")
            yield Meters(id="meters")
            yield KeyBar(_KEYS, _ALWAYS, id="keybar")
            yield SearchBar(id="search")

    def on_mount(self) -> None:
        """Begin to read the meeting's events."""
        for theme in (themes.DARK, themes.LIGHT):
            self.register_theme(theme)
        self.theme = (themes.LIGHT if self._is_light else themes.DARK).name
        self.pane.focus()
        self.watch(self.pane, "missed", self._show_below)
        self.watch(self.pane, "follows", self._show_below)
        if not self.is_headless:
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, self.stop)
        self.run_worker(self._feed(), name="feed")

    @property
    def pane(self) -> TranscriptPane:
        """Return the transcript."""
        return self.screen_stack[0].query_one(TranscriptPane)

    # -- events

    async def _feed(self) -> None:
        """Take the meeting's events until it has ended."""
        try:
            async for event in self.meeting.subscribe(0):
                self.pane.take(event)
                self.post_message(Changed())
                self._ended |= isinstance(event, End)
        except MeetscribeError as error:
            self._failure = str(error)
        self._ended = True
        self.post_message(Changed())
        if self._leaving:
            self.exit()

    async def _read_on(self) -> None:
        """Take what was decided after the end, which no reader is told of."""
        for event in (await self.meeting.read_log())[self.view.meeting.seq :]:
            self.pane.take(event)
        self.post_message(Changed())

    def tell(self, sentence: str) -> None:
        """Show a sentence that is not about this meeting; any thread may, before the screen is there too."""
        self.told.append(sentence)
        self._untold.put(sentence)
        if self.is_running:
            self.post_message(Changed())

    def on_changed(self) -> None:
        """Draw soon, unless that is to be done already."""
        if not self._is_due:
            self._is_due = True
            self.set_timer(_FRAME, self.redraw)

    def redraw(self) -> None:
        """Show what came."""
        self._is_due = False
        self._settle()
        self.pane.redraw()
        condition = self._condition()
        first = self.screen_stack[0]
        bar, meters = first.query_one(StateBar), first.query_one(Meters)
        bar.condition, bar.title = condition, self.view.title
        bar.now, bar.behind = self.view.now, self.view.behind
        first.query_one(Reason).condition = condition
        meters.levels = self.view.levels
        meters.names = tuple(self.view.channel_name(n) for n in range(len(self.view.levels)))
        while not self._untold.empty():
            self.notify(self._untold.get(), timeout=_READ)

    def _settle(self) -> None:
        """Take what was said out of the garbage collector's sight: after two hours it took 40 ms to look through."""
        finished = len(self.view.meeting.heard)
        if finished >= self._settled + _SETTLE:
            self._settled = finished
            gc.collect()
            gc.freeze()

    def _condition(self) -> Condition:
        """Return the state to be shown, with what only the screen knows."""
        if self._failure is not None:
            return Condition("stopped", self._failure)
        shown = self.view.condition
        if shown.name == "stopped" and not self._ended:
            return Condition("finishing")
        return shown

    def _show_below(self) -> None:
        below = self.screen_stack[0].query_one(Below)
        below.missed = self.pane.missed
        below.set_class(not self.pane.follows, "-shown")

    def on_below_clicked(self) -> None:
        """Follow the meeting again."""
        self.pane.action_follow()

    # -- commands

    async def _ask(self, name: str, said: str = "", **fields: object) -> None:
        """Send a command; `said` is shown when it was carried out, the reason when it was not."""
        await self._send(lambda: commands.command(name, **fields), said)

    async def _send(self, make: Callable[[], commands.Command], said: str = "") -> None:
        try:
            await self.meeting.command(make())
            if self._ended:
                await self._read_on()
        except MeetscribeError as error:
            self.notify(str(error), severity="warning")
        else:
            if said:
                self.notify(said, timeout=3)

    async def action_pause(self) -> None:
        """Pause, or go on."""
        if self.view.condition.name == "off the record":
            self.notify("The meeting is off the record; o goes on the record again.", severity="warning")
            return
        await self._ask("resume" if self.view.condition.name == "paused" else "pause")

    async def action_bookmark(self) -> None:
        """Mark this moment."""
        await self._ask("bookmark", f"Bookmark at {clock(self.view.now)}")

    async def action_bookmark_with_note(self) -> None:
        """Mark this moment, with a note."""
        dialog = self._dialog(NoteDialog)
        title = f"Bookmark at {clock(self.view.now)}"
        await self._open(dialog, lambda: dialog.ask(title), self._bookmark)

    async def _bookmark(self, note: str) -> None:
        await self._ask("bookmark", note=note)

    async def action_off_record(self) -> None:
        """Go off the record, or on it again."""
        is_off = self.view.condition.name == "off the record"
        await self._ask("off_record", action="stop" if is_off else "start")

    async def action_take_back(self) -> None:
        """Take back the last seconds, after a question."""
        seconds = commands.TAKEN_BACK
        text = f"Sound and text of the last {seconds} seconds are erased for good."
        asked = "Off the record", text, f"Erase {seconds} s", "Keep them"
        dialog = self._dialog(ConfirmDialog)
        await self._open(dialog, lambda: dialog.ask(*asked), self._take_back)

    async def _take_back(self, is_sure: bool) -> None:
        if is_sure:
            seconds = commands.TAKEN_BACK
            await self._ask("off_record", f"The last {seconds} seconds are gone.", seconds=seconds)

    async def action_rename(self) -> None:
        """Give a speaker a name."""
        people, meant = commands.people(self.view, self._meant())
        if not people:
            self.notify("Nobody has spoken yet.", severity="warning")
            return
        dialog = self._dialog(RenameDialog)
        await self._open(dialog, lambda: dialog.ask(people, meant, self.pane.palette), self._rename)

    async def _rename(self, naming: Any) -> None:
        await self._send(lambda: commands.rename(naming))

    async def action_merge(self) -> None:
        """Say that two speakers are the same person."""
        people, meant = commands.people(self.view, self._meant())
        known = [person for person in people if person.speaker_id is not None]
        if len(known) < 2:
            self.notify("There are no two speakers to be merged yet.", severity="warning")
            return
        chosen = known.index(people[meant]) if people[meant] in known else 0
        dialog = self._dialog(MergeDialog)
        await self._open(dialog, lambda: dialog.ask(known, chosen, self.pane.palette), self._merge)

    async def _merge(self, both: Any) -> None:
        speaker, into = both
        await self._ask("merge", speaker_id=speaker.speaker_id, into=into.speaker_id)

    async def action_correct(self) -> None:
        """Correct the text of a turn."""
        name = self._meant()
        said = self.view.pages.said(name) if name else None
        if name is None or said is None:
            self.notify("No turn is finished yet.", severity="warning")
            return

        async def correct(text: str) -> None:
            if text != said.turn.text:
                await self._ask("correct", turn=name, text=text)

        asked = self.view.label(said.turn), clock(said.turn.start), said.turn.text
        dialog = self._dialog(CorrectDialog)
        await self._open(dialog, lambda: dialog.ask(*asked), correct)

    async def action_export(self) -> None:
        """Write the transcript to a file."""
        stem = self.view.meeting.id or "meeting"
        dialog = self._dialog(ExportDialog)
        await self._open(dialog, lambda: dialog.ask(self._folder, stem), self._export)

    async def _export(self, path: Path) -> None:
        try:
            known, log = by_path(path.name), await self.meeting.read_log()
            await asyncio.to_thread(write_whole, path, known.data(log))
        except MeetscribeError as error:
            self.notify(str(error), severity="warning")
        else:
            self.notify(f"Written to {path}")

    def _meant(self) -> str | None:
        """Return the turn that keys act on: the selected one, else the last."""
        return self.pane.selected or self.view.neighbour(None, -1)

    def _dialog(self, kind: type[Kept]) -> Kept:
        """Return the one dialog of a kind; it is built when it is opened for the first time."""
        kept = self._dialogs.get(kind)
        if not isinstance(kept, kind):
            kept = self._dialogs[kind] = kind()
            self.install_screen(kept, kind.__name__)
        return kept

    async def _open(
        self,
        dialog: Dialog[Answer],
        fill: Callable[[], None],
        then: Callable[[Answer], Awaitable[None]],
    ) -> None:
        """Open a dialog that `fill` fills, and act on its answer unless it was closed."""

        async def answered(answer: Answer | None) -> None:
            if answer is not None:
                await then(answer)

        dialog.empty()
        await self.push_screen(dialog, answered)
        fill()
        dialog.appear()

    # -- reading

    def action_follow(self) -> None:
        """Jump to what is being said."""
        self.pane.action_follow()

    def action_search(self) -> None:
        """Search in the transcript; the line of keys, which are letters now, makes room, so that no turn moves."""
        bar = self.query_one(SearchBar)
        bar.add_class("-shown")
        self.query_one(KeyBar).display = False
        bar.query_one(Input).focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Search while somebody writes."""
        if event.input.id == "query":
            self.pane.search(event.value)
            self.query_one(SearchBar).say(self.pane.place_of_found if event.value.strip() else "")

    def on_search_bar_stepped(self, event: SearchBar.Stepped) -> None:
        """Go to the turn before or after."""
        self.pane.step_found(event.step)
        self.query_one(SearchBar).say(self.pane.place_of_found)

    def on_search_bar_closed(self) -> None:
        """Leave the search; the turn that was found stays selected."""
        bar = self.query_one(SearchBar)
        bar.remove_class("-shown")
        self.query_one(KeyBar).display = True
        with self.prevent(Input.Changed):
            bar.query_one(Input).value = ""
        self.pane.search("")
        bar.say("")
        self.pane.focus()

    def action_ground(self) -> None:
        """Change between dark and light."""
        self.theme = (themes.LIGHT if self.current_theme.dark else themes.DARK).name

    def watch_theme(self, theme: str) -> None:
        """Give the speakers colours that can be read on the ground."""
        self.pane.palette = Palette(self.current_theme.dark, has_colours=not self.no_color)
        self.pane.refresh()

    async def action_help(self) -> None:
        """Explain the keys."""
        dialog = self._dialog(HelpDialog)
        await self._open(dialog, dialog.ask, _do_nothing)

    # -- leaving

    async def action_leave(self) -> None:
        """Leave: at once when the meeting has ended, else after a question and the last turn."""
        if self._ended or self._leaving:
            self.exit()
        elif not isinstance(self.screen, ConfirmDialog):
            text = "Recording stops, and the last turn is finished."
            dialog = self._dialog(ConfirmDialog)
            ask = partial(dialog.ask, "Stop the meeting?", text, "Stop", "Go on")
            await self._open(dialog, ask, self._leave)

    async def _leave(self, is_sure: bool) -> None:
        if is_sure:
            self.stop()

    def stop(self) -> None:
        """Stop the meeting and leave when its last turn is finished."""
        self._leaving = True
        if self._ended:
            self.exit()
        else:
            self.run_worker(self._ask("stop"), name="stop")


def run(meeting: RunningMeeting, folder: Path | None = None) -> list[DurableEvent]:
    """Show a meeting on the terminal, run it to its end and return its log.

    The meeting begins with the screen and ends when its source does or somebody stops it. If the screen fails, the
    meeting goes on without it until it is interrupted. What the meeting says about others that were cut off is shown,
    and stands on stderr when the screen is gone.

    Args:
        meeting: not running yet.
        folder: where transcripts are exported to; None for the current one.

    Raises:
        MeetscribeError: the meeting failed; what it recorded until then is kept.
    """
    # Starting a process passes on stderr, which has no descriptor while textual holds it: what starts them comes first.
    resource_tracker.ensure_running()
    running = MeetingThread(meeting)
    app = LiveApp(running, folder)
    meeting.say = app.tell
    with running:
        terminals = [descriptor for descriptor in (1, 2) if os.isatty(descriptor)]
        signal.signal(signal.SIGHUP, lambda *_: _hang_up(app, running, terminals))
        app.run()
        if app.return_code and running.is_running:
            print("meetscribe: the screen failed, the meeting goes on; Ctrl+C ends it", file=sys.stderr)
            running.wait()
    for sentence in app.told:
        print(f"meetscribe: {sentence}", file=sys.stderr)
    return running.result()


def _hang_up(app: LiveApp, running: MeetingThread, terminals: list[int]) -> None:
    """Finish the meeting and end, although the screen may be stuck: it waits for a terminal that is gone.

    What is still said at the end goes nowhere instead of failing: `terminals` are the descriptors that were one.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in terminals:
        os.dup2(nowhere, descriptor)

    def finish() -> None:
        running.stop()
        running.wait()
        time.sleep(_GRACE)
        os._exit(_HUNG_UP)

    threading.Thread(target=finish, name="hang up", daemon=True).start()
    app.call_later(app.stop)
