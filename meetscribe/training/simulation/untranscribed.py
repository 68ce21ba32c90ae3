"""Speech without transcripts: recordings of single people that a separator can learn from.

Not covered: checking that only one person speaks in them.
"""

from collections.abc import Sequence
from pathlib import Path

from meetscribe.training.corpus import Corpus, Utterance, cached_audio, read_manifest


def load_untranscribed(folder: Path, manifest: str, split: str, cache: Path) -> Corpus:
    """Return the recordings of a manifest whose words are not known, or not used, as utterances without words.

    Args:
        folder: where the manifest and the recordings lie.
        manifest: name of the file; rows that have a `split` are taken by it, and rows without must lack a text.
        split: `train` or `dev`.
        cache: folder for decoded audio.

    Raises:
        InputError: there is no such manifest.
    """
    rows = [row for row in read_manifest(folder / manifest) if _chosen(row, split)]
    audio = cached_audio(folder, (row["audio"] for row in rows), cache)
    return Corpus(tuple(_utterance(row, audio.places[row["audio"]]) for row in rows), audio)


def _chosen(row: dict, split: str) -> bool:
    return row["split"] == split if "split" in row else not row.get("text")


def _utterance(row: dict, place: Sequence[int]) -> Utterance:
    offset, samples = place
    return Utterance(row["audio"], row["corpus"], row["speaker"], "", offset, samples, ())
