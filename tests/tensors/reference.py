"""Expressions evaluated by TensorFlow once, and compared with what `hornbeam` makes of them now.

Each room of tests has a `cases.py` with a list `CASES` of expressions in `tf`, `np` and the names below; the results
lie beside it in `tensorflow_results.json`, made by `python -m tests.tensors.reference` in an environment with
TensorFlow (2.21.0, CPU).
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parents[1]
ROOMS = ("tensors", "math", "linalg", "nn", "signal", "strings", "ragged", "sparse", "lookup", "keras.layers.text")
TOLERANCE = {
    "float16": 2e-3,
    "bfloat16": 2e-2,
    "float32": 2e-6,
    "complex64": 2e-6,
    "float64": 1e-12,
    "complex128": 1e-12,
}

_generator = np.random.default_rng(7)
A = _generator.normal(size=(3, 4)).astype("float32")
B = _generator.normal(size=(3, 4)).astype("float32")
P = _generator.uniform(0.1, 0.9, size=(3, 4)).astype("float32")
S = (lambda m: (m @ m.T + 3 * np.eye(3)).astype("float32"))(_generator.normal(size=(3, 3)))
M = _generator.normal(size=(2, 3, 3)).astype("float32")
C = (A + 1j * B).astype("complex64")
K = np.array([[3, -7, 5], [-2, 9, 4]], "int32")
SIGNAL = np.sin(np.arange(64) * 0.3).astype("float32") + 0.1 * _generator.normal(size=64).astype("float32")


def names(tf: Any) -> dict[str, Any]:
    """What expressions may use."""

    def grad(function: Any, *points: Any) -> list[Any]:
        """Gradients of the weighted sum of a function's values; the weights tell the elements apart."""
        xs = [tf.constant(point) for point in points]
        with tf.GradientTape() as tape:
            for x in xs:
                tape.watch(x)
            y = function(*xs)
            weights = np.linspace(0.5, 1.5, int(np.prod(y.shape))).reshape(y.shape).astype("float32")
            total = tf.reduce_sum(tf.cast(y, tf.float32) * weights)
        # TensorFlow gives pairs of indices and values for `gather`, which it can make whole.
        return [None if g is None else tf.convert_to_tensor(g) for g in tape.gradient(total, xs)]

    def parts(x: Any) -> list[Any]:
        """The tensors that a ragged or sparse tensor is made of."""
        if hasattr(x, "dense_shape"):
            return [x.indices, x.values, x.dense_shape]
        return [x.flat_values, *x.nested_row_splits] if hasattr(x, "nested_row_splits") else [x]

    here = {key: value for key, value in globals().items() if len(key) == 1 or key == "SIGNAL"}
    return {"tf": tf, "np": np, "grad": grad, "parts": parts, **here}


def leaves(result: Any) -> list[Any]:
    """Tensors of a result in order."""
    if isinstance(result, (list, tuple)) and not hasattr(result, "is_fully_defined"):
        return [leaf for item in result for leaf in leaves(item)]
    if isinstance(result, dict):
        return [leaf for key in sorted(result) for leaf in leaves(result[key])]
    return [result]


def described(leaf: Any) -> dict[str, Any]:
    """A leaf as JSON: dtype, shape, values."""
    if leaf is None or isinstance(leaf, (bool, int, float, str)):
        return {"python": leaf}
    dtype = getattr(leaf.dtype, "name", str(leaf.dtype))
    array = np.asarray(leaf.numpy() if hasattr(leaf, "numpy") else leaf)
    flat = array.reshape(-1)
    if dtype == "string":
        values = [item.decode() for item in flat]
    elif np.iscomplexobj(flat):
        values = [[float(item.real), float(item.imag)] for item in flat]
    elif dtype in TOLERANCE:
        values = [float(item) for item in flat]
    else:
        values = flat.tolist()
    return {"dtype": dtype, "shape": list(array.shape), "values": values}


def folder(room: str) -> Path:
    """Where a room's results lie."""
    return HERE.joinpath(*room.split("."))


def cases(room: str) -> list[str]:
    """Expressions of a room."""
    return importlib.import_module(f"tests.{room}.cases").CASES


def expected(room: str) -> dict[str, Any]:
    """TensorFlow's results of a room."""
    return json.loads((folder(room) / "tensorflow_results.json").read_text(encoding="utf-8"))


def check(tf: Any, expression: str, wanted: list[dict[str, Any]], scale: float = 1.0) -> float:
    """Compare one expression with TensorFlow's result; returns the largest relative difference."""
    found = [described(leaf) for leaf in leaves(eval(expression, names(tf)))]
    assert len(found) == len(wanted), expression
    worst = 0.0
    for ours, theirs in zip(found, wanted, strict=True):
        if "python" in theirs:
            assert ours == theirs, expression
            continue
        assert (ours["dtype"], ours["shape"]) == (theirs["dtype"], theirs["shape"]), expression
        if theirs["dtype"] not in TOLERANCE:
            assert ours["values"] == theirs["values"], expression
            continue
        a, b = np.asarray(ours["values"]), np.asarray(theirs["values"])
        assert np.array_equal(np.isfinite(a), np.isfinite(b)), expression
        assert np.array_equal(a[~np.isfinite(b)], b[~np.isfinite(b)], equal_nan=True), expression
        a, b = a[np.isfinite(b)], b[np.isfinite(b)]
        if b.size:
            difference = np.abs(a - b) / (1 + np.abs(b))
            worst = max(worst, float(difference.max()))
            assert difference.max() <= TOLERANCE[theirs["dtype"]] * scale, (expression, a, b)
    return worst


def main() -> None:
    """Evaluate all expressions with TensorFlow, or those of the rooms named on the command line."""
    import tensorflow as tf

    for room in sys.argv[1:] or ROOMS:
        results = {}
        for expression in cases(room):
            try:
                results[expression] = [described(leaf) for leaf in leaves(eval(expression, names(tf)))]
            except Exception as error:
                raise RuntimeError(f"{room}: {expression}: {error}") from error
        lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in results.items())
        (folder(room) / "tensorflow_results.json").write_text("{\n" + lines + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
