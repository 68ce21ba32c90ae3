"""`meetscribe` with a slow recogniser that needs no model, for tests that kill a whole batch."""

import sys
import time

from fakes import LoudnessEngine, LoudnessTranscriber

from meetscribe.apps.cli import transcribe
from meetscribe.apps.cli.main import main
from meetscribe.apps.recogniser import Recogniser


class SlowEngine(LoudnessEngine):
    """Takes its time for every second of audio."""

    def run(self, requests):
        time.sleep(0.05 * len(requests))
        return super().run(requests)


def load_slow(directory):
    return Recogniser(directory.name, SlowEngine(), LoudnessTranscriber)


if __name__ == "__main__":
    from batch_program import load_slow as load  # by its module's name, so that worker processes find it

    transcribe.load_recogniser = load
    main(sys.argv[1:])
