"""Command line of the estimation of language models.

Not covered: what is built (`meetscribe.training.language.build`).
"""

import argparse
import sys
from pathlib import Path

from meetscribe.training.language.build import (
    Settings,
    build_g2p,
    build_lexicon,
    build_ngram,
    vocabulary,
)

STEPS = ("g2p", "lexicon", "books", "conversation")


def parse(arguments: list[str]) -> tuple[Settings, list[str]]:
    """Returns (settings, steps) from the words of a command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/train-language",
        description="Makes the lexicon, the spelling model and both language models from a folder of text.",
    )
    parser.add_argument(
        "steps", nargs="*", metavar="STEP", help=f"of {', '.join(STEPS)}; all if none is named"
    )
    parser.add_argument("--text", type=Path, default=Path("../shared/corpus/text"), help="folder of the text")
    parser.add_argument("--dictionary", type=Path, required=True, help="pronouncing dictionary (CMU)")
    parser.add_argument("--output", type=Path, default=Path("build/language"), help="folder of the results")
    parser.add_argument("--bytes", type=float, default=Settings.budget, help="size of each language model")
    parser.add_argument(
        "--hold-out", action="store_true", help="keep every 200th line out, to compare models"
    )
    found = parser.parse_args(arguments)
    if unknown := [step for step in found.steps if step not in STEPS]:
        parser.error(f"no step {unknown[0]}: there are {', '.join(STEPS)}")
    settings = Settings(found.text, found.dictionary, found.output, found.bytes, found.hold_out)
    return settings, [step for step in STEPS if step in found.steps or not found.steps]


def tell(text: str) -> None:
    """Writes a line of progress."""
    print(text, file=sys.stderr, flush=True)


def main(arguments: list[str]) -> None:
    """Runs the steps that the command line names."""
    settings, steps = parse(arguments)
    settings.output.mkdir(parents=True, exist_ok=True)
    if "g2p" in steps:
        build_g2p(settings, tell)
    words = vocabulary(settings) if set(steps) - {"g2p"} else None
    for step in steps:
        if words and step == "lexicon":
            build_lexicon(settings, words, tell)
        elif words and step != "g2p":
            build_ngram(step, settings, words, tell)


if __name__ == "__main__":
    main(sys.argv[1:])
