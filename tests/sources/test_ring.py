import threading

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from meetscribe.sources.ring import Ring


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=60))
def test_what_is_read_is_what_came_and_holes_are_where_it_did_not_fit(steps):
    """Whatever is written and read in whatever order, every sample is read at its place or counted as lost there."""
    ring = Ring(16, 2)
    came, place, overruns, dropping = 0, 0, 0, False
    stored = 0

    def read():
        nonlocal place
        for piece in ring.read():
            place += piece.lost
            wanted = np.arange(place, place + len(piece.samples))
            np.testing.assert_array_equal(piece.samples[:, 0], wanted)
            np.testing.assert_array_equal(piece.samples[:, 1], -wanted)
            place += len(piece.samples)

    for count, reading in steps:
        fits = count <= 16 - stored
        overruns += not fits and not dropping
        dropping = not fits
        numbers = np.arange(came, came + count, dtype=np.float32)
        ring.write(np.stack([numbers, -numbers], 1))
        came += count
        stored += count if fits else 0
        if reading:
            read()
            stored = 0
    assert ring.overruns == overruns
    read()
    ring.write(np.stack([np.full(1, came), np.full(1, -came)], 1).astype(np.float32))
    read()
    assert place == came + 1


def test_a_writer_and_a_reader_at_once_lose_nothing():
    """One thread writes while another reads, and every sample arrives in order."""
    ring, taken = Ring(1_000, 1), []

    def write():
        at = 0
        while at < 20_000:
            if ring._written - ring._read < 900:
                ring.write(np.arange(at, at + 50, dtype=np.float32)[:, None])
                at += 50

    writer = threading.Thread(target=write)
    writer.start()
    while writer.is_alive():
        taken += ring.read()
    taken += ring.read()
    writer.join()
    np.testing.assert_array_equal(np.concatenate([piece.samples[:, 0] for piece in taken]), np.arange(20_000))
    assert ring.overruns == 0


def test_the_stamp_tells_when_the_last_sample_came():
    """The stamp counts all samples that came, those that did not fit too."""
    times = iter([1.0, 2.0])
    ring = Ring(10, 1, lambda: next(times))
    assert ring.stamp is None
    ring.write(np.zeros((8, 1), np.float32))
    ring.write(np.zeros((8, 1), np.float32))
    assert ring.stamp is not None
    assert (ring.stamp.count, ring.stamp.time) == (16, 2.0)
