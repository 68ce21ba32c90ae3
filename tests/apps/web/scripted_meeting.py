"""A meeting for pictures of the page: four people who talk over each other, a bookmark, a gap."""

from dataclasses import replace

from meetscribe import events as ev

NAMES = {"s1": "Alice", "s2": "Bo Larsen", "s3": "Chiara", "s4": "Deniz"}

# (slot, speaker, start in seconds, what was said; a * before a word: it was hard to hear)
SAID = [
    (0, "s1", 2.0, "Good morning. Shall we begin with the move to the new building?"),
    (0, "s2", 7.1, "Yes. I was there this morning. The rooms are much bigger, and the light is very good."),
    (1, "s3", 10.2, "Oh, nice."),
    (0, "s1", 14.6, "Then we could move before the end of the month, if the network is ready by then."),
    (1, "s2", 17.6, "That would be too early for me. I have to finish the report for the city first, and *Wilmersdorf "
        "wants it on paper."),
    (0, "s4", 25.4, "How long will you need for it?"),
    (0, "s2", 28.0, "About two weeks, if nobody asks me for anything else."),
    (1, "s1", 30.2, "Nobody will."),
    (1, "s4", 31.2, "Promised."),
    (0, "s3", 34.5, "I could take over the *cabling in the meantime. I have a quote from two firms, and one of them "
        "can come on Thursday already."),
    (1, "s1", 38.3, "Mhm."),
    (1, "s4", 40.4, "Which one is it?"),
    (0, "s3", 43.2, "The one that did the library. They were quick, and they cleaned up after themselves."),
    (0, "s1", 49.0, "Good. Then Thursday it is, and we look at the date of the move again next Monday."),
    (0, "s4", 62.3, "One more thing before we go. Who tells the people on the second floor?"),
    (0, "s2", 66.8, "I will. They know me, and they have been asking every day since"),
    (1, "s3", 69.0, "Let me do that, I see them at lunch anyway."),
    (0, "s2", 71.4, "All right, even better. Thank you, Chiara."),
]  # fmt: skip
GOING_ON = [
    (0, "s1", 75.1, "Then I think that is all for today. I will write down what we agreed and send it", 9),
    (1, "s4", 78.0, "Could you add the date for", 2),
]
PER_WORD = 0.29  # seconds


def _turn(name, slot, speaker, start, said):
    texts = said.split()
    words = tuple(
        ev.Word(
            text.lstrip("*"),
            round((start + place * PER_WORD) * 16_000),
            round((start + (place + 0.9) * PER_WORD) * 16_000),
            0.37 if text.startswith("*") else 0.95,
        )
        for place, text in enumerate(texts)
    )
    text = " ".join(word.word for word in words)
    return ev.Turn(name, slot, words[0].start, words[-1].end, text, words, speaker_id=speaker)


def finals():
    """The finished turns, in the order in which they ended, each overlapping what it overlaps."""
    turns = [_turn(f"t{number}", *said) for number, said in enumerate(SAID, 1)]
    made = []
    for turn in sorted(turns, key=lambda turn: turn.end):
        over = tuple(other.turn.id for other in made if other.turn.interval.touches(turn.interval))
        made.append(ev.Final(turn=replace(turn, overlaps=over), at=turn.end))
    return made


def events():
    """The whole log, and what goes on at its end."""
    changes = tuple(ev.Change(speaker, speaker=name) for speaker, name in NAMES.items())
    last = 80 * 16_000
    yield ev.Status(state="listening")
    yield ev.SpeakerUpdate(changes=changes, by="person")
    for final in finals():
        if final.turn.id == "t15":
            yield ev.Bookmark(note="Cabling on Thursday, move decided on Monday", at=round(54.5 * 16_000))
            yield ev.Gap(
                start=round(56.0 * 16_000), end=round(60.4 * 16_000), reason="the microphone was unplugged"
            )
        yield final
    for number, (slot, speaker, start, said, stable) in enumerate(GOING_ON, len(SAID) + 1):
        turn = _turn(f"t{number}", slot, speaker, start, said)
        yield ev.Partial(turn=turn, revision=3, stable=stable, at=last)
    yield ev.Lag(behind=round(0.42 * 16_000), at=last)
    yield ev.Level(levels=(-21.0, -34.0), at=last)
