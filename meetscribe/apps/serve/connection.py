"""One native client as a pure state machine: messages in, things to do out. It knows no socket, clock or task.

Feed it (`receive_text`, `receive_bytes`, `receive_timeout`), drain it (`actions`). The adapter does what it says
and tells it
what came of a `Join` (`joined`). Times are arguments.
Not covered: whether a meeting exists, and what its audio means (`native.py`, `sources/websocket.py`).
"""

import hmac
import struct
from dataclasses import dataclass, field
from enum import Enum

from meetscribe.apps.serve import messages
from meetscribe.apps.serve.messages import Bye, Hello, MessageError
from meetscribe.formats.wire import VERSION, Json
from meetscribe.session.commands import Command, CommandError, error_json

MOST_ERRORS = 3
HELLO_WITHIN = 10.0  # seconds
POSITION = struct.Struct("<Q")  # what each frame of a resumable stream begins with
BURST, PER_SECOND = 100.0, 20.0  # text messages of one client: so many at once, so many per second for long


@dataclass(frozen=True)
class Send:
    """Send this message."""

    message: Json


@dataclass(frozen=True)
class Close:
    """Close the socket with this code and reason; nothing follows."""

    code: int
    reason: str


@dataclass(frozen=True)
class Join:
    """The client may come in; answer its hello."""

    hello: Hello


@dataclass(frozen=True)
class Run:
    """Give the meeting this command, and send its answer."""

    command: Command


@dataclass(frozen=True)
class Hear:
    """Give the audio input this; `position` is None where the stream has no positions."""

    audio: bytes
    position: int | None


@dataclass(frozen=True)
class EndAudio:
    """The audio input has said all."""


Action = Send | Close | Join | Run | Hear | EndAudio


class _State(Enum):
    WAITING = "no hello yet"
    JOINED = "joined"
    CLOSED = "closed"


@dataclass
class Allowance:
    """A token bucket: `burst` at once, `per_second` for long."""

    burst: float
    per_second: float
    left: float = field(init=False)
    at: float = field(init=False, default=float("-inf"))

    def __post_init__(self) -> None:
        self.left = self.burst

    def take(self, now: float, amount: float = 1.0) -> bool:
        """Take from it, and say whether there was enough."""
        if self.at > float("-inf"):
            self.left = min(self.burst, self.left + (now - self.at) * self.per_second)
        self.at = now
        if self.left < amount:
            return False
        self.left -= amount
        return True


class Connection:
    """A client from its handshake to its close.

    Args:
        token: what a client must know, None where nobody must.
        authorised: the handshake already brought the token.
    """

    def __init__(self, token: str | None, authorised: bool = False) -> None:
        self._token, self._authorised = token, authorised or token is None
        self._state, self._errors = _State.WAITING, 0
        self._has_audio = self._resumable = self._welcomed = False
        self._allowance = Allowance(BURST, PER_SECOND)
        self._actions: list[Action] = []

    @property
    def closed(self) -> bool:
        """Say whether the connection is over."""
        return self._state is _State.CLOSED

    @property
    def joined_in(self) -> bool:
        """Say whether its hello was answered, whatever came after."""
        return self._welcomed

    def actions(self) -> list[Action]:
        """Return what is to be done since the last call, in order."""
        ready, self._actions = self._actions, []
        return ready

    def receive_text(self, text: str, now: float) -> None:
        """Take a text message; `now` is any clock in seconds that does not go back."""
        if self.closed:
            return
        if len(text) > messages.LONGEST_TEXT:
            self._close(messages.TOO_BIG, f"a text message has at most {messages.LONGEST_TEXT} characters")
            return
        if not self._allowance.take(now):
            self._complain(MessageError("too_fast", f"at most {PER_SECOND:.0f} text messages per second"))
            return
        try:
            self._take(messages.parse(text))
        except MessageError as error:
            self._complain(error)
        except CommandError as error:
            self._refuse(error)

    def receive_bytes(self, frame: bytes) -> None:
        """Take a binary message, which is audio."""
        if self.closed:
            return
        if self._state is _State.WAITING:
            self._close_unknown("the first message is a hello, audio comes after its answer")
        elif not self._has_audio:
            self._complain(
                MessageError("unexpected", "no audio is expected from this client; its hello says none")
            )
        elif not self._resumable:
            self._actions.append(Hear(frame, None))
        elif len(frame) < POSITION.size:
            self._complain(MessageError("bad_audio", "a frame of a stream begins with its position, 8 bytes"))
        else:
            (position,) = POSITION.unpack_from(frame)
            self._actions.append(Hear(frame[POSITION.size :], position))

    def receive_timeout(self) -> None:
        """Take notice that `HELLO_WITHIN` seconds have passed since the handshake."""
        if self._state is _State.WAITING:
            self._close(messages.POLICY, f"no hello within {HELLO_WITHIN:.0f} s")

    def joined(self, hello: Hello, answer: Json) -> None:
        """Take notice that a `Join` succeeded: `answer` is the server's hello."""
        self._state, self._has_audio, self._welcomed = _State.JOINED, hello.audio is not None, True
        self._resumable = hello.audio is not None and hello.audio.stream is not None
        self._actions.append(Send(answer))

    def refuse(self, code: int, reason: str) -> None:
        """Close it for a reason that the adapter knows."""
        if not self.closed:
            self._close(code, reason)

    def complain(self, code: str, message: str) -> None:
        """Count an error that the adapter found, and tell the client."""
        if not self.closed:
            self._complain(MessageError(code, message))

    def _take(self, message: messages.Message) -> None:
        if self._state is _State.WAITING:
            self._greet(message)
            return
        match message:
            case Hello():
                raise MessageError(
                    "unexpected", "hello was said already; open another socket to change its role"
                )
            case Command():
                self._actions.append(Run(message))
            case Bye():
                if not self._has_audio:
                    raise MessageError("unexpected", "this client sends no audio, or has ended it")
                self._has_audio = False
                self._actions.append(EndAudio())

    def _greet(self, message: messages.Message) -> None:
        if not isinstance(message, Hello):
            self._close_unknown("the first message is a hello")
            return
        wrong = message.token is not None and not self._knows(message.token)
        if wrong or not (self._authorised or message.token):
            self._close(messages.POLICY, "the token is missing or wrong")
        elif message.version != VERSION or isinstance(message.version, bool):
            self._close(messages.PROTOCOL_ERROR, f"this server speaks version {VERSION}")
        else:
            self._authorised = True
            self._actions.append(Join(message))

    def _knows(self, token: str) -> bool:
        return self._token is None or hmac.compare_digest(token.encode(), self._token.encode())

    def _close_unknown(self, reason: str) -> None:
        """Close before a hello: who did not show a token learns nothing else."""
        if self._authorised:
            self._close(messages.PROTOCOL_ERROR, reason)
        else:
            self._close(messages.POLICY, "the token is missing or wrong")

    def _complain(self, error: MessageError) -> None:
        self._errors += 1
        if not self._authorised:
            self._close_unknown(str(error))
            return
        self._actions.append(Send(messages.error_json(error.code, str(error))))
        if self._errors >= MOST_ERRORS:
            self._close(messages.PROTOCOL_ERROR, f"{MOST_ERRORS} errors; the last: {error.code}")

    def _refuse(self, error: CommandError) -> None:
        """Answer a command that cannot be one."""
        if self._state is _State.WAITING:
            self._close_unknown("the first message is a hello")
            return
        self._actions.append(Send(error_json(error)))

    def _close(self, code: int, reason: str) -> None:
        self._state = _State.CLOSED
        self._actions.append(Close(code, reason))
