import pytest
import stored_meetings as made

from meetscribe import events as ev
from meetscribe.store.corrections import put_right


@pytest.mark.parametrize(
    ("heard", "text", "words"),
    [
        ("we ask ada love lace today", "We ask Ada Lovelace today.", ["Lovelace"]),
        ("the cube net is cluster", "the Kubernetes cluster", ["Kubernetes"]),
        ("hello there", "Hello, there!", []),
        ("send it to zoe", "send it to Zoë Åkesson", ["Zoë Åkesson"]),
        ("no", "this is quite another sentence altogether", []),
        ("", "", []),
    ],
)
def test_words_are_put_right_where_the_text_differs(heard, text, words):
    """New words in a row are one entry; capitals and punctuation were heard well; another sentence is none."""
    assert put_right(heard, text) == words


def test_corrected_words_come_from_all_meetings_the_last_first(store):
    """Each once; what the tracker corrected, or what went off the record, is none."""
    for name, word in (("a", "Ada"), ("b", "Babbage"), ("c", "Ada")):
        made.record(
            store,
            ev.Final(turn=made.turn("t1", 0, 2, "this is data today", "s1")),
            ev.Correction(turn="t1", text=f"this is {word} today"),
            first=made.start(name),
        )
    log = made.record(
        store,
        ev.Final(turn=made.turn("t1", 0, 2, "this is data today")),
        ev.Correction(turn="t1", text="this is Turing today", by="tracker"),
        ev.Final(turn=made.turn("t2", 3, 4, "this is secret")),
        ev.Correction(turn="t2", text="this is Hidden"),
        first=made.start("d"),
        ended=False,
    )
    log.redact(["t2"])
    assert store.corrected_words() == ["Ada", "Babbage"]
    assert store.corrected_words(limit=1) == ["Ada"]


def test_what_was_put_right_twice_is_listened_for_as_it_was_left(store):
    """A slip in a correction is no word, and what was well heard after all is none either."""
    made.record(
        store,
        ev.Final(turn=made.turn("t1", 0, 2, "this is data today")),
        ev.Correction(turn="t1", text="this is Aad today"),
        ev.Correction(turn="t1", text="this is Ada today"),
        ev.Final(turn=made.turn("t2", 3, 4, "this is cabbage")),
        ev.Correction(turn="t2", text="this is Babbage"),
        ev.Correction(turn="t2", text="this is cabbage"),
    )
    assert store.corrected_words() == ["Ada"]
