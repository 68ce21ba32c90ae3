"""The synthesisers' voices: which there are, and how each is made to speak.

Every voice is a program of Debian (`espeak-ng`, `flite`, `festival` with `festvox-kallpc16k`,
`festvox-kdlpc16k` and `festvox-us-slt-hts`, `rhvoice` with `rhvoice-english`, `libttspico-utils`), called as
a child process. Only voices whose licences put no condition on the use of what they speak are listed:
MBROLA's databases, RHVoice's voices for non-commercial use and voices that need the OALD lexicon are left
out.

Not covered: neural synthesisers, languages other than English, markup in the text.
"""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

SAMPLE_RATE = 16_000


@dataclass(frozen=True)
class Voice:
    """A voice of one synthesiser.

    `weight` is its share of the training speech before the shares are scaled to sum to one; a voice that is
    `held_out` speaks in evaluation only, and no voice in training is the same person's.
    """

    name: str
    family: str
    selector: str
    licence: str
    weight: float = 0.0
    held_out: bool = False


@dataclass(frozen=True)
class Delivery:
    """How a sentence is said: `rate` and `pitch` multiply the voice's own, where it can be told."""

    rate: float = 1.0
    pitch: float = 1.0


_FLITE = "CMU free licence (flite)"
_FESTIVAL = "CMU and CSTR free licences (festival)"
_RHVOICE = "LGPL-2.1-or-later (rhvoice-english)"
_PICO = "Apache-2.0 (svox pico)"
_ESPEAK = "GPL-3.0-or-later (espeak-ng; no claim on its output)"

_ESPEAK_TRAINING = (
    "en-us", "en-us+m3", "en-us+m7", "en-us+f2", "en-us+f4", "en-gb", "en-gb+f3", "en-gb-x-rp+m2",
    "en-gb-scotland+m5", "en-us-nyc+f5", "en-us+Michael", "en-029+m4",
)  # fmt: skip

VOICES: tuple[Voice, ...] = (
    Voice("flite-slt", "flite", "slt", _FLITE, 0.11),
    Voice("flite-awb", "flite", "awb", _FLITE, 0.13),
    Voice("flite-kal16", "flite", "kal16", _FLITE, 0.05),
    Voice("festival-slt-hts", "festival", "cmu_us_slt_arctic_hts", _FESTIVAL, 0.08),
    Voice("festival-kal", "festival", "kal_diphone", _FESTIVAL, 0.05),
    Voice("rhvoice-alan", "rhvoice", "alan", _RHVOICE, 0.13),
    Voice("rhvoice-bdl", "rhvoice", "bdl", _RHVOICE, 0.13),
    Voice("rhvoice-slt", "rhvoice", "slt", _RHVOICE, 0.05),
    Voice("pico-en-US", "pico", "en-US", _PICO, 0.13),
    *(Voice(f"espeak-{v}", "espeak", v, _ESPEAK, 0.2 / len(_ESPEAK_TRAINING)) for v in _ESPEAK_TRAINING),
    Voice("flite-rms", "flite", "rms", _FLITE, held_out=True),
    Voice("festival-ked", "festival", "ked_diphone", _FESTIVAL, held_out=True),
    Voice("rhvoice-clb", "rhvoice", "clb", _RHVOICE, held_out=True),
    Voice("pico-en-GB", "pico", "en-GB", _PICO, held_out=True),
    Voice("espeak-en-us+m1", "espeak", "en-us+m1", _ESPEAK, held_out=True),
)

_PROGRAMS = {
    "flite": "flite",
    "festival": "festival",
    "rhvoice": "RHVoice-test",
    "pico": "pico2wave",
    "espeak": "espeak-ng",
}


class SynthesisError(Exception):
    """A synthesiser is missing, or said nothing; the message names it."""


def missing_programs(voices: tuple[Voice, ...] = VOICES) -> list[str]:
    """Names the synthesiser programs that these voices need and this machine lacks."""
    needed = {_PROGRAMS[voice.family] for voice in voices}
    return sorted(program for program in needed if shutil.which(program) is None)


def voice_named(name: str) -> Voice:
    """Finds a voice by its name; raises `SynthesisError` when there is none of that name."""
    for voice in VOICES:
        if voice.name == name:
            return voice
    raise SynthesisError(f"No voice is called {name}; the voices are {', '.join(v.name for v in VOICES)}.")


def _festival_script(voice: Voice, text: str, delivery: Delivery, target: Path) -> str:
    quoted = text.replace("\\", " ").replace('"', " ")
    return (
        f"(voice_{voice.selector})\n(Parameter.set 'Duration_Stretch {1 / delivery.rate:.3f})\n"
        f'(utt.save.wave (utt.synth (Utterance Text "{quoted}")) "{target}" \'riff)\n'
    )


def command(voice: Voice, text: str, delivery: Delivery, target: Path) -> tuple[list[str], str | None]:
    """Builds the command line that makes a voice say a text into a WAV file, and what it reads on stdin."""
    program = _PROGRAMS[voice.family]
    rate, pitch = delivery.rate, delivery.pitch
    if voice.family == "flite":
        stretch = f"duration_stretch={1 / rate:.3f}"
        return [program, "-voice", voice.selector, "--setf", stretch, "-t", text, "-o", str(target)], None
    if voice.family == "festival":
        return [program, "--pipe"], _festival_script(voice, text, delivery, target)
    if voice.family == "rhvoice":
        options = ["-r", str(round(100 * rate)), "-t", str(round(100 * pitch))]
        return [program, "-p", voice.selector, *options, "-o", str(target)], text
    if voice.family == "pico":
        marked = (
            f"<speed level='{round(100 * rate)}'><pitch level='{round(100 * pitch)}'>{text}</pitch></speed>"
        )
        return [program, "-l", voice.selector, "-w", str(target), marked], None
    options = ["-s", str(round(165 * rate)), "-p", str(round(min(99, max(0, 50 * pitch))))]
    return [program, "-v", voice.selector, *options, "-w", str(target), text], None


def speak(voice: Voice, text: str, delivery: Delivery, folder: Path) -> np.ndarray:
    """Makes a voice say a text.

    Returns float32 samples at 16 kHz, mono. `folder` is where the synthesiser may write meanwhile.
    Raises `SynthesisError` when the synthesiser fails, takes over a minute, or gives less than 0.1 s.
    """
    target = folder / f"{voice.family}.wav"
    target.unlink(missing_ok=True)
    arguments, stdin = command(voice, text + ".", delivery, target)
    try:
        done = subprocess.run(arguments, input=stdin, capture_output=True, text=True, timeout=60, check=False)
    except FileNotFoundError:
        raise SynthesisError(f"{arguments[0]} is not installed; Debian has a package of it.") from None
    except subprocess.TimeoutExpired:
        raise SynthesisError(f"{voice.name} did not finish within a minute.") from None
    if done.returncode != 0 or not target.exists() or target.stat().st_size < 1000:
        raise SynthesisError(f"{voice.name} said nothing: {done.stderr.strip()[:200]}")
    samples, rate = soundfile.read(target, dtype="float32", always_2d=True)
    mono = samples.mean(axis=1)
    audio = mono if rate == SAMPLE_RATE else soxr.resample(mono, rate, SAMPLE_RATE)
    if len(audio) < SAMPLE_RATE // 10:
        raise SynthesisError(f"{voice.name} said less than 0.1 s.")
    return np.asarray(audio, dtype=np.float32)
