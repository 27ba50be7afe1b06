"""`tf` functions against stored results of TensorFlow: values, dtypes, shapes, gradients."""

from __future__ import annotations

import pytest

import hornbeam as tf
from tests.tensors.reference import cases, check, expected

WANTED = expected("signal")

# Sums over many frames: float32 rounds more often than once.


@pytest.mark.numeric
@pytest.mark.parametrize("expression", cases("signal"))
def test_equals_tensorflow(expression):
    check(tf, expression, WANTED[expression], scale=3)
