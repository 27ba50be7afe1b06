"""``MirroredStrategy`` on four devices: the numbers are those of one device, and of TensorFlow."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.distribute import programs


@pytest.mark.parametrize("name", ["FIT", "LOOPS", "LIKE_TENSORFLOW"])
def test_four_devices(name, tmp_path):
    code = f"FOLDER = {str(tmp_path)!r}\nEXPECTED = {programs.EXPECTED}\n" + getattr(programs, name)
    environment = {**os.environ, "JAX_PLATFORMS": "cpu"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=280, env=environment)
    assert "all the same" in done.stdout, done.stderr[-3000:]
