"""A recogniser that needs no model: every loud second of audio is one turn, whose word is its number."""

import asyncio
import os
import signal
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from meetscribe import events as ev
from meetscribe.apps.recogniser import Recogniser
from meetscribe.engine.in_process import InProcessStream
from meetscribe.errors import CheckpointError, EngineLost
from meetscribe.lm.wording import USUAL
from meetscribe.session.ports import Block, SourceState
from meetscribe.timeline import SAMPLE_RATE


class LoudnessEngine:
    """Runs steps: the level of a second of audio."""

    def __init__(self):
        self.batches = []

    def run(self, requests):
        self.batches.append(len(requests))
        return [float(np.sqrt(np.mean(np.square(request)))) for request in requests]


class LoudnessTranscriber:
    """Asks for a step per second, and emits a final for every loud one; a hot word stands before its number."""

    def __init__(self, wording=USUAL):
        self.hot = "".join(f"{word} " for word in wording.hotwords)
        self.buffer = np.zeros(0, np.float32)
        self.ended, self.second, self.pending = False, 0, []

    def receive_audio(self, samples):
        assert not self.ended
        assert samples.dtype == np.float32
        assert samples.ndim == 1
        self.buffer = np.concatenate([self.buffer, samples])

    def receive_eof(self):
        self.ended = True

    def requests(self):
        whole = len(self.buffer) // SAMPLE_RATE * SAMPLE_RATE
        if self.ended and len(self.buffer) > whole:
            whole = len(self.buffer)
        ready, self.buffer = self.buffer[:whole], self.buffer[whole:]
        return [ready[at : at + SAMPLE_RATE] for at in range(0, len(ready), SAMPLE_RATE)]

    def receive_result(self, result):
        self.second += 1
        if result > 0.01:
            number, end = f"{self.hot}{self.second}", self.second * SAMPLE_RATE
            word = ev.Word(number, end - SAMPLE_RATE, end)
            turn = ev.Turn(
                id=f"t{self.second}", slot=0, start=word.start, end=end, text=number, words=(word,)
            )
            self.pending += [ev.Partial(at=end, turn=turn, revision=1, stable=0), ev.Final(at=end, turn=turn)]

    def events(self):
        ready, self.pending = self.pending, []
        return ready


class ListSource:
    """Gives the blocks of a list, then raises an error where one is given."""

    name, length = "list", None

    def __init__(self, blocks, error=None):
        self.given, self.error = [Block(position, samples) for position, samples in blocks], error
        self.channels = self.given[0].samples.shape[1] if self.given else 1

    async def blocks(self):
        for block in self.given:
            yield block
        if self.error is not None:
            raise self.error


class ListSink:
    """Keeps every event."""

    def __init__(self):
        self.events, self.closed = [], False

    async def emit(self, event):
        assert not self.closed
        self.events.append(event)

    async def close(self):
        self.closed = True


def speech(pattern, channels=1):
    """Audio with a loud second for every capital letter: float32 [samples, channels]."""
    level = np.repeat([0.5 if letter.isupper() else 0.0 for letter in pattern], SAMPLE_RATE)
    tone = np.sin(2 * np.pi * 300 * np.arange(len(level)) / SAMPLE_RATE)
    return np.repeat((level * tone)[:, None], channels, axis=1).astype(np.float32)


def load_loudness(directory):
    """Load the recogniser that needs no model; a directory whose name holds `bad` is damaged."""
    if "bad" in directory.name:
        raise CheckpointError(f"{directory}: it is damaged; install the model again")
    return Recogniser(directory.name, LoudnessEngine(), LoudnessTranscriber)


class PushSource:
    """A live source: gives what a test pushes, until it is told to end."""

    name, length = "push", None

    def __init__(self, channels=1):
        self.channels, self.position = channels, 0
        self._given = asyncio.Queue()

    def push(self, *given):
        """Give audio (which follows what came before), blocks or states."""
        for what in given:
            one = Block(self.position, what) if isinstance(what, np.ndarray) else what
            if isinstance(one, Block):
                self.position = one.position + len(one.samples)
            self._given.put_nowait(one)

    def end(self, error=None):
        """End, with an error if one is given."""
        self._given.put_nowait(error)

    async def blocks(self):
        while isinstance(one := await self._given.get(), (Block, SourceState)):
            yield one
        if one is not None:
            raise one


class FlakyRecognition:
    """Transcribes in this process, and is lost when a test says so."""

    def __init__(self):
        self.opened, self.streams, self.failures = [], [], 0

    async def open(self, start=0, label=""):
        if self.failures:
            self.failures -= 1
            raise EngineLost("the engine would not start")
        self.opened.append((start, label))
        stream = _FlakyStream(start)
        self.streams.append(stream)
        return stream

    async def close(self):
        pass

    def lose(self):
        """Lose the engine: every stream hears of it."""
        for stream in self.streams:
            stream.lose()
        self.streams = []


class _FlakyStream(InProcessStream):
    def __init__(self, start):
        super().__init__(
            LoudnessEngine(), LoudnessTranscriber(), start, asyncio.Lock(), ThreadPoolExecutor(1)
        )
        self.lost = False

    def lose(self):
        self.lost = True
        self._events.put_nowait("lost")  # type: ignore[arg-type]

    async def feed(self, samples):
        if self.lost:
            raise EngineLost("the engine was killed")
        await super().feed(samples)

    async def events(self):
        async for event in super().events():
            if event == "lost":
                raise EngineLost("the engine was killed")
            yield event


class DeadlyTranscriber(LoudnessTranscriber):
    """Ends its process at a second that is nearly full scale."""

    def receive_audio(self, samples):
        if np.max(np.abs(samples), initial=0.0) > 0.9:
            os.kill(os.getpid(), signal.SIGKILL)
        super().receive_audio(samples)


def load_deadly(directory):
    """Load a recogniser that does not survive loud recordings."""
    return Recogniser(directory.name, LoudnessEngine(), DeadlyTranscriber)


class BurstTranscriber:
    """Every burst of a tone is a turn, whose word is its pitch, from wherever one begins to listen."""

    QUIET = 3  # steps of 0.1 s that end a turn

    def __init__(self):
        self.buffer, self.ended, self.heard = np.zeros(0, np.float32), False, 0
        self.burst, self.began, self.quiet, self.count, self.pending = [], 0, 0, 0, []

    def receive_audio(self, samples):
        self.buffer = np.concatenate([self.buffer, samples])

    def receive_eof(self):
        self.ended = True

    def requests(self):
        step = SAMPLE_RATE // 10
        whole = len(self.buffer) if self.ended else len(self.buffer) // step * step
        ready, self.buffer = self.buffer[:whole], self.buffer[whole:]
        self.asked = [ready[at : at + step] for at in range(0, whole, step)]
        if self.ended and self.burst and not self.asked:
            self.close()
        return list(self.asked)

    def receive_result(self, result):
        samples = self.asked.pop(0)
        loud = result > 0.01
        if loud and not self.burst:
            self.count += 1
            self.began = self.heard
            self.pending.append(ev.TurnStart(turn=f"t{self.count}", slot=0, start=self.began, at=self.began))
        if loud:
            self.burst.append(samples)
        self.heard += len(samples)
        self.quiet = 0 if loud else self.quiet + 1
        if self.burst and (self.quiet >= self.QUIET or (self.ended and not self.asked)):
            self.close()

    def close(self):
        audio = np.concatenate(self.burst)
        spectrum = np.abs(np.fft.rfft(audio, SAMPLE_RATE))
        word, start, end = str(int(spectrum.argmax())), self.began, self.began + len(audio)
        turn = ev.Turn(
            id=f"t{self.count}", slot=0, start=start, end=end, text=word, words=(ev.Word(word, start, end),)
        )
        self.pending.append(ev.TurnEnd(turn=turn.id, slot=0, end=end, at=self.heard))
        self.pending.append(ev.Final(turn=turn, at=self.heard))
        self.burst = []

    def events(self):
        ready, self.pending = self.pending, []
        return ready


def bursts(words, rng):
    """Audio that says words: a tone for each, of random length, with random pauses between."""
    parts = []
    for word in words:
        length = int(rng.integers(4_000, 10_000))
        tone = 0.5 * np.sin(2 * np.pi * int(word) * np.arange(length) / SAMPLE_RATE)
        parts += [tone, np.zeros(int(rng.integers(8_000, 14_000)))]
    return np.concatenate(parts).astype(np.float32)


def load_bursts(directory):
    """Load the recogniser that hears the pitch of bursts."""
    return Recogniser(directory.name, LoudnessEngine(), BurstTranscriber)
