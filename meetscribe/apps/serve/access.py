"""Who may connect: token, origin and host of a request, judged from its headers. Pure.

A page on the Internet must not reach a server on somebody's own machine through their browser, not even by a name
that it
points at 127.0.0.1: hence the look at `Origin`, and without a token at `Host` too.
Not covered: the token in a client's hello (`connection.py`).
"""

import hmac
import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from meetscribe.errors import UsageError

OPEN_PATHS = ("/healthz", "/schema.json", "/asyncapi.json")
SHORTEST_TOKEN = 8


@dataclass(frozen=True)
class Refusal:
    """Why a request is refused: HTTP status, a code for programs, a sentence for people."""

    status: int
    code: str
    message: str


_WRONG_TOKEN = Refusal(401, "token", "say Authorization: Bearer TOKEN, with the token of this server")
_FOREIGN_ORIGIN = Refusal(403, "origin", "this page's origin is not allowed; start the server with --origin")
_FOREIGN_HOST = Refusal(403, "host", "call this server localhost or 127.0.0.1; other names need a token")


@dataclass(frozen=True)
class Access:
    """The rules of one server: its token (None: none), and the origins that are welcome besides its own."""

    token: str | None = None
    origins: tuple[str, ...] = ()

    def check_origin(self, headers: Mapping[str, str]) -> Refusal | None:
        """Return why this page, or this name, may not speak to the server; header names are in lower case."""
        host = headers.get("host", "")
        if self.token is None and not _is_loopback(_name(f"//{host}")):
            return _FOREIGN_HOST
        origin = headers.get("origin")
        if origin is None or origin.lower() in self.origins:
            return None
        same = urlsplit(origin).netloc.lower() == host.lower() and origin.lower().startswith(
            ("http://", "https://")
        )
        return None if same else _FOREIGN_ORIGIN

    def bearer(self, headers: Mapping[str, str]) -> bool | None:
        """Say whether the token in `Authorization` is right; None where there is none.

        Deepgram's clients write `Token` where others write `Bearer`. What they say to a server without a token is
        nothing
        to it: other services' clients cannot be told to say nothing.
        """
        kind, _, given = headers.get("authorization", "").partition(" ")
        if self.token is None or not given:
            return None
        if kind.lower() not in ("bearer", "token"):
            return False
        return hmac.compare_digest(given.strip().encode(), self.token.encode())

    def check(self, headers: Mapping[str, str], path: str) -> Refusal | None:
        """Return why an HTTP request is refused."""
        refused = self.check_origin(headers)
        if refused is not None or self.token is None or path in OPEN_PATHS:
            return refused
        return None if self.bearer(headers) else _WRONG_TOKEN

    def check_handshake(self, headers: Mapping[str, str], *, token_may_follow: bool) -> Refusal | None:
        """Return why a WebSocket is refused in its handshake."""
        refused = self.check_origin(headers)
        if refused is not None or self.token is None:
            return refused
        right = self.bearer(headers)
        return None if right or (right is None and token_may_follow) else _WRONG_TOKEN


def _name(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def check_address(host: str, token: str | None) -> None:
    """Refuse to listen where others can connect without a token, and tokens that can be guessed.

    Raises:
        UsageError: the sentence says what to do.
    """
    if token is not None and len(token) < SHORTEST_TOKEN:
        raise UsageError(f"the token has fewer than {SHORTEST_TOKEN} characters; choose a longer one")
    if token is not None and not (token.isascii() and token.isprintable() and " " not in token):
        raise UsageError(
            "the token may hold printable ASCII characters only, and no space; choose another one"
        )
    if token is None and not _is_loopback(host):
        raise UsageError(
            f"--host {host} lets other machines connect, which needs a token; add --token, or set MEETSCRIBE_TOKEN"
        )


def check_origins(given: Iterable[str]) -> tuple[str, ...]:
    """Return origins as browsers write them.

    Raises:
        UsageError: one can be no origin; `*` is none on purpose.
    """
    return tuple(_origin(one) for one in given)


def _origin(given: str) -> str:
    try:
        parts = urlsplit(given.lower().rstrip("/"))
        _ = parts.port
    except ValueError:
        parts = urlsplit("")
    if not parts.hostname or "@" in parts.netloc or parts.geturl() != f"{parts.scheme}://{parts.netloc}":
        raise UsageError(
            f"--origin {given}: this is no origin of a page; give scheme and host, as https://example.org, one by one"
        )
    usual = {"http": ":80", "https": ":443"}.get(parts.scheme, "")
    return f"{parts.scheme}://{parts.netloc.removesuffix(usual)}"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
