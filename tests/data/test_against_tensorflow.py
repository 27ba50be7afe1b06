"""Elements, lengths and specs of many pipelines, beside those of TensorFlow in an environment of its own."""

import json
import os
import subprocess
from pathlib import Path

import pytest

import hornbeam as tf
from tests.data import pipelines

HERE = Path(__file__).parent
PYTHON = os.environ.get("HORNBEAM_TENSORFLOW_PYTHON", "")
"""A Python that has TensorFlow."""

LOOSER_SPECS = {"map_py_function", "map_numpy_function"}
"""TensorFlow does not know the rank of these results; here their functions have run before the spec is asked for."""

_SCRIPT = """
import json, sys
sys.path.insert(0, sys.argv[1])
import tensorflow as tf
import pipelines
found = {name: pipelines.facts(tf, name) for name in pipelines.PIPELINES}
json.dump(found, open(sys.argv[2], "w"))
"""


@pytest.fixture(scope="module")
def oracle(tmp_path_factory):
    if not PYTHON:
        pytest.skip("HORNBEAM_TENSORFLOW_PYTHON names no Python with TensorFlow")
    out = tmp_path_factory.mktemp("oracle") / "facts.json"
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    subprocess.run([PYTHON, "-c", _SCRIPT, str(HERE), str(out)], check=True, env=environment, capture_output=True)
    return json.loads(out.read_text())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The function given to Dataset:UserWarning")
@pytest.mark.parametrize("name", pipelines.PIPELINES)
def test_pipeline_equals_that_of_tensorflow(oracle, name):
    found = json.loads(json.dumps(pipelines.facts(tf, name)))
    expected = oracle[name]
    assert found["elements"] == expected["elements"]
    assert found["size"] == expected["size"]
    if name not in LOOSER_SPECS:
        assert found["spec"] == expected["spec"]


def test_every_pipeline_has_elements():
    """What the oracle is asked for is no empty list: all pipelines give something, and the same on a second pass."""
    for name in ("interleave_uneven", "buckets", "window_stride", "scan_nested", "rebatch_list"):
        dataset = pipelines.PIPELINES[name](tf)
        first = [pipelines.plain(element) for element in dataset.as_numpy_iterator()]
        assert first
        assert first == [pipelines.plain(element) for element in dataset.as_numpy_iterator()]
