import numpy as np
import pytest
import soundfile

from meetscribe.sources.file import FileSource
from meetscribe.sources.resampling import FAINT, Resampler
from meetscribe.sources.websocket import client_stream


def tone(rate):
    """Two seconds of 440 Hz."""
    return (0.3 * np.sin(2 * np.pi * 440 * np.arange(2 * rate) / rate)).astype(np.float32)


def above(samples, hertz):
    """The level of what lies above a frequency."""
    spectrum = np.fft.rfft(samples[4000:-4000])
    spectrum[np.fft.rfftfreq(len(samples) - 8000, 1 / 16_000) < hertz] = 0
    return float(np.std(np.fft.irfft(spectrum)))


def of_file(rate, folder):
    """The tone from a file, at 16 kHz."""
    soundfile.write(folder / "tone.wav", tone(rate), rate, subtype="FLOAT")
    return np.concatenate([block.samples[:, 0] for block in FileSource(folder / "tone.wav").read()])


def of_client(rate, folder):
    """The tone from a client, at 16 kHz."""
    del folder
    stream = client_stream("pcm_s16le", rate, 1)
    blocks = stream.receive((tone(rate) * 32767).astype("<i2").tobytes()) + stream.finish()
    return np.concatenate([block.samples[:, 0] for block in blocks])


@pytest.mark.parametrize("heard", [of_file, of_client])
def test_a_telephone_s_sound_is_not_empty_above_what_it_carries(heard, tmp_path):
    """What came at 8 kHz has a faint noise where nothing was, as every room has; at 48 kHz nothing is added."""
    assert above(heard(8_000, tmp_path), 4_500) == pytest.approx(FAINT * 0.66, rel=0.1)
    assert above(heard(48_000, tmp_path), 4_500) < FAINT / 20


def test_the_noise_is_the_same_however_the_sound_comes():
    """Resampling in pieces gives what resampling at once gives."""
    sound = tone(8_000)[:, None]
    whole = Resampler(8_000, 1)
    at_once = np.concatenate([whole(sound), whole.finish()])
    pieces = Resampler(8_000, 1)
    cut = [pieces(sound[at : at + 700]) for at in range(0, len(sound), 700)]
    np.testing.assert_allclose(np.concatenate([*cut, pieces.finish()]), at_once, atol=1e-6)
