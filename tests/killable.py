"""A server in a process of its own, without a model, that a test may kill: `python killable.py DATA_DIR PORT`."""

import asyncio
import contextlib
import os
import socket
import sys
from pathlib import Path
from typing import Any

import websockets
from serving import Client, serving

from meetscribe.apps.serve.inputs import Register
from meetscribe.apps.serve.shelf import StoreArchive

TESTS = Path(__file__).resolve().parent


class Killable:
    """A server process on a port that stays the same."""

    def __init__(self, data):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.data = data
        self.process: Any = None

    async def start(self):
        paths = [str(TESTS), str(TESTS.parent), os.environ.get("PYTHONPATH", "")]
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(TESTS / "killable.py"),
            str(self.data),
            str(self.port),
            env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
            stdin=asyncio.subprocess.PIPE,  # its end ends the server: no test that fails leaves one behind
            stdout=asyncio.subprocess.PIPE,
        )
        assert await self.process.stdout.readline() == b"ready\n"

    async def end(self, number):
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)
        await self.process.communicate()

    @contextlib.asynccontextmanager
    async def client(self, path, **hello):
        async with websockets.connect(f"ws://127.0.0.1:{self.port}{path}") as connection:
            client = Client(connection)
            await client.say(**({"type": "hello", "version": 1, "role": "listen", "after_seq": 0} | hello))
            client.answer = await client.hear()
            yield client


async def main(data, port):
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), os._exit, 1)
    archive = StoreArchive(Path(data))
    async with serving(archive=archive, port=int(port)) as server:
        for start, register in archive.interrupted():
            server.hub.resume(start, Register(register), archive.resume)
        print("ready", flush=True)
        await server.task


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
