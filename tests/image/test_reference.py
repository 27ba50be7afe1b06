"""``tf.image`` and ``tf.io`` against numbers that TensorFlow 2.21 gave (``calls.py``)."""

import numpy as np
import pytest

import hornbeam as tf
from tests.image.calls import REFERENCE, calls

CALLS = calls(tf)
# TensorFlow decodes JPEG with a quicker, coarser transform.
TOLERANCE = {"jpeg": 3, "jpeg grey": 1, "jpeg half": 2, "resize bytes": 2e-5}


@pytest.fixture(scope="module")
def reference():
    with np.load(REFERENCE) as stored:
        return {name: stored[name] for name in stored.files}


def test_every_call_has_a_reference(reference):
    assert set(reference) == set(CALLS)


@pytest.mark.parametrize("name", CALLS)
def test_equals_tensorflow(name, reference):
    got, expected = np.asarray(CALLS[name]()), reference[name]
    assert (got.shape, got.dtype) == (expected.shape, expected.dtype)
    if got.dtype.kind not in "iuf":
        np.testing.assert_array_equal(got, expected)
        return
    allowed = TOLERANCE.get(name, 1e-5)
    allowed = allowed if got.dtype.kind == "f" or name in TOLERANCE else 0
    assert np.abs(got.astype("float64") - expected.astype("float64")).max(initial=0) <= allowed
