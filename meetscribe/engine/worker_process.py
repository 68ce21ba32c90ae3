"""The worker process: loads a model once, then transcribes the streams that its parent sends audio of.

It ends when its parent is gone. Signals that are meant for the whole program (the terminal's interrupt, a service's
end) are its parent's business. Nothing that it prints is seen: what goes wrong is told as a message.
"""

import contextlib
import os
import signal
import socket
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from meetscribe.engine.framing import Audio, Drop, Failed, Finish, Inbox, Open, Ready, packed
from meetscribe.engine.in_process import NewTranscriber, StepEngine
from meetscribe.engine.streams import Streams
from meetscribe.errors import MeetscribeError
from meetscribe.timeline import SAMPLE_RATE

OUT_OF_MEMORY = 70
"""Exit code of a worker that had no memory left."""


class LoadedModel(Protocol):
    """What a worker needs of a model."""

    @property
    def engine(self) -> StepEngine:
        """Return who runs the network."""
        ...

    @property
    def new_transcriber(self) -> NewTranscriber:
        """Return what makes a transcriber."""
        ...


Load = Callable[[Path], LoadedModel]


def serve(link: socket.socket, load: Load, model: Path) -> None:
    """Load a model and transcribe until the parent is gone."""
    _stand_apart()
    try:
        loaded = load(model)
        streams = Streams(loaded.engine, loaded.new_transcriber)
        _warm_up(loaded)
        link.sendall(packed(Ready()))
        _work(Inbox(link), link, streams)
    except (EOFError, ConnectionError):
        return
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except Exception as error:
        lasting = isinstance(error, MeetscribeError)
        sentence = str(error) if lasting else _where(error)
        with contextlib.suppress(OSError):
            link.sendall(packed(Failed(sentence, lasting)))


def _work(inbox: Inbox, link: socket.socket, streams: Streams) -> None:
    while True:
        for message in inbox.take(wait=not streams.has_work):
            _receive(message, streams)
        for report in streams.advance():
            link.sendall(packed(report))


def _receive(message: Any, streams: Streams) -> None:
    match message:
        case Open(stream=stream, start=start, wording=wording):
            streams.open(stream, start, wording)
        case Audio(stream=stream, samples=samples):
            streams.feed(stream, samples)
        case Finish(stream=stream):
            streams.finish(stream)
        case Drop(stream=stream):
            streams.drop(stream)


def _stand_apart() -> None:
    """Leave signals to the parent, print nothing, and be the first to go when the machine has no memory left."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for printed in (1, 2):
        os.dup2(nowhere, printed)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")


def _warm_up(loaded: LoadedModel) -> None:
    """Transcribe a second of noise, so that what is made at first use does not make a meeting wait."""
    streams = Streams(loaded.engine, loaded.new_transcriber)
    streams.open(0, 0)
    noise = np.random.default_rng(0).standard_normal(SAMPLE_RATE).astype(np.float32)
    streams.feed(0, 0.1 * noise)
    streams.finish(0)
    while streams.has_work:
        streams.advance()


def _where(error: Exception) -> str:
    """Return an error and where it was raised; it never holds what was said."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(frame.filename).name}:{frame.lineno}"
