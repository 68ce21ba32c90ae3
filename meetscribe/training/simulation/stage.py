"""Places turns one after another, each where the turns before it allow it.

The holder of the floor is whose turn ends last. A turn that takes the floor starts after it or shortly before its
end; a turn wholly inside the holder's is embedded, as back-channels are.
Not covered: three and more at once, which two slots could not hold.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from meetscribe.timeline import SAMPLE_RATE
from meetscribe.training.simulation.config import SimulationConfig
from meetscribe.training.simulation.turntaking import draw, draw_samples
from meetscribe.training.simulation.voices import LONGEST_PAUSE, Clip, ClipChooser, Voice

APART = SAMPLE_RATE // 2  # between the starts of turns that overlap
REST = LONGEST_PAUSE + 160  # at least this long between two turns of one person
SHORTEST_TURN = SAMPLE_RATE // 10
WORTH_GOING_ON = 2 * SAMPLE_RATE  # missing of a turn's length for the person to go on after a breath
_LONGEST_BREATH = 1.8  # times REST
_CLIP_TRIES, _TURN_TRIES, _EMBED_TRIES = 4, 6, 4


@dataclass(frozen=True)
class Person:
    """Somebody in one meeting: tempo, loudness in dB, impulse response, and share of the floor."""

    voice: Voice
    speed: float
    gain: float
    room: int | None
    share: float


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


class Stage:
    """One meeting in the making."""

    def __init__(
        self,
        people: Sequence[Person],
        config: SimulationConfig,
        overlap: float | None,
        rng: np.random.Generator,
    ) -> None:
        """Take the people, and the overlapped share of the speech time where people talk over each other."""
        self._people, self._config, self._overlap, self._rng = people, config, overlap, rng
        self._habits = config.turn_taking
        self._clips = ClipChooser(rng, config.repeats)
        self._turns: list[PlannedTurn] = []
        self._lead = round(rng.uniform(*config.lead) * SAMPLE_RATE)
        self._limit = config.samples - round(config.tail * SAMPLE_RATE)
        self._holder: Person | None = None
        self._last: PlannedTurn | None = None  # of the holder
        self._owed = 0  # samples that the holder still wants to say

    def played(self) -> list[PlannedTurn]:
        """Return the turns of a whole meeting, by start."""
        failures = 0
        while failures < _TURN_TRIES:
            goes_on = self._goes_on()
            person = self._holder if goes_on and self._holder is not None else self._another()
            wanted = self._owed if goes_on and self._owed else self._wanted()
            turn = self._floor_turn(person, wanted, goes_on)
            self._owed = 0
            if turn is None:
                failures += 1
                continue
            failures = 0
            self._take_floor(person, turn, wanted)
        return sorted(self._turns, key=lambda turn: turn.start)

    def _goes_on(self) -> bool:
        if self._holder is None:
            return False
        if len(self._people) == 1:
            return True
        if self._overlap is not None:
            return False
        return self._owed > 0 or self._rng.random() < self._habits.same_speaker

    def _another(self) -> Person:
        others = [person for person in self._people if person is not self._holder]
        shares = np.array([person.share for person in others])
        return others[int(self._rng.choice(len(others), p=shares / shares.sum()))]

    def _wanted(self) -> int:
        if self._overlap is not None:
            return round(self._rng.uniform(*self._config.overlapped_turns) * SAMPLE_RATE)
        return max(SHORTEST_TURN, draw_samples(self._habits.floor, self._rng))

    def _take_floor(self, person: Person, turn: PlannedTurn, wanted: int) -> None:
        self._turns.append(turn)
        if self._overlap is None:
            self._embed(turn)
        if self._last is None or turn.end >= self._last.end:
            self._holder, self._last = person, turn
            missing = wanted - (turn.end - turn.start)
            self._owed = missing if missing > WORTH_GOING_ON else 0

    def _floor_turn(self, person: Person, wanted: int, goes_on: bool) -> PlannedTurn | None:
        earliest = self._earliest(person)
        clip = self._clip(person, wanted, self._limit - earliest)
        if clip is None:
            return None
        length = round(clip.samples / person.speed)
        start = self._lead
        if self._last is not None:
            start = self._last.end + self._offset(length, goes_on)
        start = min(max(earliest, start), self._limit - length)
        return _turn(person, clip, start) if start >= earliest else None

    def _clip(self, person: Person, wanted: int, room: int) -> Clip | None:
        if room < SHORTEST_TURN:
            return None
        for _ in range(_CLIP_TRIES):
            clip = self._clips.take(
                person.voice, round(wanted * person.speed), int((room - 2) * person.speed)
            )
            if clip is not None:
                return clip
            wanted //= 2
        return None

    def _offset(self, length: int, goes_on: bool) -> int:
        """Return the samples between the end of the holder's turn and the start of one of `length` samples."""
        if self._overlap is not None and self._last is not None and not goes_on:
            before = self._last.end - self._last.start
            mean = self._overlap / (1.0 + self._overlap) * (before + length) / 2
            return -round(min(mean * self._rng.uniform(0.6, 1.4), min(before, length) - APART))
        if goes_on and self._owed:
            return round(self._rng.uniform(1.0, _LONGEST_BREATH) * REST)
        return draw_samples(self._habits.pause if goes_on else self._habits.transfer, self._rng)

    def _earliest(self, person: Person) -> int:
        """Return when a turn that takes the floor may start at the earliest."""
        bounds = [self._lead] if self._last is None else [self._last.start + APART]
        for turn in self._turns:
            if turn is not self._last:
                bounds.append(turn.end)
            if turn.speaker == person.voice.speaker:
                bounds.append(turn.end + REST)
        return max(bounds)

    def _embed(self, host: PlannedTurn) -> None:
        others = [person for person in self._people if person.voice.speaker != host.speaker]
        length = host.end - host.start
        if not others:
            return
        for _ in range(int(self._rng.poisson(self._habits.embedded_rate * length / SAMPLE_RATE))):
            person = others[int(self._rng.integers(len(others)))]
            wanted = draw_samples(self._habits.embedded, self._rng)
            clip = self._clips.take(person.voice, round(wanted * person.speed), int(0.8 * length))
            if clip is not None:
                self._embed_clip(person, clip, host)

    def _embed_clip(self, person: Person, clip: Clip, host: PlannedTurn) -> None:
        for _ in range(_EMBED_TRIES):
            place = draw(self._habits.place, self._rng)
            turn = _turn(person, clip, host.start + round(place * (host.end - host.start)))
            if turn.end <= host.end and self._fits(turn):
                self._turns.append(turn)
                return

    def _fits(self, turn: PlannedTurn) -> bool:
        """Say whether a turn overlaps one other only, not at its start, and rests from the person's own turns."""
        beside = [other for other in self._turns if other.start < turn.end and turn.start < other.end]
        rested = all(
            turn.start - other.end >= REST or other.start - turn.end >= REST
            for other in self._turns
            if other.speaker == turn.speaker
        )
        return len(beside) == 1 and abs(beside[0].start - turn.start) >= APART and rested


def _turn(person: Person, clip: Clip, start: int) -> PlannedTurn:
    end = start + round(clip.samples / person.speed)
    return PlannedTurn(person.voice.speaker, clip, start, end, person.speed, person.gain, person.room)
