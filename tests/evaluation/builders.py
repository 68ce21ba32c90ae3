"""Segments for tests of evaluation, with times in seconds."""

from meetscribe.evaluation.segments import Segment, spread
from meetscribe.timeline import to_samples


def segment(
    speaker: str, start: float, end: float, text: str, slot: int | None = None, *, session: str = "m"
) -> Segment:
    """Make a segment whose words are spread over it."""
    a, b = to_samples(start), to_samples(end)
    return Segment(session, speaker, a, b, spread(text.split(), a, b), slot)
