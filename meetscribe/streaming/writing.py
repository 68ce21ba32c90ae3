"""How a turn's words are written while they come: marks, capitals, a person's own spellings, numbers as digits.

What was shown as stable does not change: a word's mark and capitals settle when `HOLD` firm words follow it, or with
the turn's end. Words keep their times; a number that was several words takes the time of all of them.
Not covered: the model of marks (`meetscribe.lm.punctuation`), what a number is (`meetscribe.lm.numerals`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from meetscribe.events import Word
from meetscribe.lm.hotwords import MOST_WORDS, HotPhrase, plain
from meetscribe.lm.numerals import is_number_word, numerals
from meetscribe.lm.punctuation import (
    LONG_PAUSE,
    MARKS,
    NO_PAUSE,
    NONE,
    PERIOD,
    QUESTION,
    REACH,
    SHORT_PAUSE,
    UNKNOWN_PAUSE,
    Punctuator,
    Tag,
    capitalised,
)
from meetscribe.streaming.search import FoundWord
from meetscribe.timeline import SAMPLE_RATE

HOLD = MOST_WORDS
"""So many firm words have to follow until it is settled how a word is written: no phrase of a list is longer."""

NEAR = 5 * SAMPLE_RATE // 2
"""A turn that begins so soon after the one before in its slot may go on with its sentence."""

_SHORT, _LONG = SAMPLE_RATE // 5, SAMPLE_RATE // 2
_UNMARKED = Tag(NONE, False)
COMMON = 1000
"""A listed name that is spelled as one of the first words of the lexicon (Will, Mark) is not every one of them."""


@dataclass(frozen=True)
class OwnSpelling:
    """A phrase as a person writes it; `doubtful`: it is a common word too, and only its capitals tell."""

    parts: tuple[str, ...]
    doubtful: bool = False


@dataclass(frozen=True)
class Writer:
    """What is known of writing, the same for all turns of a stream.

    Attributes:
        punctuator: sets marks and capitals, if anything does.
        spellings: of phrases, by their words in small letters.
        digits: numbers are written as digits.
    """

    punctuator: Punctuator | None = None
    spellings: Mapping[tuple[str, ...], OwnSpelling] = field(default_factory=dict)
    digits: bool = False

    @property
    def hold(self) -> int:
        """Words after a word that have to be firm until it is settled."""
        return HOLD if self.punctuator is not None or self.spellings else 0


def spellings_of(
    phrases: Sequence[HotPhrase], numbers: Mapping[str, int], common: int = COMMON
) -> dict[tuple[str, ...], OwnSpelling]:
    """Returns the spellings of phrases by their words.

    Args:
        phrases: as people write them.
        numbers: of the lexicon's words.
        common: of the words below this number capitals alone say nothing.
    """
    found = {}
    for phrase in phrases:
        words = tuple(word or plain(part) for word, part in zip(phrase.words, phrase.parts, strict=True))
        is_common = len(words) == 1 and numbers.get(words[0], common) < common
        found[words] = OwnSpelling(phrase.parts, is_common and phrase.parts[0] == capitalised(words[0]))
    return found


@dataclass(frozen=True)
class Said:
    """The end of a turn: its last words in small letters, what was written of them, and the sample where it ended."""

    words: tuple[str, ...]
    tags: tuple[Tag, ...]
    end: int


@dataclass(frozen=True)
class Shown:
    """Words as they are written, and how many of them will not change."""

    words: tuple[Word, ...]
    stable: int


class Draft:
    """The text of one turn while it goes on."""

    def __init__(self, writer: Writer, before: Said | None = None) -> None:
        """Begin a turn; `before` is the one before it in its slot."""
        self._writer, self._before = writer, before
        self._settled: tuple[Tag, ...] = ()

    def show(self, words: Sequence[FoundWord], firm: int, whole: bool = False) -> Shown:
        """Write the turn as it is now.

        Args:
            words: all so far.
            firm: so many of them will not change.
            whole: the turn is over.
        """
        spelled = [plain(word.text) if self._writer.spellings else word.text for word in words]
        before = self._before
        if before is not None and words and words[0].start - before.end > NEAR:
            before = None
        tags = self._tags(words, spelled, before, whole)
        settled = len(words) if whole else max(len(self._settled), firm - self._writer.hold)
        self._settled = tags[:settled]
        begins = before is None or not before.tags or before.tags[-1].mark in (PERIOD, QUESTION)
        return self._written(words, spelled, tags, begins)

    def said(self, words: Sequence[FoundWord]) -> Said:
        """Return the end of the turn, once it was shown whole."""
        spelled = tuple(plain(word.text) or word.text for word in words[-REACH:])
        return Said(spelled, self._settled[-REACH:], words[-1].end)

    def _tags(
        self, words: Sequence[FoundWord], spelled: Sequence[str], before: Said | None, whole: bool
    ) -> tuple[Tag, ...]:
        known = self._settled[: len(words)]
        model = self._writer.punctuator
        if model is None or len(known) == len(words):
            return (*known, *[_UNMARKED] * (len(words) - len(known)))
        first = max(0, len(known) - REACH)
        pauses = [_pause(b.start - a.end) for a, b in zip(words[first:], words[first + 1 :], strict=False)]
        pauses.append(LONG_PAUSE if whole else UNKNOWN_PAUSE)
        context = before.words if before is not None and first == 0 else ()
        if before is not None and context:
            after = _pause(words[0].start - before.end)
            pauses = [*[NO_PAUSE] * (len(context) - 1), after, *pauses]
        found = model.tags([*context, *spelled[first:]], pauses)[len(context) :]
        return (*known, *found[len(known) - first :])

    def _written(
        self, words: Sequence[FoundWord], spelled: Sequence[str], tags: Sequence[Tag], begins: bool
    ) -> Shown:
        own = self._own_spellings(spelled, tags)
        forms = [
            own.get(place) or self._form(word.text, tags, place, begins) for place, word in enumerate(words)
        ]
        ends = [tag.mark != NONE for tag in tags]
        groups = [(place, place + 1, form) for place, form in enumerate(forms)]
        settled = len(self._settled)
        if self._writer.digits:
            heard = ["" if place in own else word for place, word in enumerate(spelled)]
            for numeral in reversed(numerals(heard, ends)):
                groups[numeral.first : numeral.last] = [(numeral.first, numeral.last, numeral.text)]
            while 0 < settled < len(words) and is_number_word(heard[settled - 1]) and not ends[settled - 1]:
                settled -= 1
        shown = tuple(
            Word(
                form + MARKS[tags[last - 1].mark],
                words[first].start,
                words[last - 1].end,
                min(word.confidence for word in words[first:last]),
            )
            for first, last, form in groups
        )
        return Shown(shown, sum(last <= settled for _, last, _ in groups))

    def _own_spellings(self, spelled: Sequence[str], tags: Sequence[Tag]) -> dict[int, str]:
        """Return the words that a person spelled, by their place; of phrases that overlap the longer one."""
        found: dict[int, str] = {}
        known, place = self._writer.spellings, 0
        while known and place < len(spelled):
            for length in range(min(MOST_WORDS, len(spelled) - place), 0, -1):
                own = known.get(tuple(spelled[place : place + length]))
                if own is not None and (not own.doubtful or tags[place].formed):
                    found |= {place + number: part for number, part in enumerate(own.parts)}
                    place += length - 1
                    break
            place += 1
        return found

    def _form(self, text: str, tags: Sequence[Tag], place: int, begins: bool) -> str:
        model = self._writer.punctuator
        if model is None:
            return text
        form = model.own_form(text) if tags[place].formed else text
        starts = tags[place - 1].mark in (PERIOD, QUESTION) if place else begins
        return capitalised(form) if starts else form


def _pause(samples: int) -> int:
    if samples >= _LONG:
        return LONG_PAUSE
    return SHORT_PAUSE if samples >= _SHORT else NO_PAUSE
