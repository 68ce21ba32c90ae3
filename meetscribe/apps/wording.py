"""What the settings and past meetings say about the text of new ones: hot words, marks, numerals.

Words that people put right in past meetings are listened for in later ones, after those that they listed.
Not covered: what a line of a list may say (`meetscribe.lm.hotwords`).
"""

from pathlib import Path

from meetscribe.apps.config import Settings
from meetscribe.errors import UsageError
from meetscribe.lm.hotwords import MOST_PHRASES, parse_hotwords, usable
from meetscribe.lm.wording import Wording
from meetscribe.store.store import Store

LEARNED = 200
"""So many words are taken from corrections, the last first."""

_LARGEST = 256 * 1024  # bytes of a list


def wording_of(settings: Settings, store: Store | None = None) -> Wording:
    """Return what new text is to be like.

    Args:
        settings: what a person chose.
        store: past meetings, whose corrections are learned from; None: nothing is.

    Raises:
        UsageError: the list of hot words cannot be read, or not listened for.
    """
    listed = _listed(settings.hotwords)
    learned: tuple[str, ...] = ()
    if store is not None and settings.learn_corrections:
        known = {phrase.casefold() for phrase in listed}
        corrected = store.corrected_words(LEARNED)
        fresh = (word for word in corrected if word.casefold() not in known and any(map(str.isalpha, word)))
        learned = usable(fresh, min(LEARNED, MOST_PHRASES - len(listed)))
    return Wording(listed, learned, settings.punctuation, settings.numerals)


def _listed(hotwords: Path | tuple[str, ...] | None) -> tuple[str, ...]:
    if hotwords is None:
        return ()
    if isinstance(hotwords, tuple):
        return parse_hotwords(hotwords, "hotwords in the settings")
    try:
        content = hotwords.read_bytes()
        if len(content) > _LARGEST:
            raise UsageError(
                f"{hotwords}: too long for a list of hot words; give at most {MOST_PHRASES} lines"
            )
        return parse_hotwords(content.decode("utf-8-sig").splitlines(), str(hotwords))
    except FileNotFoundError as error:
        raise UsageError(f"{hotwords}: there is no such list of hot words; check --hotwords") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{hotwords}: it cannot be read as UTF-8 text ({error}); give a text file"
        ) from error
