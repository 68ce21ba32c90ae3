"""CSV for spreadsheets: a row a turn, with session, id, slot, channel, speaker, times in seconds, and text.

A cell that a spreadsheet would run as a formula gets an apostrophe in front, which is taken off when it is read.
Not covered: words, gaps, who overlaps whom (the times tell).
"""

import csv
import io
import re

from meetscribe.errors import FormatError
from meetscribe.formats import seglst
from meetscribe.meeting import Meeting, shown_speaker
from meetscribe.timeline import to_seconds

COLUMNS = ("session", "turn", "slot", "channel", "speaker_id", "speaker", "start", "end", "text")
_NEEDED = {"start", "end", "text"}
_FORMULA = re.compile(r"'*[=+\-@\t\r]")


def encode(meeting: Meeting) -> str:
    """Return the table; only its head where nobody spoke."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    names = meeting.speakers
    for turn in meeting.turns:
        times = [f"{to_seconds(turn.start):.3f}", f"{to_seconds(turn.end):.3f}"]
        row = [meeting.id, turn.id, turn.slot, turn.channel, turn.speaker_id, shown_speaker(turn, names)]
        writer.writerow([_guarded(cell) for cell in (*row, *times, turn.text)])
    return file.getvalue()


def _guarded(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell


def _bare(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def decode(text: str) -> list[Meeting]:
    """Return one meeting per session, in the order in which they appear; `start`, `end` and `text` must be there.

    Raises:
        FormatError: it is not such a table.
    """
    try:
        rows = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
        if not set(rows.fieldnames or ()) >= _NEEDED:
            raise ValueError(f"its first row must name {', '.join(sorted(_NEEDED))}")
        return seglst.meetings(
            _segment({key: _bare(cell or "") for key, cell in row.items()}) for row in rows
        )
    except (csv.Error, AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise FormatError(f"not a transcript in CSV: {error}") from error


def _segment(row: dict[str, str]) -> dict[str, object]:
    """Return a row as SegLST has it."""
    segment: dict[str, object] = {
        "session_id": row.get("session", ""),
        "speaker": row.get("speaker") or None,
        "start_time": float(row["start"]),
        "end_time": float(row["end"]),
        "words": row["text"],
    }
    if row.get("slot"):
        segment["slot"] = int(row["slot"])
    if row.get("channel"):
        segment["channel"] = int(row["channel"])
    if "speaker_id" in row:
        segment["speaker_id"] = row["speaker_id"] or None
    return segment
