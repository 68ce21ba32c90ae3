"""Audio as a source gives it, made fit for what follows."""

import numpy as np

from meetscribe.session.ports import Block


def tidied(block: Block, channels: int) -> Block:
    """Return a block with the right number of channels and nothing but sound in it.

    Channels that are missing are silent, surplus ones are left out; what is no number is silence.
    """
    samples = block.samples
    if samples.shape[1] != channels:
        there = min(samples.shape[1], channels)
        whole = np.zeros((len(samples), channels), np.float32)
        whole[:, :there] = samples[:, :there]
        samples = whole
    if not np.isfinite(samples).all():
        samples = np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0)
    return Block(block.position, samples)
