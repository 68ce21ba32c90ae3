import os
import re
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import soundfile
from live_process import WORDS, log_of, words

from meetscribe import events as ev
from meetscribe.session.recorder import Recording

MEGABYTE = 1 << 20


def needs(program: str) -> None:
    """Skip without a program, except where the tests' own installer should have brought it."""
    if shutil.which(program) is None:
        if os.environ.get("CI"):
            pytest.fail(f"{program} should have been installed")
        pytest.skip(f"{program} is not installed")


def test_what_is_recorded_is_synced(live, home: Path) -> None:
    """The system is told to put audio on the disk at least twice a second, and every event before it is shown."""
    needs("strace")
    trace = home / "trace"
    tracing = ("strace", "-f", "-y", "-tt", "-e", "trace=fsync,fdatasync", "-o", str(trace))
    meeting = live("--from-file", str(home / "words.wav"), "--speed", "8", before=tracing)
    try:
        events = meeting.rest()
    except subprocess.TimeoutExpired:
        pytest.skip("strace cannot trace here")
    calls = trace.read_text()
    if "fsync" not in calls and "ptrace" in meeting.said:
        pytest.skip("strace may not trace here")
    played = max(event["at"] for event in events) / 8
    audio = re.findall(r"fsync\(\d+<[^>]*audio-0-1\.wav", calls)
    assert len(audio) >= played  # every half second, on a machine that has other things to do
    assert re.search(r"f(data)?sync\(\d+<[^>]*meetings/[^>]*>\)", calls)  # the folder: new files are found
    log = [event for event in events if "seq" in event]
    others = re.findall(r"f(?:data)?sync\(\d+<(?![^>]*audio-)[^>]*>", calls)
    assert len(others) >= len(log)


@pytest.fixture
def small_disk(home: Path):
    """A disk of sixteen megabytes for the meetings' folder."""
    folder = home / "data"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a small disk cannot be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(disk: Path, left: int = 0) -> None:
    """Write rubbish until so many bytes are free."""
    with (disk / "rubbish").open("wb", buffering=0) as file, suppress(OSError):
        while shutil.disk_usage(disk).free > left or not left:
            file.write(bytes(4096))


def test_a_full_disk_stops_the_recording_and_not_the_transcript(live, home: Path, small_disk: Path) -> None:
    """The state says that the disk is full; every word is shown; when there is room again recording goes on."""
    meeting = live("--from-file", str(home / "words.wav"), "--speed", "4")
    meeting.until(lambda event: event["type"] == "level")
    fill(small_disk)
    told = meeting.until(lambda event: event["type"] == "status" and "stopped" in (event["reason"] or ""))
    assert told["state"] == "degraded"
    assert "delete something" in told["reason"]
    (small_disk / "rubbish").unlink()
    events = meeting.rest()
    assert [event["turn"]["text"] for event in events if event["type"] == "final"] == WORDS
    log = log_of(home, events[0]["session"])
    assert words(log) == WORDS
    assert isinstance(log[-1], ev.End)
    recording = Recording(small_disk / "meetings" / events[0]["session"])
    heard, audio = (
        recording.read(0, 0, recording.length),
        soundfile.read(home / "words.wav", dtype="float32")[0],
    )
    assert len(heard) == len(audio)
    same = heard == audio
    assert np.all(heard[~same] == 0)  # what was not recorded is silence
    assert same[-16_000:].all()


def test_the_recording_stops_while_there_is_room_to_take_words_back(
    live, home: Path, small_disk: Path
) -> None:
    """When little room is left, the transcript has it: words go off the record, and their bytes from the disk."""
    meeting = live("--from-file", str(home / "words.wav"), "--speed", "4")
    meeting.until(lambda event: event["type"] == "level")
    fill(small_disk, left=shutil.disk_usage(small_disk).total // 8 - 64 * 1024)
    meeting.until(lambda event: event["type"] == "status" and "transcript needs" in (event["reason"] or ""))
    first = meeting.until(lambda event: event["type"] == "final")
    meeting.ask(id="c1", name="off_record", seconds=600)
    meeting.until(lambda event: event["type"] == "ack")
    meeting.ask(id="c2", name="stop")
    events = meeting.rest()
    assert meeting.process.returncode == 0
    assert isinstance(log_of(home, events[0]["session"])[-1], ev.End)
    found = subprocess.run(
        ["grep", "-ra", f'"{first["turn"]["text"]}"', str(home / "data")], capture_output=True, check=False
    )
    assert found.returncode == 1, found.stdout


def test_a_transcript_that_is_not_on_the_disk_is_not_said_to_be_kept(
    live, home: Path, small_disk: Path
) -> None:
    """Another program takes all the room and keeps it: the end says so, and what helps."""
    meeting = live("--from-file", str(home / "words.wav"), "--speed", "8")
    meeting.until(lambda event: event["type"] == "final")
    fill(small_disk)
    events = meeting.rest()
    assert meeting.process.returncode == 3
    assert "the transcript cannot be written to disk" in meeting.said
    assert f"`meetscribe recover {events[0]['session']}`" in meeting.said
    assert "is kept" not in meeting.said


def test_a_signal_ends_a_meeting_in_order(live, home: Path) -> None:
    """SIGTERM finishes the turn that is being said, and the last event is the end."""
    meeting = live("--from-file", str(home / "words.wav"), "--speed", "4")
    begun = meeting.until(lambda event: event["type"] == "turn_start" and event["start"] > 2.0)
    meeting.process.send_signal(signal.SIGTERM)
    events = meeting.rest()
    assert meeting.process.returncode == 0
    assert (events[-1]["type"], events[-1]["reason"]) == ("end", "stopped by SIGTERM")
    assert any(event["type"] == "final" and event["turn"]["id"] == begun["turn"] for event in events)


def test_commands_come_on_stdin(live, home: Path) -> None:
    """Scripts pause, mark and take back through lines of JSON, and each is answered."""
    meeting = live("--from-file", str(home / "words.wav"), "--speed", "4")
    first = meeting.until(lambda event: event["type"] == "final")
    meeting.ask(id="c1", name="bookmark", note="here")
    assert meeting.until(lambda event: event["type"] == "ack")["id"] == "c1"
    meeting.ask(id="c2", name="dance")
    assert meeting.until(lambda event: event["type"] == "error")["code"] == "unknown_command"
    meeting.ask(id="c3", name="off_record", seconds=600)
    answer = meeting.until(lambda event: event["type"] == "ack")
    meeting.ask(id="c4", name="stop")
    events = meeting.rest()
    assert events[-1]["reason"] == "stopped"
    log = log_of(home, events[0]["session"])
    assert isinstance(log[answer["seq"] - 1], ev.OffRecord)
    found = subprocess.run(
        ["grep", "-ra", f'"{first["turn"]["text"]}"', str(home / "data")], capture_output=True, check=False
    )
    assert found.returncode == 1, found.stdout
