"""Pictures per second out of a folder of JPEG files, through `image_dataset_from_directory`.

2,000 files of about 400x300 pixels, resized to 180x180, in batches of 32, shuffled. A value is the time of one
picture over
one pass. The first pass of a process has files in the page cache and nothing else prepared; later passes
follow at once.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import pictures
from harness import Options, Report, Variant, compare, framework

SIZE, BATCH = 180, 32
VARIANTS = [
    Variant("hornbeam", "hornbeam"),
    Variant("tf.keras (Keras 3)", "tf.keras"),
]


def work(name: str, options: Options, report: Report) -> None:
    """Measure one framework."""
    _, keras = framework(name)
    root = pictures.folder_of(64 if options.quick else 2000)
    # A short run first: starting the framework is not what is measured.
    warm = keras.utils.image_dataset_from_directory(
        str(root), image_size=(SIZE, SIZE), batch_size=BATCH, shuffle=False, verbose=False
    )
    for _ in warm.take(1):
        pass
    dataset: Any = keras.utils.image_dataset_from_directory(
        str(root), image_size=(SIZE, SIZE), batch_size=BATCH, seed=1, verbose=False
    )
    for path in root.rglob("*.jpg"):
        path.read_bytes()
    walls, cpus, total = [], [], 0.0
    for _ in range(2 if options.quick else 4):
        count, total = 0, 0.0
        wall, cpu = time.perf_counter(), time.process_time()
        for x, _ in dataset:
            count += int(x.shape[0])
        walls.append((time.perf_counter() - wall) / count * 1e3)
        cpus.append((time.process_time() - cpu) / count * 1e3)
    for x, y in dataset.take(1):
        total = float(x.numpy().mean()) + 0 * float(y.numpy().sum())
    report.values("first pass, per picture", "ms", walls[:1], cpu=cpus[0])
    report.values("later passes, per picture", "ms", walls[1:], cpu=sum(cpus[1:]) / len(cpus[1:]))
    report.check(mean_of_a_batch=total)


if __name__ == "__main__":
    sys.exit(compare(f"Folder of JPEG files to batches of {BATCH} at {SIZE}x{SIZE}", VARIANTS, work))
