import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from meetscribe.training.augmentation import Surroundings
from meetscribe.training.simulation.rooms import (
    LONGEST_RESPONSE,
    PLACES,
    MeetingRooms,
    families,
    load_meeting_rooms,
    trimmed,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    rows = []
    for name, split in [("hall_00", "train"), ("hall_01", "train"), ("hut_0", "train"), ("cave_1", "dev")]:
        response = np.concatenate([np.zeros((100, 2)), 0.2 * rng.standard_normal((300, 2))]).clip(-1, 1)
        soundfile.write(tmp_path / f"{name}.flac", response, 16_000)
        rows.append({"audio": f"{name}.flac", "channels": 2, "split": split})
    (tmp_path / "rooms.jsonl").write_text("\n".join(map(json.dumps, rows)))
    rows = []
    for name, split, speech in [
        ("fan", "train", False),
        ("street", "dev", False),
        ("café", "dev", True),
    ]:
        soundfile.write(tmp_path / f"{name}.flac", 0.1 * rng.standard_normal(8_000).clip(-3, 3), 16_000)
        rows.append({"audio": f"{name}.flac", "split": split, "may_contain_speech": speech})
    (tmp_path / "noise.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return tmp_path


def test_recordings_of_one_room_are_places_in_it(folder: Path, tmp_path: Path):
    """Files that differ in their number, and their channels, are places of one room."""
    rooms = load_meeting_rooms(folder, "train", tmp_path / "cache", count=0)
    assert sorted(len(family) for family in rooms.families) == [2, 4]
    assert sorted(index for family in rooms.families for index in family) == list(range(len(rooms.responses)))


def test_held_out_rooms_and_noise_are_not_those_of_training(folder: Path, tmp_path: Path):
    """The two splits share no response and no noise; noise with people's voices can be left out."""
    train = load_meeting_rooms(folder, "train", tmp_path / "cache", count=1)
    dev = load_meeting_rooms(folder, "dev", tmp_path / "cache", count=1, speech_in_noise=False)
    assert not any(np.array_equal(a, b) for a in train.responses for b in dev.responses)
    assert train.noise is not None
    assert dev.noise is not None
    assert set(train.noise.places) == {"fan.flac"}
    assert set(dev.noise.places) == {"street.flac"}


def test_computed_rooms_have_several_places_and_are_the_same_each_time(folder: Path, tmp_path: Path):
    """Image-source rooms do not depend on the run, nor on whether they were kept."""
    first = load_meeting_rooms(folder, "dev", tmp_path / "one", count=2)
    second = load_meeting_rooms(folder, "dev", tmp_path / "two", count=2)
    again = load_meeting_rooms(folder, "dev", tmp_path / "one", count=2)
    assert [len(family) for family in first.families[-2:]] == [PLACES, PLACES]
    for a, b, c in zip(first.responses, second.responses, again.responses, strict=True):
        assert np.array_equal(a, b)
        assert np.array_equal(a, c)


def test_a_response_starts_with_its_direct_sound_and_has_unit_energy():
    """Speech neither moves nor gets louder in a room."""
    response = np.zeros(20_000)
    response[500], response[700], response[15_000] = 0.5, -0.2, 0.1
    kept = trimmed(response)
    assert len(kept) == LONGEST_RESPONSE
    assert np.argmax(np.abs(kept)) == 0
    assert np.sum(kept.astype(float) ** 2) == pytest.approx(1.0, abs=1e-6)


def test_responses_without_known_rooms_count_as_one_room(surroundings: Surroundings):
    """Other surroundings serve too."""
    assert families(surroundings) == ((0, 1, 2),)
    assert families(Surroundings((), None)) == ()
    known = MeetingRooms(surroundings.responses, None, ((0,), (1, 2)))
    assert families(known) == ((0,), (1, 2))
