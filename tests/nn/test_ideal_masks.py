import numpy as np
import torch

from meetscribe.evaluation.segments import Segment
from meetscribe.nn.features import Features
from meetscribe.nn.ideal_masks import holder, shared_features, shares, talking
from meetscribe.nn.separator import FLOOR


def turn(slot: int, start: int, end: int) -> Segment:
    return Segment("x", f"p{slot}", start, end, (), slot)


def test_who_is_alone_is_heard_as_if_there_were_no_slots():
    """Without overlap the talker's slot hears the recording unchanged, its noise too, and the other one nothing."""
    features = Features()
    talker, hiss = (
        scale * np.random.default_rng(seed).standard_normal(32_000) for seed, scale in ((1, 0.1), (2, 1e-4))
    )
    power = [
        features.spectrum(torch.from_numpy(sound.astype(np.float32))[None])[0]
        for sound in (talker + hiss, talker, 0 * talker)
    ]
    energies = torch.stack([part @ features.filters for part in power])
    share = shares(energies[1:], torch.zeros(energies.shape[1], dtype=torch.int64))
    heard = shared_features(energies[0].clamp_min(1e-7).log(), share)
    assert torch.equal(heard[0], energies[0].clamp_min(1e-7).log())
    assert (heard[1] == FLOOR).float().mean() > 0.99


def test_what_is_nobodys_stays_with_whoever_spoke_last():
    """Frames belong to who speaks alone; in silence and where two talk to who was alone before; at first to slot 0."""
    turns = [turn(1, 1_600, 4_800), turn(0, 3_200, 6_400), turn(1, 8_000, 9_600)]
    found = holder(talking(turns, 70)).tolist()
    assert found == [0] * 10 + [1] * 20 + [0] * 20 + [1] * 20
