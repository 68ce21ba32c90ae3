import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from meetscribe.engine.scheduling import seconds_kept_waiting

_BUSY = "import os; os.sched_setaffinity(0, {int(os.sys.argv[1])})\nwhile True: pass"


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="the system keeps no such figures")
def test_processes_that_share_a_processor_wait_for_it() -> None:
    """Two that never rest, on one processor: each of them is kept waiting while the other runs."""
    processor = str(min(os.sched_getaffinity(0)))
    busy = [subprocess.Popen([sys.executable, "-c", _BUSY, processor]) for _ in range(2)]
    try:
        given_up = time.monotonic() + 30.0
        while any(seconds_kept_waiting(one.pid) < 0.05 for one in busy):
            assert time.monotonic() < given_up
            time.sleep(0.05)
    finally:
        for one in busy:
            one.kill()
            one.wait()
    assert seconds_kept_waiting(busy[0].pid) == 0.0
