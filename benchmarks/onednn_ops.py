"""Single convolutions of ResNet50, MobileNetV2, EfficientNetB0 and U-Net: oneDNN's kernels against XLA's own code.

Each kind of operation (forward, gradient of the input, gradient of the kernel) is timed inside one program that runs it
several times, once with the kernels and once without. Ratios are of the minima; both kinds take turns in one process.
CPU time is what to trust on a busy machine. Needs `hornbeam-onednn`; run it with Hornbeam's own interpreter:

    JAX_PLATFORMS=cpu python benchmarks/onednn_ops.py [--quick] [--dtype bfloat16] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from hornbeam.engine import conv, onednn
from hornbeam.engine.conv_geometry import Geometry, pads_of

# network: (batch, size, channels, filters, window, stride, groups)
SHAPES = {
    "ResNet50 stem": (8, 224, 3, 64, 7, 2, 1),
    "ResNet50 3x3": (8, 56, 64, 64, 3, 1, 1),
    "ResNet50 3x3 ": (8, 28, 128, 128, 3, 1, 1),
    "ResNet50 3x3  ": (8, 14, 256, 256, 3, 1, 1),
    "ResNet50 3x3   ": (8, 7, 512, 512, 3, 1, 1),
    "ResNet50 1x1": (8, 56, 64, 256, 1, 1, 1),
    "ResNet50 1x1 ": (8, 14, 1024, 256, 1, 1, 1),
    "ResNet50 1x1  ": (8, 7, 512, 2048, 1, 1, 1),
    "ResNet50 1x1/2": (8, 56, 256, 128, 1, 2, 1),
    "MobileNetV2 stem": (16, 96, 3, 32, 3, 2, 1),
    "MobileNetV2 depthwise/2": (16, 48, 96, 96, 3, 2, 96),
    "MobileNetV2 depthwise": (16, 24, 144, 144, 3, 1, 144),
    "MobileNetV2 depthwise ": (16, 6, 384, 384, 3, 1, 384),
    "MobileNetV2 1x1": (16, 48, 16, 96, 1, 1, 1),
    "MobileNetV2 1x1 ": (16, 24, 144, 24, 1, 1, 1),
    "MobileNetV2 1x1  ": (16, 6, 384, 64, 1, 1, 1),
    "MobileNetV2 1x1   ": (16, 3, 960, 160, 1, 1, 1),
    "EfficientNetB0 depthwise 5x5/2": (8, 56, 144, 144, 5, 2, 144),
    "EfficientNetB0 depthwise 5x5": (8, 14, 480, 480, 5, 1, 480),
    "U-Net 3x3": (8, 128, 64, 32, 3, 1, 1),
    "U-Net 3x3 ": (8, 32, 128, 128, 3, 1, 1),
    "groups": (8, 28, 128, 128, 3, 1, 32),
    "LeNet-5": (32, 14, 6, 16, 5, 1, 1),
}


def operation(kind: str, spec: Geometry, shapes: tuple, repeats: int, by_kernel: bool) -> Any:
    """A compiled program that runs one operation several times, each after the other."""
    x_shape, w_shape = shapes

    def once(x: jax.Array, w: jax.Array, dy: jax.Array) -> jax.Array:
        if kind == onednn.FORWARD:
            return onednn.forward(x, w, spec) if by_kernel else conv.canonical(x, w, spec)
        if kind == onednn.INPUT:
            return (onednn.input_gradient if by_kernel else conv._input_gradient)(dy, w, x_shape, spec)
        return (onednn.kernel_gradient if by_kernel else conv._kernel_gradient)(dy, x, w_shape, spec)

    def step(carry: tuple, _: None) -> tuple:
        x, w, dy = carry
        # The result is needed for the next round, as a number too small to change anything.
        more = jnp.sum(once(x, w, dy)[..., :1].ravel()[:1]).astype("float32") * 1e-30
        return tuple(array.at[(0,) * array.ndim].add(more.astype(array.dtype)) for array in carry), None

    return jax.jit(lambda *arrays: jax.lax.scan(step, arrays, length=repeats)[0])


def measure(shape: tuple, dtype: str, quick: bool) -> dict[str, dict[str, float]]:
    """Milliseconds of each kind of operation by both."""
    batch, size, channels, filters, window, stride, groups = shape
    x_shape, w_shape = (batch, size, size, channels), (window, window, channels // groups, filters)
    pads = pads_of("same", (size, size), (window, window), (stride, stride), (1, 1))
    spec = Geometry((stride, stride), pads, (1, 1), (1, 1), groups)
    rng = np.random.default_rng(0)
    y_shape = conv._shape(x_shape, w_shape, spec)
    arrays = [jnp.asarray(rng.standard_normal(s), dtype) for s in (x_shape, w_shape, y_shape)]
    found = {}
    for kind in (onednn.FORWARD, onednn.INPUT, onednn.KERNEL):
        flops = 2 * np.prod(y_shape) * np.prod(w_shape[:-1])
        repeats = int(np.clip(3e8 / flops, 2, 200)) if not quick else 2
        programs = {}
        for name, by_kernel in (("onednn", True), ("xla", False)):
            program = operation(kind, spec, (x_shape, w_shape), repeats, by_kernel)
            taken = onednn.takes
            onednn.takes = (lambda *_: False) if not by_kernel else taken  # type: ignore[assignment]
            try:
                programs[name] = program.lower(*arrays).compile()
            finally:
                onednn.takes = taken
        row: dict[str, float] = {}
        for _ in range(1 if quick else 7):
            for name, program in programs.items():
                wall, cpu = time.perf_counter(), time.process_time()
                jax.block_until_ready(program(*arrays))
                spent = ((time.perf_counter() - wall) / repeats * 1e3, (time.process_time() - cpu) / repeats * 1e3)
                for key, value in zip((f"{name} ms", f"{name} CPU ms"), spent, strict=True):
                    row[key] = min(row.get(key, value), value)
        row["ratio"], row["CPU ratio"] = row["onednn ms"] / row["xla ms"], row["onednn CPU ms"] / row["xla CPU ms"]
        found[kind] = row
    return found


def main() -> int:
    """Print the table; exit status 1 if the kernels are absent."""
    parser = argparse.ArgumentParser(description="oneDNN's convolutions against XLA's")
    parser.add_argument("--quick", action="store_true", help="shows that everything runs; its times mean nothing")
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16"])
    parser.add_argument("--only", default="", help="shapes whose name begins so")
    parser.add_argument("--json", metavar="FILE", help="also write all figures there")
    options = parser.parse_args()
    used, text = onednn.status()
    if not used:
        print(f"nothing to compare: {text}")
        return 1
    print(f"{text}; {options.dtype}; ratios below 1: oneDNN is faster (wall / CPU time)")
    table = {}
    for name, shape in SHAPES.items():
        if not name.startswith(options.only):
            continue
        table[f"{name.strip()} {shape}"] = rows = measure(shape, options.dtype, options.quick)
        cells = [
            f"{row['xla ms']:8.3f} {row['onednn ms']:8.3f} {row['ratio']:5.2f} /{row['CPU ratio']:5.2f}"
            for row in rows.values()
        ]
        print(f"{name:31} {'x'.join(map(str, shape)):26}", " | ".join(cells), flush=True)
    if options.json:
        Path(options.json).write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
