"""`meetscribe import`, `redo` and `recover`: recordings become meetings, and are heard again, or to their end."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from meetscribe.apps.batch import tasks_of
from meetscribe.apps.cli.console import logger, say
from meetscribe.apps.cli.meetings import MeetingId, open_store, settings_of
from meetscribe.apps.cli.wording import Hotwords, Numerals, NumSpeakers, Punctuation
from meetscribe.apps.recogniser import Recogniser, load_recogniser
from meetscribe.apps.speakers import people_of, speaker_settings
from meetscribe.apps.transcribe import Task, task_of
from meetscribe.apps.wording import wording_of
from meetscribe.errors import InputError, UsageError
from meetscribe.formats.registry import Format, by_path
from meetscribe.models import find
from meetscribe.sources.layouts import LAYOUTS, Layout
from meetscribe.store.store import Store
from meetscribe.timeline import clock

LayoutOf = Annotated[
    str | None, typer.Option("--layout", metavar="|".join(LAYOUTS), help="What the channels are.")
]
Model = Annotated[str | None, typer.Option(metavar="NAME", help="See `meetscribe models`.")]


def recogniser_of(
    context: typer.Context, store: Store, model: str | None, **flags: object
) -> Callable[[], Recogniser]:
    """Return what loads a model, once, when it is needed first.

    Args:
        context: of the command.
        store: past meetings, whose corrected words are listened for.
        model: its name.
        flags: other settings by their names.

    Raises:
        UsageError: a setting is wrong.
    """
    settings, loaded = settings_of(context, model=model, **flags), []
    wording = wording_of(settings, store)
    found = find(settings.model, settings.own_models)

    def load() -> Recogniser:
        if not loaded:
            logger(context.obj.verbose).info("model found", name=found.name, path=str(found.path))
            speakers = speaker_settings(found.path, people_of(settings), settings.num_speakers)
            loaded.append(load_recogniser(found.path).worded(wording).knowing(speakers))
        return loaded[0]

    return load


def take_in(
    context: typer.Context,
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE…", help="Recordings, or transcripts that can be read.")
    ],
    model: Model = None,
    title: Annotated[
        str | None, typer.Option(help="What the meeting is called; default: as the file.")
    ] = None,
    layout: LayoutOf = None,
    together: Annotated[bool, typer.Option("--together", help="The files are of one meeting.")] = False,
    num_speakers: NumSpeakers = None,
    hotwords: Hotwords = None,
    numerals: Numerals = None,
    punctuation: Punctuation = None,
) -> None:
    """Keep recordings as meetings: transcribed, and found by `list`, `search` and all the others.

    Prints the ids. Transcripts (.json, .jsonl, .srt, …) are taken as they are.
    """
    with open_store(context) as store:
        text = {"hotwords": hotwords, "numerals": numerals, "punctuation": punctuation}
        load, failed = recogniser_of(context, store, model, num_speakers=num_speakers, **text), 0
        for task in _tasks(files, settings_of(context, layout=layout).layout, together):
            try:
                failed += not _take_in(store, task, title, load)
            except InputError as error:
                say(str(error))
                failed += 1
        if failed:
            raise typer.Exit(InputError.exit_code)


def _tasks(files: list[Path], layout: Layout, together: bool) -> list[Task]:
    """Return what is to be taken in."""
    if not together:
        return [task_of(path, layout) for path in dict.fromkeys(files)]
    written = [path for path in files if _transcript(path) is not None]
    if written:
        raise UsageError(f"{written[0]} is a transcript; --together is for recordings of one meeting")
    return tasks_of(files, layout, together=True)


def _take_in(store: Store, task: Task, title: str | None, load: Callable[[], Recogniser]) -> bool:
    """Take one meeting in, print its ids, and say whether all of it was good."""
    from meetscribe.apps import taking_in  # late: a list of meetings needs no decoders

    known = _transcript(task.files[0])
    if known is not None:
        print("\n".join(taking_in.take_in_transcript(store, task.files[0], known, title)), flush=True)
        return True
    made, trouble = taking_in.take_in(store, task, title, load)
    if not store.summary(made).turns:
        say(f"{task.shown}: no speech was found")
    if trouble is not None:
        say(trouble)
    print(made, flush=True)
    return trouble is None


def _transcript(path: Path) -> Format | None:
    """Return the format of a transcript that can be read back, None for anything else."""
    try:
        known = by_path(path.name)
    except UsageError:
        return None
    return known if known.decode is not None else None


def redo(
    context: typer.Context,
    meeting_id: MeetingId,
    model: Model = None,
    layout: LayoutOf = None,
    num_speakers: NumSpeakers = None,
    hotwords: Hotwords = None,
    numerals: Numerals = None,
    punctuation: Punctuation = None,
) -> None:
    """Transcribe a meeting's recording again, with another model or other words; names and corrections are kept.

    Its channels are what they were, or what --layout says.
    """
    with open_store(context) as store:
        from meetscribe.apps.redo import redo as redo_meeting  # late: a list of meetings needs no decoders

        found = store.find(meeting_id)
        text = {"hotwords": hotwords, "numerals": numerals, "punctuation": punctuation}
        chosen = None if layout is None else settings_of(context, layout=layout).layout
        load = recogniser_of(context, store, model, num_speakers=num_speakers, **text)
        done = redo_meeting(store, found, load(), chosen)
        carried = done.carried
        say(
            f"{found}: {done.turns} turns; kept {carried.names} names and {carried.corrections} corrections"
            + (
                f"; {carried.kept_as_bookmarks} corrections fit no turn now and are bookmarks, see `meetscribe show`"
                if carried.kept_as_bookmarks
                else ""
            )
        )
        print(found)
        sys.stdout.flush()


def recover(
    context: typer.Context,
    meeting_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="Which; default: all of them.")
    ] = None,
    model: Model = None,
) -> None:
    """Finish meetings that were interrupted: what was recorded and not transcribed yet becomes text.

    Prints their ids.
    """
    with open_store(context) as store:
        left = [store.find(meeting_id)] if meeting_id else [meeting.id for meeting in store.unfinished()]
        if not left:
            say("no meeting was interrupted")
            return
        from meetscribe.apps.recover import recover as recover_meeting  # late: a list needs no recogniser

        load, failed = recogniser_of(context, store, model), 0
        for one in left:
            try:
                heard = recover_meeting(store, one, load)
            except InputError as error:
                say(str(error))
                failed += 1
                continue
            summary = store.summary(one)
            say(
                f"{one}: recovered, {clock(summary.duration)} and {summary.turns} turns; {clock(heard)} heard just now"
            )
            print(one, flush=True)
        if failed:
            raise typer.Exit(InputError.exit_code)
