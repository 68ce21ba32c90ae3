"""Markdown for notes (Obsidian and others): YAML front matter, then a paragraph a turn, `[Alice 0:04] text`.

People who talk at once stay paragraphs of their own, by start.
Not covered: reading it back; ends, fractions of seconds, ids, words.
"""

import json
import re

from meetscribe.formats.spoken import one_line
from meetscribe.meeting import Meeting, shown_speaker
from meetscribe.timeline import clock

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~$])")
_BLOCK_START = re.compile(r"^(\d+)([.)])|^([+-])")
_NOT_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
OFF_THE_RECORD = "off the record"


def encode(meeting: Meeting) -> str:
    """Return the note; without turns where nobody spoke."""
    names = meeting.speakers
    lines = ["---", *front_matter(meeting), "---", "", f"# {_escaped(title(meeting))}", ""]
    for turn in meeting.turns:
        text = f"*{OFF_THE_RECORD}*" if turn.redacted else _escaped(one_line(turn.text))
        if text:
            lines += [f"[{_escaped(one_line(shown_speaker(turn, names)))} {clock(turn.start)}] {text}", ""]
    for bookmark in meeting.bookmarks:
        lines += [f"- {clock(bookmark.at)} {_escaped(one_line(bookmark.note)) or 'bookmark'}"]
    return "\n".join(lines).rstrip("\n") + "\n"


def title(meeting: Meeting) -> str:
    """Return what the meeting is called."""
    given = meeting.session.title if meeting.session else ""
    return one_line(given) or meeting.id or "meeting"


def participants(meeting: Meeting) -> list[str]:
    """Return the people who speak, as they are shown, in the order in which they first speak."""
    names = meeting.speakers
    return list(dict.fromkeys(one_line(shown_speaker(turn, names)) for turn in meeting.turns))


def front_matter(meeting: Meeting) -> list[str]:
    """Return the lines of YAML about the meeting; JSON's strings are YAML's.

    Whether everybody agreed to be recorded is not in the log: `consent` is there to be filled in.
    """
    started = meeting.session.started if meeting.session else ""
    return [
        f"title: {_yaml(title(meeting))}",
        f"date: {_yaml(started) if started else 'null'}",
        f"duration: {_yaml(clock(meeting.duration))}",
        f"participants: [{', '.join(map(_yaml, participants(meeting)))}]",
        "consent: null",
        f"meetscribe: {_yaml(meeting.id)}",
    ]


def _yaml(text: str) -> str:
    """Return a double-quoted scalar, in which characters that YAML does not allow are escaped."""
    quoted = json.dumps(text, ensure_ascii=False)
    return _NOT_YAML.sub(lambda match: f"\\u{ord(match[0]):04x}", quoted)


def _escaped(text: str) -> str:
    """Return text in which Markdown sees no mark-up."""
    text = _SPECIAL.sub(r"\\\1", text)
    return _BLOCK_START.sub(lambda m: f"{m[1]}\\{m[2]}" if m[1] else f"\\{m[3]}", text)
