"""Event logs with two slots: the demonstration's reference, as a model that hears everything would report it."""

import json
from pathlib import Path

import meetscribe
from meetscribe import events as ev
from meetscribe.timeline import SAMPLE_RATE, to_samples

REFERENCE = Path(meetscribe.__file__).parent / "demo" / "reference.seglst.json"
LAG = SAMPLE_RATE // 2  # samples from a word's end to the partial that shows it
CLOSE = SAMPLE_RATE  # samples from a turn's end to its final


def turn(name, slot, start, end, text):
    """A turn from `start` to `end` seconds, its words evenly spread."""
    texts, first, last = text.split(), to_samples(start), to_samples(end)
    edges = [first + (last - first) * n // len(texts) for n in range(len(texts) + 1)]
    words = tuple(ev.Word(w, a, b) for w, a, b in zip(texts, edges[:-1], edges[1:], strict=True))
    return ev.Turn(id=name, slot=slot, start=first, end=last, text=text, words=words)


def reference_turns():
    """The turns of the demonstration; a new one takes the last talker's slot, unless that one is still talking."""
    turns, slot, ends = [], 0, [0.0, 0.0]
    for number, row in enumerate(json.loads(REFERENCE.read_text()), 1):
        if ends[slot] > row["start_time"]:
            slot = 1 - slot
        ends[slot] = row["end_time"]
        turns.append(turn(f"t{number}", slot, row["start_time"], row["end_time"], row["words"]))
    return turns


def played(turns):
    """The events of turns as they are heard: start, a partial per word (all but the newest three firm), end, final."""
    events = []
    for said in turns:
        began = ev.TurnStart(at=said.words[0].end + LAG, turn=said.id, slot=said.slot, start=said.start)
        events.append(began)
        for count, word in enumerate(said.words, 1):
            heard = said.words[:count]
            now = ev.Turn(
                id=said.id,
                slot=said.slot,
                start=said.start,
                end=word.end,
                text=" ".join(w.word for w in heard),
                words=heard,
            )
            events.append(ev.Partial(at=word.end + LAG, turn=now, revision=count, stable=max(count - 3, 0)))
        events.append(ev.TurnEnd(at=said.end + CLOSE, turn=said.id, slot=said.slot, end=said.end))
        events.append(ev.Final(at=said.end + CLOSE, turn=said))
    return sorted(events, key=lambda event: event.at)
