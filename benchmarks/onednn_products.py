"""Matrix products as dense and recurrent layers make them: XLA's against oneDNN's as Hornbeam calls them.

For a layer from K to N units on a batch of M: the result, the gradient of the input and that of the kernel. Ratios are
of the minima; both take turns in one process. Needs `hornbeam-onednn`; run it with Hornbeam's own interpreter:

    JAX_PLATFORMS=cpu python benchmarks/onednn_products.py [--dtype bfloat16] [--quick]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

# What has JAX compile products differently (`hornbeam.core.tensor`) is not imported, so `@` is XLA's here.
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
    "1x1 of ResNet50, 56x56": (25088, 64, 256),
    "1x1 of ResNet50, 7x7": (392, 2048, 512),
}


def program(multiply: Callable, left: jax.Array, right: jax.Array) -> Callable[[], Any]:
    """A product as a compiled program of its own."""
    compiled = jax.jit(multiply).lower(left, right).compile()
    return lambda: jax.block_until_ready(compiled(left, right))


def by_xla(turned: tuple[bool, bool]) -> Callable:
    """XLA's product of matrices, some of them turned."""
    return lambda left, right: (left.T if turned[0] else left) @ (right.T if turned[1] else right)


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
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--quick", action="store_true", help="shows that everything runs; its times mean nothing")
    options = parser.parse_args()
    memory.keep_large_blocks()
    used, text = onednn.status()
    if not used:
        print(f"nothing to compare: {text}")
        return 1
    print(f"{text}; {options.dtype}; GFLOP/s of XLA and oneDNN, and time of oneDNN / XLA")
    print(f"{'':42}{'result':^24}  {'input gradient':^24}  {'kernel gradient':^24}")
    rng = np.random.default_rng(0)
    tolerance = 1e-5 if options.dtype == "float32" else 2e-2
    for name, (m, k, n) in SHAPES.items():
        x, w, dy = (jnp.asarray(rng.standard_normal(shape), options.dtype) for shape in ((m, k), (k, n), (m, n)))
        cells = []
        for left, right, turned in ((x, w, (False, False)), (dy, w, (False, True)), (x, dy, (True, False))):

            def by_onednn(left: jax.Array, right: jax.Array, turned: tuple[bool, bool] = turned) -> jax.Array:
                return onednn.multiply(left, right, turned)

            calls = {"xla": program(by_xla(turned), left, right), "onednn": program(by_onednn, left, right)}
            found, expected = (np.asarray(calls[key](), np.float64) for key in ("onednn", "xla"))
            np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * abs(expected).max())
            best = minimum(calls, 2.0 * m * k * n, options.quick)
            rates = {key: 2e-9 * m * k * n / seconds for key, seconds in best.items()}
            cells.append(f"{rates['xla']:8.1f} {rates['onednn']:8.1f} {best['onednn'] / best['xla']:6.2f}")
        print(f"{name:25} {f'{m}x{k}x{n}':15}", "   ".join(cells), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
