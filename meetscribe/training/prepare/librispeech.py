"""LibriSpeech as openslr.org/12 has it: `LibriSpeech/<part>/<speaker>/<chapter>/…flac` with `….trans.txt` beside them.

Whatever parts were unpacked are taken: `train-*` to train, `dev-*` to develop, `test-*` to test. Nothing is copied: the
manifests lie in the `LibriSpeech` folder itself, which becomes the corpus.
"""

from collections.abc import Iterator
from pathlib import Path

import soundfile

from meetscribe.errors import InputError
from meetscribe.training.prepare.manifest import SPLITS, Row, spoken


def rows_of(folder: Path) -> dict[str, list[Row]]:
    """Returns the recordings of each split.

    Raises:
        InputError: the folder is none of LibriSpeech, or a recording is missing.
    """
    found: dict[str, list[Row]] = {}
    for split in SPLITS:
        parts = sorted(path for path in folder.glob(f"{split}-*") if path.is_dir())
        rows = [row for part in parts for row in _rows_of_part(folder, part)]
        if rows:
            found[split] = rows
    if not found:
        raise InputError(
            f"{folder} has no train-*, dev-* or test-* with transcripts; give the folder LibriSpeech"
        )
    return found


def _rows_of_part(folder: Path, part: Path) -> Iterator[Row]:
    for transcript in sorted(part.glob("*/*/*.trans.txt")):
        for line in transcript.read_text(encoding="utf-8").splitlines():
            name, _, said = line.partition(" ")
            text = spoken(said)
            if not text:
                continue
            audio = transcript.parent / f"{name}.flac"
            try:
                duration = soundfile.info(audio).duration
            except (OSError, RuntimeError) as error:
                raise InputError(f"{audio} cannot be read ({error}); unpack {part.name} again") from error
            speaker = f"ls-{name.split('-')[0]}"
            yield Row(audio.relative_to(folder).as_posix(), text, speaker, round(duration, 3), "librispeech")
