import itertools

import numpy as np
import pytest

from meetscribe.training.corpus import Corpus, Utterance
from meetscribe.training.simulation.voices import (
    FADE,
    LONGEST_PAUSE,
    ClipChooser,
    bursts,
    collect_voices,
    cut_clip,
)


def without_words(corpus: Corpus) -> Corpus:
    return Corpus(
        tuple(
            Utterance(u.audio, "untranscribed", f"x{u.speaker}", "", u.offset, u.samples, ())
            for u in corpus.utterances
        ),
        corpus.audio,
    )


def test_bursts_cover_the_words_and_nothing_else(corpus: Corpus):
    """Without a transcript, speech is found to within a frame where the recording is quiet around it."""
    for utterance in corpus.utterances[:5]:
        pcm = corpus.audio.samples[utterance.offset : utterance.offset + utterance.samples]
        loud = np.zeros(utterance.samples, bool)
        for start, end in bursts(pcm):
            loud[start:end] = True
        for word in utterance.words:
            assert loud[word.start + 160 : word.end - 160].all()
        for word, following in zip(utterance.words[:-1], utterance.words[1:], strict=True):
            if following.start - word.end > 12 * 160:
                assert not loud[word.end + 160 : following.start - 160].any()


def test_silence_has_no_bursts():
    """Nobody speaks in a recording of nothing, however long."""
    assert bursts(np.zeros(16_000, np.int16)).shape == (0, 2)
    assert bursts(np.zeros(10, np.int16)).shape == (0, 2)


def test_runs_have_no_pause_longer_than_a_turn_may_have_and_hold_every_word_once(corpus: Corpus):
    """A recording is cut exactly at its pauses of more than half a second."""
    words = {}
    for voice in collect_voices([corpus]).voices:
        for run in voice.runs:
            assert (run.starts[1:] - run.ends[:-1] <= LONGEST_PAUSE).all()
            words.setdefault(run.source, []).extend(range(run.first, run.first + len(run.starts)))
    for number, utterance in enumerate(corpus.utterances):
        assert sorted(words[0, number]) == list(range(len(utterance.words)))


def test_a_clip_keeps_silence_but_no_more_of_other_words_than_a_fade(corpus: Corpus):
    """What is kept around a turn is at most the pause there, or a fade."""
    for voice in collect_voices([corpus]).voices:
        for run in voice.runs:
            for first in range(len(run.starts)):
                clip = cut_clip(run, first, first + 1, (3_200, 3_200))
                words = corpus.utterances[run.source[1]].words
                pause = words[clip.first].start - (words[clip.first - 1].end if clip.first else 0)
                assert clip.before <= min(max(pause, FADE), 3_200)
                assert clip.after <= 3_200
                assert (clip.begin, clip.stop) == (words[clip.first].start, words[clip.first].end)


@pytest.mark.parametrize("wanted", [4_000, 30_000, 100_000])
def test_without_repeats_no_stretch_of_speech_comes_twice(corpus: Corpus, wanted: int):
    """A chooser gives nothing rather than something for the second time, and nothing longer than allowed."""
    chooser = ClipChooser(np.random.default_rng(0), repeats=False)
    voice = collect_voices([corpus]).voices[0]
    clips = [clip for _ in range(60) if (clip := chooser.take(voice, wanted, 2 * wanted)) is not None]
    assert len(clips) > 3
    taken = sorted((clip.source, clip.begin, clip.stop) for clip in clips)
    for (source, _, stop), (following, begin, _) in itertools.pairwise(taken):
        assert source != following or begin >= stop
    assert all(clip.samples <= 2 * wanted for clip in clips)


def test_people_in_one_meeting_have_different_names(corpus: Corpus):
    """Nobody is chosen twice, and no more people than there are."""
    voices = collect_voices([corpus])
    rng = np.random.default_rng(0)
    for count in range(1, 8):
        chosen = [voice.speaker for voice in voices.choose(count, rng)]
        assert len(set(chosen)) == len(chosen) <= count
    assert len(voices.choose(6, rng)) == 6


def test_people_with_too_little_speech_are_passed_over(corpus: Corpus):
    """Who has to talk all the time must have enough to say."""
    voices = collect_voices([corpus])
    most = max(voice.samples for voice in voices.voices)
    chosen = voices.choose(3, np.random.default_rng(0), least=most)
    assert [voice.samples for voice in chosen] == [most]


def test_shares_decide_how_often_people_of_each_corpus_come(corpus: Corpus):
    """A corpus with share 0.8 gives four fifths of the people."""
    voices = collect_voices([corpus, without_words(corpus)], shares=(0.8, 0.2))
    rng = np.random.default_rng(0)
    transcribed = [voices.choose(1, rng)[0].speaker.startswith("p") for _ in range(2_000)]
    assert np.mean(transcribed) == pytest.approx(0.8, abs=0.04)
