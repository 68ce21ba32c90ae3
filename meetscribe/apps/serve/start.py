"""Puts a server together from its settings: what hears, who thinks, where it is kept, who may come."""

import asyncio
import logging
import math
import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import numpy as np
import structlog
from starlette.types import ASGIApp

from meetscribe.apps.config import Settings
from meetscribe.apps.recogniser import load_recogniser
from meetscribe.apps.retention import apply_retention
from meetscribe.apps.serve.access import Access, check_address, check_origins
from meetscribe.apps.serve.admission import Admission, measure
from meetscribe.apps.serve.app import Service, application
from meetscribe.apps.serve.bridge import MqttBridge
from meetscribe.apps.serve.compat.routes import VoskPort, compatible_routes
from meetscribe.apps.serve.hub import Commanded, Hub, NewSinks
from meetscribe.apps.serve.inputs import Register
from meetscribe.apps.serve.limits import Limits
from meetscribe.apps.serve.server import check_tls, listen, run, shown_address
from meetscribe.apps.serve.shelf import StoreArchive
from meetscribe.apps.serve.voices import Separation
from meetscribe.apps.speakers import people_of, speaker_settings
from meetscribe.apps.wording import wording_of
from meetscribe.engine.worker import WorkerRecognition
from meetscribe.errors import MeetscribeError, UsageError
from meetscribe.lm.wording import Wording
from meetscribe.meeting import fold
from meetscribe.models import find
from meetscribe.session.ports import AudioSource, EventLog, EventSink, Recognition
from meetscribe.session.speakers import SpeakerSettings
from meetscribe.sinks.hooks import Hooks, HookSink
from meetscribe.sinks.mqtt import broker
from meetscribe.sources.file import FileSource
from meetscribe.sources.inputs import open_inputs
from meetscribe.sources.paced import PacedSource
from meetscribe.store.store import Store
from meetscribe.timeline import SAMPLE_RATE

_MEASURED = 6 * SAMPLE_RATE  # samples of speech that this machine's speed is measured with
_WORDS_STAY = 30.0  # seconds between two looks at what people put right in the past


@dataclass(frozen=True)
class Heard:
    """What a server hears by itself: recordings, each a meeting, `speed` times as fast; microphones, one meeting.

    What the loudspeaker plays is taken out of the microphones where `remove_echo` (and `system_audio`).
    """

    recordings: tuple[Path, ...] = ()
    speed: str = "1"
    inputs: tuple[str, ...] = ()
    system_audio: bool = False
    title: str = "meeting"
    remove_echo: bool = True

    def open(self) -> list[tuple[AudioSource, str]]:
        """Return the sources, each with the title of its meeting.

        Raises:
            MeetscribeError: one cannot be used.
        """
        sources = [(_paced(FileSource(path), self.speed), path.stem) for path in self.recordings]
        if self.inputs or self.system_audio:
            sources.append((open_inputs(self.inputs, self.system_audio, self.remove_echo), self.title))
        return sources


class CurrentWording:
    """What the text of what begins now is to be like.

    Past meetings are looked through every half minute at most: each client of another service asks, and meanwhile
    nobody else is served.

    Args:
        settings: what a person chose.
        log: says what cannot be used.
        clock: seconds that do not go back.

    Raises:
        UsageError: the list of hot words cannot be used; later it stays as it was.
    """

    def __init__(self, settings: Settings, log: Any, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings, self._log, self._clock = settings, log, clock
        self._last = wording_of(settings)
        self._stays_until = -math.inf

    def __call__(self) -> Wording:
        """Return it."""
        if self._clock() < self._stays_until:
            return self._last
        try:
            with Store(self._settings.data_dir) as store:
                self._last = wording_of(self._settings, store)
        except MeetscribeError as error:
            kind = type(error).__name__  # the sentence may quote a name, and logs hold no words
            self._log.warning("the list of hot words cannot be used; it stays as it was", error=kind)
        self._stays_until = self._clock() + _WORDS_STAY
        return self._last


class Serving:
    """One run of `meetscribe serve`.

    Args:
        settings: everything that can be set.
        heard: what it hears by itself.
        verbose: log more.

    Raises:
        MeetscribeError: it cannot start; nothing is open then.
    """

    def __init__(self, settings: Settings, heard: Heard, verbose: bool) -> None:
        check_address(settings.host, settings.token)
        self._access = Access(settings.token, check_origins(settings.origin))
        self._settings = settings
        self._tls = check_tls(settings.tls_cert, settings.tls_key)
        self._broker = None
        if settings.mqtt is not None:
            self._broker = broker(settings.mqtt, settings.mqtt_base, settings.mqtt_discovery)
        self._log = logger(verbose)
        self._wording = CurrentWording(settings, self._log)
        self._model = find(settings.model, settings.own_models)
        self._last_speakers = speaker_settings(self._model.path, people_of(settings))
        self._sources = heard.open()

    async def run(self) -> None:
        """Serve until a signal comes."""
        extra = self._settings.vosk_port
        ports = [self._settings.port] if extra is None else [self._settings.port, extra]
        sockets = listen(self._settings.host, ports)
        recognition = WorkerRecognition(load_recogniser, self._model.path)
        with Store(self._settings.data_dir) as store:
            apply_retention(store, self._settings, self._log.info)
        archive = StoreArchive(self._settings.data_dir)
        bridge = self._bridge()
        hub = Hub(
            recognition,
            archive,
            self._model.name,
            self._log,
            self._new_sinks(bridge),
            self._wording,
            self._speakers,
        )
        service = Service(hub, self._access, Limits(), self._log, Separation(self._settings.own_models))
        scheme = "http" if self._tls is None else "https"
        for one in sockets:
            self._log.info("listening", url=f"{scheme}://{shown_address(one)}")

        async def begin() -> None:
            for start, register in archive.interrupted():
                hub.resume(start, Register(register), archive.resume)
            for source, title in self._sources:
                hub.begin(source, title)
            if bridge is not None:
                bridge.catch_up(archive.since, {meeting.id for meeting in hub.live})

        measuring = asyncio.create_task(self._measure(hub), name="measure")
        try:
            await run(
                service,
                sockets,
                app=self._app(service, sockets),
                tls=self._tls,
                begin=begin,
                beside=measuring,
            )
        finally:
            measuring.cancel()
            if bridge is not None:
                await bridge.close()
            archive.close()

    def _speakers(self) -> SpeakerSettings:
        """Return who is remembered when a meeting begins."""
        try:
            self._last_speakers = speaker_settings(self._model.path, people_of(self._settings))
        except MeetscribeError as error:
            self._log.warning("remembered people stay as they were", error=str(error))
        return self._last_speakers

    def _bridge(self) -> MqttBridge | None:
        if self._broker is None:
            return None
        return MqttBridge(self._broker, self._settings.data_dir / "mqtt.json", self._log)

    def _new_sinks(self, bridge: MqttBridge | None) -> NewSinks:
        """Return what makes a meeting's sinks."""
        hooks = Hooks(self._settings.on_final, self._settings.on_end)

        def made(meeting: str, log: EventLog, commanded: Commanded) -> list[EventSink]:
            sinks: list[EventSink] = []
            if bridge is not None:
                sinks.append(bridge.sink(meeting, log, commanded))
            if hooks != Hooks():
                sinks.append(HookSink(hooks, self._log, known=fold(log.since(0))))
            return sinks

        return made

    def _app(self, service: Service, sockets: Sequence[socket.socket]) -> ASGIApp:
        app = application(service, compatible_routes(service))
        return VoskPort(app, service, sockets[1].getsockname()[1]) if len(sockets) > 1 else app

    async def _measure(self, hub: Hub) -> None:
        """Find out how many meetings this machine carries."""
        factor = await _measured(hub.recognition)
        hub.admission = Admission(factor)
        self._log.info("speed measured", factor=round(factor, 4), streams=hub.admission.streams)
        if hub.streams > hub.admission.streams:
            self._log.warning(
                "this machine hears more than it can transcribe at once; transcripts fall behind",
                streams=hub.streams,
            )


async def _measured(recognition: Recognition) -> float:
    """Return how long this machine works on a second of the bundled speech."""
    with as_file(files("meetscribe") / "demo" / "recording.flac") as path:
        parts, length = [], 0
        for block in FileSource(path).read():
            parts.append(block.samples.mean(axis=1))
            length += len(block.samples)
            if length >= _MEASURED:
                break
    return await measure(recognition, np.concatenate(parts)[:_MEASURED])


def _paced(source: AudioSource, speed: str) -> AudioSource:
    try:
        pace = math.inf if speed == "max" else float(speed)
    except ValueError:
        pace = math.nan
    if not pace > 0:
        raise UsageError(f"--speed {speed}: give a positive number, or max")
    return source if pace == math.inf else PacedSource(source, pace)


def logger(verbose: bool) -> Any:
    """Return the server's log: one JSON object per line on stderr, never what was said."""
    level = logging.DEBUG if verbose else logging.INFO
    return structlog.wrap_logger(
        structlog.PrintLogger(sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
    )
