import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meetscribe.training.corpus import Corpus
from meetscribe.training.simulation.config import SimulationConfig, Style
from meetscribe.training.simulation.plan import MeetingPlan, overlapped_share, plan_meeting, talking_time
from meetscribe.training.simulation.voices import Voices, collect_voices

RATE = 16_000
STYLES: tuple[Style, ...] = ("meeting", "overlapped", "single", "empty")


@pytest.fixture(scope="module")
def voices(corpus: Corpus) -> Voices:
    return collect_voices([corpus])


def plans(
    voices: Voices, style: Style, count: int, config: SimulationConfig | None = None
) -> list[MeetingPlan]:
    chosen = replace(config or SimulationConfig(), styles=((style, 1.0),))
    return [plan_meeting(voices, chosen, np.random.default_rng(n)) for n in range(count)]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), style=st.sampled_from(STYLES), seconds=st.integers(3, 60))
def test_turns_keep_the_rules_of_what_two_slots_can_hold(
    voices: Voices, seed: int, style: Style, seconds: int
):
    """Never three at once, nobody overlaps or touches himself, overlapping turns start half a second apart."""
    config = replace(SimulationConfig(), styles=((style, 1.0),), samples=seconds * RATE)
    plan = plan_meeting(voices, config, np.random.default_rng(seed))
    turns = plan.turns
    talking = np.zeros(plan.samples, np.int8)
    for number, turn in enumerate(turns):
        assert 0 <= turn.start < turn.end <= plan.samples - config.tail * RATE + 1
        talking[turn.start : turn.end] += 1
        for other in turns[:number]:
            assert other.start <= turn.start
            if other.speaker == turn.speaker:
                assert turn.start - other.end > RATE // 2
            elif turn.start < other.end:
                assert turn.start - other.start >= RATE // 2
                assert plan.slots[number] != plan.slots[turns.index(other)]
    assert talking.max(initial=0) <= 2
    assert talking_time(plan) == tuple(int(np.sum(talking == n)) for n in range(3))


def test_words_of_a_turn_pause_for_at_most_half_a_second(corpus: Corpus, voices: Voices):
    """A turn is what one person says without a longer stop; a longer pause in the recording ends it."""
    for plan in plans(voices, "meeting", 20):
        for turn in plan.turns:
            words = corpus.utterances[turn.source[1]].words[turn.first : turn.last]
            pauses = [b.start - a.end for a, b in itertools.pairwise(words)]
            assert max(pauses, default=0) <= RATE // 2
            assert (words[0].start, words[-1].end) == (turn.clip.begin, turn.clip.stop)
            assert turn.end - turn.start == round((turn.clip.stop - turn.clip.begin) / turn.speed)


def test_each_style_has_its_number_of_people(voices: Voices):
    """One person, two, nobody, or several."""
    assert {len({t.speaker for t in p.turns}) for p in plans(voices, "single", 10)} == {1}
    assert {len({t.speaker for t in p.turns}) for p in plans(voices, "overlapped", 10)} == {2}
    assert {len(p.turns) for p in plans(voices, "empty", 5)} == {0}
    assert {len({t.speaker for t in p.turns}) for p in plans(voices, "meeting", 60)} >= {2, 3, 4, 5}


def test_one_person_never_overlaps_and_stays_in_the_first_slot(voices: Voices):
    """Single talk needs no second slot."""
    for plan in plans(voices, "single", 20):
        assert overlapped_share(plan) == 0.0
        assert set(plan.slots) == {0}


@pytest.mark.parametrize("share", [0.3, 0.4, 0.5])
def test_people_who_talk_over_each_other_do_so_about_as_much_as_asked(voices: Voices, share: float):
    """The overlapped part of the speech time is, on average, what the configuration says."""
    config = replace(SimulationConfig(), overlap=(share, share), samples=60 * RATE)
    found = [overlapped_share(plan) for plan in plans(voices, "overlapped", 30, config)]
    assert np.mean(found) == pytest.approx(share, abs=0.06)


def test_meetings_are_about_as_lively_as_the_measured_ones(voices: Voices):
    """Two talk in 6 to 14 % of the speech time, a quarter of the turns are inside others, silence is a fifth or so."""
    config = replace(SimulationConfig(), samples=120 * RATE, people=(4, 4))
    drawn = plans(voices, "meeting", 40, config)
    silent, single, both = np.sum([talking_time(plan) for plan in drawn], axis=0)
    assert 0.06 < both / (single + both) < 0.14
    assert 0.1 < silent / (silent + single + both) < 0.35
    turns = [(plan, turn) for plan in drawn for turn in plan.turns]
    embedded = [
        any(o is not turn and o.start <= turn.start and turn.end <= o.end for o in plan.turns)
        for plan, turn in turns
    ]
    assert 0.12 < np.mean(embedded) < 0.35
    assert 12 < len(turns) / (40 * 2) < 28


def test_a_person_keeps_tempo_loudness_and_place(voices: Voices):
    """What belongs to a person does not change from turn to turn."""
    config = replace(SimulationConfig(), room_share=1.0, styles=(("meeting", 1.0),))
    rooms = ((0, 1, 2, 3, 4, 5), (6, 7, 8, 9, 10, 11))
    for seed in range(20):
        plan = plan_meeting(voices, config, np.random.default_rng(seed), rooms)
        habits = {(t.speaker, t.speed, t.gain, t.room) for t in plan.turns}
        people = {t.speaker for t in plan.turns}
        assert len(habits) == len(people)
        places = {t.room for t in plan.turns}
        assert len(places) == len(people)
        assert any(places <= set(room) for room in rooms)


def test_the_same_seed_draws_the_same_meeting(voices: Voices):
    """A plan is a function of the generator's state."""
    config = SimulationConfig()
    for seed in range(5):
        first, second = (plan_meeting(voices, config, np.random.default_rng(seed)) for _ in range(2))
        assert first == second


def test_styles_come_as_often_as_asked(voices: Voices):
    """The shares of the configuration are the shares of the mixtures."""
    config = replace(SimulationConfig(), samples=5 * RATE)
    drawn = [plan_meeting(voices, config, np.random.default_rng(n)).style for n in range(600)]
    for style, share in config.styles:
        assert drawn.count(style) / 600 == pytest.approx(share, abs=0.06)
