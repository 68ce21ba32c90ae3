import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import fftconvolve

from meetscribe.session.ports import Block
from meetscribe.sources.echo import FRAME, EchoSettings
from meetscribe.sources.echo_delay import DelayFinder
from meetscribe.sources.echo_removal import EchoRemoval

RATE = 16_000


def voice(seconds, seed):
    """Noise in bursts of a few hundred milliseconds, as speech comes."""
    rng = np.random.default_rng(seed)
    count = int(seconds * RATE)
    loud = np.repeat(rng.uniform(0, 1, count // 3_200 + 1) > 0.4, 3_200)[:count]
    return (0.1 * rng.normal(size=count) * fftconvolve(loud, np.hanning(800) / 400, "same")).astype(
        np.float32
    )


def room(seed, seconds=0.1):
    """A response of 0.1 s that fades by 60 dB."""
    rng = np.random.default_rng(seed)
    count = int(seconds * RATE)
    response = rng.normal(size=count) * 10 ** (-3 * np.arange(count) / count)
    return response / np.sqrt(np.sum(response**2))


def through(sound, response, delay):
    echo = fftconvolve(sound, response)[: len(sound)]
    return np.concatenate([np.zeros(delay), echo])[: len(sound)].astype(np.float32)


def clean(removal, both, pieces=(800,), position=0):
    """Return all channels after the removal, and the position of the first sample."""
    blocks, at, turn = [], 0, 0
    while at < len(both):
        piece = both[at : at + pieces[turn % len(pieces)]]
        blocks += removal.feed(Block(position + at, piece))
        at, turn = at + len(piece), turn + 1
    blocks += removal.flush()
    ends = [block.position + len(block.samples) for block in blocks]
    assert [block.position for block in blocks[1:]] == ends[:-1], "blocks follow each other"
    return np.concatenate([block.samples for block in blocks]), blocks[0].position


def decibel(sound):
    return 10 * np.log10(np.mean(np.square(sound)) + 1e-12)


@pytest.mark.parametrize("delay", [0, 6_000])
def test_echo_is_taken_out_whatever_its_delay(delay):
    """After five seconds at least 25 dB of an echo are gone, be it at once or 0.4 s late."""
    far = voice(7, 1)
    echo = through(far, room(2), delay)
    given, _ = clean(EchoRemoval(1), np.stack([echo, far], 1))
    late = slice(5 * RATE, None)
    assert decibel(echo[late]) - decibel(given[late, 0]) > 25
    np.testing.assert_array_equal(given[:, 1], far)


def test_who_speaks_in_the_room_stays():
    """While both talk, the near voice comes through three times as strong as what is changed of it."""
    far, near = voice(7, 3), voice(7, 4)
    near[: 4 * RATE] = 0
    echo = 0.5 * through(far, room(5), 500)
    given, _ = clean(EchoRemoval(1), np.stack([echo + near, far], 1))
    both = slice(5 * RATE, None)
    assert decibel(near[both]) - decibel(given[both, 0] - near[both]) > 5


def test_without_anything_played_nothing_changes():
    """A silent loudspeaker leaves every channel as it was, to a ten-thousandth."""
    near = np.stack([voice(2, 6), voice(2, 7), np.zeros(2 * RATE, np.float32)], 1)
    given, position = clean(EchoRemoval(2), near, position=777)
    assert position == 777
    np.testing.assert_allclose(given, near, atol=1e-4)


@settings(max_examples=5)
@given(st.lists(st.integers(50, 3_000), min_size=1, max_size=5))
def test_blocks_of_any_size_give_the_same(pieces):
    """What comes out does not depend on how the sound was cut."""
    far = voice(1, 8)
    both = np.stack([through(far, room(9), 300) + voice(1, 10), far], 1)
    whole, _ = clean(EchoRemoval(1), both, (len(both),))
    cut, _ = clean(EchoRemoval(1), both, tuple(pieces))
    np.testing.assert_allclose(cut, whole, atol=1e-6)


def test_after_a_hole_the_room_is_still_known():
    """What is before a hole is given whole, what comes after has its own position, and the echo is gone at once."""
    far = voice(8, 11)
    both = np.stack([through(far, room(12), 300), far], 1)
    removal = EchoRemoval(1)
    blocks = removal.feed(Block(0, both[: 6 * RATE]))
    blocks += removal.feed(Block(7 * RATE, both[6 * RATE :]))
    blocks += removal.flush()
    before = [block for block in blocks if block.position < 6 * RATE]
    after = [block for block in blocks if block.position >= 7 * RATE]
    assert sum(len(block.samples) for block in before) == 6 * RATE
    assert after[0].position == 7 * RATE
    rest = np.concatenate([block.samples for block in after])
    assert decibel(both[-RATE:, 0]) - decibel(rest[-RATE:, 0]) > 20
    assert len(rest) == 2 * RATE


@pytest.mark.parametrize("delay", [-500, 0, 9_000])
def test_the_delay_is_found(delay):
    """A delay between 50 ms too early and a second is found within 4 s, to 2 ms; two voices have none."""
    far, near = voice(5, 13), voice(5, 14)
    heard = np.roll(far, delay) + near
    finder, strangers = DelayFinder(), DelayFinder()
    for at in range(0, 4 * RATE, FRAME):
        finder.feed(heard[at : at + FRAME], far[at : at + FRAME])
        strangers.feed(near[at : at + FRAME], far[at : at + FRAME])
    assert finder.delay == pytest.approx(delay, abs=32)
    assert strangers.delay is None


def test_damping_takes_what_the_filter_leaves():
    """The filter alone leaves a tenth or less of an echo, and damping makes that softer still."""
    far = voice(4, 15)
    echo = through(far, room(16), 100)
    plain, _ = clean(EchoRemoval(1, EchoSettings(damped=False)), np.stack([echo, far], 1))
    damped, _ = clean(EchoRemoval(1), np.stack([echo, far], 1))
    part = slice(RATE, 2 * RATE)
    assert decibel(echo[part]) - 10 > decibel(plain[part, 0]) > decibel(damped[part, 0])
