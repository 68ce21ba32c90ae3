"""The table of two people at once: each figure of each control, beside what is to be reached.

Figures come by set and control; `docs/evaluation.md` says what each of them is. A set that was not there leaves a dash.
Not covered: where figures come from (`figures.py`, `rounds.py`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from meetscribe.evaluation.controls import BYPASSED, CONTROLS, ORACLE, WHOLE
from meetscribe.evaluation.error_rate import ErrorRate, rounded
from meetscribe.evaluation.figures import Figures, Words
from meetscribe.evaluation.regions import Regional

TWO_TALKERS, ROOMS, COUNTING, MEETINGS = "two-talkers", "two-talkers-rooms", "turn-counting", "meetings"
LONG, ONE_TALKER, NOISE, TWO_VOICES = "long", "one-talker", "noise", "two-voices"
SETS = (TWO_TALKERS, ROOMS, COUNTING, MEETINGS, LONG, ONE_TALKER, NOISE, TWO_VOICES)
CLIPS, SINGLE = "clips", "librispeech-dev"
WITH_TURNS = (TWO_TALKERS, ROOMS, COUNTING, MEETINGS)
"""Sets that the latencies and the false closes of the table are of, together."""

NONE = "—"
BySet = Mapping[str, Mapping[str, Figures]]


@dataclass(frozen=True)
class Pieces:
    """ORC-WER of the long recording, piece by piece: as one stream, and each piece by itself; (first, final) pass."""

    stream: tuple[Regional, Regional]
    alone: tuple[Regional, Regional]

    def as_dict(self) -> dict[str, Any]:
        """Return the rates by pass."""
        passes = ("first_pass", "final")
        return {
            name: {key: part.all.as_dict() for key, part in zip(passes, parts, strict=True)}
            for name, parts in (("stream", self.stream), ("pieces", self.alone))
        }


@dataclass(frozen=True)
class _Row:
    """A figure, what is to be reached, the sets it is of, and how it is written."""

    label: str
    reach: str
    aim: str
    sets: tuple[str, ...]
    cell: Callable[[Figures], str]


def _percent(value: float | None) -> str:
    return NONE if value is None else f"{100 * value:.1f} %"


def _both(of: Callable[[Words], float | None]) -> Callable[[Figures], str]:
    """Write a figure of the final pass, and the first pass' in brackets."""

    def cell(figures: Figures) -> str:
        final = of(figures.final)
        return NONE if final is None else f"{_percent(final)} ({_percent(of(figures.first_pass))})"

    return cell


def _milliseconds(figures: Figures, name: str, *percentiles: str) -> str:
    values = [figures.latency.as_dict()[name][key] for key in percentiles]
    return NONE if None in values else "/".join(f"{1000 * (value or 0):.0f}" for value in values) + " ms"


def _number(of: Callable[[Figures], float | None], unit: str) -> Callable[[Figures], str]:
    def cell(figures: Figures) -> str:
        value = of(figures)
        return NONE if value is None else f"{value:.2f} {unit}".replace(".00 ", " ").strip()

    return cell


ROWS: tuple[_Row, ...] = (
    _Row("two talkers, overlapped: ORC-WER", "", "", (TWO_TALKERS,), _both(lambda w: w.orc.overlapped.rate)),
    _Row("two talkers, in all: ORC-WER", "50 %", "32 %", (TWO_TALKERS,), _both(lambda w: w.orc.all.rate)),
    _Row("two talkers, single: ORC-WER", "", "", (TWO_TALKERS,), _both(lambda w: w.orc.single.rate)),
    _Row("in rooms with noise, overlapped", "", "", (ROOMS,), _both(lambda w: w.orc.overlapped.rate)),
    _Row("in rooms with noise, in all", "", "", (ROOMS,), _both(lambda w: w.orc.all.rate)),
    _Row("one talker, Librispeech dev: WER", "", "", (SINGLE,), _both(lambda w: w.wer.rate)),
    _Row("leakage@4", "5 %", "1 %", (TWO_TALKERS,), _both(lambda w: w.leakage4.value)),
    _Row("omission@4", "", "", (TWO_TALKERS,), _both(lambda w: w.omission4.value)),
    _Row(
        "turns counted right, 1–6 in 20 s", "70 %", "90 %", (COUNTING,), lambda f: _percent(f.counted_right.value)
    ),
    _Row(
        "turn started after its start, p50/p90", "500/900 ms", "300/550 ms", WITH_TURNS,
        lambda f: _milliseconds(f, "sot", "p50", "p90"),
    ),
    _Row("turns that a turn was begun for", "", "", WITH_TURNS, lambda f: _percent(f.began.value)),
    _Row(
        "turn closed after its end, p50", "800 ms", "500 ms", WITH_TURNS,
        lambda f: _milliseconds(f, "close", "p50"),
    ),
    _Row("false closes", "5 %", "3 %", WITH_TURNS, lambda f: _percent(f.false_closes.value)),
    _Row(
        "words in slot 1 while one talks, a minute", "2", "0", (ONE_TALKER,), _number(lambda f: f.beside.value, "")
    ),
    _Row("meetings of four: ORC-WER", "", "", (MEETINGS,), _both(lambda w: w.orc.all.rate)),
    _Row("real meeting clips: ORC-WER", "stated", "70 %", (CLIPS,), _both(lambda w: w.orc.all.rate)),
    _Row("two synthetic voices: ORC-WER", "30 %", "", (TWO_VOICES,), _both(lambda w: w.orc.all.rate)),
    _Row(
        "two synthetic voices: segments intersect", "100 %", "", (TWO_VOICES,),
        lambda f: _percent(f.slots_meet.value),
    ),
    _Row(
        "words invented in noise and silence", "2", "", (NOISE,),
        lambda f: f"{f.invented.count:.0f} in {f.invented.total:.0f} min",
    ),
    _Row(
        "real-time factor, one thread", "0.3", "", (LONG,),
        _number(lambda f: f.worked / f.heard if f.heard else None, ""),
    ),
    _Row("memory, minute 5 to the end", "flat", "", (LONG,), _number(lambda f: f.growth, "MB")),
)  # fmt: skip


def pooled(figures: BySet, sets: Sequence[str], control: str) -> Figures | None:
    """Return the figures of a control over several sets; None where it was run on none."""
    found = [figures[name][control] for name in sets if control in figures.get(name, {})]
    return sum(found, Figures()) if found else None


def improvement(better: ErrorRate, worse: ErrorRate) -> float | None:
    """Return by which part of itself the second error rate is greater."""
    return (worse.rate - better.rate) / worse.rate if worse.rate and better.rate is not None else None


def derived(figures: BySet, pieces: Pieces | None) -> dict[str, Any]:
    """Return what compares the model with a control: by region, one talker, the long stream; None where not known."""
    found: dict[str, Any] = {}
    for name in (TWO_TALKERS, ROOMS):
        whole, control = (pooled(figures, (name,), key) for key in (WHOLE, BYPASSED))
        both = [f.final.orc.overlapped for f in (whole, control) if f is not None]
        found[f"{name}: overlapped, better than bypassed"] = (
            rounded(improvement(*both)) if len(both) == 2 else None
        )
    whole, control = (pooled(figures, (SINGLE,), key) for key in (WHOLE, BYPASSED))
    rates = [f.final.wer.rate for f in (whole, control) if f is not None and f.final.wer.rate is not None]
    found["one talker, worse than the recogniser alone"] = (
        rounded(rates[0] - rates[1]) if len(rates) == 2 else None
    )
    if pieces is not None:
        stream, alone = pieces.stream[1].all.rate, pieces.alone[1].all.rate
        if stream is not None and alone is not None:
            found["20-minute stream, worse than its pieces"] = rounded(stream - alone)
    return found


_COMPARED = (
    ("two-talkers: overlapped, better than bypassed", "20 %", "45 %"),
    ("two-talkers-rooms: overlapped, better than bypassed", "", ""),
    ("one talker, worse than the recogniser alone", "1 point", "0"),
    ("20-minute stream, worse than its pieces", "2 points", "0"),
)


def markdown(figures: BySet, pieces: Pieces | None) -> str:
    """Return the table for people to read, and below it every set with what was measured on it."""
    controls = (*CONTROLS, *((ORACLE,) if any(ORACLE in found for found in figures.values()) else ()))
    lines = [_line("figure", "reach", "aim", *controls), _line(*["---"] * (3 + len(controls)))]
    for row in ROWS:
        parts = [pooled(figures, row.sets, control) for control in controls]
        cells = [NONE if part is None else row.cell(part) for part in parts]
        lines.append(_line(row.label, row.reach, row.aim, *cells))
    compared = derived(figures, pieces)
    for label, reach, aim in _COMPARED:
        cells = [_percent(compared.get(label)), *[""] * (len(controls) - 1)]
        lines.append(_line(label, reach, aim, *cells))
    if pieces is not None:
        said = ", ".join(
            f"{name} {_percent(parts[1].all.rate)} ({_percent(parts[0].all.rate)})"
            for name, parts in (("stream", pieces.stream), ("pieces", pieces.alone))
        )
        lines += ["", f"The long recording, piece by piece, ORC-WER: {said}."]
    return "\n".join([*lines, "", *_by_set(figures)]) + "\n"


def _by_set(figures: BySet) -> list[str]:
    heads = ("set", "control", "recordings", "ORC-WER", "overlapped", "single", "turns right", "groups right")
    lines = [_line(*heads, "started p50/p90", "closed p50/p90", "false closes", "RTF"), _line(*["---"] * 12)]
    for name, controls in figures.items():
        for control, found in controls.items():
            orc = [_both(of)(found) for of in (_rate_all, _rate_overlapped, _rate_single)]
            shares = [_percent(share.value) for share in (found.counted_right, found.groups_right)]
            delays = [_milliseconds(found, key, "p50", "p90") for key in ("sot", "close")]
            rtf = f"{found.worked / found.heard:.3f}" if found.heard else NONE
            last = (_percent(found.false_closes.value), rtf)
            lines.append(_line(name, control, str(found.recordings), *orc, *shares, *delays, *last))
    return lines


def _rate_all(words: Words) -> float | None:
    return words.orc.all.rate


def _rate_overlapped(words: Words) -> float | None:
    return words.orc.overlapped.rate


def _rate_single(words: Words) -> float | None:
    return words.orc.single.rate


def _line(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"
