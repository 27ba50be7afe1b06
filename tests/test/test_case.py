"""tf.test: questions about the machine, and the test case."""

from __future__ import annotations

import os
import unittest

import numpy as np

import hornbeam as tf


def test_questions_about_the_machine_agree():
    gpus = tf.config.list_physical_devices("GPU")
    assert tf.test.is_gpu_available() == bool(gpus)
    assert tf.test.gpu_device_name() == ("/device:GPU:0" if gpus else "")
    assert tf.test.is_built_with_xla() is True
    assert tf.test.is_built_with_gpu_support() == (tf.test.is_built_with_cuda() or tf.test.is_built_with_rocm())
    assert tf.test.is_gpu_available(cuda_only=True) <= bool(gpus)


class Right(tf.test.TestCase):
    def test_all(self):
        x = tf.constant([1.0, 2.0])
        self.assertAllClose({"a": x}, {"a": [1.0, 2.0 + 1e-7]})
        self.assertAllEqual(x, np.array([1.0, 2.0]))
        self.assertNotAllClose(x, [1.0, 2.1])
        self.assertNotAllEqual(x, [1.0, 2.1])
        self.assertAllInRange(x, 1, 2)
        self.assertAllGreater(x, 0)
        self.assertAllLess(x, 3)
        self.assertShapeEqual(x, np.zeros(2))
        self.assertDTypeEqual(x, tf.float32)
        assert self.evaluate([x])[0].tolist() == [1.0, 2.0]
        assert os.path.isfile(self.create_tempfile("f", "text"))


def wrong() -> type:
    class Wrong(tf.test.TestCase):
        def test_far(self):
            self.assertAllClose(tf.ones(2), [1.0, 1.1])

        def test_same(self):
            self.assertNotAllEqual(tf.ones(2), [1.0, 1.0])

    return Wrong


def test_cases_pass_and_fail_as_they_should():
    for case, failures in ((Right, 0), (wrong(), 2)):
        result = unittest.TestResult()
        unittest.defaultTestLoader.loadTestsFromTestCase(case).run(result)
        assert len(result.failures) == failures and not result.errors
