"""The messages of vosk-server: one reply for every frame, a result when somebody has finished. Pure.

vosk's own server answers a frame with a partial result until it hears an end, then with that result. Here two may
talk at
once: finished turns queue, and each frame is answered with the next one, the partial texts of all who still speak
else.
Not covered: sockets (`sockets.py`); vectors of speakers (`spk`), grammars (`phrase_list`): they are ignored.
"""

import json
from collections import deque
from dataclasses import dataclass
from typing import Any

from meetscribe.errors import InputError
from meetscribe.events import Event, Final, Partial, Turn, TurnEnd, Word
from meetscribe.formats.wire import Json
from meetscribe.timeline import to_seconds

LOWEST_RATE, HIGHEST_RATE, DEFAULT_RATE = 4_000, 192_000, 16_000


@dataclass(frozen=True)
class Config:
    """What a client may set before its first frame."""

    sample_rate: int = DEFAULT_RATE
    words: bool = True
    max_alternatives: int = 0


@dataclass(frozen=True)
class Eof:
    """No audio follows: the last result, then the close."""


@dataclass(frozen=True)
class Reset:
    """What was said is finished now; the socket stays open."""


def parse(text: str, config: Config) -> Config | Eof | Reset:
    """Return what a text message says, whatever the spaces in it; unknown settings are ignored.

    Raises:
        InputError: it is none of vosk's messages.
    """
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError("this is not JSON") from error
    if isinstance(message, dict) and message.get("eof"):
        return Eof()
    if isinstance(message, dict) and message.get("reset"):
        return Reset()
    if not isinstance(message, dict) or not isinstance(message.get("config"), dict):
        raise InputError("known messages are config, eof and reset")
    return _configured(message["config"], config)


def _configured(given: dict[str, Any], config: Config) -> Config:
    try:
        rate = round(float(given.get("sample_rate", config.sample_rate)))
        alternatives = int(given.get("max_alternatives", config.max_alternatives))
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError("sample_rate and max_alternatives are numbers") from error
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise InputError(f"sample_rate is a number from {LOWEST_RATE} to {HIGHEST_RATE}")
    return Config(rate, bool(given.get("words", config.words)), alternatives)


class VoskReplies:
    """What to answer, from the events of a client's audio."""

    def __init__(self) -> None:
        self.config = Config()
        self._open: dict[str, str] = {}  # text of each turn that is not final
        self._finished: deque[Turn] = deque()

    def receive(self, event: Event) -> None:
        """Take the next event."""
        match event:
            case Partial(turn=turn):
                self._open[turn.id] = turn.text
            case Final(turn=turn):
                self._open.pop(turn.id, None)
                if turn.text:
                    self._finished.append(turn)
            case TurnEnd(turn=name):
                self._open.pop(name, None)

    def reply(self) -> Json:
        """Return the answer to a frame."""
        if self._finished:
            return self._result([self._finished.popleft()])
        return {"partial": " ".join(text for text in self._open.values() if text)}

    def last(self) -> Json:
        """Return the answer to eof or reset: everything that is left."""
        turns = list(self._finished)
        self._finished.clear()
        self._open.clear()
        return self._result(turns)

    def _result(self, turns: list[Turn]) -> Json:
        text = " ".join(turn.text for turn in turns)
        words = [_word(word) for turn in turns for word in turn.words]
        listed = {"result": words} if self.config.words and words else {}
        if self.config.max_alternatives > 0:
            confidence = sum(word["conf"] for word in words) / max(len(words), 1)
            return {"alternatives": [{"confidence": round(confidence, 3), **listed, "text": text}]}
        return {**listed, "text": text}


def _word(word: Word) -> Json:
    start, end = to_seconds(word.start), to_seconds(word.end)
    return {"conf": word.confidence, "start": start, "end": end, "word": word.word}
