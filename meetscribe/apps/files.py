"""Transcripts on disk: read with a sentence about what is wrong, written whole or not at all.

Not covered: the store's own files.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from meetscribe.errors import FormatError, InputError
from meetscribe.events import Event
from meetscribe.formats.registry import Format, by_path, read


def read_transcripts(path: Path, known: Format | None = None) -> dict[str, Sequence[Event]]:
    """Return the logs of the meetings in a file by their ids; a file without ids has one, called as the file is.

    Args:
        path: the file.
        known: its format; None: its extension tells.

    Raises:
        InputError: it is missing, or not what its format says.
    """
    known = known or by_path(path.name)
    try:
        data = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise InputError(f"{path}: it cannot be read ({reason}); give a transcript file") from error
    name = path.name[: -len(known.extension)] if path.name.lower().endswith(known.extension) else path.stem
    try:
        logs = read(known, data, name)
    except FormatError as error:
        raise FormatError(f"{path}: {error}; check the file, or say what it is with --from") from error
    return {next((event.session for event in log), name): log for log in logs}


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it exists whole or not at all.

    Raises:
        InputError: it cannot be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            part.write_bytes(data)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"{path}: it cannot be written ({error.strerror}); choose another place") from error
