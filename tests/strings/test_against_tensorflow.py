"""`tf.strings`, and shape functions of string tensors, against stored results of TensorFlow."""

from __future__ import annotations

import pytest

import hornbeam as tf
from tests.tensors.reference import cases, check, expected

WANTED = expected("strings")


@pytest.mark.numeric
@pytest.mark.parametrize("expression", cases("strings"))
def test_equals_tensorflow(expression):
    check(tf, expression, WANTED[expression])
