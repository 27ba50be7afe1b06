"""`tf.lookup` against stored results of TensorFlow."""

from __future__ import annotations

import pytest

import hornbeam as tf
from tests.tensors.reference import cases, check, expected

WANTED = expected("lookup")


@pytest.mark.numeric
@pytest.mark.parametrize("expression", cases("lookup"))
def test_equals_tensorflow(expression):
    check(tf, expression, WANTED[expression])
