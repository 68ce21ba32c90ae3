"""The client's modules in node, without a browser; `CI` makes a missing node an error instead of a skip."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def find_node():
    """The program `node`; skips the test where there is none."""
    path = shutil.which("node")
    if path is None:
        message = "node is not installed: apt-get install nodejs"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    return path


class Node:
    """A process that answers questions about the client's modules (`answer.mjs`)."""

    def __init__(self):
        command = [find_node(), str(HERE / "answer.mjs")]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )

    def __call__(self, task, given):
        """What the modules make of `given`."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps({"task": task, "given": given}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        assert "error" not in answer, answer["error"]
        return answer["value"]

    def close(self):
        """End the process."""
        self.process.communicate()
