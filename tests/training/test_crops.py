from pathlib import Path

import numpy as np
import torch
from people_material import corpus_of

from meetscribe.training.augmentation import Surroundings
from meetscribe.training.crops import NOBODY, CropBatches, CropConfig, people_of

NOWHERE = Surroundings((), None)


def batches(tmp_path: Path, **changed: float) -> CropBatches:
    config = CropConfig(seconds=4.0, lengths=(1.0,), **changed)  # type: ignore[arg-type]
    return CropBatches([corpus_of(tmp_path)], NOWHERE, config, seed=4)


def test_a_batch_is_a_function_of_its_number(tmp_path: Path) -> None:
    """The same number gives the same batch, whatever was asked for before."""
    one, other = batches(tmp_path), batches(tmp_path)
    one[0]
    assert torch.equal(one[3].audio, other[3].audio)
    assert not torch.equal(one[3].audio, one[4].audio)


def test_rows_are_pairs_of_one_person(tmp_path: Path) -> None:
    """Rows 2 p and 2 p + 1 are of one person, changed in the same way; no person is in a batch twice."""
    made = batches(tmp_path, changed_share=0.0)[1]
    pairs = made.person.reshape(-1, 2)
    assert torch.equal(pairs[:, 0], pairs[:, 1])
    assert len(set(pairs[:, 0].tolist())) == len(pairs)
    warps = batches(tmp_path, changed_share=1.0)[1]
    assert torch.equal(warps.warp[0::2], warps.warp[1::2])
    assert (warps.person == NOBODY).all()


def test_what_others_say_is_part_of_what_is_heard(tmp_path: Path) -> None:
    """Where somebody is to be masked away, what they say is in the sound as it is."""
    made = batches(tmp_path, overlap_share=1.0, separated_share=1.0, changed_share=0.0)[0]
    assert made.separated.all()
    for heard, others in zip(made.audio.numpy(), made.others.numpy(), strict=True):
        loud = np.abs(others) > 0
        assert loud.any()
        assert np.corrcoef(heard[loud], others[loud])[0, 1] > 0.05


def test_short_recordings_are_joined(tmp_path: Path) -> None:
    """Who has only recordings shorter than the cut still fills it."""
    config = CropConfig(seconds=20.0, lengths=(5.0,), overlap_share=0.0, changed_share=0.0)
    made = CropBatches([corpus_of(tmp_path)], NOWHERE, config, seed=4)[0]
    seconds = made.audio.abs().reshape(len(made.audio), 5, -1).amax(-1)
    assert (seconds > 1e-3).all()


def test_people_are_known_by_their_names(tmp_path: Path) -> None:
    """Everybody is there once, with all their recordings, wherever these lie."""
    people = people_of([corpus_of(tmp_path), corpus_of(tmp_path)])
    assert [person.name for person in people] == [f"p{number}" for number in range(6)]
    assert all(len(person.utterances) == 6 for person in people)
