"""`meetscribe` with the recogniser of two voices, which needs no model, for tests that run it in a terminal."""

import sys

from two_voices import load_two_voices

from meetscribe.apps.cli import live, transcribe
from meetscribe.apps.cli.main import main

if __name__ == "__main__":
    live.load_recogniser = transcribe.load_recogniser = load_two_voices
    main(sys.argv[1:])
