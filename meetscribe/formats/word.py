"""Word documents: title, date, people, and a paragraph a turn after its speaker's name; by python-docx (extra `docx`).

Not covered: reading them back; ends, ids, words.
"""

import io
import re
from datetime import datetime
from typing import Any

from meetscribe.errors import MissingError
from meetscribe.formats.markdown import OFF_THE_RECORD, participants, title
from meetscribe.formats.spoken import one_line
from meetscribe.meeting import Meeting, shown_speaker
from meetscribe.timeline import clock

_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # in XML


def encode(meeting: Meeting) -> bytes:
    """Return the document.

    Raises:
        MissingError: python-docx is not installed.
    """
    document = _new_document()
    document.core_properties.title = _plain(title(meeting))[:255]
    document.add_heading(_plain(title(meeting)), level=0)
    started = _date(meeting)
    facts = [started.strftime("%Y-%m-%d %H:%M")] if started else []
    facts += [clock(meeting.duration), ", ".join(participants(meeting))]
    document.add_paragraph(_plain(" · ".join(fact for fact in facts if fact)))
    names = meeting.speakers
    for turn in meeting.turns:
        text = OFF_THE_RECORD if turn.redacted else one_line(turn.text)
        if text:
            paragraph = document.add_paragraph()
            paragraph.add_run(_plain(shown_speaker(turn, names))).bold = True
            paragraph.add_run(f"  {clock(turn.start)}\n")
            paragraph.add_run(_plain(text)).italic = turn.redacted or None
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def _new_document() -> Any:
    try:
        import docx  # noqa: PLC0415  late: it is an optional extra
    except ImportError as error:
        raise MissingError(
            "python-docx is not installed, which Word documents need: pip install 'meetscribe[docx]'"
        ) from error
    return docx.Document()


def _date(meeting: Meeting) -> datetime | None:
    try:
        return datetime.fromisoformat(meeting.session.started) if meeting.session else None
    except ValueError:
        return None


def _plain(text: str) -> str:
    """Return text on one line without what XML cannot hold."""
    return _FORBIDDEN.sub("", one_line(text))
