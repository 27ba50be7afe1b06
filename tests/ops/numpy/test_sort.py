"""``sort``, ``argsort``, ``argpartition``, ``unique`` against ``keras.ops`` and NumPy."""

from __future__ import annotations

import jax
import ml_dtypes
import numpy as np
import pytest

from hornbeam.base.errors import TraceError
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import from_host
from hornbeam.ops.numpy import sort as t
from tests.ops.numpy.compare import Case, cast_case, same_as_keras, same_as_numpy, same_gradients, same_symbolic
from tests.ops.numpy.oracle import numbers

M = numbers("float32", (4, 6))
TIES = np.round(M)
WITH_NAN = np.where(TIES == 1, np.float32(np.nan), TIES)

CASES = [
    Case(t.sort, M),
    Case(t.sort, WITH_NAN, 0),
    Case(t.sort, M, axis=None),
    Case(t.argsort, TIES),
    Case(t.argsort, TIES, 0),
    Case(t.argsort, M, axis=None),
    Case(t.argsort, np.float32(3.0).reshape(())),
    Case(t.argpartition, M, 2),
    Case(t.argpartition, M, 1, axis=0),
    Case(t.argpartition, M, 3, axis=None),
    Case(t.unique, TIES),
    Case(t.unique, TIES, return_index=True, return_inverse=True, return_counts=True),
    Case(t.unique, TIES, size=4),
    Case(t.unique, TIES, size=20, fill_value=-7.0, return_counts=True),
    Case(t.unique, np.concatenate([TIES, TIES]), axis=0, return_inverse=True),
    Case(t.unique, WITH_NAN, return_counts=True),
]


@pytest.mark.numeric
@pytest.mark.parametrize("case", CASES, ids=repr)
def test_equals_keras(case):
    same_as_keras(case)


@pytest.mark.numeric
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "float16", "bfloat16"])
def test_dtypes(dtype):
    kind = getattr(ml_dtypes, dtype, dtype)
    for case in (Case(t.sort, TIES), Case(t.argsort, TIES), Case(t.unique, TIES, return_inverse=True)):
        same_as_keras(cast_case(case, kind))


@pytest.mark.numeric
def test_64_bits_stay_and_indices_are_int32():
    same_as_numpy(Case(t.sort, M, 0))
    same_as_numpy(Case(t.unique, TIES))
    x = from_host(np.array([3, 2**40, 3, -(2**50)]))
    assert t.sort(x).tolist() == [-(2**50), 3, 3, 2**40] and t.sort(x).dtype == "int64"
    assert t.argsort(x).dtype == "int32" and t.argsort(x).tolist() == [3, 0, 2, 1]
    values, index, inverse, counts = t.unique(x, return_index=True, return_inverse=True, return_counts=True)
    assert values.dtype == "int64" and {index.dtype, inverse.dtype, counts.dtype} == {"int32"}
    assert counts.tolist() == [1, 2, 1] and t.argpartition(x, 1).dtype == "int32"


@pytest.mark.numeric
def test_gradient_of_sort():
    same_gradients(Case(t.sort, M))
    same_gradients(Case(t.sort, M, 0))


@pytest.mark.unit
@pytest.mark.parametrize("case", [case for case in CASES if case.args[0].ndim], ids=repr)
@pytest.mark.parametrize("unknown", [(0,), (0, 1)], ids=["N", "NN"])
def test_symbolic_shapes(case, unknown):
    same_symbolic(case, unknown)


@pytest.mark.unit
def test_errors():
    with pytest.raises(ValueError, match="kth"):
        t.argpartition(from_host(M), 1.5)
    with pytest.raises(TraceError, match="size"):
        jax.jit(t.unique)(M)
    assert jax.jit(lambda x: t.unique(x, size=3))(TIES).shape == (3,)


@pytest.mark.unit
def test_unique_of_a_symbolic_tensor_knows_its_axes():
    values, inverse = t.unique(KerasTensor((None, 6), "int32"), return_inverse=True, axis=0)
    assert tuple(values.shape) == (None, 6) and values.dtype == "int32"
    assert tuple(inverse.shape) == (None,) and inverse.dtype == "int32"
