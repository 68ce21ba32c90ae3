"""Takes out of a microphone what the loudspeaker plays into it. Pure: sound in, sound out, state explicit.

An adaptive filter in the frequency domain predicts the echo from what is played, as a Kalman filter that knows how
unsure it is of each tap (Enzner and Vary 2006; partitioned: Kuech, Mabande, Enzner, ICASSP 2014). What it leaves is
damped where echo outweighs speech: how much is left follows from how both fluctuate together (Valin, IEEE TASLP 15(3),
2007), the damping from Ephraim and Malah's decision-directed estimate (1984).
Not covered: how late the echo comes (`echo_delay.py`), and loudspeakers that distort badly.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

FRAME = 256  # samples at a time, 16 ms
BANDS = FRAME + 1

Samples = NDArray[np.float32]
Spectrum = NDArray[np.complex64]
Power = NDArray[np.float32]

_TINY = np.float32(1e-9)


@dataclass(frozen=True)
class EchoSettings:
    """How echo is removed."""

    partitions: int = 16  # frames of the filter: how long a room's echo lasts, 256 ms
    transition: float = 0.9995  # how much of a room's response stays the same from frame to frame
    unsure: float = 1.0  # variance of the filter's taps before anything was heard
    near: float = 0.5  # how fast the estimate of what is no echo follows
    follow: float = 0.1  # how fast mean powers follow, for the leak
    leak_rate: float = 0.05  # how fast the leak follows when the echo is loud
    least_leak: float = 0.01
    tail: float = 0.7  # of a frame's residual echo that may still be there in the next one
    over: float = 3.0  # residual echo is taken for so much stronger
    memory: float = 0.9  # of the decision-directed estimate
    floor: float = 0.03  # least gain
    damped: bool = True  # whether what the filter leaves is damped


@dataclass(frozen=True, eq=False)
class EchoState:
    """What a canceller knows; every frame makes a new one."""

    played: Spectrum  # (P, F) spectra of what was played, newest first
    last: Samples  # (FRAME,) what was played in the last frame
    taps: Spectrum  # (P, F)
    doubt: Power  # (P, F) variance of the taps
    near: Power  # (F,) power of what is no echo
    error: Samples  # (FRAME,) last frame without echo
    echo: Samples  # (FRAME,) last frame's echo
    means: Power = field(default_factory=lambda: np.zeros((2, BANDS), np.float32))  # of error, of echo
    leak: tuple[float, float] = (1.0, 1.0)  # covariance of error and echo, variance of echo
    residual: Power = field(default_factory=lambda: np.zeros(BANDS, np.float32))
    speech: Power = field(
        default_factory=lambda: np.zeros(BANDS, np.float32)
    )  # last frame's, as it was given
    overlap: Samples = field(default_factory=lambda: np.zeros(FRAME, np.float32))

    @classmethod
    def new(cls, settings: EchoSettings) -> "EchoState":
        """Return the state before any sound."""
        shape, silence = (settings.partitions, BANDS), np.zeros(FRAME, np.float32)
        nothing = np.zeros(shape, np.complex64)
        doubt = np.full(shape, settings.unsure, np.float32)
        return cls(nothing, silence, nothing, doubt, np.zeros(BANDS, np.float32), silence, silence)

    def forget(self, settings: EchoSettings) -> "EchoState":
        """Return a state that has heard the same sound but knows nothing of the room."""
        new = EchoState.new(settings)
        return replace(new, error=self.error, overlap=self.overlap)


def remove_echo(
    heard: Samples, played: Samples, state: EchoState, settings: EchoSettings
) -> tuple[Samples, EchoState]:
    """Take the echo out of one frame.

    Args:
        heard: what the microphone heard (FRAME,).
        played: what the loudspeaker played (FRAME,), at most as much earlier as the filter is long.
        state: what is known.
        settings: how it is done.

    Returns:
        The *previous* frame without its echo (FRAME,), and what is known now.
    """
    spectrum = np.fft.rfft(np.concatenate([state.last, played])).astype(np.complex64)
    spectra = np.concatenate([spectrum[None], state.played[:-1]])
    echo = np.fft.irfft((spectra * state.taps).sum(0))[FRAME:].astype(np.float32)
    error = heard - echo
    taps, doubt, near = _learn(spectra, error, state, settings)
    learnt = replace(state, played=spectra, last=played, taps=taps, doubt=doubt, near=near)
    return _damp(error, echo, learnt, settings)


def _learn(
    spectra: Spectrum, error: Samples, state: EchoState, settings: EchoSettings
) -> tuple[Spectrum, Power, Power]:
    """Return better taps, how unsure they are, and the power of what is no echo."""
    wrong = np.fft.rfft(np.concatenate([np.zeros(FRAME, np.float32), error])).astype(np.complex64)
    near = ((1 - settings.near) * state.near + settings.near * _power(wrong)).astype(np.float32)
    power = _power(spectra)
    expected = (power * state.doubt).sum(0) + 2 * near / settings.partitions + _TINY
    gain = state.doubt / expected
    step = np.fft.irfft(gain * spectra.conj() * wrong, axis=1)
    step[:, FRAME:] = 0  # a filter of FRAME taps each
    stay = settings.transition
    taps = stay * (state.taps + np.fft.rfft(step, axis=1))
    doubt = stay**2 * (1 - 0.5 * gain * power) * state.doubt + (1 - stay**2) * _power(taps)
    return taps.astype(np.complex64), doubt.astype(np.float32), near


_WINDOW = np.sqrt(np.hanning(2 * FRAME + 1)[:-1]).astype(np.float32)


def _damp(
    error: Samples, echo: Samples, state: EchoState, settings: EchoSettings
) -> tuple[Samples, EchoState]:
    """Return the previous frame with what is left of its echo damped, and what is known now."""
    if not settings.damped:
        return state.error, replace(state, error=error, echo=echo)
    both = np.fft.rfft(_WINDOW * np.concatenate([state.error, error]))
    power = _power(both)
    echoed = _power(np.fft.rfft(_WINDOW * np.concatenate([state.echo, echo])))
    means, leak = _leak(power, echoed, state, settings)
    part = min(1.0, max(settings.least_leak, leak[0] / max(leak[1], 1e-20)))
    residual = np.maximum(settings.tail * state.residual, settings.over * part * echoed)
    known = state.speech / (residual + _TINY)
    ratio = settings.memory * known + (1 - settings.memory) * np.maximum(power / (residual + _TINY) - 1, 0)
    gain = np.maximum(ratio / (1 + ratio), settings.floor)
    clean = _WINDOW * np.fft.irfft(gain * both)
    given = (state.overlap + clean[:FRAME]).astype(np.float32)
    return given, replace(
        state,
        error=error,
        echo=echo,
        means=means,
        leak=leak,
        residual=residual.astype(np.float32),
        speech=(gain**2 * power).astype(np.float32),
        overlap=clean[FRAME:].astype(np.float32),
    )


def _leak(
    power: Power, echoed: Power, state: EchoState, settings: EchoSettings
) -> tuple[Power, tuple[float, float]]:
    """Return mean powers, and the two numbers whose ratio says how much of the echo is left."""
    now = np.stack([power, echoed])
    away = now - state.means
    means = (state.means + settings.follow * away).astype(np.float32)
    total, loud = float(power.sum()), float(echoed.sum())
    rate = settings.leak_rate * min(1.0, loud / (total + 1e-12))
    norm = float(np.sqrt((away[1] ** 2).sum())) + 1e-12
    together = max(0.0, float((away[0] * away[1]).sum()) / norm)
    leak = ((1 - rate) * state.leak[0] + rate * together, (1 - rate) * state.leak[1] + rate * norm)
    return means, leak


def _power(spectrum: NDArray[np.complexfloating]) -> Power:
    return (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
