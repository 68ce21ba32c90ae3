"""WebVTT subtitles with voices: `<v Alice>text`, and two people at once side by side.

Cues that share time have the same half of the picture as long as their turn lasts (`align:left size:50%`), as the
standard's own example of two talkers does; a cue that is alone has the whole width.
Not covered: styles, regions, slots, channels, words' times.
"""

import html
import re

from meetscribe.errors import FormatError
from meetscribe.formats.building import meeting_of
from meetscribe.formats.cues import Cue, cues_of, lines_of, read_times, write_time
from meetscribe.formats.srt import blocks
from meetscribe.meeting import Meeting

_SIDES = (" align:left size:50%", " align:right size:50%")
_VOICE = re.compile(r"<v(?:\.[^\s>]*)?[ \t]+([^>]*)>")
_TAG = re.compile(r"<[^>]*>")
_NOT_CUES = re.compile(r"(NOTE|STYLE|REGION)\b")


def encode(meeting: Meeting) -> str:
    """Return the subtitles; only the header where nobody spoke."""
    cues = [f"\n{number}\n{_cue(cue)}\n" for number, cue in enumerate(cues_of(meeting), 1)]
    return "WEBVTT\n" + "".join(cues)


def _cue(cue: Cue) -> str:
    side = _SIDES[cue.lane % 2] if cue.shared else ""
    voice = f"<v {_escaped(cue.speaker or '?')}>{_escaped(cue.text)}</v>"
    return f"{write_time(cue.start, '.')} --> {write_time(cue.end, '.')}{side}\n{voice}"


def _escaped(text: str) -> str:
    """Return text in which nothing is taken for a tag or an arrow."""
    return html.escape(text, quote=False)


def decode(text: str) -> list[Meeting]:
    """Return the one meeting of subtitles, without an id; voices say who speaks.

    Raises:
        FormatError: they are no WebVTT.
    """
    parts = list(blocks(text))
    if not parts or not parts[0][0].startswith("WEBVTT"):
        raise FormatError("no subtitles (WebVTT): the file does not begin with WEBVTT")
    cues = [cue for block in parts if not _NOT_CUES.match(block[0]) for cue in _read(block)]
    return [meeting_of("", lines_of(cues))]


def _read(block: list[str]) -> list[Cue]:
    """Return the cues of a block: one for each voice in it, or one without a name."""
    at = next((number for number, line in enumerate(block) if "-->" in line), None)
    if at is None:
        return []
    start, end = read_times(block[at])
    before, *voices = _VOICE.split(" ".join(block[at + 1 :]))
    said: list[tuple[str | None, str]] = [(None, before)] if _plain(before) else []
    said += zip(map(_plain, voices[::2]), voices[1::2], strict=True)
    return [Cue(start, end, speaker, _plain(words)) for speaker, words in said]


def _plain(text: str) -> str:
    return " ".join(html.unescape(_TAG.sub("", text)).split())
