"""`tf.ragged` against stored results of TensorFlow."""

from __future__ import annotations

import pytest

import hornbeam as tf
from tests.tensors.reference import cases, check, expected

WANTED = expected("ragged")


@pytest.mark.numeric
@pytest.mark.parametrize("expression", cases("ragged"))
def test_equals_tensorflow(expression):
    check(tf, expression, WANTED[expression])
