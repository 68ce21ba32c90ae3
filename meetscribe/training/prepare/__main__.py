"""`scripts/prepare`: a downloaded corpus becomes a folder that training reads (docs/recipe.md)."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from meetscribe.errors import MeetscribeError
from meetscribe.models import find
from meetscribe.training.prepare import ami as ami_corpus
from meetscribe.training.prepare import librispeech as librispeech_corpus
from meetscribe.training.prepare.manifest import Row, write_manifests

app = typer.Typer(add_completion=False, help="Make training folders of corpora as they are downloaded.")


def _write(folder: Path, rows: dict[str, list[Row]]) -> None:
    for split, hours in write_manifests(folder, rows).items():
        print(f"{folder / split}.jsonl: {hours:.2f} h, {len(rows[split])} recordings", file=sys.stderr)


@app.command()
def librispeech(folder: Annotated[Path, typer.Argument(help="the unpacked folder LibriSpeech")]) -> None:
    """Write manifests into LibriSpeech's own folder."""
    _write(folder, librispeech_corpus.rows_of(folder))


@app.command()
def ami(
    audio: Annotated[Path, typer.Argument(help="the folder amicorpus, with headset recordings")],
    annotations: Annotated[Path, typer.Argument(help="the unpacked manual annotations (1.6.2)")],
    out: Annotated[Path, typer.Option(help="the corpus' folder, for cut turns and manifests")],
) -> None:
    """Cut AMI's headsets into turns, and write their manifests."""
    out.mkdir(parents=True, exist_ok=True)
    _write(out, ami_corpus.rows_of(audio, annotations, out))


@app.command()
def align(
    corpus: Annotated[Path, typer.Argument(help="folder with manifests")],
    spelling: Annotated[
        Path | None, typer.Option(help="g2p.safetensors; default: that of the shipped model")
    ] = None,
    jobs: Annotated[int, typer.Option("-j", min=1, help="processes")] = 1,
) -> None:
    """Align a corpus for the first time, with pocketsphinx (extra `train`); resumes where it was stopped."""
    from meetscribe.training.prepare.alignments import align as align_corpus  # noqa: PLC0415  late: an extra

    done, failed = align_corpus(corpus, spelling or find(None).path / "g2p.safetensors", jobs)
    print(f"{done} recordings aligned, {failed} could not be", file=sys.stderr)


def main() -> None:
    """Run a command; what is wrong is one sentence."""
    try:
        app(standalone_mode=True)
    except MeetscribeError as error:
        print(f"prepare: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from error


if __name__ == "__main__":
    main()
