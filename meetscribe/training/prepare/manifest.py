"""Lines of manifests, the same for all corpora.

Not covered: what is said when (`alignments.py`).
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

SPLITS = ("train", "dev", "test")
LICENCE = "CC-BY-4.0"


@dataclass(frozen=True)
class Row:
    """A recording of one person: its path below the folder, its words, who speaks, and how long it is (s)."""

    audio: str
    text: str
    speaker: str
    duration: float
    corpus: str
    licence: str = LICENCE


def spoken(text: str) -> str | None:
    """Returns a text in small letters, apostrophes and spaces; None if it has digits, whose words one cannot know."""
    folded = unicodedata.normalize("NFKD", text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))
    if re.search(r"[0-9]", folded):
        return None
    bare = "".join(letter for letter in folded if not unicodedata.combining(letter)).lower()
    words = (word.strip("'") for word in re.sub(r"[^a-z']+", " ", bare).split())
    return " ".join(word for word in words if word)


def write_manifests(folder: Path, rows: Mapping[str, Iterable[Row]]) -> dict[str, float]:
    """Writes a manifest for each split, and returns the hours of each."""
    hours = {}
    for split, some in rows.items():
        ordered = sorted(some, key=lambda row: row.audio)
        lines = (json.dumps(asdict(row), ensure_ascii=False) for row in ordered)
        (folder / f"{split}.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        hours[split] = sum(row.duration for row in ordered) / 3600
    return hours
