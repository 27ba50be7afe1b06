"""Matrix products as dense and recurrent layers make them: XLA's against oneDNN's `dnnl_sgemm`.

For a layer from K to N units on a batch of M: the result, the gradient of the input and that of the kernel. Ratios are
of the minima; both take turns in one process. Needs `hornbeam-onednn`; run it with Hornbeam's own interpreter:

    JAX_PLATFORMS=cpu python benchmarks/onednn_products.py [--quick]
"""

from __future__ import annotations

import argparse
import ctypes
import importlib
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from hornbeam.engine import memory, onednn

# name: (M, K, N)
SHAPES = {
    "MLP, MNIST": (32, 784, 128),
    "MLP, wide": (128, 1024, 1024),
    "classifier of ResNet50": (8, 2048, 1000),
    "LSTM step, 128 units": (32, 128, 512),
    "LSTM input, 100 steps": (3200, 64, 512),
    "Transformer projection": (2048, 512, 512),
    "Transformer feed forward": (2048, 512, 2048),
    "square": (1024, 1024, 1024),
}


def by_xla(left: np.ndarray, right: np.ndarray, turned: tuple[bool, bool]) -> Callable[[], Any]:
    """A product as a compiled program."""

    def product(left: jax.Array, right: jax.Array) -> jax.Array:
        return (left.T if turned[0] else left) @ (right.T if turned[1] else right)

    arrays = [jnp.asarray(array) for array in (left, right)]
    program = jax.jit(product).lower(*arrays).compile()
    return lambda: jax.block_until_ready(program(*arrays))


def by_onednn(library: Any, left: np.ndarray, right: np.ndarray, turned: tuple[bool, bool]) -> Callable[[], Any]:
    """The same by oneDNN, on its own threads."""
    rows, inner = left.shape[::-1] if turned[0] else left.shape
    columns = right.shape[0] if turned[1] else right.shape[1]
    result = np.empty((rows, columns), np.float32)
    integers = [ctypes.c_int64(size) for size in (rows, columns, inner)]
    steps = [ctypes.c_int64(array.shape[1]) for array in (left, right, result)]
    flags = [ctypes.c_char(b"T" if one else b"N") for one in turned]
    one, zero = ctypes.c_float(1), ctypes.c_float(0)
    pointers = [array.ctypes.data_as(ctypes.c_void_p) for array in (left, right, result)]

    def call() -> np.ndarray:
        status = library.dnnl_sgemm(
            *flags, *integers, one, pointers[0], steps[0], pointers[1], steps[1], zero, pointers[2], steps[2]
        )
        if status:
            raise RuntimeError(f"dnnl_sgemm gave status {status}")
        return result

    return call


def minimum(calls: dict[str, Callable[[], Any]], flops: float, quick: bool) -> dict[str, float]:
    """Seconds of each, in turns."""
    repeats = 1 if quick else int(np.clip(2e9 / flops, 1, 2000))
    best: dict[str, float] = {}
    for _ in range(1 if quick else 9):
        for name, call in calls.items():
            before = time.perf_counter()
            for _ in range(repeats):
                call()
            best[name] = min(best.get(name, np.inf), (time.perf_counter() - before) / repeats)
    return best


def main() -> int:
    """Print the table; exit status 1 if oneDNN is absent."""
    parser = argparse.ArgumentParser(description="oneDNN's products against XLA's")
    parser.add_argument("--quick", action="store_true", help="shows that everything runs; its times mean nothing")
    options = parser.parse_args()
    memory.keep_large_blocks()
    used, text = onednn.status()
    if not used:
        print(f"nothing to compare: {text}")
        return 1
    library = ctypes.CDLL(importlib.import_module("hornbeam_onednn").load().path)
    print(f"{text}; float32; GFLOP/s of XLA and oneDNN, and time of oneDNN / XLA")
    print(f"{'':42}{'result':^24}  {'input gradient':^24}  {'kernel gradient':^24}")
    rng = np.random.default_rng(0)
    for name, (m, k, n) in SHAPES.items():
        x, w, dy = (rng.standard_normal(shape, dtype=np.float32) for shape in ((m, k), (k, n), (m, n)))
        cells = []
        for left, right, turned in ((x, w, (False, False)), (dy, w, (False, True)), (x, dy, (True, False))):
            calls = {"xla": by_xla(left, right, turned), "onednn": by_onednn(library, left, right, turned)}
            np.testing.assert_allclose(calls["onednn"](), calls["xla"](), rtol=1e-3, atol=1e-2)
            best = minimum(calls, 2.0 * m * k * n, options.quick)
            rates = {key: 2e-9 * m * k * n / seconds for key, seconds in best.items()}
            cells.append(f"{rates['xla']:8.1f} {rates['onednn']:8.1f} {best['onednn'] / best['xla']:6.2f}")
        print(f"{name:25} {f'{m}x{k}x{n}':15}", "   ".join(cells), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
