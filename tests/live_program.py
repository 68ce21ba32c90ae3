"""`meetscribe` with a recogniser that needs no model, for tests that run it as a process of its own."""

import sys

from fakes import load_bursts

from meetscribe.apps.cli import live
from meetscribe.apps.cli.main import main

if __name__ == "__main__":
    live.load_recogniser = load_bursts
    main(sys.argv[1:])
