"""The recogniser that a session needs, loaded from a model's directory; torch is imported by `load_recogniser`."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from meetscribe.engine.in_process import InProcessRecognition
from meetscribe.errors import MissingError
from meetscribe.lm.wording import USUAL, Wording
from meetscribe.session.ports import Engine, Transcriber
from meetscribe.session.speakers import SpeakerSettings

if TYPE_CHECKING:
    from meetscribe.checkpoint import Model
    from meetscribe.streaming.splitting import Splitting


@dataclass(frozen=True)
class Recogniser:
    """A loaded model: one engine for all meetings, and a transcriber for each.

    `single` is the same for audio in which one person talks at a time, and `recorded` for recordings whose speakers are
    decided anew at their end, where those are others.
    """

    name: str
    engine: Engine
    new_transcriber: Callable[..., Transcriber]
    single: "Recogniser | None" = None
    recorded: "Recogniser | None" = None
    speakers: SpeakerSettings = field(default_factory=SpeakerSettings)

    def worded(self, wording: Wording) -> "Recogniser":
        """Return the same recogniser for meetings whose text is to be like this."""
        if wording == USUAL:
            return self
        return replace(
            self,
            new_transcriber=partial(self.new_transcriber, wording=wording),
            single=None if self.single is None else self.single.worded(wording),
            recorded=None if self.recorded is None else self.recorded.worded(wording),
        )

    def knowing(self, speakers: SpeakerSettings) -> "Recogniser":
        """Return the same recogniser for meetings in which people are told apart and remembered like this."""
        return replace(
            self,
            single=None if self.single is None else self.single.knowing(speakers),
            recorded=None if self.recorded is None else self.recorded.knowing(speakers),
            speakers=speakers,
        )

    def recognition(self) -> InProcessRecognition:
        """Return who transcribes streams in this process."""
        return InProcessRecognition(self.engine, self.new_transcriber)

    def alone(self) -> "Recogniser":
        """Return the recogniser for channels in which one person talks: nothing is separated there."""
        return self.single or self

    def patient(self) -> "Recogniser":
        """Return the recogniser for recordings whose speakers are decided anew at their end."""
        return self.recorded or self


Loader = Callable[[Path], Recogniser]


@dataclass(frozen=True)
class WordedLoader:
    """Loads a recogniser whose text and speakers are to be like this; it can be sent to another process."""

    load: Loader
    wording: Wording
    speakers: SpeakerSettings = field(default_factory=SpeakerSettings)

    def __call__(self, directory: Path) -> Recogniser:
        """Load the model of a directory."""
        return self.load(directory).worded(self.wording).knowing(self.speakers)


def load_recogniser(directory: Path) -> Recogniser:
    """Load the model of a directory.

    The network runs in one thread: its steps are small, and two threads become many times slower as soon as another
    program needs one of their cores.

    Raises:
        CheckpointError: its files are damaged or foreign.
        MissingError: what is compiled for it can be kept nowhere.
    """
    return _with_others(_model(directory))


def load_thorough(directory: Path) -> Recogniser:
    """Load the model of a directory so that its final pass hears whole turns and weighs more words.

    Raises:
        CheckpointError: its files are damaged or foreign.
    """
    return _with_others(_model(directory).thorough())


def load_bypassed(directory: Path) -> Recogniser:
    """Load the model of a directory without its separator: what the recogniser makes of the mixture.

    Raises:
        CheckpointError: its files are damaged or foreign.
    """
    return _recogniser(_model(directory).bypassed())


def _model(directory: Path) -> "Model":
    from meetscribe.engine.threads import use_one_thread

    try:
        from meetscribe.checkpoint import load_model
    except RuntimeError as error:
        if "no locator" not in str(error):  # numba says so where a compiled function cannot be kept
            raise
        raise MissingError(
            "compiled code can be kept neither beside the program nor in the home folder; set NUMBA_CACHE_DIR to a "
            "folder that only you can write to"
        ) from error
    use_one_thread()
    return load_model(directory)


def _with_others(model: "Model") -> Recogniser:
    """Return the recogniser of a model, with those for single talkers and for recordings."""
    usual = _recogniser(model)
    recorded = replace(usual, new_transcriber=partial(usual.new_transcriber, split="often"))
    return replace(usual, single=_recogniser(model.bypassed(), split="never"), recorded=recorded)


def _recogniser(model: "Model", split: "Splitting" = "seldom") -> Recogniser:
    from meetscribe.engine.batches import InProcessEngine

    embedder = None if model.embedder is None else model.embedder.network
    engine = InProcessEngine(model.network, embedder)
    return Recogniser(model.name, engine, partial(model.new_transcriber, voices=True, split=split))
