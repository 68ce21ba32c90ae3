"""The formats of transcripts by their name (`-f`) and extension; a new format is one more line here."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from meetscribe.errors import UsageError
from meetscribe.events import Event
from meetscribe.formats import (
    building,
    ctm,
    json_document,
    jsonl,
    markdown,
    rttm,
    seglst,
    srt,
    stm,
    table,
    text,
    vtt,
    word,
)
from meetscribe.formats.report import page
from meetscribe.meeting import Meeting, fold


@dataclass(frozen=True)
class Format:
    """A format: `name` for `-f`, `extension` with its dot, `encode` from a log, `decode` to meetings.

    `encode_bytes` is there where the format is no text (then `encode` refuses), `join` where several meetings fit into
    one file.
    """

    name: str
    extension: str
    encode: Callable[[Sequence[Event]], str]
    decode: Callable[[str], list[Meeting]] | None = None
    encode_bytes: Callable[[Sequence[Event]], bytes] | None = None
    join: Callable[[Sequence[str]], str] | None = None

    def data(self, log: Sequence[Event]) -> bytes:
        """Return what a file of this format holds."""
        return self.encode(log).encode() if self.encode_bytes is None else self.encode_bytes(log)


def _of_meeting(encode: Callable[[Meeting], str]) -> Callable[[Sequence[Event]], str]:
    """Return an encoder of a log from one of a meeting."""
    return lambda events: encode(fold(events))


def _no_text(log: Sequence[Event]) -> str:
    raise UsageError("a Word document is no text; give --output-dir DIR or a file to write it to")


def _joined_lists(parts: Sequence[str]) -> str:
    segments = [segment for part in parts for segment in json.loads(part)]
    return json.dumps(segments, ensure_ascii=False, indent=2) + "\n"


def _joined_tables(parts: Sequence[str]) -> str:
    return "".join(part if number == 0 else part.partition("\n")[2] for number, part in enumerate(parts))


FORMATS: tuple[Format, ...] = (
    Format("text", ".txt", _of_meeting(text.encode)),
    Format("json", ".json", _of_meeting(json_document.encode), lambda data: [json_document.decode(data)]),
    Format("jsonl", ".jsonl", jsonl.encode, lambda data: [fold(jsonl.decode(data))]),
    Format("seglst", ".seglst.json", _of_meeting(seglst.encode), seglst.decode, join=_joined_lists),
    Format("srt", ".srt", _of_meeting(srt.encode), srt.decode),
    Format("vtt", ".vtt", _of_meeting(vtt.encode), vtt.decode),
    Format("rttm", ".rttm", _of_meeting(rttm.encode), rttm.decode, join="".join),
    Format("stm", ".stm", _of_meeting(stm.encode), stm.decode, join="".join),
    Format("ctm", ".ctm", _of_meeting(ctm.encode), ctm.decode, join="".join),
    Format("csv", ".csv", _of_meeting(table.encode), table.decode, join=_joined_tables),
    Format("md", ".md", _of_meeting(markdown.encode)),
    Format("html", ".html", _of_meeting(page.encode), page.decode),
    Format("docx", ".docx", _no_text, encode_bytes=lambda log: word.encode(fold(log))),
)


def with_srt_overlap(known: Format, overlap: str) -> Format:
    """Return a format in which SRT shows two people at once as `stack` or `merge`; others stay as they are.

    Raises:
        UsageError: it is neither.
    """
    if overlap not in srt.OVERLAPS:
        raise UsageError(f"--srt-overlap {overlap}: choose one of {_list(srt.OVERLAPS)}")
    if known.name != "srt":
        return known
    chosen: srt.Overlap = "merge" if overlap == "merge" else "stack"
    return replace(known, encode=_of_meeting(lambda meeting: srt.encode(meeting, chosen)))


def read(known: Format, data: str, name: str) -> list[Sequence[Event]]:
    """Return the logs of the meetings in a file; one that has no id of its own is called `name`.

    Raises:
        UsageError: the format cannot be read.
        FormatError: the text is not of that format.
    """
    if known.name == "jsonl":
        return [jsonl.decode(data)]
    if known.decode is None:
        readable = _list(each.name for each in FORMATS if each.decode is not None)
        raise UsageError(f"the format {known.name} cannot be read back; those that can are {readable}")
    meetings = known.decode(data) or [building.meeting_of(name, [])]
    return [
        building.log_of(meeting if meeting.id else building.renamed(meeting, name)) for meeting in meetings
    ]


def by_name(name: str) -> Format:
    """Return the format of a `-f` name.

    Raises:
        UsageError: there is none of that name.
    """
    for known in FORMATS:
        if known.name == name:
            return known
    raise UsageError(f"there is no format {name!r}; choose one of {_list(known.name for known in FORMATS)}")


def by_path(path: str) -> Format:
    """Return the format of a file name, by its longest matching extension.

    Raises:
        UsageError: no format has that extension.
    """
    matching = [known for known in FORMATS if path.lower().endswith(known.extension)]
    if not matching:
        known = _list(known.extension for known in FORMATS)
        raise UsageError(f"{path}: the extension tells no format; known are {known}")
    return max(matching, key=lambda known: len(known.extension))


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)
