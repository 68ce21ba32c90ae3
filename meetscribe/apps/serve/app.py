"""The server's one application: which path is what, who may come, how many.

Not covered: what each does (`native.py`, `meetings.py`, `compat/`), and sockets below HTTP (`sockets.py`).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from meetscribe.apps.serve import schema
from meetscribe.apps.serve.access import Access, Refusal
from meetscribe.apps.serve.archive import UnknownMeetingError
from meetscribe.apps.serve.connection import Connection
from meetscribe.apps.serve.hub import Hub, LiveMeeting
from meetscribe.apps.serve.limits import Limits
from meetscribe.apps.serve.meetings import session_routes
from meetscribe.apps.serve.metrics import Metrics
from meetscribe.apps.serve.native import NEW, NativeClient
from meetscribe.apps.serve.outlet import Outlet
from meetscribe.apps.serve.voices import Separation
from meetscribe.formats.wire import VERSION

_PROTECTED = ("/api/", "/v1/", "/metrics")  # the rest is the client, which holds no secret
_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",  # after an upgrade no browser may mix modules of two versions
    "content-security-policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "media-src 'self' blob:; worker-src 'self' blob:; frame-ancestors 'none'",
}


@dataclass
class Service:
    """What every endpoint needs."""

    hub: Hub
    access: Access
    limits: Limits
    log: Any
    separation: Separation = field(default_factory=Separation)
    metrics: Metrics = field(default_factory=Metrics)
    clients: int = 0
    native: "set[NativeClient]" = field(default_factory=set)  # to be told when the server goes

    async def drain(self, patience: float) -> None:
        """Close every client's socket with 1001; who is being told that its meeting has ended is not disturbed."""
        deadline = asyncio.get_running_loop().time() + patience
        while self.clients and asyncio.get_running_loop().time() < deadline:
            for client in list(self.native):
                client.going()
            await asyncio.sleep(0.05)

    @asynccontextmanager
    async def admitted(self, websocket: WebSocket, *, token_may_follow: bool) -> AsyncIterator[bool]:
        """Check a handshake and count the client while it is there; False where it was refused."""
        refusal = self.access.check_handshake(websocket.headers, token_may_follow=token_may_follow)
        if refusal is None and self.clients >= self.limits.clients:
            refusal = Refusal(
                503, "full", "as many clients as this server takes are connected; try again later"
            )
        if refusal is not None:
            await self.deny(websocket, refusal)
            yield False
            return
        self.clients += 1
        self.metrics.clients.set(self.clients)
        try:
            yield True
        finally:
            self.clients -= 1
            self.metrics.clients.set(self.clients)

    async def deny(self, websocket: WebSocket, refusal: Refusal) -> None:
        """Refuse a handshake."""
        self.metrics.refused.labels(refusal.code).inc()
        self.log.info("handshake refused", code=refusal.code, path=websocket.url.path)
        await websocket.send_denial_response(_refused(refusal))

    def outlet(self, websocket: WebSocket) -> Outlet:
        """Return what speaks to a client."""
        return Outlet(
            websocket, self.limits.send_within, lambda code: self.metrics.closed.labels(str(code)).inc()
        )


def _refused(refusal: Refusal) -> Response:
    error = {"code": refusal.code, "message": refusal.message}
    headers = {"www-authenticate": "Bearer"} if refusal.status == 401 else None
    return JSONResponse({"error": error}, refusal.status, headers)


class Gate:
    """Lets HTTP requests through that may come, and adds headers that keep browsers careful."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                added = [(name.encode(), value.encode()) for name, value in _HEADERS.items()]
                message = {**message, "headers": [*message.get("headers", []), *added]}
            await send(message)

        request = Request(scope)
        path = request.url.path
        if path.startswith(_PROTECTED):
            refusal = self._access.check(request.headers, path)
        else:
            refusal = self._access.check_origin(request.headers)
        await (self._app if refusal is None else _refused(refusal))(scope, receive, with_headers)


def _native(service: Service) -> Callable[[WebSocket], Awaitable[None]]:
    """Return the endpoint of `/ws/<meeting>`."""

    async def endpoint(websocket: WebSocket) -> None:
        name = websocket.path_params["meeting"]
        async with service.admitted(websocket, token_may_follow=True) as admitted:
            if not admitted:
                return
            live, past, missing = _meeting(service.hub, name)
            authorised = bool(service.access.bearer(websocket.headers))
            if missing is not None and (authorised or service.access.token is None):
                await service.deny(websocket, Refusal(404, "unknown_meeting", missing))
                return
            await (
                websocket.accept()
            )  # who has not shown the token yet does not learn which meetings there are
            connection = Connection(service.access.token, authorised)
            client = NativeClient(
                websocket, service.hub, connection, service.outlet(websocket), service.metrics
            )
            service.native.add(client)
            try:
                await client.serve(live, past, missing)
            finally:
                service.native.discard(client)

    return endpoint


def _meeting(hub: Hub, name: str) -> tuple[LiveMeeting | None, str | None, str | None]:
    """Return the running meeting of a name, the id of one of the past, or why there is none; nothing for a new one."""
    if name == NEW:
        return None, None, None
    live = hub.find(name)
    if live is not None:
        return live, None, None
    try:
        return None, hub.archive.find(name), None
    except UnknownMeetingError as error:
        return None, None, str(error)


def _published(name: str) -> Route:
    text = schema.published(name)

    async def endpoint(request: Request) -> Response:
        del request
        return Response(text, media_type="application/json")

    return Route(f"/{name}", endpoint)


def _health(service: Service) -> Route:
    async def endpoint(request: Request) -> Response:
        del request
        return JSONResponse({"status": "ok", "version": VERSION, "meetings": len(service.hub.live)})

    return Route("/healthz", endpoint)


def web_client() -> Path | None:
    """Return the folder of the browser client, None where it is not installed."""
    folder = Path(str(files("meetscribe"))) / "apps" / "web" / "static"
    return folder if (folder / "index.html").is_file() else None


def application(service: Service, more: list[BaseRoute]) -> ASGIApp:
    """Return the whole application; `more` are the routes of other services' protocols."""
    client = web_client()
    service.metrics.watch(service.hub)
    routes = [
        WebSocketRoute("/ws/{meeting}", _native(service)),
        *session_routes(service.hub, service.separation),
        _published("schema.json"),
        _published("asyncapi.json"),
        _health(service),
        service.metrics.route(),
        *more,
    ]
    if client is not None:
        routes.append(Mount("/", StaticFiles(directory=client, html=True)))
    gate = Gate(Starlette(routes=routes), service.access)
    if not service.access.origins:
        return gate
    return CORSMiddleware(  # before the gate: what browsers ask beforehand holds no token
        gate,
        allow_origins=service.access.origins,
        allow_methods=("GET", "POST"),
        allow_headers=("authorization", "content-type"),
    )
