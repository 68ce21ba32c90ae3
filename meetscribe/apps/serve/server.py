"""`meetscribe serve` from its first socket to its last: binds, starts what hears, runs, and ends in good order.

On SIGTERM or SIGINT no more clients are let in, every meeting's last turn is finished and its `end` sent; then
sockets are closed.
Not covered: what clients may say (`app.py`), and the command's flags (`cli/serve.py`).
"""

import asyncio
import contextlib
import errno
import signal
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from meetscribe.apps.serve.app import Service
from meetscribe.apps.serve.limits import MOST_MESSAGE
from meetscribe.apps.serve.sockets import LibraryLog, LimitedHttp, SheddableWebSocket
from meetscribe.errors import MissingError, UsageError

_BACKLOG = 512
_CLOSING = 3.0  # seconds in which clients may answer the close of their sockets


@dataclass(frozen=True)
class Tls:
    """Certificate and key in PEM files."""

    certificate: Path
    key: Path


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: this program has its own."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


def listen(host: str, ports: Sequence[int]) -> list[socket.socket]:
    """Open the sockets that clients connect to.

    Raises:
        MissingError: a port is taken, or the address is not this machine's.
    """
    opened: list[socket.socket] = []
    for port in ports:
        try:
            family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            one = socket.socket(family, kind)
            opened.append(one)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind(address)
            one.listen(_BACKLOG)
        except OSError as error:
            for one in opened:
                one.close()
            raise MissingError(_explain(host, port, error)) from error
    return opened


def shown_address(one: socket.socket) -> str:
    """Return the host and the port of a socket as they stand in a URL."""
    host, port = one.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _explain(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is in use; end the program that has it, or choose another --port"
    if error.errno == errno.EACCES:
        return f"port {port} needs more rights than you have; choose a --port above 1023"
    return f"--host {host}: nothing can listen there ({error.strerror or error}); give an address of this machine"


def check_tls(certificate: Path | None, key: Path | None) -> Tls | None:
    """Return what TLS needs, None where it is not wanted.

    Raises:
        UsageError: only one of both was given, a file cannot be read, or they do not fit together.
    """
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise UsageError("TLS needs both --tls-cert and --tls-key")
    for path in (certificate, key):
        try:
            path.open("rb").close()
        except OSError as error:
            raise UsageError(f"{path}: it cannot be read ({error.strerror}); give a PEM file") from error
    try:  # without a password nobody is asked for one: there may be nobody
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key, lambda: b"")
    except OSError as error:  # ssl.SSLError is one
        raise UsageError(
            f"--tls-cert {certificate} and --tls-key {key} cannot be used together ({error}); give a PEM certificate "
            "and its key, without a password"
        ) from error
    return Tls(certificate, key)


def _uvicorn(service: Service, app: ASGIApp, tls: Tls | None) -> _Server:
    http = type("Http", (LimitedHttp,), {"limits": service.limits})
    config = uvicorn.Config(
        app,
        http=http,
        ws=SheddableWebSocket,
        ws_max_size=MOST_MESSAGE,
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=round(_CLOSING),
        ssl_certfile=None if tls is None else str(tls.certificate),
        ssl_keyfile=None if tls is None else str(tls.key),
    )
    config.load()
    return _Server(config)


async def run(
    service: Service,
    sockets: list[socket.socket],
    *,
    app: ASGIApp,
    tls: Tls | None,
    begin: Callable[[], Awaitable[None]],
    beside: "asyncio.Task[None] | None" = None,
) -> None:
    """Serve until a signal comes.

    Args:
        service: hub, access and limits.
        sockets: from `listen`.
        app: what answers.
        tls: None for plain HTTP.
        begin: starts the server's own meetings; may be slow only in tasks of its own.
        beside: what goes on meanwhile; if it fails, the server ends in good order with its error.
    """
    with LibraryLog(service.log).listening():
        await _run(service, sockets, _uvicorn(service, app, tls), begin, beside)


async def _run(
    service: Service,
    sockets: list[socket.socket],
    server: _Server,
    begin: Callable[[], Awaitable[None]],
    beside: "asyncio.Task[None] | None",
) -> None:
    going = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, going.set)
    serving = asyncio.create_task(server.serve(sockets), name="sockets")
    waiting = asyncio.create_task(going.wait(), name="signal")
    try:
        await begin()
        watched = {serving, waiting} if beside is None else {serving, waiting, beside}
        while not (serving.done() or waiting.done()):
            done, _ = await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
            if beside is not None and beside in done:
                beside.result()
                watched.discard(beside)
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
        waiting.cancel()
        service.log.info("the server goes", meetings=len(service.hub.live))
        await service.hub.close("the server was stopped", service.limits.grace)
        await service.drain(_CLOSING)
        server.should_exit = True
        await serving
