"""The pictures of the comparisons about data: a folder of JPEG files, made once beside the peers' environments."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

from peers import folder

CLASSES = ("ants", "bees")


def folder_of(count: int) -> Path:
    """A folder of `count` JPEG files of about 400x300 pixels in two classes; made if it is not there."""
    root = folder() / "data" / f"pictures_{count}"
    if not root.exists():
        partial = root.with_name(f"{root.name}.partial-{os.getpid()}")
        _write(partial, count)
        partial.rename(root)
    return root


def arrays(count: int, height: int, width: int) -> tuple[Any, Any]:
    """`count` pictures of smooth colours as float32 in 0..255, and their labels."""
    numpy = importlib.import_module("numpy")
    rng = numpy.random.RandomState(7)
    x = numpy.stack([_smooth(numpy, rng, height, width) for _ in range(count)]).astype("float32")
    return x, rng.randint(0, 2, count).astype("int32")


def _smooth(numpy: Any, rng: Any, height: int, width: int) -> Any:
    """Patches of colour with soft borders and some noise: about as dear to decode as a photograph."""
    coarse = rng.rand(-(-height // 16) + 1, -(-width // 16) + 1, 3) * 255
    rows, columns = numpy.linspace(0, len(coarse) - 1.001, height), numpy.linspace(0, coarse.shape[1] - 1.001, width)
    y, x = rows.astype(int), columns.astype(int)
    down, across = (rows - y)[:, None, None], (columns - x)[None, :, None]
    upper = coarse[y][:, x] * (1 - across) + coarse[y][:, x + 1] * across
    lower = coarse[y + 1][:, x] * (1 - across) + coarse[y + 1][:, x + 1] * across
    noisy = upper * (1 - down) + lower * down + rng.normal(0, 6, (height, width, 1))
    return noisy.clip(0, 255).astype("uint8")


def _write(root: Path, count: int) -> None:
    numpy = importlib.import_module("numpy")
    rng = numpy.random.RandomState(3)
    for name in CLASSES:
        (root / name).mkdir(parents=True)
    encode = _encoder()
    for number in range(count):
        height, width = 300 + rng.randint(-20, 20), 400 + rng.randint(-20, 20)
        path = root / CLASSES[number % 2] / f"{number:05d}.jpg"
        path.write_bytes(encode(_smooth(numpy, rng, height, width)))


def _encoder() -> Any:
    try:
        image = importlib.import_module("PIL.Image")
    except ImportError:
        tensorflow = importlib.import_module("tensorflow")
        return lambda array: tensorflow.io.encode_jpeg(array, quality=90).numpy()
    io = importlib.import_module("io")

    def encode(array: Any) -> bytes:
        file = io.BytesIO()
        image.fromarray(array).save(file, "jpeg", quality=90)
        return file.getvalue()

    return encode
