"""LSTM, GRU and average pooling at inference: Hornbeam's compiled layers, without oneDNN and with it.

The last column but one is oneDNN called by itself, with its own threads, weights packed beforehand and arrays in the
order it likes best (time before batch): what could be gained at most. All take turns in one process; the ratio, of the
minima, is that of the layer as it is to XLA's. Needs `hornbeam-onednn`; run it with Hornbeam's own interpreter:

    JAX_PLATFORMS=cpu python benchmarks/onednn_layers.py [--quick]
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import itertools
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import jax
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from hornbeam import keras
from hornbeam.engine import onednn

# kind, (batch, steps, features, units)
RECURRENT = [
    ("LSTM", (32, 28, 28, 128)),
    ("LSTM", (32, 100, 64, 128)),
    ("LSTM", (64, 80, 256, 512)),
    ("LSTM", (32, 50, 16, 64)),
    ("LSTM", (1, 100, 64, 128)),
    ("GRU", (32, 28, 28, 128)),
    ("GRU", (32, 100, 64, 128)),
    ("GRU", (64, 80, 256, 512)),
    ("GRU", (32, 50, 16, 64)),
]
# (batch, size, channels), window, strides
POOLING = [((32, 28, 6), 2, 2), ((8, 56, 64), 2, 2), ((8, 28, 256), 3, 1), ((8, 7, 2048), 7, 7)]

F32, ANY, INFERENCE, LEFT_TO_RIGHT, AVERAGE = 3, 1, 96, 1, 0x3FF
SRC_ITER_C, DST_ITER_C, WEIGHTS_ITER, BIAS = 3, 19, 34, 41
SRC, SRC_ITER, DST, DST_ITER, WEIGHTS = 1, 2, 17, 18, 33
QUERY_WEIGHTS = 131
Handle = ctypes.c_void_p


class Argument(ctypes.Structure):
    """One array that a primitive is given."""

    _fields_ = [("index", ctypes.c_int), ("memory", Handle)]


class OneDNN:
    """The few functions of oneDNN's C interface that this takes."""

    def __init__(self) -> None:
        kernels = onednn._found()[0]
        self.library = ctypes.CDLL(kernels.path)
        self.engine, self.stream = Handle(), Handle()
        self("engine_create", ctypes.byref(self.engine), 1, ctypes.c_size_t(0))
        self("stream_create", ctypes.byref(self.stream), self.engine, 1)

    def __call__(self, name: str, *arguments: Any) -> None:
        """Call a function.

        Raises:
            RuntimeError: it failed.
        """
        status = getattr(self.library, f"dnnl_{name}")(*arguments)
        if status:
            raise RuntimeError(f"dnnl_{name} failed with status {status}")

    def array(self, shape: Sequence[int], order: Sequence[int] | None = None) -> Handle:
        """Description of a float32 array; ``order`` lists its axes from the slowest in memory, None leaves it open."""
        made, sizes = Handle(), (ctypes.c_int64 * 12)(*shape)
        if order is None:
            self("memory_desc_create_with_tag", ctypes.byref(made), len(shape), sizes, F32, ANY)
            return made
        strides, step = (ctypes.c_int64 * 12)(), 1
        for axis in reversed(order):
            strides[axis], step = step, step * shape[axis]
        self("memory_desc_create_with_strides", ctypes.byref(made), len(shape), sizes, F32, strides)
        return made

    def memory(self, description: Any, values: np.ndarray) -> Handle:
        """An array of oneDNN's in the memory of a NumPy array."""
        made = Handle()
        self("memory_create", ctypes.byref(made), description, self.engine, Handle(values.ctypes.data))
        return made

    def primitive(self, name: str, *arguments: Any) -> tuple[Handle, Handle]:
        """A compiled primitive and its description."""
        description, made = Handle(), Handle()
        self(f"{name}_primitive_desc_create", ctypes.byref(description), self.engine, *arguments)
        self("primitive_create", ctypes.byref(made), description)
        return made, description

    def run(self, primitive: Handle, arrays: dict[int, Handle]) -> None:
        """Run a primitive to its end."""
        arguments = (Argument * len(arrays))(*[Argument(index, memory) for index, memory in arrays.items()])
        self("primitive_execute", primitive, self.stream, len(arrays), arguments)
        self("stream_wait", self.stream)

    def packed(self, primitive: Handle, index: int, shape: Sequence[int], values: np.ndarray) -> tuple[Handle, Any]:
        """Weights in the order that a primitive wants, and what keeps their memory."""
        query = self.library.dnnl_primitive_desc_query_md
        query.restype, size = Handle, self.library.dnnl_memory_desc_get_size
        size.restype = ctypes.c_size_t
        wanted = Handle(query(primitive, QUERY_WEIGHTS, index))
        plain, kept = self.array(shape, range(len(shape))), np.empty(size(wanted), np.uint8)
        target = self.memory(wanted, kept)
        reorder, _ = self.primitive_of_reorder(plain, wanted)
        self.run(reorder, {SRC: self.memory(plain, values), DST: target})
        return target, kept

    def primitive_of_reorder(self, source: Handle, target: Handle) -> tuple[Handle, Handle]:
        """What copies from one order to another."""
        description, made = Handle(), Handle()
        self("reorder_primitive_desc_create", ctypes.byref(description), source, self.engine, target, self.engine, None)
        self("primitive_create", ctypes.byref(made), description)
        return made, description


REPEATS = 20


def compiled(layer: Any, x: np.ndarray, by_xla: bool = False) -> Callable[[], list[jax.Array]]:
    """Hornbeam's layer in a program that calls it ``REPEATS`` times, so that starting the program does not count."""
    layer.build(x.shape)
    both = layer.trainable_variables, layer.non_trainable_variables
    weights = [[variable.numpy() for variable in variables] for variables in both]
    program = jax.jit(lambda weights, xs: [layer.stateless_call(*weights, x)[0] for x in xs])
    weights, xs = jax.device_put((weights, [x + 0 for _ in range(REPEATS)]))
    with mock.patch.object(onednn, "takes_recurrent", lambda *_: False) if by_xla else contextlib.nullcontext():
        made = program.lower(weights, xs).compile()
    return lambda: jax.block_until_ready(made(weights, xs))


def recurrent(api: OneDNN, kind: str, sizes: tuple[int, int, int, int]) -> list[Callable]:
    """Calls of Hornbeam's layer by XLA, of the layer as it is, and of oneDNN's primitive: (batch, steps, units)."""
    batch, steps, features, units = sizes
    gates = 4 if kind == "LSTM" else 3
    rng = np.random.default_rng(0)
    x = rng.standard_normal((batch, steps, features)).astype("float32")
    # The bias starts at zero and, for an LSTM, one for forgetting: both sides are given the same.
    layer = getattr(keras.layers, kind)(units, return_sequences=True)
    loop, ours = compiled(layer, x, by_xla=True), compiled(layer, x)
    kernel, recurrent_kernel, bias = (variable.numpy() for variable in layer.trainable_variables)
    biases = 4
    if kind == "GRU":
        bias = np.concatenate([bias[0] + np.r_[bias[1][: 2 * units], np.zeros(units)], bias[1][2 * units :]])
    bias = np.ascontiguousarray(bias, "float32")

    shapes = {
        SRC: (steps, batch, features),
        SRC_ITER: (1, 1, batch, units),
        WEIGHTS: (1, 1, features, gates, units),
        WEIGHTS_ITER: (1, 1, units, gates, units),
        BIAS: (1, 1, biases, units),
        DST: (steps, batch, units),
        DST_ITER: (1, 1, batch, units),
    }
    open_order = (WEIGHTS, WEIGHTS_ITER)
    described = {
        index: api.array(shape, None if index in open_order else range(len(shape))) for index, shape in shapes.items()
    }
    first, state, weights, weights_iter, of_bias, last, last_state = described.values()
    if kind == "LSTM":
        primitive, description = api.primitive(
            "lstm_forward", INFERENCE, LEFT_TO_RIGHT, first, state, state, weights, weights_iter, None, None, of_bias,
            last, last_state, last_state, 0, None,
        )  # fmt: skip
    else:
        primitive, description = api.primitive(
            "lbr_gru_forward", INFERENCE, LEFT_TO_RIGHT, first, state, weights, weights_iter, of_bias, last,
            last_state, 0, None,
        )  # fmt: skip
    swapped = np.ascontiguousarray(x.swapaxes(0, 1))
    values = {SRC: swapped, SRC_ITER: np.zeros(shapes[SRC_ITER], "float32"), BIAS: bias}
    values |= {index: np.zeros(shapes[index], "float32") for index in (DST, DST_ITER)}
    arrays = {index: api.memory(described[index], array) for index, array in values.items()}
    kept: list[Any] = [values, shapes, kernel, recurrent_kernel]
    for number, (index, array) in enumerate(((WEIGHTS, kernel), (WEIGHTS_ITER, recurrent_kernel))):
        # oneDNN's GRU has the gates of Keras; so has its LSTM.
        arrays[index], memory = api.packed(description, number, shapes[index], np.ascontiguousarray(array))
        kept.append(memory)
    if kind == "LSTM":
        for index, shape in ((SRC_ITER_C, shapes[SRC_ITER]), (DST_ITER_C, shapes[DST_ITER])):
            values[index] = np.zeros(shape, "float32")
            arrays[index] = api.memory(described[SRC_ITER], values[index])

    def theirs() -> np.ndarray:
        api.run(primitive, arrays)
        return kept[0][DST].swapaxes(0, 1)

    return [loop, ours, theirs]


def pooling(api: OneDNN, sizes: tuple[int, int, int], window: int, strides: int) -> list[Callable]:
    """Calls of Hornbeam's layer, which is XLA's, and of oneDNN's primitive: (batch, rows, columns, channels)."""
    batch, size, channels = sizes
    x = np.random.default_rng(0).standard_normal((batch, size, size, channels)).astype("float32")
    ours = compiled(keras.layers.AveragePooling2D(window, strides), x)
    count = (size - window) // strides + 1
    source = api.array((batch, channels, size, size), (0, 2, 3, 1))
    target = api.array((batch, channels, count, count), (0, 2, 3, 1))
    numbers = [(ctypes.c_int64 * 12)(value, value) for value in (strides, window, 0, 0, 0)]
    primitive, _ = api.primitive("pooling_forward", INFERENCE, AVERAGE, source, target, *numbers, None)
    # Others in every call, as in our program: arrays that lie in a cache would not be fair.
    pairs = [(x + 0, np.zeros((batch, count, count, channels), "float32")) for _ in range(REPEATS)]
    calls = itertools.cycle([{SRC: api.memory(source, one), DST: api.memory(target, out)} for one, out in pairs])

    def theirs() -> np.ndarray:
        api.run(primitive, next(calls))
        return pairs[0][1]

    return [ours, ours, theirs]


def compare(name: str, calls: list[Callable], quick: bool) -> None:
    """Print a row of the table.

    Raises:
        AssertionError: the results differ.
    """
    by_xla, ours, theirs = calls
    for found in (by_xla()[-1], theirs()):
        np.testing.assert_allclose(np.asarray(ours()[-1]), found, rtol=1e-4, atol=1e-4)
    turns = [by_xla, ours, lambda: [theirs() for _ in range(REPEATS)]]
    best = [np.inf] * len(turns)
    for _ in range(1 if quick else 15):
        for number, call in enumerate(turns):
            before = time.perf_counter()
            call()
            best[number] = min(best[number], (time.perf_counter() - before) / REPEATS)
    print(f"{name:40}", *(f"{one * 1e3:9.3f}" for one in best), f"{best[1] / best[0]:7.2f}", flush=True)


def main() -> int:
    """Print the table; exit status 1 if oneDNN is absent."""
    parser = argparse.ArgumentParser(description="layers that oneDNN has, too")
    parser.add_argument("--quick", action="store_true", help="shows that everything runs; its times mean nothing")
    options = parser.parse_args()
    used, text = onednn.status()
    if not used:
        print(f"nothing to compare: {text}")
        return 1
    api = OneDNN()
    print(f"{text}; {os.cpu_count()} cores; ms by XLA, as it is, of oneDNN alone; as it is / by XLA")
    for kind, sizes in RECURRENT:
        compare(f"{kind} of {sizes[3]} units on {sizes[:3]}", recurrent(api, kind, sizes), options.quick)
    for sizes, window, strides in POOLING:
        name = f"mean of {window}x{window} by {strides}, {sizes}"
        compare(name, pooling(api, sizes, window, strides), options.quick)
    return 0


if __name__ == "__main__":
    sys.exit(main())
