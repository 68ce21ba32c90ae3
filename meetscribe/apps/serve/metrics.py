"""`/metrics`: figures of a server for Prometheus; counts and times, never names or text."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from meetscribe.apps.serve.hub import Hub
from meetscribe.timeline import to_seconds

_DELIVERY = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0)  # seconds


class Metrics:
    """The figures of one server."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.clients = Gauge("meetscribe_clients", "WebSocket clients that are connected", registry=registry)
        self.refused = Counter(
            "meetscribe_refused", "Handshakes that were refused, by reason", ["code"], registry=registry
        )
        self.closed = Counter(
            "meetscribe_closed", "Sockets that the server closed, by close code", ["code"], registry=registry
        )
        self.sent = Counter("meetscribe_events_sent", "Events sent to listeners", registry=registry)
        self.skipped = Counter(
            "meetscribe_events_skipped",
            "Partials and the like that a newer one replaced before they were sent",
            registry=registry,
        )
        self.audio = Counter("meetscribe_audio_seconds", "Audio received from clients", registry=registry)
        self.missing = Counter(
            "meetscribe_audio_missing_seconds", "Audio of clients that never came: gaps", registry=registry
        )
        self.delivery = Histogram(
            "meetscribe_delivery_seconds",
            "From an event to its way into a listener's socket",
            buckets=_DELIVERY,
            registry=registry,
        )

    def watch(self, hub: Hub) -> None:
        """Report what a hub knows whenever somebody asks."""
        gauges = {
            ("meetscribe_meetings", "Meetings that go on"): lambda: len(hub.live),
            ("meetscribe_streams", "Audio channels that are transcribed"): lambda: hub.streams,
            ("meetscribe_capacity_streams", "Channels that this machine carries"): lambda: (
                hub.admission.streams
            ),
            (
                "meetscribe_real_time_factor",
                "Seconds of work per second of one channel, as measured at start",
            ): (lambda: hub.admission.factor if hub.admission.factor is not None else float("nan")),
            ("meetscribe_lag_seconds", "How far the meeting furthest behind is"): lambda: to_seconds(hub.lag),
        }
        for (name, about), value in gauges.items():
            Gauge(name, about, registry=self.registry).set_function(value)

    def route(self) -> Route:
        """Return the route of `/metrics`."""

        async def endpoint(request: Request) -> Response:
            del request
            return Response(generate_latest(self.registry), media_type=CONTENT_TYPE_LATEST)

        return Route("/metrics", endpoint)
