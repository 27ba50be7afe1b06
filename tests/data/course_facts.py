"""What the pipelines of the `courses_*` modules give.

Run with a Python that has TensorFlow to write the reference:

python tests/data/course_facts.py    # writes courses.json.gz
"""

from __future__ import annotations

import gzip
import json
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
REFERENCE = HERE / "courses.json.gz"

if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parent.parent))

from tests.data import courses_files, courses_steps, courses_tables, courses_texts, pipelines  # noqa: E402

ALL = {**courses_texts.COURSES, **courses_files.COURSES, **courses_tables.COURSES, **courses_steps.COURSES}


def facts(tf, name):
    """Elements, length and specs of a pipeline."""
    with tempfile.TemporaryDirectory() as folder:
        data = ALL[name](tf, folder)
        spec = tf.nest.map_structure(
            lambda s: [list(s.shape) if s.shape.rank is not None else None, s.dtype.name], data.element_spec
        )
        return {
            "elements": [pipelines.plain(element) for element in data.as_numpy_iterator()],
            "size": int(data.cardinality()),
            "spec": pipelines.plain_spec(spec),
        }


def _write():
    import tensorflow as tf

    with gzip.open(REFERENCE, "wt", compresslevel=9) as file:
        json.dump({name: facts(tf, name) for name in ALL}, file)


if __name__ == "__main__":
    _write()
