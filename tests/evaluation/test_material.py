import json

import numpy as np
import pytest
import soundfile

from meetscribe.errors import InputError
from meetscribe.evaluation.material import read_set
from meetscribe.evaluation.segments import TimedWord
from meetscribe.timeline import to_samples


@pytest.fixture
def folder(tmp_path):
    """A set of two recordings, in one of which nobody speaks."""
    for name in ("one", "two"):
        soundfile.write(tmp_path / f"{name}.wav", np.zeros(1600), 16000)
    row = {"session_id": "two", "speaker": "A", "start_time": 0, "end_time": 1, "words": "oh no"}
    row["word_times"] = [[0.1, 0.2], [0.7, 0.9]]
    (tmp_path / "reference.seglst.json").write_text(json.dumps([row]))
    return tmp_path


def test_a_recording_without_rows_has_nobody_speaking(folder):
    """All recordings are there, by name; the words of a row have the times that it tells."""
    one, two = read_set(folder)
    assert (one.name, one.reference) == ("one", ())
    times = [to_samples(time) for time in (0.1, 0.2, 0.7, 0.9)]
    assert two.reference[0].words == (TimedWord("oh", *times[:2]), TimedWord("no", *times[2:]))
    assert two.reference[0].timed


def test_a_session_without_a_recording_is_refused(folder):
    """The message names the session."""
    (folder / "two.wav").unlink()
    with pytest.raises(InputError, match="two"):
        read_set(folder)
