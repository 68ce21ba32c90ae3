"""A meeting as one HTML page: who spoke how much, a timeline in which overlaps show, and the transcript.

The page needs nothing from outside: styles and script are inside, and so is the meeting as a JSON document, from which
it is read back. With sound a click on a turn plays it; a turn that has a sound of its own plays that voice alone.
Not covered: where the sound comes from (`Sound` says where it lies).
"""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files

from meetscribe import events as ev
from meetscribe.errors import FormatError
from meetscribe.formats import json_document
from meetscribe.formats.building import lanes
from meetscribe.formats.markdown import OFF_THE_RECORD, title
from meetscribe.formats.report.timeline import colours, overlaps, timeline
from meetscribe.formats.spoken import one_line
from meetscribe.meeting import Meeting, shown_speaker
from meetscribe.timeline import clock, to_seconds

_MOST_COLUMNS = 3
_DOCUMENT = re.compile(r'<script type="application/json" id="meeting">(.*?)</script>', re.S)
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; "
    "media-src 'self' data: file:"
)


@dataclass(frozen=True)
class Sound:
    """Where a report finds sound: addresses (relative ones, or data inside the page).

    `whole` is the meeting from its start on; `voices` has, by turn, that turn's voice alone.
    """

    whole: str | None = None
    voices: Mapping[str, str] = field(default_factory=dict)


def encode(meeting: Meeting, sound: Sound | None = None) -> str:
    """Return the page."""
    sound = sound or Sound()
    people = _people(meeting)
    name = html.escape(title(meeting))
    body = [
        '<a class="skip" href="#transcript">Skip to the transcript</a>',
        f"<header><h1>{name}</h1>{_facts(meeting)}</header>",
        "<main>",
        _shares(meeting, people),
        timeline(meeting, people),
        _transcript(meeting, people, sound),
        "</main>",
        _player(sound),
        f"<footer>{html.escape(_made_by(meeting))}</footer>",
    ]
    document = json_document.encode(meeting).replace("<", "\\u003c")
    own = files("meetscribe.formats.report")
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="color-scheme" content="light dark">',
            f"<title>{name}</title>",
            f"<style>\n{(own / 'report.css').read_text(encoding='utf-8')}{colours(len(people))}</style>",
            "</head><body>",
            *(part for part in body if part),
            f'<script type="application/json" id="meeting">{document}</script>',
            f"<script>\n{(own / 'report.js').read_text(encoding='utf-8')}</script>",
            "</body></html>\n",
        ]
    )


def decode(text: str) -> list[Meeting]:
    """Return the meeting that a report holds.

    Raises:
        FormatError: it is no report of meetscribe's.
    """
    found = _DOCUMENT.search(text)
    if found is None:
        raise FormatError("no report of meetscribe's: there is no meeting inside the page")
    return [json_document.decode(found[1])]


def _people(meeting: Meeting) -> dict[str, int]:
    """Return the people who speak, in the order in which they first do, with their numbers."""
    names = meeting.speakers
    shown = dict.fromkeys(one_line(shown_speaker(turn, names)) for turn in meeting.turns)
    return {name: number for number, name in enumerate(shown)}


def _facts(meeting: Meeting) -> str:
    started = meeting.session.started if meeting.session else ""
    overlap = _overlapped(meeting)
    facts = [started[:16].replace("T", " "), clock(meeting.duration), f"{len(meeting.turns)} turns"]
    if overlap:
        facts.append(f"{clock(overlap)} with several talking at once")
    if meeting.gaps:
        missing = sum(gap.end - gap.start for gap in meeting.gaps)
        facts.append(f"{clock(missing)} not recorded")
    shown = " · ".join(html.escape(fact) for fact in facts if fact)
    return f'<p class="facts">{shown}</p>'


def _overlapped(meeting: Meeting) -> int:
    """Return for how many samples at least two people talk."""
    return sum(last - first for first, last in overlaps(meeting.turns))


def _shares(meeting: Meeting, people: Mapping[str, int]) -> str:
    """Return a table of who spoke how long, with a bar each."""
    if not people:
        return ""
    names = meeting.speakers
    spoken, turns, words = dict.fromkeys(people, 0), dict.fromkeys(people, 0), dict.fromkeys(people, 0)
    for turn in meeting.turns:
        who = one_line(shown_speaker(turn, names))
        spoken[who] += turn.interval.duration
        turns[who] += 1
        words[who] += len(turn.text.split())
    whole = sum(spoken.values()) or 1
    rows = [
        f'<tr class="p{number}"><th scope="row">{html.escape(who)}</th>'
        f"<td>{clock(spoken[who])}</td><td>{turns[who]}</td><td>{words[who]}</td>"
        f'<td class="bar"><span style="width:{100 * spoken[who] / whole:.1f}%"></span>'
        f"<b>{100 * spoken[who] / whole:.0f} %</b></td></tr>"
        for who, number in people.items()
    ]
    head = "".join(f'<th scope="col">{name}</th>' for name in ("Who", "Time", "Turns", "Words", "Share"))
    return (
        '<section aria-labelledby="shares-title"><h2 id="shares-title">Who spoke</h2>'
        f'<table class="shares"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></section>'
    )


def _transcript(meeting: Meeting, people: Mapping[str, int], sound: Sound) -> str:
    """Return the turns by start; those that share time stand side by side."""
    turns = [turn for turn in meeting.turns if turn.redacted or one_line(turn.text)]
    columns = lanes([turn.interval for turn in turns])
    groups: list[list[tuple[ev.Turn, int]]] = []
    end = -1
    for turn, column in zip(turns, columns, strict=True):
        if groups and turn.start < end:
            groups[-1].append((turn, column))
        else:
            groups.append([(turn, column)])
        end = max(end, turn.end)
    shown = "".join(_group(group, meeting, people, sound) for group in groups)
    nothing = "" if shown else "<p>Nobody was heard.</p>"
    return (
        '<section id="transcript" aria-labelledby="transcript-title"><h2 id="transcript-title">Transcript</h2>'
        f"{shown}{nothing}</section>"
    )


def _group(
    group: list[tuple[ev.Turn, int]], meeting: Meeting, people: Mapping[str, int], sound: Sound
) -> str:
    if len(group) == 1:
        return _turn(group[0][0], 0, meeting, people, sound)
    names = meeting.speakers
    talking = list(dict.fromkeys(one_line(shown_speaker(turn, names)) for turn, _ in group))
    if len(talking) <= _MOST_COLUMNS:  # a column for each person, else one for each lane
        group = [(turn, talking.index(one_line(shown_speaker(turn, names)))) for turn, _ in group]
    used = sorted({column for _, column in group})
    turns = "".join(_turn(turn, used.index(column) + 1, meeting, people, sound) for turn, column in group)
    return (
        f'<div class="together" style="--columns:{len(used)}" role="group" '
        f'aria-label="At the same time">{turns}</div>'
    )


def _turn(turn: ev.Turn, column: int, meeting: Meeting, people: Mapping[str, int], sound: Sound) -> str:
    who = one_line(shown_speaker(turn, meeting.speakers))
    text = f"<em>{OFF_THE_RECORD}</em>" if turn.redacted else html.escape(one_line(turn.text))
    place = f' style="--column:{column}"' if column else ""
    times = f'data-start="{to_seconds(turn.start)}" data-end="{to_seconds(turn.end)}"'
    at = clock(turn.start)
    button = f"<time>{at}</time>"
    if sound.whole is not None and not turn.redacted:
        button = (
            f'<button type="button" class="play" aria-label="Hear {html.escape(who)} at {at}">{at}</button>'
        )
    alone = sound.voices.get(turn.id)
    if alone is not None and not turn.redacted:
        button += (
            f'<button type="button" class="alone" data-voice="{html.escape(alone)}" '
            f'aria-label="Hear {html.escape(who)} alone at {at}">alone</button>'
        )
    return (
        f'<article id="{html.escape(turn.id)}" class="turn p{people[who]}" {times}{place}>'
        f"<h3>{html.escape(who)} {button}</h3><p>{text}</p></article>"
    )


def _player(sound: Sound) -> str:
    if sound.whole is None and not sound.voices:
        return ""
    source = f' src="{html.escape(sound.whole)}"' if sound.whole is not None else ""
    return (
        f'<div class="player"><audio id="whole" controls preload="metadata"{source} aria-label="The recording">'
        '</audio><audio id="voice" preload="none" hidden></audio><p id="said" role="status"></p></div>'
    )


def _made_by(meeting: Meeting) -> str:
    model = meeting.session.model if meeting.session else None
    return f"Transcribed by meetscribe{f' with {model}' if model else ''}."


def data_address(kind: str, encoded: str) -> str:
    """Return the address of data inside the page, from its base64."""
    return f"data:{kind};base64,{encoded}"
