"""`meetscribe report ID|FILE -o OUT.html`: a meeting as one page to read, hear and print."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from meetscribe.apps.batch import MEDIA
from meetscribe.apps.cli.console import reporting, say
from meetscribe.apps.config import Settings, load_settings
from meetscribe.apps.files import read_transcripts, write_whole
from meetscribe.apps.recogniser import load_recogniser
from meetscribe.apps.report import Heard, beside, of_file, of_store, sound_of
from meetscribe.apps.transcribe import task_of, transcribe
from meetscribe.apps.voices import Slots, separator_of
from meetscribe.errors import InputError, MeetscribeError, UsageError
from meetscribe.formats.report import page
from meetscribe.meeting import Meeting, fold
from meetscribe.models import find


def report(
    context: typer.Context,
    source: Annotated[
        str,
        typer.Argument(metavar="ID|FILE", help="A meeting, a transcript that can be read, or a recording."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="OUT.html", help="Where the page goes.")],
    audio: Annotated[
        Path | None, typer.Option(help="The recording, where it does not lie beside FILE.")
    ] = None,
    embed: Annotated[
        bool, typer.Option("--embed", help="Put the sound into the page (about 10 MB an hour).")
    ] = False,
    silent: Annotated[bool, typer.Option("--silent", help="A page without sound.")] = False,
    model: Annotated[str | None, typer.Option(metavar="NAME", help="See `meetscribe models`.")] = None,
) -> None:
    """Write a report: timeline with overlaps, who spoke how much, the transcript, click to hear."""
    with reporting(context.obj.verbose):
        settings = load_settings(context.obj.config, {"data_dir": context.obj.data_dir, "model": model})
        meeting, heard = _found(source, settings)
        heard = of_file(audio) if audio is not None else heard
        sound = None
        if heard is not None and not silent:
            sound = sound_of(meeting, heard, output, inside=embed, slots=_separator(meeting, settings))
        elif not silent:
            say("no recording lies beside it, so the page has no sound; --audio FILE says where it is")
        write_whole(output, page.encode(meeting, sound).encode())


def _found(source: str, settings: Settings) -> tuple[Meeting, Heard | None]:
    """Return a meeting and its sound, from a file or the store."""
    path = Path(source)
    if not path.is_file():
        return _stored(source, settings)
    if path.suffix[1:].lower() in MEDIA:
        model = find(settings.model, settings.own_models).path
        transcript = transcribe(task_of(path), lambda: load_recogniser(model))
        if transcript.error is not None:
            raise InputError(transcript.error)
        return fold(transcript.log or ()), of_file(path)
    logs = list(read_transcripts(path).values())
    if len(logs) > 1:
        raise UsageError(f"{path} holds {len(logs)} meetings; take one out with meetscribe convert --session")
    meeting = fold(logs[0])
    return meeting, beside(path, meeting)


def _stored(source: str, settings: Settings) -> tuple[Meeting, Heard | None]:
    from meetscribe.store.store import Store

    with Store(settings.data_dir) as store:
        name = store.find(source)
        return store.meeting(name), of_store(store.folder(name))


def _separator(meeting: Meeting, settings: Settings) -> Slots | None:
    """Return the separator of the model that heard the meeting, None where no voices have to be separated."""
    if not any(turn.overlaps and turn.channel is None for turn in meeting.turns):
        return None
    wanted = meeting.session.model if meeting.session else None
    load: Callable[[Path], Slots | None] = separator_of
    try:
        return load(find(wanted or settings.model, settings.own_models).path)
    except MeetscribeError as error:
        say(f"{error}; voices that overlap are not separated")
        return None
