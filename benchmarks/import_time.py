"""Wall time of `python -c "import X"`, several processes each, in turn; and of import plus the first tensor.

`import hornbeam.keras` and `import jax` run in the same interpreter, so their difference is what Hornbeam adds. The
second table shows what a lazy import only puts off.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import Any

from harness import MissingPeerError, Run, Variant, compare, worker_environment
from peers import PEERS

# label -> (peer, code that makes the first tensor)
STATEMENTS = {
    "import hornbeam.keras": ("hornbeam", "hornbeam.constant(1.0)"),
    "import hornbeam": ("hornbeam", "hornbeam.constant(1.0)"),
    "import jax": ("jax", "jax.numpy.asarray(1.0)"),
    "import keras (on JAX)": ("keras-jax", "keras.ops.convert_to_tensor(1.0)"),
    "import tensorflow": ("tf.keras", "tensorflow.constant(1.0)"),
    "import tf_keras": ("tf_keras", "tf_keras.backend.constant(1.0)"),
    "import torch": ("torch", "torch.tensor(1.0)"),
}
VARIANTS = [Variant(label, peer) for label, (peer, _) in STATEMENTS.items()]
VERSIONS = """
import importlib.metadata as metadata, json, sys
found = {item.metadata["Name"].replace("_", "-"): item.version for item in metadata.distributions()}
print(json.dumps([{name: found[name.replace("_", "-")] for name in json.loads(sys.argv[1])
                   if name.replace("_", "-") in found}, sys.version.split()[0]]))
"""


def import_once(run: Run, variant: Variant, python: str, turn: int) -> list[dict[str, Any]]:
    """Time one process that only imports, and one that also makes a tensor."""
    environment = worker_environment(variant, run.settings)
    statement = variant.label.split(" (")[0]
    programs = {"import": statement, "import and first tensor": f"{statement}; {STATEMENTS[variant.label][1]}"}
    lines: list[dict[str, Any]] = []
    for metric, code in programs.items():
        cpu_before, before = os.times(), time.perf_counter()
        done = subprocess.run([python, "-c", code], capture_output=True, text=True, env=environment, check=False)
        wall, cpu_after = time.perf_counter() - before, os.times()
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise MissingPeerError(f"`{code}` failed: {reason}")
        cpu = sum(cpu_after[2:4]) - sum(cpu_before[2:4])
        lines.append(
            {"bench": "value", "metric": metric, "unit": "s", "min": wall, "median": wall, "repeats": 1, "cpu": cpu}
        )
    if turn == 0:
        asked = [python, "-c", VERSIONS, json.dumps(PEERS[variant.peer].packages)]
        versions, version = json.loads(subprocess.run(asked, capture_output=True, text=True, check=True).stdout)
        lines.append({"bench": "info", "versions": versions, "python": version})
    return lines


if __name__ == "__main__":
    sys.exit(compare("Import time", VARIANTS, None, measure=import_once))
