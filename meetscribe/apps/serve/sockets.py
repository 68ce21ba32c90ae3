"""uvicorn's protocols with what they lack: time limits for requests, a count of sockets, closes that nobody reads.

Both are asyncio protocols of uvicorn, extended where it has no setting; what it complains about goes to the server's
log. Not covered: what is said (`app.py`, `native.py`).
"""

import asyncio
import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from starlette.websockets import WebSocket
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from meetscribe.apps.serve.limits import Limits

_FLUSH_WITHIN = (
    30.0  # seconds in which a client that was too slow may still read what it was sent, and why it was closed
)
_DEAF_FOR = 1.0  # seconds in which a client with TLS may read the end before its socket is closed
_LONGEST_REASON = 123  # bytes that a close frame can carry
_SCOPE_KEY = "meetscribe.shed"


class LimitedHttp(H11Protocol):
    """HTTP whose requests have to come in time, from no more sockets than are allowed."""

    limits = Limits()
    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Take a connection, unless there are too many."""
        super().connection_made(transport)
        if len(self.connections) > self.limits.connections:
            body = b"as many sockets as the server takes are open; try again later\n"
            head = (
                b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
                % len(body)
            )
            transport.write(head + body)
            transport.close()
            return
        self._waiting = self.loop.call_later(self.limits.request_within, self._give_up)

    def handle_events(self) -> None:
        """Go on, and stop waiting when a request has come."""
        super().handle_events()
        if self.scope is not None and self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        if self._waiting is not None:
            self._waiting.cancel()
        super().connection_lost(exc)

    def _give_up(self) -> None:
        self.transport.close()


class SheddableWebSocket(WebSocketsSansIOProtocol):
    """A WebSocket that can be closed although its client does not read, or does not stop to send."""

    _is_deaf = False

    def handle_connect(self, event: Any) -> None:
        """Accept the handshake, and tell the application how to shed the client."""
        self.app_state = {**self.app_state, _SCOPE_KEY: self._shed}
        super().handle_connect(event)

    async def send(self, message: Any) -> None:
        """Send what the application says; a refusal that was answered is complete, and nothing to complain about."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            self.handshake_complete = True

    def _shed(self, code: int, reason: str) -> None:
        """Send the close behind whatever is not read yet, and forget the client if it does not read that either."""
        if self.close_sent or self.disconnected or self.transport.is_closing():
            return
        self.conn.send_close(code, clipped(reason))
        self._hang_up()

    def handle_parser_exception(self) -> None:
        """Say why what came can be no message of a client: too long, or no frame."""
        assert self.conn.close_sent is not None
        code, reason = self.conn.close_sent.code, self.conn.close_sent.reason
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self._hang_up()

    def data_received(self, data: bytes) -> None:
        """Take what comes; nothing after the end was said."""
        if not self._is_deaf:
            super().data_received(data)

    def _hang_up(self) -> None:
        """Send what is to be sent and the end, and read on without listening until the client hangs up too.

        A socket that is closed while something unread lies in it is reset, and its client never learns why.
        """
        self.transport.write(b"".join(self.conn.data_to_send()))
        self._is_deaf = self.close_sent = True
        self.stop_keepalive()
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        else:  # TLS knows no half of an end
            self.loop.call_later(_DEAF_FOR, self.transport.close)
        self.close_timer = self.loop.call_later(_FLUSH_WITHIN, self.transport.abort)


class LibraryLog(logging.Handler):
    """uvicorn's complaints as lines of the server's own log: what broke and where, never what was sent.

    Args:
        log: takes them.
    """

    def __init__(self, log: Any) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Log one; its arguments and the error's own words may quote a client."""
        told = {}
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            frames = traceback.extract_tb(error.__traceback__)
            told["error"] = type(error).__name__
            told["where"] = " < ".join(f"{Path(one.filename).name}:{one.lineno}" for one in frames[:-4:-1])
        complain = self._log.error if record.levelno >= logging.ERROR else self._log.warning
        complain("the library of the sockets complains", message=str(record.msg).strip(), **told)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take what uvicorn says meanwhile."""
        heard = logging.getLogger("uvicorn")
        heard.addHandler(self)
        try:
            yield
        finally:
            heard.removeHandler(self)


def shed(websocket: WebSocket, code: int, reason: str) -> None:
    """Close a WebSocket without waiting for its client to read."""
    websocket.scope["state"][_SCOPE_KEY](code, reason)


def clipped(reason: str) -> str:
    """Return a reason that fits into a close frame."""
    return reason.encode()[:_LONGEST_REASON].decode(errors="ignore")
