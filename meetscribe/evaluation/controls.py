"""A model beside its controls: the same with one thing left out, and a recogniser that is not ours.

A figure of two people at once means little alone. Without its separator a model is a recogniser that hears the mixture;
without its language model it shows what the network itself hears; pocketsphinx is what one could have had before; with
perfect separation in place of its separator it shows how much of what is wrong is the separator's.
Not covered: running them (`run.py`, `rounds.py`).
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meetscribe.errors import MissingError
from meetscribe.evaluation.material import Item, load_audio, read_set
from meetscribe.evaluation.run import Run
from meetscribe.events import Final, Turn, Word
from meetscribe.lm.wording import RAW
from meetscribe.session.ports import Engine, Transcriber
from meetscribe.timeline import SAMPLE_RATE

WHOLE, BYPASSED, NO_LANGUAGE, POCKETSPHINX = "model", "bypassed", "no-language", "pocketsphinx"
CONTROLS = (WHOLE, BYPASSED, NO_LANGUAGE, POCKETSPHINX)
ORACLE = "oracle"
"""Perfect separation (`oracle.py`), where it is asked for: of simulated recordings only."""

WORD_ALONE = -6.0
"""Added for each word where there is no language model: of 0, -3, -5, -7 and -9 those in the middle serve best."""

_FRAME = SAMPLE_RATE // 100


@dataclass(frozen=True)
class Loaded:
    """A model that runs: a `run.Pipeline`."""

    engine: Engine
    new_transcriber: Callable[[], Transcriber]


def load(directory: Path, control: str) -> Loaded:
    """Load a model as a control, to run in one thread.

    Without a language model words are weighed by the network and the lexicon alone; what a word costs is then weighed
    anew (`WORD_ALONE`), since a control that is tuned badly would flatter the model.

    Raises:
        CheckpointError: the model's files are damaged or foreign.
    """
    from meetscribe.checkpoint import load_model  # noqa: PLC0415  late: processes that hear nothing do without torch
    from meetscribe.engine.batches import InProcessEngine  # noqa: PLC0415  late, as above
    from meetscribe.engine.threads import use_one_thread  # noqa: PLC0415  late, as above

    use_one_thread()
    model = load_model(directory)
    if control == BYPASSED:
        model = model.bypassed()
    elif control == NO_LANGUAGE:
        passes = {
            name: dataclasses.replace(getattr(model.settings, name), lm_weight=0.0, word_score=WORD_ALONE)
            for name in ("first_pass", "final_pass")
        }
        model = dataclasses.replace(model, settings=dataclasses.replace(model.settings, **passes))
    elif control != WHOLE:
        raise ValueError(f"{control!r} is no control of a model")
    embedder = None if model.embedder is None else model.embedder.network
    return Loaded(
        InProcessEngine(model.network, embedder), partial(model.new_transcriber, wording=RAW, voices=True)
    )


def load_oracle(directory: Path) -> Callable[[Path], Loaded]:
    """Load a model to run with perfect separation; returns what makes a pipeline for one recording of a set.

    Raises:
        CheckpointError: the model's files are damaged or foreign.
    """
    from meetscribe.checkpoint import load_model  # noqa: PLC0415  late, as above
    from meetscribe.engine.threads import use_one_thread  # noqa: PLC0415  late, as above
    from meetscribe.evaluation.oracle import SLOTS, OracleEngine, read_sources  # noqa: PLC0415  late, as above

    use_one_thread()
    model = load_model(directory)

    def pipeline(recording: Path) -> Loaded:
        turns = [
            turn for item in _set_of(recording.parent) if item.audio == recording for turn in item.reference
        ]
        engine = OracleEngine(model.network, load_audio(recording), read_sources(recording), turns)
        return Loaded(engine, partial(model.new_transcriber, SLOTS, RAW))

    return pipeline


@cache
def _set_of(folder: Path) -> list[Item]:
    return read_set(folder)


class Pocketsphinx:
    """Pocketsphinx 5 with the model, dictionary and language model inside its wheel, and its own defaults."""

    def __init__(self) -> None:
        """Load it.

        Raises:
            MissingError: it is not installed.
        """
        try:
            from pocketsphinx import Decoder  # noqa: PLC0415  late: it is of the extra `train`
        except ImportError:
            raise MissingError(
                "pocketsphinx is not installed, which the control needs: pip install 'meetscribe[train]'"
            ) from None
        self._decoder: Any = Decoder(samprate=SAMPLE_RATE, loglevel="FATAL")

    def words(self, audio: NDArray[np.float32]) -> tuple[Word, ...]:
        """Return the words of a recording, float32 [samples] at 16 kHz, which is one utterance to it."""
        self._decoder.start_utt()
        self._decoder.process_raw((np.clip(audio, -1, 1) * 32767).astype("<i2").tobytes(), full_utt=True)
        self._decoder.end_utt()
        if self._decoder.hyp() is None:
            return ()
        return tuple(
            Word(part.word.split("(")[0], part.start_frame * _FRAME, (part.end_frame + 1) * _FRAME)
            for part in self._decoder.seg()
            if part.word[0] not in "<[+"
        )

    def run(self, audio: NDArray[np.float32], clock: Callable[[], float]) -> Run:
        """Return its words as a run: one turn in slot 0."""
        began = clock()
        words = self.words(audio)
        spent = clock() - began
        turn = Turn("t1", 0, 0, len(audio), " ".join(word.word for word in words), words)
        events = (Final(turn=turn, at=len(audio)),) if words else ()
        return Run(events, len(audio) / SAMPLE_RATE, spent, spent)
