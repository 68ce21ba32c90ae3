"""`meetscribe people`: who is remembered, and by which voices; all of it stays on this machine."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from meetscribe.apps.cli.console import reporting, say
from meetscribe.apps.cli.meetings import AsJson, settings_of
from meetscribe.apps.config import Settings
from meetscribe.apps.files import write_whole
from meetscribe.apps.speakers import people_of
from meetscribe.errors import UsageError
from meetscribe.models import embedder_facts, find
from meetscribe.session.commands import parse
from meetscribe.store.people import Example, People, Person
from meetscribe.store.store import Store

people = typer.Typer(help="Who is recognised in new meetings, by voice.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME")]
Meeting = Annotated[str | None, typer.Option("--meeting", metavar="ID", help="A meeting of the past.")]
LONGEST = 200  # characters of a name


@contextmanager
def _opened(context: typer.Context, **flags: Any) -> Iterator[tuple[Settings, People]]:
    with reporting(context.obj.verbose):
        settings = settings_of(context, **flags)
        yield settings, people_of(settings)


@people.command()
def enrol(
    context: typer.Context,
    name: Name,
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE…", help="Recordings of this person alone.")
    ] = None,
    meeting: Meeting = None,
    speaker: Annotated[
        str | None, typer.Option(metavar="WHO", help="With --meeting: id or name; default: NAME.")
    ] = None,
    consent: Annotated[
        str | None, typer.Option(metavar="DATE", help="The day on which they agreed; default: today.")
    ] = None,
    model: Annotated[str | None, typer.Option(metavar="NAME", help="See `meetscribe models`.")] = None,
) -> None:
    """Remember somebody's voice, from recordings or from a meeting of the past; ask them first."""
    with _opened(context, model=model) as (settings, known):
        if bool(files) == (meeting is not None):
            raise UsageError("give either recordings or --meeting ID to enrol from")
        if not name.strip() or len(name) > LONGEST:
            raise UsageError(f"a name has 1 to {LONGEST} characters; give another one")
        day = _day(consent)
        known.all()  # a key that is wrong is told before anything is listened to
        found = find(settings.model, settings.own_models)
        examples = (
            _from_files(files, found.path)
            if files
            else _from_meeting(settings, str(meeting), speaker or name, name, found.path)
        )
        person = known.enrol(name, day, examples)
        say(f"{name}: {person.seconds:.0f} s of speech are remembered; they agreed on {person.consent}")
        print(name, flush=True)


def _from_files(files: list[Path], model: Path) -> list[Example]:
    from meetscribe.apps import enrolment

    made = enrolment.voices_of_files(files, enrolment.embedder_of(model), enrolment.Gate())
    return [Example.of(voice, f"file {file.name}", _now()) for file, voice in made]


def _from_meeting(settings: Settings, meeting: str, who: str, name: str, model: Path) -> list[Example]:
    """Return the voice of a speaker of a meeting, who is called by the name there from now on."""
    from meetscribe.apps import enrolment

    with Store(settings.data_dir) as store:
        found = store.find(meeting)
        held = store.meeting(found)
        speaker = enrolment.speaker_called(held, who)
        pieces = enrolment.said_in(store, found, speaker)
        source, embedder = f"meeting {found}", enrolment.embedder_of(model)
        voice = enrolment.enrolled(enrolment.speech_in(pieces), embedder, enrolment.Gate(), source)
        if held.speakers.get(speaker) != name:
            store.command(
                found, parse({"id": "enrol", "name": "rename", "speaker_id": speaker, "speaker": name})
            )
    return [Example.of(voice, source, _now())]


@people.command("list")
def list_people(context: typer.Context, as_json: AsJson = False) -> None:
    """List who is remembered."""
    with _opened(context) as (settings, known):
        facts = embedder_facts(find(settings.model, settings.own_models).path)
        rows = [_row(person, None if facts is None else facts.id) for person in known.all()]
        if as_json:
            print(json.dumps(rows, ensure_ascii=False, indent=1))
            return
        table = Table(box=None, pad_edge=False, header_style="")
        for column in ("NAME", "SPEECH", "EXAMPLES", "CONSENT", ""):
            table.add_column(column, no_wrap=True)
        for row in rows:
            usable = "" if row["usable"] else "enrolled with another model; enrol again"
            cells = (
                row["name"],
                f"{row['seconds']:.0f} s",
                str(len(row["examples"])),
                row["consent"],
                usable,
            )
            table.add_row(*map(Text, cells))
        if rows:
            Console(file=sys.stdout, soft_wrap=True).print(table)
        else:
            say("nobody is remembered yet; `meetscribe people enrol NAME FILE` remembers somebody")


def _row(person: Person, embedder: str | None) -> dict[str, Any]:
    """Return what a list says: no voices."""
    examples = [
        {"source": one.source, "seconds": one.seconds, "added": one.added, "usable": one.embedder == embedder}
        for one in person.examples
    ]
    return {
        "name": person.name,
        "consent": person.consent,
        "seconds": round(person.seconds, 1),
        "usable": any(one["usable"] for one in examples),
        "examples": examples,
    }


@people.command()
def rename(context: typer.Context, old: Name, new: Name) -> None:
    """Call somebody otherwise, in past meetings too."""
    with _opened(context) as (settings, known):
        _call(settings, old, new, known.rename)


@people.command()
def merge(context: typer.Context, name: Name, into: Name) -> None:
    """Make one of two who are the same person: the second name stays, in past meetings too."""
    with _opened(context) as (settings, known):
        _call(settings, name, into, known.merge)


def _call(settings: Settings, name: str, new: str, how: Callable[[str, str], None]) -> None:
    """Let somebody be called otherwise from now on, and in the meetings of the past."""
    with Store(settings.data_dir) as store:
        store.none_is_recorded()
        how(name, new)
        meetings = store.change_name(name, new)
    say(f"{name} is called {new}, in {meetings} meeting{'s' * (meetings != 1)} of the past too")
    print(new, flush=True)


@people.command()
def unlearn(
    context: typer.Context,
    name: Name,
    meeting: Meeting = None,
    file: Annotated[str | None, typer.Option("--file", metavar="FILE", help="A recording's name.")] = None,
) -> None:
    """Take back what was learned of somebody from one meeting or file."""
    with _opened(context) as (settings, known):
        if (meeting is None) == (file is None):
            raise UsageError("give either --meeting ID or --file NAME")
        source = f"file {Path(str(file)).name}" if meeting is None else f"meeting {meeting}"
        if meeting is not None and all(one.source != source for one in known.find(name).examples):
            with Store(settings.data_dir) as store:
                source = f"meeting {store.find(meeting)}"
        count = known.unlearn(name, source)
        say(f"{name}: {count} example{'s' * (count != 1)} from {source} forgotten")


@people.command()
def forget(
    context: typer.Context,
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Without asking.")] = False,
) -> None:
    """Forget somebody: their voice, and their name in all meetings of the past."""
    with _opened(context) as (settings, known):
        remembered = any(person.name == name for person in known.all())
        if not yes and not (sys.stdin.isatty() and typer.confirm(f"Forget {name}?", err=True)):
            raise UsageError(f"{name!r} is not forgotten; give --yes to do it without asking")
        with Store(settings.data_dir) as store:
            meetings = store.change_name(name, None)
        if remembered or not meetings:
            known.forget(name)
        say(
            f"{name} is forgotten, and without a name in {meetings} meeting{'s' * (meetings != 1)}; "
            "files that were exported before are not touched"
        )


@people.command()
def export(
    context: typer.Context,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A file; default: stdout.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="Only this person.")] = None,
) -> None:
    """Write out all that is kept of people, voices included, as JSON."""
    with _opened(context) as (_, known):
        chosen = known.all() if name is None else (known.find(name),)
        text = json.dumps({"people": [asdict(person) for person in chosen]}, ensure_ascii=False, indent=1)
        if output is None:
            print(text, flush=True)
        else:
            write_whole(output, f"{text}\n".encode())


def _day(given: str | None) -> str:
    if given is None:
        return datetime.now().astimezone().date().isoformat()
    try:
        return date.fromisoformat(given).isoformat()
    except ValueError as error:
        raise UsageError(f"--consent {given!r} is no day; give it as 2026-01-31") from error


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
