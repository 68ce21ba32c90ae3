"""Error rates of meetings with several speakers or outputs, by meeteval (the extra `eval`).

- ORC-WER: every reference turn is given to the hypothesis stream (slot, else speaker) where it costs least.
- cpWER: the streams of speakers are matched as wholes.
- tcpWER: cpWER that only lets words match within a collar of 5 s.

All take segments of one session, already normalised. Not covered: MIMO-WER, diarisation error rates.
"""

from collections.abc import Callable, Sequence
from typing import Any

from meetscribe.errors import MissingError
from meetscribe.evaluation.error_rate import ErrorRate
from meetscribe.evaluation.segments import Segment, TimedWord
from meetscribe.timeline import to_seconds

COLLAR = 5.0  # seconds, of tcpWER
_EXACT_ORC_STEPS = 2e9  # cells of the exact search (about ten seconds); above it the greedy one is used


def available() -> bool:
    """Say whether meeteval is installed."""
    try:
        import meeteval.wer  # noqa: F401, PLC0415  late: it is an optional extra
    except ImportError:
        return False
    return True


def _meeteval() -> Any:
    """Return meeteval's package of error rates.

    Raises:
        MissingError: it is not installed.
    """
    try:
        import meeteval.wer  # noqa: PLC0415  late: it is an optional extra that needs a compiler
    except ImportError:
        raise MissingError(
            "meeteval is not installed, which ORC-WER, cpWER and tcpWER need: pip install 'meetscribe[eval]'"
        ) from None
    return meeteval


def _seglst(segments: Sequence[Segment], stream: Callable[[Segment], str]) -> Any:
    from meeteval.io.seglst import SegLST  # noqa: PLC0415  late: it is an optional extra

    return SegLST(
        [
            {
                "session_id": "session",
                "speaker": stream(segment),
                "start_time": to_seconds(segment.start),
                "end_time": to_seconds(max(segment.end, segment.start + 16)),
                "words": segment.text,
            }
            for segment in segments
            if segment.words
        ]
    )


def _speaker(segment: Segment) -> str:
    return segment.speaker


def _slot(segment: Segment) -> str:
    return segment.speaker if segment.slot is None else f"slot{segment.slot}"


def _counts(result: Any) -> ErrorRate:
    return ErrorRate(result.errors, result.length, result.insertions, result.deletions, result.substitutions)


def _one_sided(reference: Sequence[Segment], hypothesis: Sequence[Segment]) -> ErrorRate | None:
    """Return the counts where one side has no words, None where both have some."""
    expected = sum(len(segment.words) for segment in reference)
    heard = sum(len(segment.words) for segment in hypothesis)
    if expected and heard:
        return None
    return ErrorRate(expected + heard, expected, insertions=heard, deletions=expected)


def orc_wer(reference: Sequence[Segment], hypothesis: Sequence[Segment]) -> ErrorRate:
    """Return the ORC-WER; above some thousand words its greedy form, an upper bound that is rarely higher.

    Raises:
        MissingError: meeteval is not installed.
    """
    package = _meeteval()
    if (counts := _one_sided(reference, hypothesis)) is not None:
        return counts
    return _counts(_orc(package, reference, hypothesis))


def _orc(package: Any, reference: Sequence[Segment], hypothesis: Sequence[Segment]) -> Any:
    lengths: dict[str, int] = {}
    for segment in hypothesis:
        lengths[_slot(segment)] = lengths.get(_slot(segment), 0) + len(segment.words)
    steps = float(sum(len(segment.words) for segment in reference))
    for length in lengths.values():
        steps *= length + 1
    exact = steps <= _EXACT_ORC_STEPS
    measure = package.wer.orc_word_error_rate if exact else package.wer.greedy_orc_word_error_rate
    return measure(_seglst(reference, _speaker), _seglst(hypothesis, _slot))


def orc_streams(
    reference: Sequence[Segment], hypothesis: Sequence[Segment]
) -> list[tuple[list[TimedWord], list[TimedWord]]]:
    """Return for each stream of the hypothesis the reference words that ORC-WER gives it, and its own words.

    Both in the order of their segments' starts. Where the hypothesis has no words, one stream has all the
    reference's.

    Raises:
        MissingError: meeteval is not installed.
    """
    package = _meeteval()
    expected = sorted((segment for segment in reference if segment.words), key=lambda s: s.start)
    heard = sorted((segment for segment in hypothesis if segment.words), key=lambda s: s.start)
    streams: dict[str, tuple[list[TimedWord], list[TimedWord]]] = {}
    for segment in heard:
        streams.setdefault(_slot(segment), ([], []))[1].extend(segment.words)
    if not expected or not heard:
        return list(streams.values()) or [([word for segment in expected for word in segment.words], [])]
    assignment = _orc(package, expected, heard).assignment
    for segment, stream in zip(expected, assignment, strict=True):
        streams[stream][0].extend(segment.words)
    return list(streams.values())


def cp_wer(reference: Sequence[Segment], hypothesis: Sequence[Segment]) -> ErrorRate:
    """Return the cpWER.

    Raises:
        MissingError: meeteval is not installed.
    """
    package = _meeteval()
    if (counts := _one_sided(reference, hypothesis)) is not None:
        return counts
    return _counts(
        package.wer.cp_word_error_rate(_seglst(reference, _speaker), _seglst(hypothesis, _speaker))
    )


def tcp_wer(reference: Sequence[Segment], hypothesis: Sequence[Segment]) -> ErrorRate:
    """Return the tcpWER with a collar of 5 s.

    Raises:
        MissingError: meeteval is not installed.
    """
    package = _meeteval()
    if (counts := _one_sided(reference, hypothesis)) is not None:
        return counts
    return _counts(
        package.wer.time_constrained_minimum_permutation_word_error_rate(
            _seglst(reference, _speaker), _seglst(hypothesis, _speaker), collar=COLLAR
        )
    )
