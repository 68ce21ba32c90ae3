import asyncio
import contextlib
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import worker_models as workers
from fakes import load_loudness, speech

from meetscribe.engine.worker import WINDOW, WorkerRecognition, WorkerStream
from meetscribe.errors import EngineLost, MissingError
from meetscribe.events import Event, Final
from meetscribe.lm.wording import Wording
from meetscribe.timeline import SAMPLE_RATE


def audio(pattern: str) -> np.ndarray:
    return speech(pattern)[:, 0]


def run(scene, load=load_loudness, model: Path = Path("model"), **settings):
    """Run a scene with a recognition, and end its worker."""

    async def whole():
        recognition = WorkerRecognition(load, model, **settings)
        try:
            return await asyncio.wait_for(scene(recognition), 120)
        finally:
            await recognition.close()

    return asyncio.run(whole())


async def said(stream: WorkerStream) -> list[Event]:
    return [event async for event in stream.events()]


def texts(events: list[Event]) -> list[str]:
    return [event.turn.text for event in events if isinstance(event, Final)]


def test_streams_share_a_worker() -> None:
    """Streams of one worker are transcribed apart, in meeting time, and each ends after its last event."""

    async def scene(recognition):
        one, two = await recognition.open(), await recognition.open(start=10 * SAMPLE_RATE, label="1")
        reading = asyncio.gather(said(one), said(two))
        for part in np.split(audio("AbC"), 6):
            await one.feed(part)
        await two.feed(audio("aB"))
        await one.finish()
        await two.finish()
        first, second = await reading
        assert (one.heard, two.heard) == (3 * SAMPLE_RATE, 2 * SAMPLE_RATE)
        assert multiprocessing.active_children()[0].pid == recognition.process_id
        return first, second

    first, second = run(scene)
    assert texts(first) == ["1", "3"]
    assert texts(second) == ["2"]
    (final,) = [event for event in second if isinstance(event, Final)]
    assert (final.turn.start, final.turn.end, final.at) == (
        11 * SAMPLE_RATE,
        12 * SAMPLE_RATE,
        12 * SAMPLE_RATE,
    )
    assert not multiprocessing.active_children()


def test_meetings_of_one_worker_have_hot_words_of_their_own() -> None:
    """Streams that are opened for different meetings know those meetings' lists, in one worker."""

    async def scene(recognition):
        meetings = [recognition.worded(Wording(hotwords=(name,))) for name in ("Ada", "Bo")]
        streams = [await meeting.open() for meeting in (*meetings, recognition)]
        reading = asyncio.gather(*map(said, streams))
        for stream in streams:
            await stream.feed(audio("A"))
            await stream.finish()
        assert len(multiprocessing.active_children()) == 1
        return await reading

    assert [texts(events) for events in run(scene)] == [["Ada 1"], ["Bo 1"], ["1"]]


@pytest.mark.parametrize(
    ("load", "reason"),
    [
        (workers.load_killed, "killed (signal 9)"),
        (workers.load_without_memory, "no memory left"),
        (workers.load_hanging, "no answer for"),
        (workers.load_faulty, "ValueError in worker_models.py"),
    ],
)
def test_a_lost_worker_is_told_and_started_again(load, reason: str, tmp_path: Path) -> None:
    """Every stream of a worker that is killed, has no memory, hangs or fails hears why; the next one is well."""

    async def scene(recognition):
        stream, other = await recognition.open(), await recognition.open()
        await stream.feed(audio("aB"))
        await stream.feed(np.full(SAMPLE_RATE, 0.99, np.float32))
        with pytest.raises(EngineLost) as lost:
            await said(stream)
        with pytest.raises(EngineLost):
            await said(other)
        with pytest.raises(EngineLost):
            await stream.feed(audio("a"))
        again = await recognition.open()
        await again.feed(audio("A"))
        await again.finish()
        return str(lost.value), texts(await said(again))

    why, words = run(scene, load, tmp_path, patience=2.0)
    assert reason in why
    assert "secret" not in why
    assert words == ["1"]


def test_a_worker_that_stands_still_is_killed_by_the_watchdog() -> None:
    """A stopped process answers nothing and cannot be asked to end; it is noticed only while it owes an answer."""

    async def scene(recognition):
        stream = await recognition.open()
        os.kill(recognition.process_id, signal.SIGSTOP)
        await asyncio.sleep(2.0)
        await stream.feed(audio("A"))
        began = time.monotonic()
        with pytest.raises(EngineLost, match="no answer"):
            await said(stream)
        return time.monotonic() - began

    assert run(scene, patience=1.0) >= 1.0


def test_a_worker_that_waits_for_a_processor_does_not_hang(monkeypatch) -> None:
    """The time in which it could not run is not held against it."""
    monkeypatch.setattr("meetscribe.engine.worker.seconds_kept_waiting", lambda process: time.monotonic())

    async def scene(recognition):
        stream = await recognition.open()
        await stream.feed(audio("A"))
        os.kill(recognition.process_id, signal.SIGSTOP)
        await stream.feed(audio("b"))
        reading = asyncio.create_task(said(stream))
        await asyncio.wait({reading}, timeout=2.0)
        assert not reading.done()
        monkeypatch.setattr("meetscribe.engine.worker.seconds_kept_waiting", lambda process: 0.0)
        with pytest.raises(EngineLost, match="no answer"):
            await reading

    run(scene, patience=0.5)


def test_audio_on_its_way_is_bounded() -> None:
    """While the worker stands still, feeding waits when the window is full."""

    async def scene(recognition):
        stream = await recognition.open()
        os.kill(recognition.process_id, signal.SIGSTOP)
        fed = 0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                while True:
                    await stream.feed(audio("a"))
                    fed += SAMPLE_RATE
        os.kill(recognition.process_id, signal.SIGCONT)
        await stream.finish()
        await said(stream)
        assert stream.heard >= fed
        return fed

    assert run(scene) <= WINDOW + SAMPLE_RATE


def test_a_model_that_cannot_be_loaded_is_an_error_of_its_own() -> None:
    """A damaged model is told as such; a worker that dies while it loads is lost."""

    async def scene(recognition):
        await recognition.open()

    with pytest.raises(MissingError, match="it is damaged"):
        run(scene, model=Path("bad"))
    with pytest.raises(EngineLost, match="code 3"):
        run(scene, workers.load_dying)


def test_starts_are_spaced_when_they_keep_on_failing() -> None:
    """The pause before the next start grows."""

    async def scene(recognition):
        times = []
        for _ in range(3):
            began = time.monotonic()
            with pytest.raises(EngineLost):
                await recognition.open()
            times.append(time.monotonic() - began)
        return times

    times = run(scene, workers.load_dying)
    assert times[2] > 0.5  # 0.25 s, then 0.5 s


def test_the_worker_ends_with_its_parent(tmp_path: Path) -> None:
    """When the whole program is killed no worker stays behind."""
    program = (
        "import asyncio, sys; from pathlib import Path; from fakes import load_loudness\n"
        "from meetscribe.engine.worker import WorkerRecognition\n"
        "async def main():\n"
        "    recognition = WorkerRecognition(load_loudness, Path('model'))\n"
        "    await recognition.open()\n"
        "    print(recognition.process_id, flush=True)\n"
        "    await asyncio.sleep(600)\n"
        "if __name__ == '__main__': asyncio.run(main())\n"
    )
    script = tmp_path / "parent.py"
    script.write_text(program)
    paths = os.pathsep.join(path for path in sys.path if path)
    parent = subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": paths}
    )
    assert parent.stdout is not None
    with parent, parent.stdout:
        worker = int(parent.stdout.readline())
        os.kill(worker, signal.SIGTERM)
        os.kill(worker, signal.SIGINT)
        os.kill(worker, 0)
        parent.kill()
        parent.wait()
    for _ in range(300):
        if not Path(f"/proc/{worker}").exists():
            return
        time.sleep(0.1)
    pytest.fail("the worker is still there")


def test_nothing_that_records_imports_torch() -> None:
    """Session, recorder, the worker's parent side and the sources live in a process without torch."""
    names = [
        "session.session",
        "session.ports",
        "engine.worker",
        "engine.in_process",
        "apps.recogniser",
        "sources.file",
    ]
    program = f"import sys; {'; '.join(f'import meetscribe.{name}' for name in names)}; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
