"""The formats of transcripts by their name (`-f`) and extension; a new format is one more line here."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from meetscribe.errors import UsageError
from meetscribe.events import Event
from meetscribe.formats import json_document, jsonl, seglst, text
from meetscribe.meeting import Meeting, fold


@dataclass(frozen=True)
class Format:
    """A format: `name` for `-f`, `extension` with its dot, `encode` from a log, `decode` to meetings."""

    name: str
    extension: str
    encode: Callable[[Sequence[Event]], str]
    decode: Callable[[str], list[Meeting]] | None = None


def _of_meeting(encode: Callable[[Meeting], str]) -> Callable[[Sequence[Event]], str]:
    """Return an encoder of a log from one of a meeting."""
    return lambda events: encode(fold(events))


FORMATS: tuple[Format, ...] = (
    Format("text", ".txt", _of_meeting(text.encode)),
    Format("json", ".json", _of_meeting(json_document.encode), lambda data: [json_document.decode(data)]),
    Format("jsonl", ".jsonl", jsonl.encode, lambda data: [fold(jsonl.decode(data))]),
    Format("seglst", ".seglst.json", _of_meeting(seglst.encode), seglst.decode),
)


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
