"""What a server says to one client: in time, or not at all."""

import asyncio
import json
from collections.abc import Callable

from starlette.websockets import WebSocket, WebSocketDisconnect

from meetscribe.apps.serve.messages import TRY_LATER
from meetscribe.apps.serve.sockets import clipped, shed
from meetscribe.formats.wire import Json


class Outlet:
    """The sending side of a WebSocket; `closed` is set when nothing more can be said.

    Args:
        websocket: accepted already.
        within: seconds in which the client has to take what is sent; then it is closed with 1013.
        on_close: told the code when the server closes it.
    """

    def __init__(
        self, websocket: WebSocket, within: float, on_close: Callable[[int], None] = lambda code: None
    ) -> None:
        self._websocket, self._within, self._on_close = websocket, within, on_close
        self.closed = asyncio.Event()

    async def send(self, text: str) -> None:
        """Send a text message, unless the socket is closed."""
        if self.closed.is_set():
            return
        try:
            async with asyncio.timeout(self._within):
                await self._websocket.send_text(text)
        except TimeoutError:
            self.shed(TRY_LATER, "this client does not read; come back with the last seq")
        except (RuntimeError, WebSocketDisconnect):  # it is gone
            self.closed.set()

    async def send_json(self, message: Json) -> None:
        """Send a message."""
        await self.send(json.dumps(message, ensure_ascii=False))

    async def close(self, code: int, reason: str) -> None:
        """Close the socket, after what was sent."""
        if self.closed.is_set():
            return
        self._on_close(code)
        try:
            async with asyncio.timeout(self._within):
                await self._websocket.close(code, clipped(reason))
        except (TimeoutError, RuntimeError, WebSocketDisconnect):
            shed(self._websocket, code, reason)
        self.closed.set()

    def shed(self, code: int, reason: str) -> None:
        """Close the socket without waiting for the client to read."""
        if not self.closed.is_set():
            self._on_close(code)
            shed(self._websocket, code, reason)
            self.closed.set()
