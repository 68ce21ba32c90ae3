"""All meetings of a server to one MQTT broker, also those that ended while the broker was away."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from meetscribe.events import DurableEvent
from meetscribe.session.ports import EventLog
from meetscribe.sinks.mqtt import Broker, Commanded, MqttSink, Since, Watermarks

_LAST = 5.0  # seconds in which what is left is published when the server goes; the rest comes after its next start


class MqttBridge:
    """Keeps a task for each meeting that has something to publish.

    Args:
        broker: where to.
        marks: a file that remembers what was confirmed.
        log: says what happens.
    """

    def __init__(self, broker: Broker, marks: Path, log: Any) -> None:
        self._broker, self._marks, self._log = broker, Watermarks(marks), log
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def sink(self, meeting: str, log: EventLog, commanded: Commanded) -> MqttSink:
        """Return the sink of a meeting that begins, or goes on."""
        return self._start(meeting, log.since, commanded)

    def catch_up(self, read: Callable[[str, int], list[DurableEvent]], running: set[str]) -> None:
        """Publish the rest of meetings that are over."""
        for meeting in self._marks.unfinished:
            if meeting not in running and meeting not in self._tasks:
                try:
                    read(meeting, 0)
                except Exception:  # it was deleted
                    self._marks.finish(meeting)
                    continue
                self._start(meeting, lambda seq, meeting=meeting: read(meeting, seq), None)

    async def close(self) -> None:
        """Publish what can be published soon, and end."""
        tasks = list(self._tasks.values())
        if tasks:
            await asyncio.wait(tasks, timeout=_LAST)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, meeting: str, since: Since, commanded: Commanded | None) -> MqttSink:
        sink = MqttSink(meeting, self._broker, since, self._marks, commanded, self._log)
        task = self._tasks[meeting] = asyncio.create_task(sink.run(), name=f"mqtt {meeting}")
        task.add_done_callback(lambda _: self._tasks.pop(meeting, None))
        return sink
