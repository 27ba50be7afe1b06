"""Eager calls, outside any compiled function: one operation, single layers, a model of ten layers.

The arrays are so small (32 x 64) that the time is nearly all overhead. `ops.add` is `keras.ops.add`, or where that does
not exist the framework's own `add`. The row "jax" stands for the bare array library: `jnp.add`, and the same layers as
`jnp` expressions without jit, in Hornbeam's own interpreter.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import Any

from harness import Options, Report, Variant, compare, framework

ROWS, UNITS, DEPTH = 32, 64, 10
VARIANTS = [
    Variant("hornbeam", "hornbeam"),
    Variant("tf.keras (Keras 3)", "tf.keras"),
    Variant("tf.keras (Keras 2)", "tf_keras"),
    Variant("Keras 3 on JAX", "keras-jax"),
    Variant("PyTorch", "torch"),
    Variant("jax, no layers", "jax"),
]
Calls = dict[str, Callable[[], Callable[[], Any]]]  # metric -> maker of the call to be timed


def _call(layer: Any, *arguments: Any, **settings: Any) -> Callable[[], Any]:
    return lambda: layer(*arguments, **settings)


def _keras(name: str) -> Calls:
    module, keras = framework(name)
    numpy = importlib.import_module("numpy")
    values = numpy.random.RandomState(0).rand(ROWS, UNITS).astype("float32")
    tensor = keras.ops.convert_to_tensor(values) if name == "keras-jax" else module.constant(values)
    add = module.add if name == "tf_keras" else keras.ops.add  # Keras 2 has no `ops`

    def deep() -> Callable[[], Any]:
        layers = [keras.layers.Dense(UNITS, activation="relu") for _ in range(DEPTH)]
        return _call(keras.Sequential([keras.layers.Input(shape=(UNITS,)), *layers]), tensor)

    calls: Calls = {"ops.add(x, y)": lambda: _call(add, tensor, tensor)}
    if name != "keras-jax":
        calls["tf.add(x, y)"] = lambda: _call(module.add, tensor, tensor)
    return calls | {
        "Dense(64)(x)": lambda: _call(keras.layers.Dense(UNITS), tensor),
        "Dropout(0.5)(x, training=True)": lambda: _call(keras.layers.Dropout(0.5), tensor, training=True),
        "LayerNormalization()(x)": lambda: _call(keras.layers.LayerNormalization(), tensor),
        "BatchNormalization()(x, training=False)": lambda: _call(
            keras.layers.BatchNormalization(), tensor, training=False
        ),
        "Sequential of ten Dense(64, relu)": deep,
    }


def _torch() -> Calls:
    torch, _ = framework("torch")
    nn = torch.nn
    torch.set_grad_enabled(False)  # the others record no gradients outside a tape either
    tensor = torch.rand(ROWS, UNITS)

    def deep() -> Callable[[], Any]:
        layers = [part for _ in range(DEPTH) for part in (nn.Linear(UNITS, UNITS), nn.ReLU())]
        return _call(nn.Sequential(*layers), tensor)

    return {
        "ops.add(x, y)": lambda: _call(torch.add, tensor, tensor),
        "Dense(64)(x)": lambda: _call(nn.Linear(UNITS, UNITS), tensor),
        "Dropout(0.5)(x, training=True)": lambda: _call(nn.Dropout(0.5).train(), tensor),
        "LayerNormalization()(x)": lambda: _call(nn.LayerNorm(UNITS, eps=1e-3), tensor),
        "BatchNormalization()(x, training=False)": lambda: _call(nn.BatchNorm1d(UNITS, eps=1e-3).eval(), tensor),
        "Sequential of ten Dense(64, relu)": deep,
    }


def _jax() -> Calls:
    jax, _ = framework("jax")
    jnp = jax.numpy
    tensor, kernel, bias = jnp.ones((ROWS, UNITS)), jnp.full((UNITS, UNITS), 0.01), jnp.zeros(UNITS)

    def deep() -> Any:
        result = tensor
        for _ in range(DEPTH):
            result = jnp.maximum(jnp.matmul(result, kernel) + bias, 0)
        return result

    return {
        "ops.add(x, y)": lambda: _call(jnp.add, tensor, tensor),
        "Dense(64)(x)": lambda: lambda: jnp.matmul(tensor, kernel) + bias,
        "Sequential of ten Dense(64, relu)": lambda: deep,
    }


def wait(result: Any) -> None:
    """Block until a result is computed."""
    if hasattr(result, "block_until_ready"):
        result.block_until_ready()
    else:
        result.numpy()


def work(name: str, options: Options, report: Report) -> None:
    """Measure one framework; a layer it lacks is reported as missing."""
    calls = _torch() if name == "torch" else _jax() if name == "jax" else _keras(name)
    for metric, make in calls.items():
        with report.attempt(metric):
            report.time_call(metric, make(), wait, options)


if __name__ == "__main__":
    sys.exit(compare("Eager calls, per call", VARIANTS, work))
