"""`meetscribe evaluate`: how far a transcript is from a reference."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from meetscribe.apps.cli.console import reporting


def evaluate(
    context: typer.Context,
    reference: Annotated[
        Path, typer.Option(help="What was said: .seglst.json, .stm, or any format with times.")
    ],
    hypothesis: Annotated[Path, typer.Option(help="What was heard, the same.")],
    alignment: Annotated[
        bool, typer.Option("--alignment", help="Show on stdout what was said and heard around every error.")
    ] = False,
) -> None:
    """Compare two transcripts; the last line of stdout is one JSON object."""
    with reporting(context.obj.verbose):
        from meetscribe.evaluation.alignment import describe
        from meetscribe.evaluation.score import evaluate_files, read_pair  # late: numba takes a second

        figures = evaluate_files(reference, hypothesis)
        if alignment:
            expected, heard = read_pair(reference, hypothesis)
            for session, segments in expected.items():
                print(f"{session}\n")
                for line in describe(segments, heard.get(session, [])):
                    print(line)
        for name in ("wer", "orc_wer", "cp_wer", "tcp_wer"):
            print(f"{name:8} {_rate(figures[name])}", file=sys.stderr)
        print(json.dumps(figures, ensure_ascii=False))


def _rate(rate: dict[str, Any] | None) -> str:
    if rate is None or rate["rate"] is None:
        return "—"
    return f"{100 * rate['rate']:.1f} % ({rate['errors']} of {rate['length']} words)"
