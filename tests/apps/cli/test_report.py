import shutil
from dataclasses import replace

import numpy as np
import pytest
import rooms_material
import soundfile
from apps.web.browser import chromium, find_chromium
from formats_material import at, log, turn

from meetscribe.apps import voices
from meetscribe.formats import json_document
from meetscribe.meeting import fold
from meetscribe.testing import tiny_network


def two_at_once():
    """Two people, each in a channel, who overlap from 2 to 3 s."""
    first = turn(1, 0, "s1", 1.0, 3.0, "so I say", channel=0)
    second = turn(2, 0, "s2", 2.0, 4.0, "and so do I", channel=1)
    return log(first, replace(second, overlaps=("t1",)))


def tones():
    """A tone for each channel, 5 s."""
    time = np.arange(at(5.0)) / 16_000
    return np.stack([0.2 * np.sin(2 * np.pi * f * time) for f in (300, 700)], 1).astype(np.float32)


def loudest_tone(sound):
    """The frequency of the strongest part of a sound."""
    return int(np.argmax(np.abs(np.fft.rfft(sound))) * 16_000 / len(sound))


def test_a_channel_gives_each_voice_alone():
    """Turns that overlap get the sound of their own channel, exactly as long as they are."""
    turns = voices.overlapped(fold(two_at_once()))
    audio = tones()
    found = voices.from_channels(turns, (audio[n : n + 7000] for n in range(0, len(audio), 7000)))
    assert {name: loudest_tone(sound) for name, sound in found.items()} == {"t1": 300, "t2": 700}
    assert {len(sound) for sound in found.values()} == {at(2.0)}


def test_the_separator_s_masks_give_each_slot_as_sound(monkeypatch):
    """Where masks let everything pass both slots are the mixture; where one lets nothing pass, its slot is silent."""
    slots = voices.MaskedSlots(tiny_network())
    mixture = rooms_material.voice(np.random.default_rng(1), [(0.5, 2.5)], 3.0)

    def all_and_nothing(samples):
        real = np.ones((2, len(samples) // 160, 257), np.float32)
        real[1] = 0
        return real

    monkeypatch.setattr(slots, "_gains", all_and_nothing)
    parts = [slots.feed(mixture[n : n + 5000]) for n in range(0, len(mixture), 5000)]
    out = np.concatenate([*parts, slots.finish()], axis=1)
    assert out.shape == (2, len(mixture))
    np.testing.assert_allclose(out[0, 800:-800], mixture[800:-800], atol=1e-3)
    assert not out[1].any()


def test_masks_of_a_network_are_gains_of_the_spectrum():
    """A network's masks only take away, in every bin, and give as many samples as were taken."""
    slots = voices.MaskedSlots(tiny_network())
    mixture = rooms_material.voice(np.random.default_rng(2), [(0.0, 2.0)], 2.1)
    out = np.concatenate([slots.feed(mixture), slots.finish()], axis=1)
    assert out.shape == (2, len(mixture))
    gains = voices.MaskedSlots(tiny_network())._gains(mixture[: slots._step])
    assert gains.min() >= 0
    assert gains.max() <= 1.001


@pytest.mark.parametrize("length", [0, 1, 2_400, 2_559, 2_560, 28_000])
def test_voices_are_as_long_as_their_mixture(length):
    """Whatever the length, as many samples come as were taken: a step is 2,560 of them."""
    slots = voices.MaskedSlots(tiny_network())
    parts = [slots.feed(np.zeros(length, np.float32)), slots.finish()]
    assert np.concatenate(parts, axis=1).shape == (2, length)


@pytest.fixture
def material(tmp_path):
    """A transcript with its recording beside it."""
    (tmp_path / "a.json").write_text(json_document.encode(fold(two_at_once())))
    soundfile.write(tmp_path / "a.wav", tones(), 16_000)
    return tmp_path


def test_a_report_finds_the_recording_beside_it(cli, material):
    """The page points at the recording, relative to itself, and holds each voice alone; --embed puts all inside."""
    assert cli("report", "a.json", "-o", "out/a.html").code == 0
    text = (material / "out/a.html").read_text()
    assert 'src="../a.wav"' in text
    assert text.count('data-voice="data:audio/ogg;base64,') == 2
    assert cli("report", "a.json", "-o", "b.html", "--embed").code == 0
    assert 'preload="metadata" src="data:audio/ogg;base64,' in (material / "b.html").read_text()
    result = cli("report", "none", "-o", "c.html")
    assert (result.code, result.err.count("\n")) == (2, 1)
    (material / "a.wav").unlink()
    result = cli("report", "a.json", "-o", "c.html")
    assert (result.code, "no sound" in result.err, "<audio" in (material / "c.html").read_text()) == (
        0,
        True,
        False,
    )


def test_a_transcript_can_be_written_as_a_report_at_once(cli, material):
    """`-f html` is the same page without sound, and can be converted back."""
    assert cli("transcribe", "a.wav", "-f", "html", "-o", "out").code == 0
    assert cli("convert", "out/a.html", "out/a.json").code == 0
    assert json_document.decode((material / "out/a.json").read_text()).id == "a"


@pytest.mark.browser
def test_a_report_opens_in_a_browser_and_plays(cli, material):
    """Chromium shows the page without an error; a click plays a turn from its start, and a voice alone."""
    find_chromium()
    sync_api = pytest.importorskip("playwright.sync_api")
    assert shutil.which("chromium")
    assert cli("report", "a.json", "-o", "a.html").code == 0
    with sync_api.sync_playwright() as playwright, chromium(playwright) as browser:
        page, errors = browser.new_page(), []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.goto((material / "a.html").as_uri())
        assert page.locator(".turn").count() == 2
        page.locator("#t2 .play").click()
        page.wait_for_function("() => !whole.paused && whole.currentTime > 1.8")
        page.wait_for_function("() => document.getElementById('t2').classList.contains('now')")
        page.locator("#t1 .alone").click()
        page.wait_for_function("() => whole.paused && voice.currentTime > 0")
        assert abs(page.evaluate("voice.duration") - 2.0) < 0.1
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert errors == []
