"""A client's audio as blocks at 16 kHz: PCM at any rate or Opus packets, every sample accounted for. Pure.

Positions outside count samples per channel at the client's rate, from the first one of its stream; those of the blocks
count at 16 kHz from the same moment. What was sent twice is dropped, what is missing is a jump in position.
Not covered: sockets and messages (`apps/serve/`), several clients in one meeting (`lanes.py`).
"""

from dataclasses import dataclass
from typing import Protocol

import av
import av.error
import numpy as np
from numpy.typing import NDArray

from meetscribe.errors import InputError
from meetscribe.session.ports import Block
from meetscribe.sources.resampling import Resampler
from meetscribe.timeline import SAMPLE_RATE

OPUS_RATE = 48_000
LONGEST_PACKET = OPUS_RATE * 120 // 1000  # samples in an Opus packet (RFC 6716, section 3.2.5)
LONGEST_FRAME = 10  # seconds of PCM in one message


class ClientAudioError(InputError):
    """A frame that cannot be audio of the kind that the client declared."""


class Decoder(Protocol):
    """Bytes of one message to samples."""

    def decode(self, audio: bytes) -> NDArray[np.float32]:
        """Return float32 [samples, channels] at the client's rate.

        Raises:
            ClientAudioError: it is no such audio.
        """
        ...

    def restart(self) -> None:
        """Take notice that what comes next does not follow what came before."""
        ...


@dataclass(frozen=True)
class PcmDecoder:
    """16-bit little-endian samples, channels interleaved."""

    rate: int
    channels: int

    def decode(self, audio: bytes) -> NDArray[np.float32]:
        """Return the samples; a message is a whole number of them."""
        size = 2 * self.channels
        if len(audio) % size:
            raise ClientAudioError(f"{len(audio)} bytes are no whole number of samples of {size} bytes")
        if len(audio) > LONGEST_FRAME * self.rate * size:
            raise ClientAudioError(
                f"a frame has at most {LONGEST_FRAME} s of audio; send it in smaller pieces"
            )
        samples = np.frombuffer(audio, "<i2").reshape(-1, self.channels)
        return samples.astype(np.float32) / np.float32(32768)

    def restart(self) -> None:
        """PCM remembers nothing."""


class OpusDecoder:
    """Opus packets (RFC 6716), one per message, decoded at 48 kHz."""

    def __init__(self, channels: int) -> None:
        self._channels = channels
        self.restart()

    def decode(self, audio: bytes) -> NDArray[np.float32]:
        """Return the packet's samples."""
        count = packet_samples(audio)
        try:
            frames = self._codec.decode(av.Packet(audio))
        except (av.error.FFmpegError, ValueError) as error:
            self.restart()
            raise ClientAudioError("this is no Opus packet, or it is damaged") from error
        decoded = [frame.to_ndarray().T for frame in frames]
        samples = np.zeros((count, self._channels), np.float32)
        if decoded:
            whole = np.concatenate(decoded)[:count]
            samples[: len(whole)] = whole
        return np.clip(np.nan_to_num(samples), -1, 1)

    def restart(self) -> None:
        """Begin as at the first packet."""
        codec = av.CodecContext.create("opus", "r")
        codec.sample_rate = OPUS_RATE  # type: ignore[attr-defined]
        codec.layout = "mono" if self._channels == 1 else "stereo"  # type: ignore[attr-defined]
        self._codec = codec


def packet_samples(packet: bytes) -> int:
    """Return how many samples per channel at 48 kHz an Opus packet holds (RFC 6716, section 3.1).

    Raises:
        ClientAudioError: no packet begins like this.
    """
    if not packet or (packet[0] & 3 == 3 and len(packet) < 2):
        raise ClientAudioError("an Opus packet has at least one byte; one packet is one message")
    configuration = packet[0] >> 3
    if configuration < 12:
        tenths = (100, 200, 400, 600)[configuration % 4]
    elif configuration < 16:
        tenths = (100, 200)[configuration % 2]
    else:
        tenths = (25, 50, 100, 200)[configuration % 4]
    code = packet[0] & 3
    frames = packet[1] & 63 if code == 3 else min(code, 1) + 1
    samples = frames * tenths * OPUS_RATE // 10_000
    if not 0 < samples <= LONGEST_PACKET:
        raise ClientAudioError("an Opus packet holds 2.5 to 120 ms")
    return samples


class ClientStream:
    """One client's stream: messages in, blocks at 16 kHz out.

    Args:
        decoder: for its encoding.
        rate: samples per second as the client counts them.
        channels: how many it has.
        position: where it goes on (at its rate), 0 for a new one.
    """

    def __init__(self, decoder: Decoder, rate: int, channels: int, position: int = 0) -> None:
        self._decoder, self._rate, self._channels = decoder, rate, channels
        self.expected = position  # the next sample, at the client's rate
        self._begin()

    def to_stream(self, samples: int) -> int:
        """Return the client's position of a position at 16 kHz, rounded down."""
        return samples * self._rate // SAMPLE_RATE

    def receive(self, audio: bytes, position: int | None = None) -> list[Block]:
        """Take one message; `position` None: it follows what came before.

        Raises:
            ClientAudioError: it is no audio of this kind; the stream goes on with the next message.
        """
        samples = self._decoder.decode(audio)
        position = self.expected if position is None else position
        blocks = self.skip_to(position)
        fresh = samples[self.expected - position :]
        self.expected += len(fresh)
        return blocks + self._resampled(fresh, last=False)

    def skip_to(self, position: int) -> list[Block]:
        """Go on at a later position: what lies between is missing."""
        if position <= self.expected:
            return []
        blocks = self.finish()
        self.expected = position
        self._decoder.restart()
        self._begin()
        return blocks

    def finish(self) -> list[Block]:
        """Return what the resampler still holds."""
        blocks = self._resampled(np.zeros((0, self._channels), np.float32), last=True)
        self._begin()
        return blocks

    def _begin(self) -> None:
        self._next = self.expected * SAMPLE_RATE // self._rate  # at 16 kHz
        self._resampler = Resampler(self._rate, self._channels)

    def _resampled(self, samples: NDArray[np.float32], *, last: bool) -> list[Block]:
        samples = self._resampler(samples, last=last)
        if not len(samples):
            return []
        block = Block(self._next, samples)
        self._next += len(samples)
        return [block]


def client_stream(encoding: str, rate: int, channels: int, position: int = 0) -> ClientStream:
    """Return a stream of an encoding: `pcm_s16le` or `opus`."""
    decoder: Decoder = OpusDecoder(channels) if encoding == "opus" else PcmDecoder(rate, channels)
    return ClientStream(decoder, rate, channels, position)
