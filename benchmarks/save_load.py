"""Time and peak memory of saving and loading a model of about 100 MB, here and in Keras 3 on JAX.

    python benchmarks/save_load.py [--megabytes 100] [--repeat 5] [--json]

Each library and format is measured in processes of its own. Memory is the growth of the process's peak over what it
used before the call.
"""

import argparse
import importlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time

FORMATS = ("m.keras", "m.h5", "w.weights.h5")


def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def resident_mb():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE") / 2**20


def make(keras, megabytes):
    width = int((megabytes * 2**20 / 4 / 10) ** 0.5)
    layers = [keras.layers.Dense(width, name=f"d{index}") for index in range(10)]
    return keras.Sequential([keras.Input((width,)), *layers])


def child(library, action, path, megabytes):
    """One save or load in this process; prints seconds and megabytes."""
    keras = importlib.import_module("hornbeam.keras" if library == "hornbeam" else "keras")
    weights = path.endswith(".weights.h5")
    # Whatever is imported, compiled or cached at the first use does not belong to the measurement.
    small = os.path.join(os.path.dirname(path), f"small-{library}-{os.path.basename(path)}")
    tiny = make(keras, 0.01)
    (tiny.save_weights if weights else tiny.save)(small)
    tiny.load_weights(small) if weights else keras.models.load_model(small)
    model = make(keras, megabytes) if action == "save" or weights else None
    before = resident_mb()
    start = time.perf_counter()
    if action == "save":
        (model.save_weights if weights else model.save)(path)
    elif weights:
        model.load_weights(path)
    else:
        model = keras.models.load_model(path)
    seconds = time.perf_counter() - start
    # The peak counts only if this call set it: the growth over what was resident before.
    print(json.dumps({"seconds": seconds, "megabytes": max(0.0, peak_mb() - before)}))


def measure(library, action, path, megabytes, repeat):
    results = []
    for _ in range(repeat):
        command = [sys.executable, __file__, "--child", library, action, path, str(megabytes)]
        environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
        output = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout
        results.append(json.loads(output.strip().splitlines()[-1]))
    return {key: sorted(one[key] for one in results)[len(results) // 2] for key in ("seconds", "megabytes")}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, default=100)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--child", nargs=4)
    options = parser.parse_args()
    if options.child:
        library, action, path, megabytes = options.child
        child(library, action, path, float(megabytes))
        return
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in FORMATS:
            for action in ("save", "load"):
                row = {}
                for library in ("hornbeam", "keras"):
                    path = os.path.join(folder, f"{library}-{name}")
                    row[library] = measure(library, action, path, options.megabytes, options.repeat)
                found[f"{action} {name}"] = row
                if not options.json:
                    ours, theirs = row["hornbeam"], row["keras"]
                    print(
                        f"{action} {name:<14} {ours['seconds']:.3f} s / {theirs['seconds']:.3f} s"
                        f" = {ours['seconds'] / theirs['seconds']:.2f}   {ours['megabytes']:.0f} MB /"
                        f" {theirs['megabytes']:.0f} MB = {ours['megabytes'] / max(theirs['megabytes'], 1):.2f}",
                        flush=True,
                    )
    if options.json:
        print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
