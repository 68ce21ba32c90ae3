"""The words that people put right, by comparing what was heard with what they wrote instead.

A run of new words is one entry, so that names of several words stay together; longer runs are another sentence, not a
word that was misheard. Words that differ in capitals or punctuation alone were heard well. What was put right twice
counts as it was left.
Not covered: how a recogniser listens for them.
"""

from collections.abc import Iterable
from difflib import SequenceMatcher
from itertools import chain

from meetscribe import events as ev
from meetscribe.formats import wire
from meetscribe.store.database import Database

LONGEST = 4  # words
_QUERY = """SELECT correction.event, final.event FROM events AS correction
    JOIN events AS final
    ON final.meeting = correction.meeting AND final.turn = correction.turn AND final.type = 'final'
    WHERE correction.type = 'correction' ORDER BY correction.rowid DESC"""


def put_right(heard: str, text: str) -> list[str]:
    """Return what stands in `text` instead of what was heard."""
    before, after = _words(heard), _words(text)
    matcher = SequenceMatcher(
        None, [word.casefold() for word in before], [word.casefold() for word in after], autojunk=False
    )
    runs = [after[first:last] for kind, _, _, first, last in matcher.get_opcodes() if kind != "equal"]
    return [" ".join(run) for run in runs if 0 < len(run) <= LONGEST]


def corrected_words(databases: Iterable[Database], limit: int) -> list[str]:
    """Return the words of all corrections by people, the last first, each once."""
    found: dict[str, None] = {}
    settled: set[tuple[str, str]] = set()
    for correction, final in chain.from_iterable(database.rows(_QUERY) for database in databases):
        fix, heard = wire.loads(correction), wire.loads(final)
        if isinstance(fix, ev.Correction) and isinstance(heard, ev.Final) and fix.by == "person":
            if (turn := (fix.session, fix.turn)) in settled:
                continue
            settled.add(turn)
            found.update(dict.fromkeys(put_right(heard.turn.text, fix.text)))
        if len(found) >= limit:
            break
    return list(found)[:limit]


def _words(text: str) -> list[str]:
    """Return the words of a text without the punctuation around them."""
    trimmed = (word.strip(".,;:!?…\"'()[]{}«»“”„‘’-–—") for word in text.split())
    return [word for word in trimmed if word]
