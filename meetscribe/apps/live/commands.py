"""What the keys ask of a meeting, as its commands. Pure."""

from itertools import count

from meetscribe.apps.live.dialogs.speakers import Naming, Person
from meetscribe.apps.live.transcript.view import View
from meetscribe.session.commands import Command, parse

TAKEN_BACK = 30  # seconds
_SHORT = 20  # characters of a quote that says too little
_ids = count(1)


def command(name: str, **fields: object) -> Command:
    """Return a command with an id of its own.

    Raises:
        CommandError: a field is not as it has to be.
    """
    return parse({"type": "command", "id": f"screen-{next(_ids)}", "name": name, **fields})


def rename(naming: Naming) -> Command:
    """Return the command that gives somebody a name."""
    person = naming.person
    if person.speaker_id is None:
        return command("rename", turn=person.turn, speaker=naming.name)
    return command("rename", speaker_id=person.speaker_id, speaker=naming.name)


def people(view: View, meant: str | None) -> tuple[list[Person], int]:
    """Return everybody who spoke, and the number of the one who said the turn that is `meant`.

    Somebody whose speaker_id nobody knows stands there for that turn alone. With each goes the last thing that
    they said, or an earlier one if that is short.
    """
    found: dict[str, Person] = {}
    for name in reversed(view.finished):
        said = view.pages.said(name)
        if said is None:
            continue
        turn = said.turn
        if turn.speaker_id is None and name != meant:
            continue
        key = turn.speaker_id or name
        known = found.get(key)
        if known is None or (len(known.quote) < _SHORT and len(turn.text) > len(known.quote)):
            found[key] = Person(
                name=view.label(turn),
                number=view.number(turn),
                quote=turn.text,
                speaker_id=turn.speaker_id,
                turn=name if turn.speaker_id is None else None,
                is_named=view.meeting.name(turn.speaker_id) is not None,
            )
    ordered = sorted(found.items(), key=lambda item: (len(item[0]), item[0]))
    said = view.pages.said(meant) if meant else None
    key = (said.turn.speaker_id or meant) if said else None
    keys = [known for known, _ in ordered]
    return [person for _, person in ordered], keys.index(key) if key in keys else 0
