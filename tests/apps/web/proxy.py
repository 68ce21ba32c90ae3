"""A TCP proxy that belongs to the test: killed, it breaks every connection and answers nobody until it starts again."""

import asyncio
import threading
from contextlib import suppress


class Proxy:
    """Passes connections on to a port of this machine."""

    def __init__(self, target):
        self._target, self.port, self._server, self._open = target, 0, None, set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self.start()

    def start(self):
        """Listen, on the same port as before where there was one."""
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(timeout=10)

    def kill(self):
        """Break every connection (reset, not closed) and listen no more."""
        asyncio.run_coroutine_threadsafe(self._kill(), self._loop).result(timeout=10)

    def close(self):
        """End the thread."""
        self.kill()
        asyncio.run_coroutine_threadsafe(self._cancel_all(), self._loop).result(timeout=10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _start(self):
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _kill(self):
        if self._server is None:
            return
        self._server.close()
        self._server = None
        for writer in list(self._open):
            writer.transport.abort()

    async def _cancel_all(self):
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _pass(self, reader, writer):
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        await asyncio.gather(self._copy(reader, far_writer), self._copy(far_reader, writer))

    async def _copy(self, reader, writer):
        self._open.add(writer)
        with suppress(OSError):
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()
        self._open.discard(writer)
        writer.close()
