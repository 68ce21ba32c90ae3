"""`meetscribe edit`: names, speakers and words of a meeting of the past; the commands are those of a live one."""

from typing import Annotated

import typer

from meetscribe.apps.cli.console import say
from meetscribe.apps.cli.meetings import MeetingId, open_store
from meetscribe.meeting import Meeting
from meetscribe.session.commands import Command, parse
from meetscribe.store.store import Store

edit = typer.Typer(help="Change names, speakers and words of a meeting of the past.", no_args_is_help=True)

Who = Annotated[
    str, typer.Argument(metavar="WHO", help="A speaker's id or name; or a turn's id (`show --ids`).")
]


@edit.command()
def rename(
    context: typer.Context,
    meeting_id: MeetingId,
    who: Who,
    name: Annotated[str, typer.Argument(metavar="NAME")],
) -> None:
    """Give a speaker a name."""
    with open_store(context) as store:
        found = store.find(meeting_id)
        meeting = store.meeting(found)
        subject = {"turn": who} if who in meeting.heard else {"speaker_id": _speaker(meeting, who)}
        _carry_out(store, found, name="rename", speaker=name, **subject)


@edit.command()
def merge(
    context: typer.Context,
    meeting_id: MeetingId,
    who: Who,
    into: Annotated[str, typer.Argument(metavar="INTO", help="Whom they really are: an id or a name.")],
) -> None:
    """Make one of two speakers who are the same person."""
    with open_store(context) as store:
        found = store.find(meeting_id)
        meeting = store.meeting(found)
        speakers = {"speaker_id": _speaker(meeting, who), "into": _speaker(meeting, into)}
        _carry_out(store, found, name="merge", **speakers)


@edit.command()
def correct(
    context: typer.Context,
    meeting_id: MeetingId,
    turn: Annotated[str, typer.Argument(metavar="TURN", help="Its id, as `show --ids` prints it.")],
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What was said.")],
) -> None:
    """Put right what was heard in a turn."""
    with open_store(context) as store:
        _carry_out(store, store.find(meeting_id), name="correct", turn=turn, text=text)


def _speaker(meeting: Meeting, who: str) -> str:
    """Return the id of a speaker that is given by id or by the name shown; as it is where nobody has it."""
    named = [speaker for speaker, name in meeting.speakers.items() if name is not None and name == who]
    return named[0] if len(named) == 1 and who not in meeting.speakers else who


def _carry_out(store: Store, meeting_id: str, **fields: str) -> None:
    command: Command = parse({"type": "command", "id": "edit", **fields})
    ack = store.command(meeting_id, command)
    say(f"{meeting_id}: done, event {ack.seq}")
