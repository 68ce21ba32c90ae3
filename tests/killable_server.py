"""A server of its own process, without a model, that a test may kill: `python killable_server.py DATA_DIR PORT`."""

import asyncio
import sys
from pathlib import Path

from serving import serving

from meetscribe.apps.serve.inputs import Register
from meetscribe.apps.serve.shelf import StoreArchive


async def main(data, port):
    archive = StoreArchive(Path(data))
    async with serving(archive=archive, port=int(port)) as server:
        for start, register in archive.interrupted():
            server.hub.resume(start, Register(register), archive.resume)
        print("ready", flush=True)
        await server.task


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
