"""Models that misbehave in a worker: they die, hang or fail at a word of command, which is a loudness."""

import os
import signal
import time
from pathlib import Path

import numpy as np
from fakes import LoudnessEngine, LoudnessTranscriber, load_loudness

from meetscribe.apps.recogniser import Recogniser

DEADLY = 0.9  # samples as loud as this are the word of command


class _Deadly(LoudnessEngine):
    def __init__(self, act):
        super().__init__()
        self.act = act

    def run(self, requests):
        if any(np.abs(request).max() > DEADLY for request in requests):
            self.act()
        return super().run(requests)


def _once(directory: Path, act):
    """A model that acts the first time that it hears the word of command, however often it is loaded."""

    def first_time():
        mark = directory / "acted"
        if not mark.exists():
            mark.touch()
            act()

    return Recogniser(directory.name, _Deadly(first_time), LoudnessTranscriber)


def _raise(error):
    raise error


def load_killed(directory: Path):
    return _once(directory, lambda: os.kill(os.getpid(), signal.SIGKILL))


def load_without_memory(directory: Path):
    return _once(directory, lambda: _raise(MemoryError()))


def load_hanging(directory: Path):
    return _once(directory, lambda: time.sleep(600))


def load_faulty(directory: Path):
    return _once(directory, lambda: _raise(ValueError("a secret word")))


def load_dying(directory: Path):
    os._exit(3)


__all__ = ["load_loudness"]
