import importlib.util
import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from meetscribe.training.all_stages import Places, Stage, main, parser, run_all, run_stoppably, stages

PLACES = Places(Path("corpus"), Path("runs"), Path("models/mine"), dictionary=Path("cmu.dict"))
TRAININGS = ("recognise", "separate", "segment", "embed")


@pytest.mark.parametrize("stage", stages(PLACES), ids=lambda stage: stage.name)
def test_a_stage_is_a_command_whose_options_there_are(stage: Stage) -> None:
    """Its module can be run, and a training's own parser takes all of its options."""
    name = f"meetscribe.training.{stage.module}"
    assert importlib.util.find_spec(name) is not None
    if stage.module in TRAININGS:
        module = importlib.import_module(name)
        options = module.parser().parse_args(stage.command(0.5)[3:])
        assert options.steps == round(0.5 * stage.steps)
        assert 0 < options.decay <= options.steps


def test_what_a_stage_reads_an_earlier_one_has_written() -> None:
    """Every path below the folder of runs is first named by the stage that makes it."""
    made: set[str] = {"cache"}
    for stage in stages(PLACES):
        named = dict(zip(stage.options, stage.options[1:], strict=False))
        written = {Path(named[name]) for name in ("--folder", "--out", "--output") if name in named}
        below = [Path(word) for word in stage.options if word.startswith("runs/")]
        for path in below:
            assert path in written or path.parts[1] in made, f"{stage.name} reads {path}"
        made |= {path.parts[1] for path in written if path.parts[0] == "runs"}


def test_a_models_language_is_taken_as_it_is() -> None:
    """With the words of another model none are estimated, and no dictionary is needed."""
    names = [
        stage.name for stage in stages(Places(Path("c"), Path("runs"), Path("out"), Path("models/other")))
    ]
    assert names[0] == "synthetic"
    assert {"language", "marks"}.isdisjoint(names)


def test_the_same_command_goes_on_with_the_stage_that_failed(tmp_path: Path) -> None:
    """Stages that were done are left alone."""
    wanted, run, fails = [Stage(name, name, ()) for name in "abc"], [], {"b"}

    def pretend(command: list[str]) -> int:
        name = command[-1].rpartition(".")[2]
        run.append(name)
        return 7 if name in fails else 0

    assert run_all(wanted, tmp_path, 1.0, pretend) == 7
    fails.clear()
    assert run_all(wanted, tmp_path, 1.0, pretend) == 0
    assert run == ["a", "b", "b", "c"]
    assert run_all(wanted, tmp_path, 1.0, pretend) == 0
    assert run == ["a", "b", "b", "c"]


def test_a_stage_that_is_stopped_is_not_done(tmp_path: Path) -> None:
    """A training that is told to stop keeps its state and ends well; it has still not been trained to its end."""
    told, started = tmp_path / "told", tmp_path / "started"
    os.mkfifo(started)
    program = (
        "import pathlib, signal, sys\n"
        f"signal.signal(signal.SIGTERM, lambda *_: (pathlib.Path({str(told)!r}).touch(), sys.exit(0)))\n"
        f"open({str(started)!r}, 'w').close()\n"
        "signal.pause()\n"
    )

    def stop_when_started() -> None:
        started.open().close()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=stop_when_started).start()
    assert run_stoppably([sys.executable, "-c", program]) == 128 + signal.SIGTERM
    assert told.exists()


def test_what_is_missing_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither words nor a dictionary, or no corpus: what to give is said."""
    given = ["--corpus", str(tmp_path), "--folder", str(tmp_path / "runs"), "--out", str(tmp_path / "m")]
    assert main(parser().parse_args(given)) == 2
    assert "--dictionary" in capsys.readouterr().err
    assert main(parser().parse_args([*given, "--language", str(tmp_path)])) == 2
    assert "train.jsonl is missing" in capsys.readouterr().err
    (tmp_path / "speech").mkdir()
    (tmp_path / "speech" / "train.jsonl").touch()
    assert main(parser().parse_args([*given, "--language", str(tmp_path), "--dry"])) == 0
    assert "meetscribe.training.export_embedder" in capsys.readouterr().out
