"""`tf` functions against stored results of TensorFlow: values, dtypes, shapes, gradients."""

from __future__ import annotations

import pytest

import hornbeam as tf
from tests.tensors.reference import cases, check, expected

WANTED = expected("linalg")


@pytest.mark.numeric
@pytest.mark.parametrize("expression", cases("linalg"))
def test_equals_tensorflow(expression):
    check(tf, expression, WANTED[expression])
