"""How many, how large, how fast: what bounds a server's memory, whoever connects."""

from dataclasses import dataclass

MOST_MESSAGE = 1 << 20
"""Bytes in one WebSocket message, as sent or decompressed; more closes with 1009."""


@dataclass(frozen=True)
class Limits:
    """The bounds of one server.

    Attributes:
        clients: WebSockets at once.
        connections: open sockets at once, also those that have said nothing yet.
        upload: bytes of a file to be transcribed.
        uploads: files that are transcribed at once.
        request_within: seconds in which the headers of a request have to come.
        send_within: seconds in which a client has to take what is sent; then it is closed with 1013.
        grace: seconds after SIGTERM in which meetings are finished.
    """

    clients: int = 300
    connections: int = 1000
    upload: int = 512 << 20
    uploads: int = 2
    request_within: float = 10.0
    send_within: float = 20.0
    grace: float = 30.0
