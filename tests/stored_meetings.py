"""Small meetings to put into a store."""

from fakes import speech

from meetscribe import events as ev
from meetscribe.session.ports import Block
from meetscribe.session.recorder import FileRecorder
from meetscribe.timeline import SAMPLE_RATE


def turn(name, start, end, text, speaker=None, **more):
    """Return a turn from `start` to `end` (seconds), a word of it every so often."""
    first, last = round(start * SAMPLE_RATE), round(end * SAMPLE_RATE)
    spoken = text.split()
    step = (last - first) // max(len(spoken), 1)
    words = tuple(
        ev.Word(word, first + place * step, first + (place + 1) * step) for place, word in enumerate(spoken)
    )
    return ev.Turn(name, more.pop("slot", 0), first, last, text, words, speaker_id=speaker, **more)


def start(name="2026-11-22-standup", title="Standup", started="2026-11-22T09:00:00+00:00"):
    """Return the first event of a meeting."""
    return ev.Session(session=name, title=title, started=started, sources=("microphone",), model="tiny")


def record(store, *events, first=None, ended=True):
    """Put a meeting into a store, event by event, and return its log."""
    first = first or start()
    log = store.begin(first)
    end = [ev.End(reason="stopped", duration=60 * SAMPLE_RATE)] if ended else []
    for seq, event in enumerate([first, *events, *end]):
        log.append(ev.numbered(event, first.session, seq))
    return log


def interrupt(store):
    """Leave a meeting as a process that was killed leaves it: sound, the first turn, no end; return its id."""
    log = record(store, ended=False)
    recorder = FileRecorder(store.folder(log.session), 1)
    recorder.write(Block(0, speech("AbCdE")))
    recorder.close()
    add(log, ev.Final(at=16_000, turn=turn("t1", 0, 1, "1")))
    log.close()
    return log.session


def add(log, *events):
    """Append events that are not numbered yet."""
    for event in events:
        log.append(ev.numbered(event, log.session, log.meeting.seq))


def person(*changes):
    """Return what a person decided about speakers."""
    return ev.SpeakerUpdate(changes=changes, by="person")


def bytes_with(folder, word):
    """Return the files below a folder that hold a word, as `grep -ra` finds it, in any of its spellings."""
    wanted = {word.encode(), word.lower().encode(), word.casefold().encode()}
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path.name for path in files if any(text in path.read_bytes() for text in wanted)]
