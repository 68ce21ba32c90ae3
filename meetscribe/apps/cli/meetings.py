"""`meetscribe list`, `show`, `search`, `export`, `delete`: meetings of the past.

An ID is a meeting's id, a beginning of it that no other has, or `last`.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from meetscribe.apps.cli.console import reporting, say
from meetscribe.apps.config import Settings, load_settings
from meetscribe.apps.files import write_whole
from meetscribe.errors import UsageError
from meetscribe.events import Bookmark, Gap
from meetscribe.formats import json_document
from meetscribe.formats.registry import FORMATS, by_name, by_path, with_srt_overlap
from meetscribe.meeting import Meeting, shown_speaker
from meetscribe.store.index import Hit
from meetscribe.store.store import Store
from meetscribe.store.summary import MeetingSummary
from meetscribe.timeline import Interval, clock, to_seconds

MeetingId = Annotated[str, typer.Argument(metavar="ID", help="An id, a unique beginning of one, or `last`.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]
_MARKS = ("\x02", "\x03")
_STATES = {"open": "going on", "recovering": "interrupted", "ended": ""}
_FORMATS = ", ".join(known.name for known in FORMATS)


def settings_of(context: typer.Context, **flags: Any) -> Settings:
    """Return the settings of a command."""
    return load_settings(context.obj.config, {"data_dir": context.obj.data_dir, **flags})


@contextmanager
def open_store(context: typer.Context) -> Iterator[Store]:
    """Give the store of a command, and turn errors into sentences and exit codes."""
    with reporting(context.obj.verbose), Store(settings_of(context).data_dir) as store:
        yield store


def list_meetings(context: typer.Context, as_json: AsJson = False) -> None:
    """List the meetings, the newest first."""
    with open_store(context) as store:
        meetings = store.meetings()
        if as_json:
            _print_json([_row(meeting) for meeting in meetings])
            return
        table = Table(box=None, pad_edge=False, header_style="")
        for name in ("ID", "STARTED", "LENGTH", "TURNS", "SPEAKERS", "TITLE"):
            table.add_column(
                name, no_wrap=name != "TITLE", justify="right" if name in ("LENGTH", "TURNS") else "left"
            )
        for one in meetings:
            state = f" ({_STATES[one.state]})" if _STATES[one.state] else ""
            started = one.started[:16].replace("T", " ")
            cells = (
                one.id,
                started,
                clock(one.duration),
                str(one.turns),
                ", ".join(one.speakers),
                one.title + state,
            )
            table.add_row(*map(Text, cells))
        if meetings:
            _console().print(table)
        else:
            say(
                "there are no meetings yet; `meetscribe live` records one, `meetscribe import` takes a recording in"
            )


def _row(meeting: MeetingSummary) -> dict[str, Any]:
    return {
        "id": meeting.id,
        "title": meeting.title,
        "started": meeting.started,
        "duration": to_seconds(meeting.duration),
        "speakers": list(meeting.speakers),
        "turns": meeting.turns,
        "seq": meeting.seq,
        "state": meeting.state,
    }


def show(
    context: typer.Context,
    meeting_id: MeetingId,
    as_json: AsJson = False,
    ids: Annotated[bool, typer.Option("--ids", help="With the ids of turns, for `meetscribe edit`.")] = False,
) -> None:
    """Print a meeting: who said what, and when."""
    with open_store(context) as store:
        meeting = store.meeting(store.find(meeting_id))
        if as_json:
            sys.stdout.write(json_document.encode(meeting))
            return
        print(_headline(meeting))
        for line in _lines(meeting, ids):
            print(line)


def _headline(meeting: Meeting) -> str:
    start = meeting.session
    started = start.started[:16].replace("T", " ") if start else ""
    names = dict.fromkeys(shown_speaker(turn, meeting.speakers) for turn in meeting.turns)
    parts = [start.title if start else meeting.id, started, clock(meeting.duration), ", ".join(names)]
    return " · ".join(part for part in parts if part)


def _lines(meeting: Meeting, ids: bool) -> list[str]:
    """Return the lines of a meeting in order of time: turns, and what was missing or marked."""
    names, lines = meeting.speakers, []
    for turn in meeting.turns:
        said = "(off the record)" if turn.redacted else " ".join(turn.text.split())
        name = f"{turn.id} " if ids else ""
        lines.append((turn.start, f"[{clock(turn.start)}] {name}{shown_speaker(turn, names)}: {said}"))
    for hidden in _untold(meeting):
        lines.append((hidden.start, f"[{clock(hidden.start)}–{clock(hidden.end)}] (off the record)"))
    for event in (*meeting.gaps, *meeting.bookmarks):
        match event:
            case Gap():
                lines.append((event.start, f"[{clock(event.start)}–{clock(event.end)}] ({event.reason})"))
            case Bookmark():
                lines.append(
                    (event.at, f"[{clock(event.at)}] (bookmark{': ' * bool(event.note)}{event.note})")
                )
    return [line for _, line in sorted(lines, key=lambda item: item[0])]


def _untold(meeting: Meeting) -> list[Interval]:
    """Return what went off the record without a turn that says so."""
    told = [turn.interval for turn in meeting.turns if turn.redacted]
    return [hidden for hidden in meeting.off_record if not any(hidden.touches(turn) for turn in told)]


def search(
    context: typer.Context,
    words: Annotated[list[str], typer.Argument(help="All in one turn; '\"a phrase\"', begin*.")],
    as_json: AsJson = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many turns.")] = 50,
) -> None:
    """Find the turns in which words were said, in the newest meeting first."""
    with open_store(context) as store:
        console = _console()
        hits = store.search(
            " ".join(words), limit, ("", "") if as_json or not console.is_terminal else _MARKS
        )
        if as_json:
            _print_json([_hit(hit) for hit in hits])
            return
        for hit in hits:
            console.print(
                Text.assemble(f"{hit.meeting} [{clock(hit.start)}] {hit.speaker}: ", _marked(hit.snippet))
            )
        if not hits:
            say(f"nobody said {' '.join(words)!r} in one turn")
        elif len(hits) == limit:
            say(f"these are the first {limit}; --limit shows more")


def _hit(hit: Hit) -> dict[str, Any]:
    return {
        "meeting": hit.meeting,
        "title": hit.title,
        "turn": hit.turn,
        "speaker": hit.speaker,
        "start": to_seconds(hit.start),
        "end": to_seconds(hit.end),
        "text": hit.text,
    }


def _marked(snippet: str) -> Text:
    """Return a snippet with its matches in bold."""
    text = Text()
    for part in snippet.split(_MARKS[0]):
        match, end, rest = part.partition(_MARKS[1])
        text.append(match, style="bold" if end else "").append(rest)
    return text


def export(
    context: typer.Context,
    meeting_id: MeetingId,
    format: Annotated[str | None, typer.Option("--format", "-f", help=f"One of {_FORMATS}.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="PATH", help="Default: stdout.")
    ] = None,
    srt_overlap: Annotated[
        str | None, typer.Option(metavar="merge|stack", help="Two people at once in SRT: one cue, or two.")
    ] = None,
) -> None:
    """Write a meeting in a format for other programs; without -f the extension of PATH tells which."""
    with open_store(context) as store:
        overlap = settings_of(context, srt_overlap=srt_overlap).srt_overlap
        found = store.find(meeting_id)
        if output is not None and output.is_dir():
            output = output / f"{found}{by_name(format or 'text').extension}"
        known = by_name(format) if format else by_path(output.name) if output else by_name("text")
        known = with_srt_overlap(known, overlap)
        log = store.log(found)
        if output is None:
            sys.stdout.write(known.encode(log))
        else:
            write_whole(output, known.data(log))


def delete(
    context: typer.Context,
    meeting_id: MeetingId,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete a meeting with its recording; nothing brings it back."""
    with open_store(context) as store:
        one = store.summary(store.find(meeting_id))
        what = f"{one.id} ({one.title}, {clock(one.duration)}, {one.turns} turns)"
        if not yes:
            if not sys.stdin.isatty():
                raise UsageError(
                    f"{what} would be deleted, and nothing brings it back; give --yes if that is meant"
                )
            typer.echo(
                f"Delete {what} with its recording? Nothing brings it back. [y/N] ", err=True, nl=False
            )
            if sys.stdin.readline().strip().lower() not in ("y", "yes"):
                say("nothing was deleted")
                return
        store.delete(one.id)
        say(f"deleted {what}")


def _print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2))


def _console() -> Console:
    """Return the screen; lines are as long as they are where nobody looks."""
    console = Console(highlight=False, soft_wrap=True)
    return console if console.is_terminal else Console(highlight=False, soft_wrap=True, width=10_000)
