"""Who hears a recording, by what its channels are: one stream for the mix, one for each channel, one for each owner.

Not covered: finding out what channels are (`sources/layouts.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from meetscribe.apps.owners import OwnedRecognition, speaker_of
from meetscribe.apps.recogniser import Recogniser
from meetscribe.meeting import Meeting
from meetscribe.session.ports import Recognition
from meetscribe.session.session import SessionSettings
from meetscribe.sources.layouts import Laid

PATIENT = SessionSettings(patient=True, quiet=True)
_APART = replace(PATIENT, mixed=False)


@dataclass(frozen=True)
class Hearing:
    """Who transcribes a recording, and how the session runs."""

    recognition: Recognition
    settings: SessionSettings


def mixed(recogniser: Recogniser) -> Hearing:
    """Return who hears the mix of all channels."""
    return Hearing(recogniser.patient().recognition(), PATIENT)


def apart(recogniser: Recogniser) -> Hearing:
    """Return who hears each channel by itself, in which several may talk."""
    return Hearing(recogniser.patient().recognition(), _APART)


def owned(recogniser: Recogniser, names: Sequence[str] = ()) -> Hearing:
    """Return who hears each channel by itself, which is one person's, called by its name."""
    return Hearing(OwnedRecognition(recogniser.alone().recognition(), names), _APART)


def as_laid(laid: Laid, recogniser: Recogniser) -> Hearing:
    """Return who hears a recording as its layout has it."""
    return owned(recogniser, laid.names) if laid.apart else mixed(recogniser)


def as_before(meeting: Meeting, recogniser: Recogniser) -> Hearing:
    """Return who hears the recording of a meeting again, whose channels are what they were."""
    turns = [turn for turn in meeting.heard.values() if turn.channel is not None]
    if not turns:
        return mixed(recogniser)
    is_owned = all(turn.speaker_id == speaker_of(turn.channel or 0) for turn in turns)
    return owned(recogniser) if is_owned and len({turn.channel for turn in turns}) > 1 else apart(recogniser)
