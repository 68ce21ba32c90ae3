"""The separator as a program: `python -m meetscribe.apps.separate MODEL`, mono samples in, both slots' out.

For who must not load torch itself (`serve/voices.py`). Raw float32 at 16 kHz on stdin and stdout; out come as many
samples of the first slot as were taken, then those of the second.
Not covered: which slot is whose in a meeting that was heard from an earlier moment (`serve/voices.py`).
"""

import os
import sys
from pathlib import Path

import numpy as np

from meetscribe.apps.voices import separator_of

_NICE = 5  # meetings that go on come first
_BLOCK = 160_000  # samples


def main() -> None:
    """Separate what stdin holds."""
    os.nice(_NICE)
    slots = separator_of(Path(sys.argv[1]))
    if slots is None:
        raise SystemExit(f"{sys.argv[1]}: this model has no separator")
    samples = np.frombuffer(sys.stdin.buffer.read(), np.float32)
    parts = [slots.feed(samples[at : at + _BLOCK]) for at in range(0, len(samples), _BLOCK)]
    sys.stdout.buffer.write(np.concatenate([*parts, slots.finish()], axis=1).astype(np.float32).tobytes())


if __name__ == "__main__":
    main()
