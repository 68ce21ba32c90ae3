import itertools
import json
import lzma

import numpy as np
import pytest

from meetscribe.training import voices

synthesis = pytest.importorskip("meetscribe.training.synthesis", reason="pocketsphinx (extra `train`)")

WORDS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
SENTENCES = [f"number {' '.join(WORDS[int(digit)] for digit in f'{index:03d}')}" for index in range(1000)]


def _first(count: int, seed: int, evaluation: bool = False) -> list:
    return list(itertools.islice(synthesis.plan(SENTENCES, seed, evaluation), count))


def test_plan_is_a_function_of_its_seed():
    """The same seed draws the same utterances, another seed others."""
    assert _first(50, 1) == _first(50, 1)
    assert _first(50, 1) != _first(50, 2)


def test_evaluation_never_shares_voices_or_sentences_with_training():
    """No voice and no sentence of evaluation is heard in training."""
    training, evaluation = _first(2000, 3), _first(100, 3, evaluation=True)
    assert not {job.voice for job in training} & {job.voice for job in evaluation}
    assert not {job.text for job in training} & {job.text for job in evaluation}


def test_evaluation_has_no_rare_words():
    """A held-out sentence with a word that hardly occurs elsewhere is not taken."""
    sentences = list(SENTENCES)
    sentences[99], sentences[199] = "a quokka sat there", "number one two three"
    drawn = {job.text for job in itertools.islice(synthesis.plan(sentences, 3, True), 200)}
    assert "a quokka sat there" not in drawn
    assert "number one two three" in drawn


def test_training_draws_every_voice_and_few_formant_voices():
    """All training voices speak; formant voices (espeak-ng) are at most three tenths."""
    drawn = [job.voice for job in _first(3000, 5)]
    assert set(drawn) == {voice.name for voice in voices.VOICES if not voice.held_out}
    assert sum(name.startswith("espeak") for name in drawn) <= 0.3 * len(drawn)


def test_surround_leaves_silence_at_both_edges_and_does_not_clip():
    """Speech gets at least 0.1 s of near silence before and after, and stays below full scale."""
    speech = np.ones(8000, dtype=np.float32)
    audio = synthesis.surround(speech, np.random.default_rng(0))
    assert np.abs(audio[:1600]).max() < 0.01
    assert np.abs(audio[-1600:]).max() < 0.01
    assert np.abs(audio).max() <= 1.0
    assert len(audio) >= len(speech) + 3200


def test_appended_parts_read_as_one_corpus(tmp_path):
    """Alignments written in two parts are read as one xz file, and the manifest counts both."""
    for index in range(2):
        made = synthesis.Made(
            {"audio": f"{index}.opus", "duration": 1.5}, {"audio": f"{index}.opus", "words": []}
        )
        synthesis.append(tmp_path, "train.jsonl", [made])
    with lzma.open(tmp_path / "alignments.jsonl.xz", "rt") as file:
        assert [json.loads(line)["audio"] for line in file] == ["0.opus", "1.opus"]
    assert synthesis.already_made(tmp_path / "train.jsonl") == ({"0.opus", "1.opus"}, 3.0)


@pytest.mark.skipif(bool(voices.missing_programs()), reason="synthesisers are not installed")
def test_a_second_run_continues_where_the_first_ended(tmp_path):
    """Made in two runs or in one, the corpus holds the same utterances."""
    for count in (2, 4):
        synthesis.synthesise(
            tmp_path / "two", "train.jsonl", synthesis.plan(SENTENCES, 9), seconds=3600, count=count
        )
    synthesis.synthesise(tmp_path / "one", "train.jsonl", synthesis.plan(SENTENCES, 9), seconds=3600, count=4)
    two = (tmp_path / "two" / "train.jsonl").read_text()
    assert two == (tmp_path / "one" / "train.jsonl").read_text()
    assert len(two.splitlines()) == 4


@pytest.mark.parametrize("voice", voices.VOICES, ids=lambda voice: voice.name)
def test_every_voice_has_a_command_with_the_text_and_the_target(voice, tmp_path):
    """Each voice's command line writes to the asked file and carries the text, by argument or by stdin."""
    arguments, stdin = voices.command(voice, "hello there", voices.Delivery(1.1, 0.9), tmp_path / "a.wav")
    everything = " ".join(arguments) + (stdin or "")
    assert "hello there" in everything
    assert str(tmp_path / "a.wav") in everything
    assert voice.selector in everything


def test_an_unknown_voice_is_refused_by_name():
    """Asking for a voice that does not exist names it and those that do."""
    with pytest.raises(voices.SynthesisError, match=r"nobody.*flite-slt"):
        voices.voice_named("nobody")
