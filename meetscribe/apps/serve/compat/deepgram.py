"""The messages of Deepgram's live transcription (`/v1/listen`). Pure.

A turn that is spoken is an interim result, a final turn is one with `is_final` and `speech_final`; turns that
overlap are results of
their own, and `speaker` counts people (with `diarize`), or the slots until people are told apart.
Not covered: sockets (`sockets.py`); containers (WebM, Ogg), mu-law, and what needs another model
(`language`): that is ignored, audio that cannot be read is refused.
"""

import json
import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from meetscribe.apps.serve.messages import MOST_HOTWORDS
from meetscribe.errors import InputError
from meetscribe.events import Event, Final, Partial, Turn, TurnStart, Word
from meetscribe.formats.wire import Json
from meetscribe.lm.hotwords import usable
from meetscribe.timeline import to_seconds

Control = Literal["KeepAlive", "Finalize", "CloseStream"]
CONTROLS: tuple[Control, ...] = ("KeepAlive", "Finalize", "CloseStream")
PATIENCE = 10.0  # seconds without audio or KeepAlive, then the socket is closed

_ENCODINGS = {"linear16": "pcm_s16le", "opus": "opus"}


@dataclass(frozen=True)
class Options:
    """What the address of the socket asks for."""

    encoding: str
    sample_rate: int
    channels: int
    multichannel: bool = False
    interim: bool = False
    diarize: bool = False
    vad_events: bool = False
    utterance_end: bool = False
    hotwords: tuple[str, ...] = ()
    punctuate: bool = False
    numerals: bool = False


def options(query: Mapping[str, str], terms: Iterable[str] = ()) -> Options:
    """Return the options of a query; `terms` are the values of `keyterm` and `keywords`.

    Raises:
        InputError: it asks for audio that cannot be read.
    """
    encoding = query.get("encoding", "")
    if encoding not in _ENCODINGS:
        raise InputError(f"encoding={encoding[:40]}: say linear16 or opus; containers are not read")
    return Options(
        encoding=_ENCODINGS[encoding],
        sample_rate=48_000 if encoding == "opus" else _number(query, "sample_rate", "", 8_000, 192_000),
        channels=_number(query, "channels", "1", 1, 2 if encoding == "opus" else 8),
        multichannel=_flag(query, "multichannel"),
        interim=_flag(query, "interim_results"),
        diarize=_flag(query, "diarize"),
        vad_events=_flag(query, "vad_events"),
        utterance_end=bool(query.get("utterance_end_ms")),
        hotwords=usable((term.partition(":")[0] for term in terms), MOST_HOTWORDS),
        punctuate=_flag(query, "punctuate") or _flag(query, "smart_format"),
        numerals=_flag(query, "numerals") or _flag(query, "smart_format"),
    )


def _flag(query: Mapping[str, str], name: str) -> bool:
    return query.get(name, "").lower() in ("true", "1")


def _number(query: Mapping[str, str], name: str, otherwise: str, lowest: int, highest: int) -> int:
    given = query.get(name, otherwise)
    if not given.isascii() or not given.isdecimal() or not lowest <= int(given[:10]) <= highest:
        raise InputError(f"{name}={given[:40]}: it must be a whole number from {lowest} to {highest}")
    return int(given)


def parse(text: str) -> Control:
    """Return the control message.

    Raises:
        InputError: it is none.
    """
    try:
        kind = json.loads(text)["type"]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise InputError("a text message is a JSON object with a type") from error
    if kind not in CONTROLS:
        raise InputError(f"{str(kind)[:40]!r} is not known; known are {', '.join(CONTROLS)}")
    return kind


class DeepgramMessages:
    """What to send, from the events of a client's audio."""

    def __init__(self, options: Options, request_id: str, model: str) -> None:
        self._options = options
        self._metadata = {
            "request_id": request_id,
            "model_info": {"name": model, "version": "1", "arch": "meetscribe"},
            "model_uuid": request_id,
        }
        self._speakers: dict[str, int] = {}

    @property
    def _channels(self) -> int:
        return self._options.channels if self._options.multichannel else 1

    def receive(self, event: Event, *, from_finalize: bool = False) -> list[Json]:
        """Return what to send for an event."""
        match event:
            case TurnStart(start=start) if self._options.vad_events:
                about = {"channel": [0, self._channels], "timestamp": to_seconds(start)}
                return [{"type": "SpeechStarted", **about}]
            case Partial(turn=turn) if self._options.interim and turn.text:
                return [self._results(turn, final=False)]
            case Final(turn=turn) if turn.text:
                ready = [self._results(turn, final=True, from_finalize=from_finalize)]
                if self._options.utterance_end:
                    index = [turn.channel or 0, self._channels]
                    end = to_seconds(turn.end)
                    ready.append({"type": "UtteranceEnd", "channel": index, "last_word_end": end})
                return ready
        return []

    def finalized(self, at: int) -> Json:
        """Return the answer to Finalize where nothing was left to say."""
        nothing = Turn(id="", slot=0, start=at, end=at, text="")
        return self._results(nothing, final=True, from_finalize=True)

    def metadata(self, duration: int, created: str) -> Json:
        """Return the last message."""
        about = {"transaction_key": "deprecated", "request_id": self._metadata["request_id"], "sha256": ""}
        length = {"created": created, "duration": to_seconds(duration), "channels": self._channels}
        return {"type": "Metadata", **about, **length, "models": [self._metadata["model_uuid"]]}

    def _results(self, turn: Turn, *, final: bool, from_finalize: bool = False) -> Json:
        confidence = sum(word.confidence for word in turn.words) / max(len(turn.words), 1)
        words = [self._word(word, self._speaker(turn)) for word in turn.words]
        said = {"transcript": turn.text, "confidence": round(confidence, 3), "words": words}
        return {
            "type": "Results",
            "channel_index": [turn.channel or 0, self._channels],
            "duration": to_seconds(max(turn.end - turn.start, 0)),
            "start": to_seconds(turn.start),
            "is_final": final,
            "speech_final": final,
            "from_finalize": from_finalize,
            "channel": {"alternatives": [said]},
            "metadata": self._metadata,
        }

    def _speaker(self, turn: Turn) -> int:
        """Return a number for who speaks, counted from 0 in the order in which they were heard."""
        return self._speakers.setdefault(turn.speaker_id or turn.slot_letter, len(self._speakers))

    def _word(self, word: Word, speaker: int) -> Json:
        bare = word.word.lower().strip(string.punctuation) or word.word.lower()
        about: dict[str, Any] = {"word": bare, "start": to_seconds(word.start), "end": to_seconds(word.end)}
        about |= {"confidence": word.confidence, "punctuated_word": word.word}
        return about | ({"speaker": speaker} if self._options.diarize else {})
