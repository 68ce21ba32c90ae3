"""How well people are told apart and recognised: `python benchmarks/speakers.py --model MODEL --corpus CORPUS`.

People of the development sets on whom nothing was trained or estimated. Three parts: equal error rates of pairs of cuts
(`--trials DIR` writes the lists), simulated meetings with true turns, and enrolled people among strangers.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from numpy.typing import NDArray

from meetscribe.embedder_file import SpeakerEmbedder, load_embedder
from meetscribe.evaluation.speakers import ShownTurn, SpeakerFigures, speaker_figures
from meetscribe.evaluation.verification import equal_error_rate
from meetscribe.events import Final, SpeakerUpdate, Turn, Voice, numbered
from meetscribe.meeting import Meeting, apply
from meetscribe.nn.features import HOP, Features
from meetscribe.session.speakers import Speakers, SpeakerSettings
from meetscribe.streaming.remembered import RecallSettings, Remembered
from meetscribe.streaming.speakers import TrackerSettings
from meetscribe.timeline import SAMPLE_RATE
from meetscribe.training.corpus import Corpus, Utterance, read_manifest
from meetscribe.training.embed import voices_of
from meetscribe.training.export_embedder import dev_people
from meetscribe.training.simulation.render import noise_piece
from meetscribe.training.simulation.rooms import PLACES, MeetingRooms, load_meeting_rooms
from meetscribe.training.trials import CLEAN, NOISY, OVERLAPPED, make_trials, write_trials

SEED = 11
TALK = {"librispeech", "speechocean762"}
"""Corpora of whose people there is enough for meetings."""
SNR = (12.0, 25.0)
"""dB by which speech is louder than the noise of a meeting."""
LEVEL = -26.0
"""dBFS of speech."""
GAIN = 2.5
"""dB by which a person is louder or softer than that at most."""
EFFORT = 1.5
"""dB by which a person's turns differ, standard deviation."""
ENROLLED = 15.0
"""Seconds from which somebody is enrolled."""


@dataclass(frozen=True)
class Said:
    """A turn in truth: who said it, what it sounds like, and whether it overlaps the one before."""

    speaker: str
    voice: Voice
    overlaps: bool


def equal_error_rates(
    embedder: SpeakerEmbedder, corpora: Sequence[Corpus], rooms: MeetingRooms, about: dict, lists: Path | None
) -> dict[str, float]:
    """Return equal error rates (per cent) by condition and length, and for 2 and 5 s clean by group."""
    found: dict[str, float] = {}
    for condition in (CLEAN, NOISY, OVERLAPPED):
        for seconds in (1.0, 2.0, 5.0):
            cuts, trials = make_trials(corpora, seconds, condition, SEED, rooms)
            if lists is not None:
                lists.mkdir(parents=True, exist_ok=True)
                write_trials(lists / f"{condition.name}-{seconds:g}s.jsonl", cuts, trials)
            voices = voices_of(embedder.network, [cut.audio for cut in cuts]).numpy()
            likeness = embedder.likeness
            scores = [float(likeness.scores(voices[t.one][None], voices[t.other])[0]) for t in trials]
            rows = [(score, t.same, cuts[t.one]) for score, t in zip(scores, trials, strict=True)]
            found[f"{condition.name} {seconds:g} s"] = _rate(rows)
            found[f"{condition.name} {seconds:g} s pairs"] = float(len(rows))
            if condition is CLEAN and seconds > 1.0:
                groups: dict[str, list] = defaultdict(list)
                for row in rows:
                    for group in about.get(row[2].speaker, ()):
                        groups[group].append(row)
                for group, own in sorted(groups.items()):
                    if sum(same for _, same, _ in own) >= 30:
                        found[f"clean {seconds:g} s, {group}"] = _rate(own)
    return found


def _rate(rows: Sequence[tuple]) -> float:
    return round(100 * equal_error_rate([row[0] for row in rows], [row[1] for row in rows]), 2)


def groups_of(corpus: Path) -> dict[str, tuple[str, ...]]:
    """Return for each speaker what is known of them: corpus, gender, background."""
    found: dict[str, tuple[str, ...]] = {}
    for path in (corpus / "speech" / "dev.jsonl", corpus / "speakers.jsonl"):
        for row in read_manifest(path):
            groups = [row["corpus"]]
            if row.get("gender"):
                groups.append(f"gender {str(row['gender'])[0].lower()}")
            second = row["corpus"] == "speechocean762"
            native = (
                "second-language English"
                if second
                else "English"
                if row.get("language", "en") == "en"
                else "other languages"
            )
            groups.append(native)
            if row.get("age"):
                groups.append("children" if row["age"] < 16 else "grown-ups")
            found[row["speaker"]] = tuple(groups)
    return found


class Talk:
    """What people say in simulated meetings: turns of real lengths, in a room, with noise, and embedded."""

    def __init__(
        self, embedder: SpeakerEmbedder, corpora: Sequence[Corpus], rooms: MeetingRooms, corpus: Path
    ) -> None:
        self.embedder, self.rooms = embedder, rooms
        self.people: dict[str, list[tuple[Corpus, Utterance]]] = defaultdict(list)
        for one in corpora:
            for utterance in one.utterances:
                if utterance.corpus in TALK:
                    self.people[utterance.speaker].append((one, utterance))
        self._lengths = _turn_lengths(corpus)

    def chosen(self, count: int, rng: np.random.Generator) -> list[str]:
        """Return so many people of one corpus, so that no microphone tells them apart."""
        kinds = defaultdict(list)
        for name, said in sorted(self.people.items()):
            kinds[said[0][1].corpus].append(name)
        able = [names for names in kinds.values() if len(names) >= count]
        names = able[int(rng.integers(len(able)))]
        return [names[i] for i in rng.permutation(len(names))[:count]]

    def cut(self, name: str, seconds: float, rng: np.random.Generator) -> NDArray[np.float32]:
        """Return what somebody says, of as many recordings as that takes."""
        parts, missing = [], int(seconds * SAMPLE_RATE)
        while missing > 0:
            corpus, utterance = self.people[name][int(rng.integers(len(self.people[name])))]
            length = min(missing, utterance.samples)
            first = int(rng.integers(utterance.samples - length + 1))
            parts.append(corpus.audio.read(utterance.offset + first, length))
            missing -= length
        return np.concatenate(parts)

    def meeting(self, names: Sequence[str], turns: int, rng: np.random.Generator) -> list[Said]:
        """Return the turns of a meeting: nobody follows themselves, and a tenth begins before the last one ends."""
        enough = min(len(names), PLACES)  # nobody sits where somebody else does
        large = [family for family in self.rooms.families if len(family) >= enough]
        family = large[int(rng.integers(len(large)))]
        places = {name: self.rooms.responses[family[i % len(family)]] for i, name in enumerate(names)}
        gains = {name: LEVEL + rng.uniform(-GAIN, GAIN) for name in names}
        lengths = np.clip(rng.choice(self._lengths, turns), 0.4, 15.0)
        noise = self._noise(int(lengths.sum() * SAMPLE_RATE) + turns, rng)
        said: list[Said] = []
        for seconds in map(float, lengths):
            name = str(rng.choice([one for one in names if not said or one != said[-1].speaker]))
            audio = np.convolve(self.cut(name, seconds, rng), places[name])[: int(seconds * SAMPLE_RATE)]
            audio = audio.astype(np.float32) * _loudness(audio, gains[name] + rng.normal(0.0, EFFORT))
            overlaps = bool(said) and rng.random() < 0.1
            if overlaps:
                other = self.cut(said[-1].speaker, seconds * 0.3, rng)
                audio[: len(other)] += other * np.float32(0.5 * np.std(audio) / (np.std(other) + 1e-6))
            around, noise = noise[: len(audio)], noise[len(audio) :]
            said.append(Said(name, self.voice(np.clip(audio + around, -1.0, 1.0)), overlaps))
        return said

    def _noise(self, samples: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """Return the noise of one meeting."""
        assert self.rooms.noise is not None
        return noise_piece(self.rooms.noise, samples, 10 ** ((LEVEL - rng.uniform(*SNR)) / 20), rng)

    @torch.inference_mode()
    def voice(self, audio: NDArray[np.float32]) -> Voice:
        """Return the voice in audio."""
        whole = np.ascontiguousarray(audio[: len(audio) // (2 * HOP) * 2 * HOP])
        features = Features()(torch.from_numpy(whole)[None])
        vector, spectrum = self.embedder.network(features)[0], features[0].mean(0)
        return Voice(
            tuple(vector.tolist()), len(whole) / SAMPLE_RATE, self.embedder.id, tuple(spectrum.tolist())
        )


def _loudness(audio: NDArray[np.float64], level: float) -> np.float32:
    """Return the factor that brings audio to a level in dBFS."""
    return np.float32(10 ** (level / 20) / (np.sqrt(np.mean(np.square(audio))) + 1e-6))


def _turn_lengths(corpus: Path) -> NDArray[np.float64]:
    import lzma  # noqa: PLC0415

    lengths = []
    with lzma.open(corpus / "turns.jsonl.xz", "rt") as lines:
        for line in lines:
            lengths += [end - start for _, start, end, _ in json.loads(line)["turns"]]
    return np.array(lengths)


def shown(
    said: Sequence[Said], settings: SpeakerSettings, whole: bool
) -> tuple[list[ShownTurn], Meeting, list[float]]:
    """Return turns as a meeting shows them in the end, and how long everybody spoke before they had their label."""
    meeting = Meeting()
    speakers = Speakers(settings, lambda: meeting, whole)

    def add(event: Any) -> None:
        nonlocal meeting
        meeting = apply(meeting, numbered(event, "m", meeting.seq))

    at, early = 0, []
    for number, one in enumerate(said):
        start = max(at - SAMPLE_RATE, 0) if one.overlaps else at
        at = start + int(one.voice.seconds * SAMPLE_RATE)
        overlaps = (f"t{number - 1}",) if one.overlaps else ()
        turn = Turn(f"t{number}", number % 2, start, at, "words", overlaps=overlaps)
        final, changes = speakers.hear(Final(at=at, turn=turn, voice=one.voice))
        add(final)
        early.append(final.turn.speaker_id)
        if changes:
            add(SpeakerUpdate(changes=changes))
    if whole:
        add(SpeakerUpdate(changes=speakers.decide_anew()))
    rows = []
    for number, one in enumerate(said):
        turn = meeting.turn(f"t{number}")
        assert turn is not None
        rows.append(ShownTurn(one.voice.seconds, one.speaker, turn.speaker_id))
    return rows, meeting, _waits(rows, [None if id is None else meeting.resolve(id) for id in early])


def _waits(rows: Sequence[ShownTurn], early: Sequence[str | None]) -> list[float]:
    """Return how many seconds everybody spoke before a turn was shown at once as whom most of theirs are in the end."""
    waits = []
    for name in sorted({row.speaker for row in rows}):
        own = [(row, first) for row, first in zip(rows, early, strict=True) if row.speaker == name]
        amounts: dict[str, float] = defaultdict(float)
        for row, _ in own:
            if row.shown is not None:
                amounts[row.shown] += row.amount
        right = max(amounts, key=lambda id: amounts[id], default=None)
        spoken = 0.0
        for row, first in own:
            spoken += row.amount
            if right is not None and first == right:
                break
        waits.append(spoken)
    return waits


def tracking(
    talk: Talk, settings: SpeakerSettings, meetings: int
) -> Iterator[tuple[str, SpeakerFigures, float]]:
    """Give the figures of simulated meetings with 2, 4 and 8 people, live and after the second pass."""
    for count in (2, 4, 8):
        rng = np.random.default_rng((SEED, count))
        made = [talk.meeting(talk.chosen(count, rng), 60, rng) for _ in range(meetings)]
        for whole in (False, True):
            pooled, waits = SpeakerFigures(), []
            for said in made:
                rows, _, waited = shown(said, settings, whole)
                pooled, waits = pooled + speaker_figures(rows), waits + waited
            kind = "second pass" if whole else "live"
            yield f"{count} people, {kind}", pooled, float(np.median(waits))


def recognition(
    talk: Talk, settings: SpeakerSettings, meetings: int, thresholds: Sequence[float]
) -> list[dict[str, float]]:
    """Return for each threshold how many turns over 2 s of enrolled people are named right, and of strangers named."""
    rng = np.random.default_rng((SEED, 99))
    made = []
    for _ in range(meetings):
        names = talk.chosen(4, rng)
        enrolled = tuple(Remembered(name, talk.voice(talk.cut(name, ENROLLED, rng))) for name in names[:2])
        made.append((enrolled, talk.meeting(names, 40, rng)))
    rows = []
    for threshold in thresholds:
        right = wrong = of = named = strangers = 0
        for enrolled, said in made:
            recall = replace(settings.recall, turn=threshold)
            chosen = replace(settings, remembered=enrolled, recall=recall)
            _, meeting, _ = shown(said, chosen, True)
            known = {person.name for person in enrolled}
            for number, one in enumerate(said):
                turn = meeting.turn(f"t{number}")
                if turn is None or one.voice.seconds <= 2.0:
                    continue
                name = meeting.name(turn.speaker_id)
                if one.speaker in known:
                    of, right, wrong = (
                        of + 1,
                        right + (name == one.speaker),
                        wrong + (name not in (None, one.speaker)),
                    )
                else:
                    strangers, named = strangers + 1, named + (name is not None)
        rows.append(
            {
                "turn": threshold,
                "named_right": round(100 * right / max(1, of), 1),
                "named_wrong": round(100 * wrong / max(1, of), 1),
                "strangers_named": round(100 * named / max(1, strangers), 1),
            }
        )
    return rows


def main(
    model: Annotated[Path, typer.Option(help="a model's directory with an embedder")],
    corpus: Annotated[Path, typer.Option(help="folder with speech/, speakers.jsonl, rooms.jsonl, …")],
    cache: Annotated[Path, typer.Option(help="folder for decoded audio")],
    meetings: Annotated[int, typer.Option(help="of each kind")] = 10,
    trials: Annotated[Path | None, typer.Option(help="where to write the lists of trials")] = None,
    only: Annotated[str, typer.Option(help="pairs, meetings, enrolled, or all")] = "all",
    voices_alone: Annotated[bool, typer.Option(help="leave out how people sound where they are")] = False,
) -> None:
    """Print the figures as JSON lines."""
    torch.set_num_threads(1)
    embedder = load_embedder(model)
    assert embedder is not None, f"{model} has no embedder"
    corpora = dev_people(corpus, cache, estimates=False)
    rooms = load_meeting_rooms(corpus, "dev", cache, 20)
    likeness = embedder.likeness
    alike = embedder.resemblance.by_voice() if voices_alone else embedder.resemblance
    settings = SpeakerSettings(TrackerSettings(alike), RecallSettings(likeness))
    if only in ("all", "pairs"):
        print(json.dumps(equal_error_rates(embedder, corpora, rooms, groups_of(corpus), trials)), flush=True)
    talk = Talk(embedder, corpora, rooms, corpus)
    if only in ("all", "meetings"):
        for name, figures, wait in tracking(talk, settings, meetings):
            row = {
                "kind": name,
                "confusion": round(100 * figures.confusion, 1),
                "unknown": round(100 * figures.unknown_share, 1),
                "people": figures.people,
                "missed": figures.missed,
                "false": figures.false,
                "seconds_to_label": round(wait, 1),
            }
            print(json.dumps(row), flush=True)
    if only in ("all", "enrolled"):
        for row in recognition(talk, settings, meetings, (0.5, 1.0, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0)):
            print(json.dumps(row), flush=True)


if __name__ == "__main__":
    typer.run(main)
