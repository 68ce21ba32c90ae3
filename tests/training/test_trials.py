import json
from pathlib import Path

import numpy as np
from people_material import corpus_of

from meetscribe.training.trials import CLEAN, DIFFERENT, OVERLAPPED, make_trials, write_trials


def test_trials_are_the_same_whenever_they_are_made(tmp_path: Path) -> None:
    """A seed gives one list, another seed another."""
    corpus = corpus_of(tmp_path)
    lists = [make_trials([corpus], 1.0, CLEAN, seed)[1] for seed in (1, 1, 2)]
    assert lists[0] == lists[1] != lists[2]


def test_pairs_are_what_they_are_said_to_be(tmp_path: Path) -> None:
    """Same pairs are two cuts of one person that share no recording, different ones are of two people."""
    cuts, trials = make_trials([corpus_of(tmp_path)], 1.0, CLEAN, seed=1)
    for trial in trials:
        one, other = cuts[trial.one], cuts[trial.other]
        assert (one.speaker == other.speaker) == trial.same
        if trial.same:
            assert not {name for name, _, _ in one.parts} & {name for name, _, _ in other.parts}
    assert sum(not trial.same for trial in trials) == DIFFERENT * sum(trial.same for trial in trials)


def test_cuts_have_the_length_that_was_asked_for(tmp_path: Path) -> None:
    """Short recordings are joined, and who has too little has no cut."""
    cuts, _ = make_trials([corpus_of(tmp_path)], 4.0, CLEAN, seed=1)
    assert len(cuts) == 6
    assert {len(cut.audio) for cut in cuts} == {64_000}
    assert make_trials([corpus_of(tmp_path)], 60.0, CLEAN, seed=1) == ([], [])


def test_somebody_else_talks_into_half_of_an_overlapped_cut(tmp_path: Path) -> None:
    """Half of the samples are what they were, and the pairs are those of the clean list."""
    corpus = corpus_of(tmp_path)
    clean, trials = make_trials([corpus], 1.0, CLEAN, seed=1)
    mixed, same_trials = make_trials([corpus], 1.0, OVERLAPPED, seed=1)
    assert [trial.same for trial in trials] == [trial.same for trial in same_trials]
    for one, other in zip(clean, mixed, strict=True):
        assert 0.4 < np.mean(one.audio == other.audio) < 0.6


def test_a_list_names_recordings_and_samples(tmp_path: Path) -> None:
    """A written line says which samples of which recordings are compared."""
    cuts, trials = make_trials([corpus_of(tmp_path)], 1.0, CLEAN, seed=1)
    write_trials(tmp_path / "list.jsonl", cuts, trials)
    rows = [json.loads(line) for line in (tmp_path / "list.jsonl").read_text().splitlines()]
    assert len(rows) == len(trials)
    name, first, last = rows[0]["one"][0]
    assert name.endswith(".wav")
    assert last - first == 16_000
