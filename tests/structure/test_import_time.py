"""What `import hornbeam` must not load. Time itself is not asserted: what is loaded decides it, and does not vary."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.structure.source_tree import ROOT

HEAVY = ["scipy.stats", "sklearn", "matplotlib", "PIL", "tensorboard", "pandas", "torch", "tensorflow", "keras"]


def loaded_by(code: str) -> set[str]:
    """Names in `sys.modules` of a fresh process after some code."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_import_loads_no_heavy_package():
    loaded = loaded_by("import hornbeam, hornbeam.keras\nhornbeam.keras.layers, hornbeam.keras.Sequential")
    assert "hornbeam.keras" in loaded
    assert sorted(loaded & set(HEAVY)) == []


def test_the_command_line_shows_help_without_jax():
    loaded = loaded_by(
        "import hornbeam.cli, contextlib\nwith contextlib.suppress(SystemExit): hornbeam.cli.main(['--help'])"
    )
    assert "hornbeam.cli" in loaded
    assert sorted(loaded & {"jax", "numpy", "h5py", "rich", *HEAVY}) == []
