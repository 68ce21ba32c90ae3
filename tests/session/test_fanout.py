import asyncio

import pytest

from meetscribe import events as ev
from meetscribe.session.fanout import Fanout, Subscription, TooSlow


def turn(name: str, text: str = "x") -> ev.Turn:
    return ev.Turn(id=name, slot=0, start=0, end=16_000, text=text)


def final(seq: int, name: str = "") -> ev.Final:
    return ev.Final(seq=seq, turn=turn(name or f"t{seq}"))


def partial(name: str, revision: int, after_seq: int = 0) -> ev.Partial:
    return ev.Partial(turn=turn(name), revision=revision, stable=0, after_seq=after_seq)


def read(reader: Subscription) -> list[ev.Event]:
    """Everything that a reader still gets of a meeting that has ended."""

    async def all_of_it() -> list[ev.Event]:
        return [event async for event in reader]

    return asyncio.run(asyncio.wait_for(all_of_it(), 10))


def test_a_reader_gets_what_it_missed_then_what_happens() -> None:
    """Events of the log come first, then the live ones, in order."""
    fanout = Fanout()
    reader = fanout.subscribe([final(1), final(2)])
    fanout.publish(final(3))
    fanout.publish(partial("t9", 1, 3))
    fanout.end()
    assert read(reader) == [final(1), final(2), final(3), partial("t9", 1, 3)]


def test_partials_and_levels_are_replaced_while_they_wait() -> None:
    """The newest partial of a turn stands where it came, older ones are counted; numbers never go back."""
    fanout = Fanout()
    reader = fanout.subscribe([])
    for event in (partial("a", 1), partial("b", 1), ev.Level(levels=(-10.0,)), final(1), partial("a", 2, 1)):
        fanout.publish(event)
    fanout.publish(ev.Level(levels=(-20.0,), after_seq=1))
    fanout.end()
    assert read(reader) == [
        partial("b", 1),
        final(1),
        partial("a", 2, 1),
        ev.Level(levels=(-20.0,), after_seq=1),
    ]
    assert reader.skipped == 2


def test_a_final_replaces_its_partial() -> None:
    """Nobody is shown a partial of a turn whose final waits."""
    fanout = Fanout()
    reader = fanout.subscribe([])
    fanout.publish(partial("a", 1))
    fanout.publish(final(1, "a"))
    fanout.end()
    assert read(reader) == [final(1, "a")]


def test_a_turn_that_came_and_went_unseen_is_not_told() -> None:
    """What is only shown stays bounded, however long nobody reads."""
    fanout = Fanout()
    reader = fanout.subscribe([])
    for number in range(100):
        fanout.publish(ev.TurnStart(turn=f"t{number}", slot=0, start=0))
        fanout.publish(partial(f"t{number}", 1))
        fanout.publish(ev.TurnEnd(turn=f"t{number}", slot=0, end=0))
    fanout.end()
    assert read(reader) == []


def test_a_reader_that_never_reads_is_cut_off() -> None:
    """More unread durable events than the limit end the subscription with an error, and are forgotten."""
    fanout = Fanout()
    slow, quick = fanout.subscribe([], limit=3), fanout.subscribe([], limit=4)
    for seq in range(1, 5):
        fanout.publish(final(seq))
    fanout.end()
    with pytest.raises(TooSlow, match="last seq"):
        read(slow)
    assert len(read(quick)) == 4


def test_a_reader_waits_for_events_and_may_leave() -> None:
    """A reader that has read everything waits; after `close` it ends and is known no more."""

    async def scene() -> list[ev.Event]:
        fanout = Fanout()
        reader = fanout.subscribe([])
        waiting = asyncio.create_task(anext(reader))
        await asyncio.sleep(0)
        fanout.publish(final(1))
        first = await waiting
        reader.close()
        assert len(fanout) == 0
        fanout.publish(final(2))
        return [first, *[event async for event in reader]]

    assert asyncio.run(scene()) == [final(1)]


def test_what_goes_off_the_record_is_emptied_while_it_waits() -> None:
    """A slow reader is not shown what was taken back."""
    fanout = Fanout()
    reader = fanout.subscribe([final(1, "a")])
    fanout.publish(final(2, "b"))
    fanout.publish(ev.Correction(seq=3, turn="b", text="secret"))
    fanout.publish(partial("c", 1, 3))
    fanout.redact({"a", "b", "c"})
    fanout.end()
    first, second, third = read(reader)
    assert isinstance(first, ev.Final)
    assert isinstance(second, ev.Final)
    assert isinstance(third, ev.Correction)
    assert first.turn.redacted
    assert second.turn.redacted
    assert third.text == ""
