"""What hot words gain and cost: recall of the rarest words of a set, errors on all others, and lists of decoys.

    python benchmarks/hotwords.py --manifest SHARED/corpus/speech/dev.jsonl --corpus librispeech --tables DIR

The speakers are parted into two halves: settings are tuned on one (`--half tune`), figures stated on the other. The
list is the 50 words of the half's references with the highest numbers in the lexicon (which is sorted by frequency),
words outside it first; decoys are words of like rarity that nobody in the set says. The network hears each utterance
whole, as the final pass does, and what it said is kept in --tables, so that lists can be compared without it.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from meetscribe.checkpoint import load_model
from meetscribe.evaluation.alignment import align
from meetscribe.evaluation.material import Item, load_audio, read_manifest
from meetscribe.evaluation.replay import NATS
from meetscribe.evaluation.segments import TimedWord
from meetscribe.lm.hotwords import HotPhrase, spoken
from meetscribe.streaming.search import Search

SHORTEST = 4  # letters of a word of the list


@dataclass(frozen=True)
class Utterance:
    """What was said, by whom, and where the network's table of it is kept."""

    text: str
    speaker: str
    table: Path

    def scores(self) -> np.ndarray:
        """Return the table, float32 [steps, previous symbol, next symbol]."""
        with np.load(self.table) as kept:
            return kept["tables"].astype(np.float32) * -NATS


@dataclass(frozen=True)
class Counts:
    """What became of the words: those of the list that were said and heard, and errors on others."""

    said: int = 0
    heard: int = 0
    invented: int = 0  # words of the list that nobody said
    others: int = 0
    errors: int = 0  # on others, and insertions

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(a + b for a, b in zip(vars(self).values(), vars(other).values(), strict=True)))

    def as_dict(self) -> dict[str, float]:
        """Return the counts with what follows from them."""
        return {**vars(self), "recall": round(self.heard / max(1, self.said), 4)}


def keep_tables(items: Sequence[Item], model_folder: Path, folder: Path) -> None:
    """Let the network hear what it has not heard yet."""
    missing = [item for item in items if not (folder / f"{item.audio.stem}.npz").exists()]
    if not missing:
        return
    torch.set_num_threads(1)
    network = load_model(model_folder).bypassed().network
    folder.mkdir(parents=True, exist_ok=True)
    for item in missing:
        audio = load_audio(item.audio)
        audio = np.pad(audio, (0, 16 * network.stride + -len(audio) % network.stride))
        with torch.inference_mode():
            features = network.recogniser.features(torch.from_numpy(audio)[None])
            steps = features.shape[1] // 4
            table = network.whole(features[:, : 4 * steps], torch.tensor([steps]))[0].numpy()
        coded = np.clip(np.round(-table / NATS), 0, 255).astype(np.uint8)
        np.savez_compressed(folder / f"{item.audio.stem}.npz", tables=coded)


def utterances(items: Sequence[Item], folder: Path) -> list[Utterance]:
    """Return what was said in items whose tables are kept."""
    found = []
    for item in items:
        (segment,) = item.reference
        text = " ".join(word.word for word in segment.words)
        found.append(Utterance(text, segment.speaker, folder / f"{item.audio.stem}.npz"))
    return found


def half_of(all_of_them: Sequence[Utterance], half: str) -> list[Utterance]:
    """Return the utterances of every other speaker."""
    speakers = sorted({one.speaker for one in all_of_them})
    chosen = set(speakers[0 if half == "tune" else 1 :: 2])
    return [one for one in all_of_them if one.speaker in chosen]


def rarest(texts: Sequence[str], search: Search, most: int) -> list[str]:
    """Return the rarest words of texts by their number in the lexicon, those outside it first."""
    numbers = {word: number for number, word in enumerate(search.words)}
    words = {word for text in texts for word in text.split() if len(word) >= SHORTEST and "'" not in word}
    return sorted(words, key=lambda word: (-numbers.get(word, len(numbers)), word))[:most]


def decoys(texts: Sequence[str], search: Search, lists: int, most: int) -> Iterator[list[str]]:
    """Yield lists of rare words that nobody says."""
    said = {word for text in texts for word in text.split()}
    rare = [word for word in search.words[20_000:] if len(word) >= SHORTEST and "'" not in word]
    order = np.random.default_rng(11).permutation(len(rare))
    free = [rare[place] for place in order if rare[place] not in said]
    for number in range(lists):
        yield free[number * most : (number + 1) * most]


def measure(search: Search, said: Sequence[Utterance], listed: Sequence[str]) -> Counts:
    """Return what a search makes of utterances."""
    names, total = set(listed), Counts()
    for one in said:
        result = search.decode(one.scores())
        heard = [word.text.lower() for word in result.words]
        total += compare(one.text.split(), heard, names)
    return total


def compare(said: Sequence[str], heard: Sequence[str], names: set[str]) -> Counts:
    """Return the counts of one utterance."""
    timed = [[TimedWord(word, 0, 0) for word in words] for words in (said, heard)]
    total = Counts()
    for reference, found in align(*timed):
        right = reference is not None and found is not None and reference.word == found.word
        if reference is not None and reference.word in names:
            total += Counts(said=1, heard=int(right))
        elif reference is not None:
            total += Counts(others=1, errors=int(not right))
        else:
            total += Counts(errors=1)
        if found is not None and found.word in names and not right:
            total += Counts(invented=1)
    return total


def main() -> None:
    """Print the counts without a list, with the names, and with each list of decoys."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--corpus", default="librispeech")
    parser.add_argument("--model", type=Path, default=Path("models/en-small"))
    parser.add_argument("--tables", type=Path, required=True, help="folder of what the network said")
    parser.add_argument("--half", choices=("tune", "state"), default="state")
    parser.add_argument("--words", type=int, default=50)
    parser.add_argument("--decoys", type=int, default=10, help="lists of words that nobody says")
    parser.add_argument("--most", type=int, help="utterances to use")
    parser.add_argument("--list", type=Path, help="file to write the list to")
    parser.add_argument("settings", nargs="*", help="name=value of the search's settings, to be tried")
    arguments = parser.parse_intermixed_args()
    items = read_manifest(arguments.manifest, [arguments.corpus])
    keep_tables(items, arguments.model, arguments.tables)
    model = load_model(arguments.model)
    changes = {name: float(value) for name, _, value in (text.partition("=") for text in arguments.settings)}
    search = model.final_search.with_settings(replace(model.settings.final_pass, **changes), model.log_prior)
    said = half_of(utterances(items, arguments.tables), arguments.half)
    said = said[:: max(1, len(said) // arguments.most)][: arguments.most] if arguments.most else said
    texts = [one.text for one in said]
    names = rarest(texts, search, arguments.words)
    if arguments.list is not None:
        arguments.list.write_text("\n".join([*names, ""]))

    def listening(words: Sequence[str]) -> Search:
        phrases = (spoken(word, model.language.lexicon, model.g2p) for word in words)
        return search.listening_for([phrase for phrase in phrases if isinstance(phrase, HotPhrase)])

    print(
        json.dumps({"utterances": len(said), "list": "none", **measure(search, said, names).as_dict()}),
        flush=True,
    )
    print(json.dumps({"list": "names", **measure(listening(names), said, names).as_dict()}), flush=True)
    for number, words in enumerate(decoys(texts, search, arguments.decoys, arguments.words), 1):
        counts = measure(listening(words), said, words)
        print(json.dumps({"list": f"decoys {number}", **counts.as_dict()}), flush=True)


if __name__ == "__main__":
    main()
