"""What happens in a simulated meeting: who says what when, how fast, how loud, in which room.

A plan is drawn before any sound is read. At most two people talk at once, nobody overlaps himself, a person's pauses
between turns are longer than those inside turns, and overlapping turns start at least half a second apart.
Not covered: what the words mean; answers do not fit questions.
"""

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from meetscribe.timeline import SAMPLE_RATE
from meetscribe.training.simulation.slots import assign_slots
from meetscribe.training.simulation.turntaking import TurnTaking, draw, draw_samples
from meetscribe.training.simulation.voices import LONGEST_PAUSE, Clip, ClipChooser, Voice, Voices

Style = Literal["meeting", "overlapped", "single", "empty"]
APART = SAMPLE_RATE // 2  # between the starts of turns that overlap
REST = LONGEST_PAUSE + 160  # at least this long between two turns of one person
SHORTEST_TURN = SAMPLE_RATE // 10
_TRIES = 4


@dataclass(frozen=True)
class SimulationConfig:
    """What meetings are like."""

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
    turn_taking: TurnTaking = field(default_factory=TurnTaking)
    speed: float = 0.1  # tempo of a person between 1 - speed and 1 + speed
    gain: float = 5.0  # dB; a person is between -gain and gain louder than others
    wide_gain_share: float = 0.1  # of people, with up to twice that
    room_share: float = 0.4  # of the mixtures; each person has a place of his own
    noise_share: float = 0.5
    snr: tuple[float, float] = (5.0, 30.0)  # dB, against the speech
    level: tuple[float, float] = (-38.0, -14.0)  # dBFS of the speech


@dataclass(frozen=True)
class PlannedTurn:
    """One turn: a clip of a recording, its place in the mixture (first unit's start … last one's end), its sound."""

    speaker: str
    clip: Clip
    start: int
    end: int
    speed: float
    gain: float  # dB
    room: int | None  # index of an impulse response

    @property
    def source(self) -> tuple[int, int]:
        """Return the corpus and the utterance."""
        return self.clip.source

    @property
    def first(self) -> int:
        """Return the first unit."""
        return self.clip.first

    @property
    def last(self) -> int:
        """Return the unit after the last."""
        return self.clip.last


@dataclass(frozen=True)
class MeetingPlan:
    """Turns by start, with their slots; `noise` is None or the dB that the speech is louder."""

    samples: int
    style: Style
    turns: tuple[PlannedTurn, ...]
    slots: tuple[int, ...]
    noise: float | None
    level: float  # dBFS


@dataclass(frozen=True)
class _Person:
    voice: Voice
    speed: float
    gain: float
    room: int | None
    share: float  # of the floor


def plan_meeting(
    voices: Voices, config: SimulationConfig, rng: np.random.Generator, rooms: int = 0
) -> MeetingPlan:
    """Draw a meeting.

    Args:
        voices: who can take part.
        config: what meetings are like.
        rng: decides everything.
        rooms: how many impulse responses there are.
    """
    names = [name for name, _ in config.styles]
    chances = np.array([chance for _, chance in config.styles])
    style = names[int(rng.choice(len(names), p=chances / chances.sum()))]
    people = _people(style, voices, config, rng, rooms)
    turns = _Stage(config, rng).played(style, people) if people else []
    turns.sort(key=lambda turn: turn.start)
    slots = assign_slots([(turn.start, turn.end) for turn in turns])
    noisy = rng.random() < config.noise_share or style == "empty"
    noise = float(rng.uniform(*config.snr)) if noisy else None
    return MeetingPlan(
        config.samples, style, tuple(turns), tuple(slots), noise, float(rng.uniform(*config.level))
    )


def _people(
    style: Style, voices: Voices, config: SimulationConfig, rng: np.random.Generator, rooms: int
) -> list[_Person]:
    least, most = config.people
    fixed = {"single": 1, "overlapped": 2, "empty": 0}
    count = fixed[style] if style in fixed else int(rng.integers(least, most + 1))
    chosen = voices.choose(count, rng) if count else []
    shares = rng.dirichlet(np.full(max(1, len(chosen)), 4.0))
    places: list[int | None] = [None] * len(chosen)
    if rooms and rng.random() < config.room_share:
        places = [int(place) for place in rng.choice(rooms, len(chosen), replace=rooms < len(chosen))]
    people = []
    for voice, place, share in zip(chosen, places, shares, strict=False):
        spread = config.gain * (2.0 if rng.random() < config.wide_gain_share else 1.0)
        speed = float(rng.uniform(1.0 - config.speed, 1.0 + config.speed))
        people.append(_Person(voice, speed, float(rng.uniform(-spread, spread)), place, float(share)))
    return people


class _Stage:
    """Places turns one after another; the holder of the floor is whose turn ends last."""

    def __init__(self, config: SimulationConfig, rng: np.random.Generator) -> None:
        self._config, self._rng = config, rng
        self._habits = config.turn_taking
        self._clips = ClipChooser(rng)
        self._turns: list[PlannedTurn] = []
        self._limit = config.samples - round(config.tail * SAMPLE_RATE)

    def played(self, style: Style, people: list[_Person]) -> list[PlannedTurn]:
        """Return the turns of a whole meeting."""
        ratio = self._rng.uniform(*self._config.overlap) if style == "overlapped" else None
        lead = round(self._rng.uniform(*self._config.lead) * SAMPLE_RATE)
        holder: tuple[_Person, PlannedTurn] | None = None
        owed = 0
        while True:
            person, goes_on = self._next(people, holder, ratio, owed)
            wanted = owed or self._wanted(ratio)
            turn = self._floor_turn(person, holder, wanted, goes_on, ratio, lead)
            if turn is None:
                return self._turns
            owed = self._owed(turn, wanted)
            self._turns.append(turn)
            if ratio is None:
                self._embed(turn, people)
            if holder is None or turn.end >= holder[1].end:
                holder = (person, turn)

    def _wanted(self, ratio: float | None) -> int:
        if ratio is not None:
            return round(self._rng.uniform(2.5, 8.0) * SAMPLE_RATE)
        return max(SHORTEST_TURN, draw_samples(self._habits.floor, self._rng))

    def _owed(self, turn: PlannedTurn, wanted: int) -> int:
        """Return how much more the person says after a breath, where the recording's run was too short."""
        rest = wanted - (turn.end - turn.start)
        return rest if rest > 2 * SAMPLE_RATE else 0

    def _next(
        self,
        people: list[_Person],
        holder: tuple[_Person, PlannedTurn] | None,
        ratio: float | None,
        owed: int,
    ) -> tuple[_Person, bool]:
        others = [person for person in people if holder is None or person is not holder[0]]
        if holder is not None and not others:
            return holder[0], True
        if holder is not None and ratio is None and (owed or self._rng.random() < self._habits.same_speaker):
            return holder[0], True
        shares = np.array([person.share for person in others])
        return others[int(self._rng.choice(len(others), p=shares / shares.sum()))], False

    def _floor_turn(
        self,
        person: _Person,
        holder: tuple[_Person, PlannedTurn] | None,
        wanted: int,
        goes_on: bool,
        ratio: float | None,
        lead: int,
    ) -> PlannedTurn | None:
        earliest = lead if holder is None else self._earliest(person, holder[1])
        room = self._limit - earliest
        if room < SHORTEST_TURN:
            return None
        clip = self._clip(person, wanted, room)
        if clip is None:
            return None
        length = round(clip.samples / person.speed)
        offset = 0
        if holder is not None:
            offset = self._offset(goes_on, ratio, holder[1].end - holder[1].start, length)
        start = max(earliest, (holder[1].end if holder else lead) + offset)
        if start + length > self._limit:
            start = self._limit - length
        return _turn(person, clip, start) if start >= earliest else None

    def _clip(self, person: _Person, wanted: int, room: int) -> Clip | None:
        for _ in range(_TRIES):
            clip = self._clips.take(
                person.voice, round(wanted * person.speed), int((room - 2) * person.speed)
            )
            if clip is not None:
                return clip
            wanted //= 2
        return None

    def _offset(self, goes_on: bool, ratio: float | None, before: int, length: int) -> int:
        if ratio is not None:
            mean = ratio / (1.0 + ratio) * (before + length) / 2
            return -round(min(mean * self._rng.uniform(0.6, 1.4), min(before, length) - APART))
        return draw_samples(self._habits.pause if goes_on else self._habits.transfer, self._rng)

    def _earliest(self, person: _Person, holder: PlannedTurn) -> int:
        """Return when a turn that takes the floor from the holder may start at the earliest."""
        bounds = [holder.start + APART]
        for turn in self._turns:
            if turn is not holder:
                bounds.append(turn.end)
            if turn.speaker == person.voice.speaker:
                bounds.append(turn.end + REST)
        return max(bounds)

    def _embed(self, host: PlannedTurn, people: list[_Person]) -> None:
        others = [person for person in people if person.voice.speaker != host.speaker]
        length = host.end - host.start
        if not others:
            return
        for _ in range(int(self._rng.poisson(self._habits.embedded_rate * length / SAMPLE_RATE))):
            person = others[int(self._rng.integers(len(others)))]
            wanted = draw_samples(self._habits.embedded, self._rng)
            clip = self._clips.take(person.voice, round(wanted * person.speed), int(0.8 * length))
            if clip is None:
                continue
            start = host.start + round(draw(self._habits.place, self._rng) * length)
            turn = _turn(person, clip, start)
            if turn.end <= host.end and self._fits(turn):
                self._turns.append(turn)

    def _fits(self, turn: PlannedTurn) -> bool:
        beside = [other for other in self._turns if other.start < turn.end and turn.start < other.end]
        rested = all(
            turn.start - other.end >= REST or other.start - turn.end >= REST
            for other in self._turns
            if other.speaker == turn.speaker
        )
        return len(beside) == 1 and abs(beside[0].start - turn.start) >= APART and rested


def _turn(person: _Person, clip: Clip, start: int) -> PlannedTurn:
    end = start + round(clip.samples / person.speed)
    return PlannedTurn(person.voice.speaker, clip, start, end, person.speed, person.gain, person.room)


def overlapped_share(plan: MeetingPlan) -> float:
    """Return the time in which two talk, of the time in which anybody talks."""
    edges = sorted([(turn.start, 1) for turn in plan.turns] + [(turn.end, -1) for turn in plan.turns])
    talking, previous, speech, both = 0, 0, 0, 0
    for sample, change in edges:
        speech += (sample - previous) * (talking >= 1)
        both += (sample - previous) * (talking >= 2)
        talking, previous = talking + change, sample
    return both / speech if speech else 0.0


def with_samples(plan: MeetingPlan, samples: int) -> MeetingPlan:
    """Return the plan with another length."""
    return replace(plan, samples=samples)
