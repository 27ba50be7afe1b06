"""Tests that have to run in a process of their own, because its environment is read once."""

import os
import subprocess
import sys
from pathlib import Path


def run(script: str, **environment: str) -> str:
    """What a script prints; it may import `tests`.

    Raises:
        AssertionError: it failed; the text is the end of what it said about it.
    """
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **environment},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout
