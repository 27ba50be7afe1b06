"""``TestCase``: unittest's, with comparisons of tensors and nestings of them."""

from __future__ import annotations

import os
import tempfile
import unittest
from typing import Any

import numpy as np

from hornbeam.base import trees

__all__ = ["TestCase", "main"]

main = unittest.main


class TestCase(unittest.TestCase):
    """A test case whose comparisons take tensors, arrays, numbers, and lists and dicts of these.

    Example:
        class Sums(tf.test.TestCase):
            def test_sum(self):
                self.assertAllClose(tf.reduce_sum([1.0, 2.0]), 3.0)

    References: TensorFlow ``tf.test.TestCase``.
    """

    def evaluate(self, tensors: Any) -> Any:
        """Values of tensors, as NumPy arrays."""
        return trees.map_structure(np.asarray, tensors)

    def get_temp_dir(self) -> str:
        """A folder for the files of this test, removed after it."""
        if not hasattr(self, "_folder"):
            self._folder = tempfile.TemporaryDirectory()
            self.addCleanup(self._folder.cleanup)
        return self._folder.name

    def create_tempfile(self, file_path: str = "file", content: str = "") -> str:
        """Path of a new file in the test's folder."""
        path = os.path.join(self.get_temp_dir(), file_path)
        with open(path, "w", encoding="utf8") as file:
            file.write(content)
        return path

    def assertAllClose(self, a: Any, b: Any, rtol: float = 1e-6, atol: float = 1e-6, msg: str | None = None) -> None:
        """Fail unless `|a - b| <= atol + rtol * |b|` everywhere, in equal nestings."""
        for one, other in self._pairs(a, b):
            np.testing.assert_allclose(one, other, rtol=rtol, atol=atol, err_msg=msg or "")

    def assertNotAllClose(self, a: Any, b: Any, rtol: float = 1e-6, atol: float = 1e-6, msg: str | None = None) -> None:
        """Fail if `assertAllClose` passes."""
        try:
            self.assertAllClose(a, b, rtol, atol)
        except AssertionError:
            return
        self.fail(msg or f"The values are close. Received: {a!r} and {b!r}.")

    def assertAllEqual(self, a: Any, b: Any, msg: str | None = None) -> None:
        """Fail unless values are equal everywhere."""
        for one, other in self._pairs(a, b):
            np.testing.assert_array_equal(one, other, err_msg=msg or "")

    def assertNotAllEqual(self, a: Any, b: Any, msg: str | None = None) -> None:
        """Fail if values are equal everywhere."""
        try:
            self.assertAllEqual(a, b)
        except AssertionError:
            return
        self.fail(msg or f"The values are equal. Received: {a!r} and {b!r}.")

    def assertAllGreater(self, a: Any, comparison_target: Any) -> None:
        """Fail unless all values are greater."""
        np.testing.assert_array_less(np.broadcast_to(comparison_target, np.shape(a)), np.asarray(a))

    def assertAllLess(self, a: Any, comparison_target: Any) -> None:
        """Fail unless all values are less."""
        np.testing.assert_array_less(np.asarray(a), np.broadcast_to(comparison_target, np.shape(a)))

    def assertAllInRange(self, target: Any, lower_bound: Any, upper_bound: Any) -> None:
        """Fail unless all values are in a range, its ends included."""
        values = np.asarray(target)
        outside = values[(values < lower_bound) | (values > upper_bound)]
        self.assertEqual(outside.size, 0, f"Values outside of {lower_bound}..{upper_bound}: {outside}")

    def assertShapeEqual(self, input_a: Any, input_b: Any, msg: str | None = None) -> None:
        """Fail unless shapes are equal."""
        self.assertEqual(tuple(np.shape(input_a)), tuple(np.shape(input_b)), msg)

    def assertDTypeEqual(self, target: Any, expected_dtype: Any) -> None:
        """Fail unless the element type is the expected one."""
        self.assertEqual(np.asarray(target).dtype, np.dtype(str(expected_dtype)))

    def _pairs(self, a: Any, b: Any) -> list[tuple[np.ndarray, np.ndarray]]:
        if isinstance(a, dict) or isinstance(b, dict):
            self.assertEqual(sorted(a), sorted(b))
            return [pair for key in a for pair in self._pairs(a[key], b[key])]
        return [(np.asarray(a), np.asarray(b))]
