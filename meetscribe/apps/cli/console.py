"""How commands speak to people: sentences on stderr, exit codes, and a log for `-v`."""

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
import typer

from meetscribe.errors import MeetscribeError

INTERRUPTED = 130
INTERNAL = 1


def say(sentence: str) -> None:
    """Print a sentence on stderr."""
    print(f"meetscribe: {sentence}", file=sys.stderr, flush=True)


def logger(verbose: bool) -> Any:
    """Return a logger to stderr; it is silent unless `verbose`. It never sees what was said in a meeting."""
    if not verbose:
        return structlog.wrap_logger(structlog.ReturnLogger(), processors=[lambda *_: ""])
    renderer = structlog.dev.ConsoleRenderer(colors=False)
    processors = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
    ]
    return structlog.wrap_logger(structlog.PrintLogger(sys.stderr), processors=[*processors, renderer])


@contextmanager
def reporting(verbose: bool) -> Iterator[None]:
    """Turn every error into one sentence and an exit code; the traceback of a fault only with `-v`."""
    try:
        yield
        sys.stdout.flush()
    except MeetscribeError as error:
        say(str(error))
        raise typer.Exit(error.exit_code) from error
    except KeyboardInterrupt as error:
        say("interrupted")
        raise typer.Exit(INTERRUPTED) from error
    except BrokenPipeError as error:  # the reader (head, less) has seen enough
        sys.stdout = open("/dev/null", "w", encoding="utf-8")  # noqa: SIM115 - lives to the end of the process
        raise typer.Exit(0) from error
    except typer.Exit:
        raise
    except Exception as error:
        if verbose:
            traceback.print_exc()
        hint = "" if verbose else "; -v shows where"
        say(f"this is a fault of meetscribe, please report it: {type(error).__name__}: {error}{hint}")
        raise typer.Exit(INTERNAL) from error
