"""Who may be recognised in new meetings: the people of the data folder, as the model's embedder hears them.

Nothing here imports torch: what the embedder says of itself can be read without it.
Not covered: enrolling (`enrolment.py`), telling people apart (`streaming/speakers.py`).
"""

from dataclasses import replace
from pathlib import Path

from meetscribe.apps.config import Settings
from meetscribe.models import embedder_facts
from meetscribe.session.speakers import SpeakerSettings
from meetscribe.store.people import People
from meetscribe.streaming.likeness import Likeness
from meetscribe.streaming.remembered import RecallSettings
from meetscribe.streaming.resemblance import Resemblance
from meetscribe.streaming.speakers import TrackerSettings
from meetscribe.streaming.spectra import Spectra


def people_of(settings: Settings) -> People:
    """Return the people of the data folder."""
    return People(settings.data_dir, settings.people_key)


def speaker_settings(model: Path, people: People | None = None, number: int | None = None) -> SpeakerSettings:
    """Return how people are told apart by a model, who is remembered, and how many there are in a recording.

    Raises:
        CheckpointError: the model's embedder is damaged.
        InputError: people are sealed with another key.
    """
    facts = embedder_facts(model)
    if facts is None:
        return SpeakerSettings()
    likeness = Likeness.stated(facts.likeness, facts.cohort)
    resemblance = Resemblance(likeness, Spectra.stated(facts.spectra))
    settings = SpeakerSettings(TrackerSettings(resemblance), RecallSettings(likeness), people=number)
    return settings if people is None else replace(settings, remembered=people.remembered(facts.id))
