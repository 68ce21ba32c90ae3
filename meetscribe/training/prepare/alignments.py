"""First alignments of a whole corpus, by pocketsphinx: several processes, resumed where it was stopped.

Not covered: better ones, by the project's own model (`scripts/align`).
"""

import json
import lzma
import multiprocessing
from collections.abc import Iterator, Sequence
from pathlib import Path

from meetscribe.lm.g2p import GraphemeToPhoneme, load_g2p
from meetscribe.training.corpus import read_audio, read_manifest
from meetscribe.training.first_alignment import AlignmentError, FirstAligner
from meetscribe.training.prepare.manifest import SPLITS

_PART = 50  # recordings that a process aligns at once
ALIGNMENTS = "alignments.jsonl.xz"
_STARTED = "alignments.part.jsonl"


def align(corpus: Path, spelling: Path, processes: int) -> tuple[int, int]:
    """Writes a corpus' alignments; returns of how many recordings, and how many could not be aligned.

    Args:
        corpus: folder with manifests.
        spelling: model that says words which pocketsphinx' dictionary lacks (`g2p.safetensors`).
        processes: that work at once.
    """
    rows = [row for split in SPLITS for row in _rows(corpus / f"{split}.jsonl")]
    part = corpus / _STARTED
    known = {json.loads(line)["audio"] for line in _lines(part)}
    left = [row for row in rows if row["audio"] not in known]
    shares = [(corpus, spelling, left[begin : begin + _PART]) for begin in range(0, len(left), _PART)]
    with part.open("a", encoding="utf-8") as file:
        for aligned in _worked(shares, processes):
            file.writelines(json.dumps(row) + "\n" for row in aligned)
            file.flush()
    lines = [line for line in _lines(part) if json.loads(line)["words"]]
    (corpus / ALIGNMENTS).write_bytes(lzma.compress("".join(f"{line}\n" for line in lines).encode()))
    return len(lines), len(rows) - len(lines)


def _rows(path: Path) -> list[dict]:
    return read_manifest(path) if path.is_file() else []


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []


def _worked(shares: Sequence[tuple[Path, Path, list[dict]]], processes: int) -> Iterator[list[dict]]:
    if processes == 1:
        yield from map(_align_share, shares)
        return
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        yield from pool.imap_unordered(_align_share, shares)


def _align_share(share: tuple[Path, Path, list[dict]]) -> list[dict]:
    """Returns lines of an alignments file; one without words could not be aligned."""
    corpus, spelling, rows = share
    aligner, g2p = FirstAligner(), load_g2p(spelling)
    missing = aligner.missing(word for row in rows for word in row["text"].split())
    aligner.add({word: phones for word in missing if (phones := _said(g2p, word))})
    found = []
    for row in rows:
        try:
            words = [word.row() for word in aligner.align(read_audio(corpus / row["audio"]), row["text"])]
        except AlignmentError:
            words = []
        found.append({"audio": row["audio"], "words": words})
    return found


def _said(g2p: GraphemeToPhoneme, word: str) -> str:
    guesses = g2p.guesses(word)
    return " ".join(guesses[0].phones) if guesses else ""
