"""The hub of evaluation: who said which words when, as SegLST has it, for references and hypotheses alike.

Times are samples at 16 kHz. A row of SegLST may tell the times of its words as `word_times`, one pair of seconds a
word; words without times of their own get them by their share of the letters.
Not covered: formats without times, and names of speakers beyond being equal or not.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from meetscribe.errors import InputError
from meetscribe.evaluation.normaliser import Normaliser
from meetscribe.events import Turn
from meetscribe.formats import registry
from meetscribe.meeting import Meeting
from meetscribe.timeline import to_samples

LONGEST_PAUSE = to_samples(0.5)  # inside a turn; longer ones end it


@dataclass(frozen=True, slots=True)
class TimedWord:
    """A word from `start` to `end`, in samples."""

    word: str
    start: int
    end: int

    @property
    def middle(self) -> int:
        """Return the time half way through the word."""
        return (self.start + self.end) // 2


@dataclass(frozen=True, slots=True)
class Segment:
    """What one speaker said without a longer stop: a line of SegLST.

    `slot` is the model's output, None where the source knows none; `words` carry times, whose origin
    `timed` tells (True: from the source, False: spread over the segment by letters).
    """

    session: str
    speaker: str
    start: int
    end: int
    words: tuple[TimedWord, ...]
    slot: int | None = None
    timed: bool = False

    @property
    def text(self) -> str:
        """Return the words with spaces between."""
        return " ".join(word.word for word in self.words)


def spread(words: Sequence[str], start: int, end: int) -> tuple[TimedWord, ...]:
    """Give words times by their share of the letters, one after another from `start` to `end`."""
    total = sum(map(len, words)) or 1
    edges, heard = [start], 0
    for word in words:
        heard += len(word)
        edges.append(start + (end - start) * heard // total)
    return tuple(TimedWord(w, a, b) for w, a, b in zip(words, edges[:-1], edges[1:], strict=True))


def of_turn(session: str, turn: Turn, speaker: str | None, has_slot: bool = True) -> Segment:
    """Return the segment of a turn; its words' own times where they make up its text."""
    label = speaker or turn.speaker_id or f"slot{turn.slot}"
    slot = turn.slot if has_slot else None
    own = tuple(TimedWord(word.word, word.start, word.end) for word in turn.words)
    timed = bool(own) and " ".join(word.word for word in own) == turn.text
    words = own if timed else spread(turn.text.split(), turn.start, turn.end)
    return Segment(session, label, turn.start, turn.end, words, slot, timed)


def of_meeting(meeting: Meeting) -> list[Segment]:
    """Return the segments of a meeting's turns that have words."""
    names = meeting.speakers
    return [
        of_turn(meeting.id, turn, names.get(turn.speaker_id) if turn.speaker_id else None)
        for turn in meeting.turns
        if turn.text
    ]


def of_seglst(rows: Iterable[dict[str, Any]]) -> list[Segment]:
    """Return the segments of SegLST's objects; `slot` and the words' own times only where a row has them.

    Raises:
        InputError: a row lacks a key, its times are not numbers, or its words have other numbers of times.
    """
    try:
        return [_of_row(row) for row in rows]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"not a segment list (SegLST): {error!r}") from error


def _of_row(row: dict[str, Any]) -> Segment:
    start, end = to_samples(float(row["start_time"])), to_samples(float(row["end_time"]))
    texts, times = row["words"].split(), row.get("word_times")
    words = spread(texts, start, end)
    if times is not None:
        edges = [(to_samples(float(first)), to_samples(float(last))) for first, last in times]
        words = tuple(TimedWord(text, *edge) for text, edge in zip(texts, edges, strict=True))
    slot = None if row.get("slot") is None else int(row["slot"])
    return Segment(
        str(row["session_id"]), str(row.get("speaker")), start, end, words, slot, times is not None
    )


def read_segments(path: Path) -> list[Segment]:
    """Read a transcript: SegLST, or any format that meetscribe reads.

    Raises:
        InputError: the file is missing, unreadable, or of no format that has times.
    """
    known = registry.by_path(path.name)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read ({error}); give a transcript file") from error
    if known.decode is None:
        raise InputError(f"{path}: the format {known.name} has no times; give .json, .jsonl or .seglst.json")
    try:
        if known.name == "seglst":
            return of_seglst(json.loads(text))
        return [segment for meeting in known.decode(text) for segment in of_meeting(meeting)]
    except (ValueError, TypeError, InputError) as error:
        raise InputError(f"{path}: {error}") from error


def normalised(segments: Iterable[Segment], normaliser: Normaliser) -> list[Segment]:
    """Return the segments with normalised words; a word that becomes several shares its time among them."""
    result = []
    for segment in segments:
        words: list[TimedWord] = []
        for word in segment.words:
            words.extend(spread(normaliser.words(word.word), word.start, word.end))
        result.append(replace(segment, words=tuple(words)))
    return result


def by_session(segments: Iterable[Segment]) -> dict[str, list[Segment]]:
    """Group segments by their session, each group by start."""
    groups: dict[str, list[Segment]] = {}
    for segment in segments:
        groups.setdefault(segment.session, []).append(segment)
    return {name: sorted(group, key=lambda s: (s.start, s.end)) for name, group in groups.items()}


def joined_turns(segments: Iterable[Segment]) -> list[Segment]:
    """Join the segments of one speaker whose pauses are at most 0.5 s: the rule of what a turn is.

    Segments of one session are expected; the result is sorted by start. A segment whose words have their own
    times is first cut at longer pauses.
    """
    pieces = sorted((piece for segment in segments for piece in _cut(segment)), key=lambda s: s.speaker)
    turns: list[Segment] = []
    for _, group in groupby(pieces, key=lambda s: s.speaker):
        current: Segment | None = None
        for piece in sorted(group, key=lambda s: (s.start, s.end)):
            if current is not None and piece.start - current.end <= LONGEST_PAUSE:
                current = _join(current, piece)
                continue
            if current is not None:
                turns.append(current)
            current = piece
        if current is not None:
            turns.append(current)
    return sorted(turns, key=lambda s: (s.start, s.end))


def _join(first: Segment, second: Segment) -> Segment:
    words = (*first.words, *second.words)
    timed = first.timed and second.timed
    return replace(first, end=max(first.end, second.end), words=words, timed=timed)


def _cut(segment: Segment) -> list[Segment]:
    """Cut a segment with word times where a pause is longer than a turn's longest."""
    if not segment.timed or not segment.words:
        return [segment]
    groups: list[list[TimedWord]] = [[]]
    for word in segment.words:
        if groups[-1] and word.start - groups[-1][-1].end > LONGEST_PAUSE:
            groups.append([])
        groups[-1].append(word)
    if len(groups) == 1:
        return [segment]
    return [replace(segment, start=g[0].start, end=g[-1].end, words=tuple(g)) for g in groups]
