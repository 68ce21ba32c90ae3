import numpy as np

from meetscribe.events import Change, Voice
from meetscribe.streaming.likeness import Likeness, probability, speech_behind
from meetscribe.streaming.remembered import Candidate, Recall, RecallSettings, Remembered

LIKENESS = Likeness(offset=-6.0, score=14.0, length=0.0, score_length=2.0)
AXES = np.eye(8)


def remembered(name: str, axis: int, seconds: float = 20.0, embedder: str = "e") -> Remembered:
    return Remembered(name, Voice(tuple(AXES[axis]), seconds, embedder))


def candidate(
    id: str, axis: int, seconds: float = 10.0, other: int = 7, part: float = 0.0, **more
) -> Candidate:
    vector = (1 - part) * AXES[axis] + part * AXES[other]
    return Candidate(id, vector / np.linalg.norm(vector) * seconds, seconds, **more)


def recall(*people: Remembered) -> Recall:
    return Recall(people, RecallSettings(LIKENESS))


def test_somebody_remembered_is_named_with_a_confidence() -> None:
    """A speaker with the voice of one person gets the name, and how sure that is; a stranger gets none."""
    subject = recall(remembered("Alice", 0), remembered("Bob", 1))
    changes = subject.recognise([candidate("s1", 0), candidate("s2", 3)], "e")
    assert [(change.speaker_id, change.speaker) for change in changes] == [("s1", "Alice")]
    assert changes[0].confidence is not None
    assert changes[0].confidence > 0.9
    assert subject.recognise([candidate("s1", 0), candidate("s2", 3)], "e") == ()


def test_an_uncertain_match_stays_anonymous() -> None:
    """Half of one voice, two voices alike, and too little speech are no reason for a name."""
    assert recall(remembered("Alice", 0)).recognise([candidate("s1", 0, part=0.75)], "e") == ()
    twins = recall(remembered("Alice", 0), remembered("Alina", 0))
    assert twins.recognise([candidate("s1", 0)], "e") == ()
    assert recall(remembered("Alice", 0)).recognise([candidate("s1", 0, seconds=1.0)], "e") == ()


def test_voices_of_another_embedder_are_not_compared() -> None:
    """Who was enrolled with another model is nobody here."""
    subject = recall(remembered("Alice", 0, embedder="old"))
    assert subject.recognise([candidate("s1", 0)], "e") == ()


def test_a_second_speaker_of_one_name_joins_the_first() -> None:
    """Two speakers with one remembered voice are one person, unless both talked at once: then the surer is named."""
    subject = recall(remembered("Alice", 0))
    subject.recognise([candidate("s1", 0)], "e")
    again = subject.recognise([candidate("s1", 0), candidate("s2", 0)], "e")
    assert again == (Change("s2", into="s1", confidence=again[0].confidence),)
    apart = [candidate("s1", 0), candidate("s2", 0, part=0.1, apart=frozenset({"s1"}))]
    changes = recall(remembered("Alice", 0)).recognise(apart, "e")
    assert [(change.speaker_id, change.speaker) for change in changes] == [("s1", "Alice")]


def test_a_name_follows_a_merge() -> None:
    """Who was merged into somebody takes the name along, so that nobody else gets it."""
    subject = recall(remembered("Alice", 0))
    subject.recognise([candidate("s2", 0)], "e")
    subject.merged({"s2": "s1"})
    assert subject.given == {"s1": "Alice"}


def test_more_speech_says_more() -> None:
    """Speech behind a comparison grows with both, and never beyond its bounds; odds become probabilities."""
    assert speech_behind(1.0, 5.0) < speech_behind(5.0, 5.0) < speech_behind(50.0, 50.0) == 6.0
    assert speech_behind(0.0, 5.0) == 0.2
    assert probability(0.0) == 0.5
    assert probability(-1e9) < 1e-9
