"""Stored files of every format and generation: how many give their writer's outputs, and go on training as it did.

Each row of the folder's ``INDEX.json`` names a file, its inputs and outputs, and for some the losses of the writer's
next training steps. Run: ``python benchmarks/fixtures_by_format.py [FOLDER] [--details]``. Hornbeam and Keras 3 (with
its JAX backend) read them, each in a process of its own.
"""

import argparse
import collections
import importlib
import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
FOLDERS = (HERE.parents[1] / "shared" / "formats" / "fixtures", HERE.parent / "tests" / "fixtures" / "formats")
LIBRARIES = {"hornbeam": "hornbeam.keras", "keras": "keras"}
STEP_TOLERANCE = 2e-5


def arrays(folder, relative, prefix):
    """Arrays ``x0``, ``x1`` ... of an ``.npz``."""
    with np.load(folder / relative) as stored:
        names = sorted(name for name in stored.files if name.startswith(prefix) and name[len(prefix) :].isdigit())
        return [stored[name] for name in names]


def given(values, names):
    """One array, a list, or a dict by name."""
    if names:
        return dict(zip(names, values, strict=True))
    return values[0] if len(values) == 1 else values


# --- models --------------------------------------------------------------------------------------
def subclassed(keras):
    layers = keras.layers

    class Sub(keras.Model):
        def __init__(self):
            super().__init__(name="sub")
            self.first = layers.Dense(5, activation="relu")
            self.blocks = [layers.Dense(5, activation="tanh"), layers.Dense(5)]
            self.norm = layers.LayerNormalization()
            self.head = layers.Dense(2)
            self.scale = self.add_weight(name="scale", shape=(5,), initializer="ones")

        def call(self, x):
            x = self.first(x)
            for block in self.blocks:
                x = block(x)
            return self.head(self.norm(x * self.scale))

    model = Sub()
    model(np.zeros((1, 4), "float32"))
    return model


def custom(keras):
    layers = keras.layers

    class Block(layers.Layer):
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.units = units
            self.parts = [layers.Dense(units, activation="relu"), layers.Dense(units)]

        def build(self, input_shape):
            self.scale = self.add_weight(name="scale", shape=(self.units,), initializer="ones")
            self.parts[0].build(input_shape)
            self.parts[1].build((input_shape[0], self.units))

        def call(self, x):
            return self.parts[1](self.parts[0](x)) * self.scale

        def get_config(self):
            return {**super().get_config(), "units": self.units}

    class Net(keras.Model):
        def __init__(self, units=5, **kwargs):
            super().__init__(**kwargs)
            self.units = units
            self.block, self.head = Block(units), layers.Dense(2)

        def call(self, x):
            return self.head(self.block(x))

        def get_config(self):
            return {**super().get_config(), "units": self.units}

    return {"Demo>Block": Block, "Demo>Net": Net}


def small(keras):
    layers = keras.layers
    return keras.Sequential(
        [
            layers.Input((4,)),
            layers.Dense(8, "relu", name="d1"),
            layers.Dense(6, "tanh", use_bias=False, name="d2"),
            layers.Dense(3, "softmax", name="d3"),
        ]
    )


def by_name(keras, path, units):
    layers, ones = keras.layers, {"kernel_initializer": "ones", "bias_initializer": "ones"}
    parts = [("shared_a", 8, "relu"), ("fresh", 6, "relu"), ("head", units, None)]
    dense = [layers.Dense(width, activation, name=name, **ones) for name, width, activation in parts]
    model = keras.Sequential([layers.Input((4,)), *dense])
    model.load_weights(path, by_name=True, skip_mismatch=units == 2)
    return model


def architecture(keras, path):
    if path.suffix == ".json":
        return keras.models.model_from_json(path.read_text())
    if path.suffix == ".yaml":
        return keras.models.model_from_yaml(path.read_text())
    return keras.models.load_model(str(path), compile=False)


def from_checkpoint(keras, row, path):
    if "architecture" in row:
        model = architecture(keras, path.parents[2] / row["architecture"])
    elif "subclassed" in row["file"]:
        model = subclassed(keras)
        model.compile(keras.optimizers.Adam(0.02), "mse")
    else:
        model = small(keras)
        model.compile(keras.optimizers.Adam(0.02), "categorical_crossentropy")
    if row["file"].endswith("train_checkpoint"):
        # A folder of `tf.train.Checkpoint`, which Keras 3 has no words for.
        if keras.__name__ == "keras":
            raise NotImplementedError("Keras 3 reads no checkpoints of TensorFlow")
        train = importlib.import_module("hornbeam").train
        model.compile(keras.optimizers.SGD(0.01, momentum=0.9), "categorical_crossentropy")
        newest = train.latest_checkpoint(str(path))
        train.Checkpoint(model=model, optimizer=model.optimizer).restore(newest).expect_partial()
    else:
        model.load_weights(str(path))
    return model


def load(keras, row, folder):
    """The model, or models, of a row."""
    path = folder / row["file"]
    if row["format"] == "tf-checkpoint":
        return from_checkpoint(keras, row, path)
    if row["format"].endswith("-architecture"):
        model = architecture(keras, path)
        model.load_weights(str(folder / row["weights"]))
        return model
    if row["file"].endswith("by_name.h5"):
        return [by_name(keras, str(path), units) for units in (3, 2)]
    if row["file"].endswith("subclassed.h5"):
        model = subclassed(keras)
        model.load_weights(str(path))
        return model
    if "architecture" in row:
        model = architecture(keras, folder / row["architecture"])
        model.load_weights(str(path))
        return model
    try:
        return keras.models.load_model(str(path), custom_objects=custom(keras))
    except Exception:
        # Without its compile information the outputs may still be right; training then does not go on.
        return keras.models.load_model(str(path), custom_objects=custom(keras), compile=False)


# --- one row -------------------------------------------------------------------------------------
def outputs_differ(model, row, folder):
    inputs = given(arrays(folder, row["io"], "x"), row.get("inputs"))
    models = model if isinstance(model, list) else [model]
    found = [one.predict(inputs, verbose=0) for one in models]
    if not isinstance(model, list):
        found = found[0]
        found = [found[name] for name in row["outputs"]] if isinstance(found, dict) else found
        found = list(found) if isinstance(found, (list, tuple)) else [found]
    expected = arrays(folder, row["io"], "y")
    if len(found) != len(expected):
        return float("inf")
    pairs = zip(found, expected, strict=True)
    return max(float(np.max(np.abs(np.asarray(a, "float64") - b))) if a.shape == b.shape else np.inf for a, b in pairs)


def losses_differ(model, row, folder):
    x = given(arrays(folder, row["resume"], "rx"), row.get("inputs"))
    y = given(arrays(folder, row["resume"], "ry"), row.get("outputs"))
    with np.load(folder / row["resume"]) as stored:
        expected = stored["losses"]
    received = []
    for _ in expected:
        model.reset_metrics()
        received.append(float(np.asarray(model.train_on_batch(x, y)).reshape(-1)[0]))
    return float(np.max(np.abs(np.array(received) - expected)))


def child(library, folder):
    """Every row with one library; prints the results as one line of JSON."""
    warnings.simplefilter("ignore")
    keras = importlib.import_module(LIBRARIES[library])
    results = {}
    for row in json.loads((folder / "INDEX.json").read_text()):
        result = results[row["file"]] = {"format": row["format"], "resumable": "resume" in row}
        try:
            model = load(keras, row, folder)
            result["outputs"] = outputs_differ(model, row, folder) <= row["tol"]
            if "resume" in row:
                result["resumed"] = losses_differ(model, row, folder) <= STEP_TOLERANCE
        except Exception as error:
            # What a library cannot read is a result, whatever it raises.
            result["error"] = f"{type(error).__name__}: {error}".splitlines()[0][:150]
    print("RESULTS " + json.dumps(results))


# --- the table -----------------------------------------------------------------------------------
def measure(library, folder):
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    environment.setdefault("JAX_PLATFORMS", "cpu")
    command = [sys.executable, __file__, str(folder), "--child", library]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    lines = [line for line in run.stdout.splitlines() if line.startswith("RESULTS ")]
    if not lines:
        raise SystemExit(f"{library} stopped:\n{run.stderr[-2000:]}")
    return json.loads(lines[-1].removeprefix("RESULTS "))


def rows(found):
    """Format, files, and for each library the files with right outputs, and right further losses of all that have."""
    first = next(iter(found.values()))
    formats = collections.Counter(result["format"] for result in first.values())
    table = []
    for kind in [*sorted(formats), "all"]:
        line = [kind, sum(formats.values()) if kind == "all" else formats[kind]]
        for results in found.values():
            mine = [result for result in results.values() if kind in ("all", result["format"])]
            right = sum(bool(result.get("outputs")) for result in mine)
            resumable = sum(result["resumable"] for result in mine)
            resumed = sum(bool(result.get("resumed")) for result in mine)
            line += [right, f"{resumed} of {resumable}" if resumable else "-"]
        table.append(line)
    return table


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=next((f for f in FOLDERS if f.is_dir()), FOLDERS[-1]))
    parser.add_argument("--child", choices=LIBRARIES, help=argparse.SUPPRESS)
    parser.add_argument("--details", action="store_true", help="list the files that a library does not read rightly")
    arguments = parser.parse_args()
    if arguments.child:
        child(arguments.child, arguments.folder)
        return
    found = {library: measure(library, arguments.folder) for library in LIBRARIES}
    print("| Format | Files | Hornbeam: outputs | resumed | Keras 3: outputs | resumed |\n|---|--:|--:|--:|--:|--:|")
    for line in rows(found):
        print("| " + " | ".join(str(item) for item in line) + " |")
    if arguments.details:
        for library, results in found.items():
            for name, result in results.items():
                if not (result.get("outputs") and result.get("resumed", not result["resumable"])):
                    print(f"{library}: {name}: {result.get('error', 'other numbers')}")


if __name__ == "__main__":
    main()
