import contextlib

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetscribe.sources.lanes import HELD, ClientsSource
from meetscribe.sources.websocket import ClientAudioError, client_stream, packet_samples

RATES = st.sampled_from([8_000, 16_000, 44_100, 48_000])


def pcm(samples):
    return (np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()


def tone(rate, seconds=0.5, channels=1):
    time = np.arange(int(rate * seconds))[:, None] / rate
    return 0.5 * np.sin(2 * np.pi * (300 + 100 * np.arange(channels)) * time)


def joined(blocks, start=0):
    """Return blocks as one array, and prove that they follow each other."""
    position = start
    for block in blocks:
        assert block.position == position
        position += len(block.samples)
    return np.concatenate([block.samples for block in blocks]) if blocks else np.zeros((0, 1))


@given(RATES, st.integers(1, 2), st.lists(st.integers(0, 5000), max_size=6), st.integers(0, 3000))
def test_any_messages_give_the_same_audio(rate, channels, cuts, again):
    """However audio is cut into messages, and whatever is sent twice after a reconnect, the blocks hold it once."""
    samples = tone(rate, channels=channels)
    whole = client_stream("pcm_s16le", rate, channels)
    expected = joined(whole.receive(pcm(samples), 0) + whole.finish())
    stream, blocks, at = client_stream("pcm_s16le", rate, channels), [], 0
    for cut in sorted(min(cut, len(samples)) for cut in [*cuts, len(samples)]):
        begin = max(at - again, 0)
        blocks += stream.receive(pcm(samples[begin:cut]), begin)
        at = max(at, cut)
        assert stream.expected == at
    given_samples = joined(blocks + stream.finish())
    assert given_samples.shape == expected.shape
    assert np.abs(given_samples - expected).max() < 1e-3
    assert abs(len(expected) - 8_000) <= 1


def test_what_is_missing_is_a_jump_in_position():
    """A message from further on leaves a hole of exactly that length."""
    stream = client_stream("pcm_s16le", 48_000, 1)
    first = stream.receive(pcm(tone(48_000)), 0)
    later = stream.receive(pcm(tone(48_000)), 48_000)
    rest = stream.finish()
    before = joined([block for block in first + later if block.position < 8_000])
    assert len(before) == 8_000
    assert len(joined([block for block in later + rest if block.position >= 16_000], 16_000)) == 8_000


def packets(seconds=1.0):
    codec = av.CodecContext.create("libopus", "w")
    codec.sample_rate, codec.layout, codec.format = 48_000, "mono", "s16"
    made = []
    samples = (tone(48_000, seconds)[:, 0] * 32767).astype(np.int16)
    for at in range(0, len(samples), 960):
        frame = av.AudioFrame.from_ndarray(samples[None, at : at + 960], format="s16", layout="mono")
        frame.sample_rate, frame.pts = 48_000, at
        made += [bytes(packet) for packet in codec.encode(frame)]
    return made


def test_opus_packets_are_counted_and_decoded():
    """Each packet counts as many samples as its first byte says; the tone is there; a damaged packet is an error."""
    stream, blocks = client_stream("opus", 48_000, 1), []
    for number, packet in enumerate(packets()):
        assert packet_samples(packet) == 960
        blocks += stream.receive(packet, number * 960)
    sound = joined(blocks + stream.finish())[:, 0]
    spectrum = np.abs(np.fft.rfft(sound[4_000:12_000]))
    assert abs(len(sound) - 16_000) <= 1
    assert 2 * np.argmax(spectrum) == 300
    with pytest.raises(ClientAudioError):
        stream.receive(b"\xff\xff\x00garbage")
    assert stream.expected == 48_000


@given(st.sampled_from(["opus", "pcm_s16le"]), st.binary(max_size=60), st.integers(0, 10_000))
def test_no_bytes_break_a_stream(encoding, frame, position):
    """Any bytes are audio or an error, and the stream goes on."""
    stream = client_stream(encoding, 48_000, 1)
    with contextlib.suppress(ClientAudioError):
        stream.receive(frame, position)
    assert stream.expected <= position + 5760 + 30


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(1, 30)), max_size=20))
def test_lanes_lose_nothing(pushes):
    """Whoever sends when: the meeting hears the sum of all lanes, each from where it began, and never goes back."""
    source = ClientsSource("clients", 1)
    lanes = [source.add("a", 1), source.add("b", 1)]
    streams = [client_stream("pcm_s16le", 16_000, 1) for _ in lanes]
    sums, sent, heard = np.zeros(20_000), [0, 0], []
    for lane, tenths in pushes:
        samples = np.full((tenths * 10, 1), 0.25)
        lanes[lane].push(streams[lane].receive(pcm(samples)))
        sums[sent[lane] : sent[lane] + len(samples)] += 0.25
        sent[lane] += len(samples)
        while (block := source.take()) is not None:
            heard.append(block)
        assert source.given == min(sent)
    source.finish()
    while (block := source.take()) is not None:
        heard.append(block)
    assert np.abs(joined(heard)[:, 0] - sums[: max(sent)]).max(initial=0) < 1e-3


def test_a_silent_lane_does_not_hold_the_others_up_for_ever():
    """After half a minute others are heard without it; what it says then comes later, and whole."""
    source = ClientsSource("clients", 1)
    talker, silent = source.add("talker", 1), source.add("silent", 1)
    stream = client_stream("pcm_s16le", 16_000, 1)
    for _ in range(HELD // 16_000 + 5):
        talker.push(stream.receive(pcm(np.full((16_000, 1), 0.5))))
    while source.take() is not None:
        pass
    assert source.given == 5 * 16_000
    silent.push(client_stream("pcm_s16le", 16_000, 1).receive(pcm(np.full((16_000, 1), 0.25))))
    block = source.take()
    assert block is not None
    assert (block.position, len(block.samples)) == (5 * 16_000, 16_000)
    assert np.abs(block.samples - 0.75).max() < 1e-3
