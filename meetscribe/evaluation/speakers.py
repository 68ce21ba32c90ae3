"""How right speakers are: turns with who said them in truth and as whom they were shown.

Shown speakers stand for true ones as fits most speech (an assignment, as in cpWER); what is shown as nobody's is
counted apart, since an unknown turn misleads nobody.
Not covered: words (`multitalker.py`), names of people who are remembered (`verification.py` has the operating curve).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment


class ShownTurn(NamedTuple):
    """A turn of so many words or seconds, who said it, and as whom it was shown (None: nobody)."""

    amount: float
    speaker: str
    shown: str | None


@dataclass(frozen=True)
class SpeakerFigures:
    """Counts that add up over meetings.

    Attributes:
        amount: of all turns.
        confused: of turns that are shown as somebody else's.
        unknown: of turns that are shown as nobody's.
        people: who spoke.
        missed: people as whom nothing is shown.
        false: shown speakers who stand for nobody.
    """

    amount: float = 0.0
    confused: float = 0.0
    unknown: float = 0.0
    people: int = 0
    missed: int = 0
    false: int = 0

    def __add__(self, other: "SpeakerFigures") -> "SpeakerFigures":
        """Pool the counts."""
        return SpeakerFigures(
            self.amount + other.amount,
            self.confused + other.confused,
            self.unknown + other.unknown,
            self.people + other.people,
            self.missed + other.missed,
            self.false + other.false,
        )

    @property
    def confusion(self) -> float:
        """Return the share that is shown as somebody else's."""
        return self.confused / self.amount if self.amount else 0.0

    @property
    def unknown_share(self) -> float:
        """Return the share that is shown as nobody's."""
        return self.unknown / self.amount if self.amount else 0.0


def speaker_figures(turns: Sequence[ShownTurn]) -> SpeakerFigures:
    """Return the counts of one meeting."""
    people = sorted({turn.speaker for turn in turns})
    shown = sorted({turn.shown for turn in turns if turn.shown is not None})
    together = np.zeros((len(people), len(shown)))
    for turn in turns:
        if turn.shown is not None:
            together[people.index(turn.speaker), shown.index(turn.shown)] += turn.amount
    rows, columns = linear_sum_assignment(-together)
    right = float(together[rows, columns].sum())
    stands = int(np.count_nonzero(together[rows, columns]))
    return SpeakerFigures(
        amount=sum(turn.amount for turn in turns),
        confused=float(together.sum()) - right,
        unknown=sum(turn.amount for turn in turns if turn.shown is None),
        people=len(people),
        missed=len(people) - stands,
        false=len(shown) - stands,
    )
