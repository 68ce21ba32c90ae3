"""A corpus of people who are noise of different colours, in files of their own."""

import json
from pathlib import Path

import numpy as np
from rooms_material import voice

from meetscribe.training.corpus import AudioCache, Corpus, Utterance


def corpus_of(
    folder: Path, people: int = 6, recordings: int = 3, seconds: float = 1.5, seed: int = 1
) -> Corpus:
    """Return some recordings of some people."""
    rng, parts, utterances, offset = np.random.default_rng(seed), [], [], 0
    for person in range(people):
        colour = np.random.default_rng(seed + 100 + person)
        for number in range(recordings):
            sound = voice(colour, [(0.0, seconds)], seconds) + 1e-4 * rng.standard_normal(
                int(seconds * 16_000)
            )
            pcm = (np.clip(sound, -1, 1) * 32_767).astype(np.int16)
            name = f"p{person}/{number}.wav"
            utterances.append(Utterance(name, "noise", f"p{person}", "", offset, len(pcm), ()))
            parts.append(pcm)
            offset += len(pcm)
    np.concatenate(parts).tofile(folder / "cache.i16")
    (folder / "cache.json").write_text(json.dumps({}))
    return Corpus(tuple(utterances), AudioCache(folder / "cache"))
