"""Past meetings for language models, over the Model Context Protocol: list, search, read, export.

A person's own model summarises; nothing here does. Read-only unless changes are allowed, which are those that a person
can make: a speaker's name, a turn's text. What is off the record is not in the store, and cannot be read.
Not covered: meetings that go on (`meetscribe serve` has them), sound.
"""

import json
from functools import wraps
from typing import Any

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations

from meetscribe import __version__
from meetscribe.errors import MeetscribeError
from meetscribe.formats.registry import by_name
from meetscribe.formats.wire import Json
from meetscribe.meeting import shown_speaker
from meetscribe.session import commands
from meetscribe.store.store import Store
from meetscribe.store.summary import MeetingSummary
from meetscribe.timeline import clock, to_samples, to_seconds

_INSTRUCTIONS = (
    "Transcripts of meetings that were recorded on this machine, with who said what and when. Find a meeting with "
    "list_meetings or search, then read_meeting. A meeting's id may be shortened to a unique beginning, or be `last`. "
    "Words were recognised by a machine and can be wrong; say so where it matters."
)
_READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
_WRITES = ToolAnnotations(read_only_hint=False, destructive_hint=False, open_world_hint=False)
_MOST = 200  # entries in one answer
_LONGEST = 200_000  # characters in one answer


class MeetingTools:
    """What a model may do with the meetings of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def list_meetings(self, limit: int = 50) -> str:
        """List the meetings, newest first: id, title, when it began, how long it was, who spoke."""
        chosen = self._store.meetings()[: max(1, min(limit, _MOST))]
        return _json([_summary(meeting) for meeting in chosen])

    def search(self, words: str, limit: int = 20) -> str:
        """Find turns that hold all these words ("…" is a phrase, `word*` a beginning): meeting, turn, speaker, time."""
        hits = self._store.search(words, max(1, min(limit, _MOST)))
        return _json(
            [
                {
                    "meeting": hit.meeting,
                    "turn": hit.turn,
                    "speaker": hit.speaker,
                    "at": clock(hit.start),
                    "start": to_seconds(hit.start),
                    "text": hit.snippet,
                }
                for hit in hits
            ]
        )

    def read_meeting(self, meeting: str, start: float = 0.0, end: float | None = None) -> str:
        """Read a meeting, or its part from `start` to `end` (seconds): a line per turn: id, time, speaker, text."""
        found = self._store.meeting(self._store.find(meeting))
        last = float("inf") if end is None else to_samples(end)
        lines = [
            f"[{turn.id} {clock(turn.start)}] {shown_speaker(turn, found.speakers)}: {turn.text}"
            for turn in found.turns
            if turn.text and turn.end >= to_samples(start) and turn.start <= last
        ]
        return _bounded("\n".join(lines) or "Nobody speaks in this part.")

    def export_meeting(self, meeting: str, format: str = "md") -> str:
        """Return a transcript in a format: md, text, json, jsonl, srt, vtt, csv, seglst, rttm, stm, ctm."""
        return _bounded(by_name(format).encode(self._store.log(self._store.find(meeting))))

    def rename_speaker(self, meeting: str, speaker_id: str, name: str) -> str:
        """Name a speaker (s1, s2, …) of a meeting."""
        return self._command(meeting, "rename", speaker_id=speaker_id, speaker=name)

    def correct_turn(self, meeting: str, turn: str, text: str) -> str:
        """Replace the text of a turn (t1, t2, …) by what was really said."""
        return self._command(meeting, "correct", turn=turn, text=text)

    def _command(self, meeting: str, name: str, **fields: str) -> str:
        command = commands.parse({"type": "command", "id": "mcp", "name": name, **fields})
        ack = self._store.command(self._store.find(meeting), command)
        return f"done (event {ack.seq})"


def server(store: Store, *, changes: bool) -> MCPServer:
    """Return the server for a store; with `changes` speakers can be named and turns corrected."""
    tools = MeetingTools(store)
    made = MCPServer("meetscribe", instructions=_INSTRUCTIONS, version=__version__)
    reading = [tools.list_meetings, tools.search, tools.read_meeting, tools.export_meeting]
    writing = [tools.rename_speaker, tools.correct_turn] if changes else []
    for tool in reading:
        made.add_tool(_explained(tool), name=tool.__name__, annotations=_READS)
    for tool in writing:
        made.add_tool(_explained(tool), name=tool.__name__, annotations=_WRITES)
    return made


def _explained(tool: Any) -> Any:
    """Return the tool with errors that the model can read."""

    @wraps(tool)
    def explained(*args: Any, **kwargs: Any) -> str:
        try:
            return tool(*args, **kwargs)
        except MeetscribeError as error:
            raise ToolError(str(error)) from error

    return explained


def _summary(meeting: MeetingSummary) -> Json:
    return {
        "id": meeting.id,
        "title": meeting.title,
        "started": meeting.started,
        "duration": clock(meeting.duration),
        "speakers": list(meeting.speakers),
        "turns": meeting.turns,
        "state": meeting.state,
    }


def _json(value: Any) -> str:
    return _bounded(json.dumps(value, ensure_ascii=False, indent=1))


def _bounded(text: str) -> str:
    if len(text) <= _LONGEST:
        return text
    return text[:_LONGEST] + "\n[cut off here: ask for a part, with start and end]"
