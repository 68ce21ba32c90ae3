"""What simulated meetings are like."""

from dataclasses import dataclass, field
from typing import Literal

from meetscribe.timeline import SAMPLE_RATE
from meetscribe.training.simulation.turntaking import TurnTaking

Style = Literal["meeting", "overlapped", "single", "empty"]
"""Several people in turn; two who talk over each other most of the time; one with pauses; nobody."""


@dataclass(frozen=True)
class SimulationConfig:
    """How long, who, in which manner, and how it sounds."""

    samples: int = 30 * SAMPLE_RATE  # of each mixture
    styles: tuple[tuple[Style, float], ...] = (
        ("meeting", 0.52),
        ("overlapped", 0.2),
        ("single", 0.25),
        ("empty", 0.03),
    )
    people: tuple[int, int] = (2, 6)  # in a meeting
    lead: tuple[float, float] = (0.0, 2.0)  # s before the first turn
    tail: float = 0.6  # s at least after the last one
    overlap: tuple[float, float] = (0.3, 0.6)  # of the speech time, in the style `overlapped`
    overlapped_turns: tuple[float, float] = (2.5, 8.0)  # s wanted of each, in the style `overlapped`
    turn_taking: TurnTaking = field(default_factory=TurnTaking)
    repeats: bool = True  # whether a stretch of speech may come twice in a mixture when there is no other
    speed: float = 0.1  # tempo of a person between 1 - speed and 1 + speed
    gain: float = 5.0  # dB; a person is between -gain and gain louder than others
    wide_gain_share: float = 0.1  # of people, with up to twice that
    room_share: float = 0.4  # of the mixtures; each person has a place of his own
    noise_share: float = 0.5
    snr: tuple[float, float] = (5.0, 30.0)  # dB, against the speech
    level: tuple[float, float] = (-38.0, -14.0)  # dBFS of the speech
    hiss: tuple[float, float] = (-95.0, -65.0)  # dBFS of the microphone's own noise
