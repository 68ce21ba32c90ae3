"""Options about what a transcript holds, the same for all commands that make one."""

from pathlib import Path
from typing import Annotated

import typer

Hotwords = Annotated[
    Path | None,
    typer.Option("--hotwords", metavar="FILE", help="Names and phrases to listen for, one a line."),
]
Numerals = Annotated[
    str | None, typer.Option(metavar="words|digits", help="How numbers are written: twenty three, or 23.")
]
Punctuation = Annotated[
    bool | None,
    typer.Option(help="Marks and capitals, or the words as they were recognised."),
]
NumSpeakers = Annotated[
    int | None,
    typer.Option(
        "--num-speakers", metavar="N", help="How many people talk, if you know; default: found out."
    ),
]
