"""``tf.test``: questions about the machine, and a test case with comparisons of tensors."""

from __future__ import annotations

from hornbeam.test.case import TestCase, main
from hornbeam.test.machine import (
    gpu_device_name,
    is_built_with_cuda,
    is_built_with_gpu_support,
    is_built_with_rocm,
    is_built_with_xla,
    is_gpu_available,
)

__all__ = [
    "TestCase",
    "gpu_device_name",
    "is_built_with_cuda",
    "is_built_with_gpu_support",
    "is_built_with_rocm",
    "is_built_with_xla",
    "is_gpu_available",
    "main",
]
