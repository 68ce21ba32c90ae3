"""The paths of other services' protocols, and the port that vosk-server's clients have built in."""

from starlette.routing import BaseRoute, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from meetscribe.apps.serve.app import Service
from meetscribe.apps.serve.compat import transcriptions
from meetscribe.apps.serve.compat.sockets import deepgram_endpoint, vosk_endpoint


def compatible_routes(service: Service) -> list[BaseRoute]:
    """Return the routes."""
    return [
        WebSocketRoute("/vosk", vosk_endpoint(service)),
        WebSocketRoute("/v1/listen", deepgram_endpoint(service)),
        *transcriptions.routes(service),
    ]


class VoskPort:
    """Takes every WebSocket of one port for one of vosk-server's clients; the rest goes to the application."""

    def __init__(self, app: ASGIApp, service: Service, port: int) -> None:
        self._app, self._endpoint, self._port = app, vosk_endpoint(service), port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] == "websocket" and (scope.get("server") or (None, None))[1] == self._port:
            await self._endpoint(WebSocket(scope, receive, send))
        else:
            await self._app(scope, receive, send)
