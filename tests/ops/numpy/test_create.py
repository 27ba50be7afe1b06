"""New tensors against ``keras.ops`` and NumPy."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import keras
import ml_dtypes
import numpy as np
import pytest

from hornbeam.base import settings
from hornbeam.base.errors import ShapeError, TraceError
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import from_host
from hornbeam.ops.numpy import create as c
from tests.ops.numpy.compare import Case, cast_case, same_as_keras, same_as_numpy, same_gradients, same_raw
from tests.ops.numpy.oracle import check, numbers

V = numbers("float32", (5,))
M = numbers("float32", (3, 4))
POSITIVE = np.abs(V) + 1
A, B = np.array(1.0, np.float32), np.array(5.0, np.float32)

CASES = [
    Case(c.zeros, (2, 3)),
    Case(c.zeros, 4, "int8"),
    Case(c.ones, [2, 3], dtype="bfloat16"),
    Case(c.ones, (), "bool"),
    Case(c.full, (2, 3), 7),
    Case(c.full, (2, 3), 2.5, "int32"),
    Case(c.full, (2, 5), V),
    Case(c.zeros_like, M),
    Case(c.zeros_like, M, "int32"),
    Case(c.ones_like, M),
    Case(c.ones_like, M, dtype="float16"),
    Case(c.full_like, M, 3),
    Case(c.full_like, M, 3.5, "int8"),
    Case(c.full_like, M, M[0]),
    Case(c.eye, 3),
    Case(c.eye, 3, 4, 1, "int32"),
    Case(c.eye, 3, k=-1),
    Case(c.identity, 3, "bool"),
    Case(c.tri, 3),
    Case(c.tri, 3, 4, -1, "int8"),
    Case(c.arange, 5),
    Case(c.arange, 5.0),
    Case(c.arange, 4.2),
    Case(c.arange, 2, 9),
    Case(c.arange, 2, 9, 2),
    Case(c.arange, 9, 2, -3),
    Case(c.arange, 9, 2),
    Case(c.arange, 0, 1, 0.1),
    Case(c.arange, -1.0, 1.0, 0.3),
    Case(c.arange, 0, 3, 0.7, "int32"),
    Case(c.arange, 1, 4, dtype="float16"),
    Case(c.arange, 0, 5000, 3, dtype="float16"),
    Case(c.arange, 0, 300, dtype="bfloat16"),
    Case(c.arange, np.asarray(5, np.int8)),
    Case(c.arange, np.asarray(1, np.uint8), np.asarray(6, np.int16)),
    Case(c.arange, np.asarray(1, np.int32), 3.5),
    Case(c.arange, 70000),
    Case(c.linspace, 0, 1),
    Case(c.linspace, 0.0, 10.0, 7, endpoint=False),
    Case(c.linspace, 0, 10, num=5, retstep=True),
    Case(c.linspace, 0, 10, 5, dtype="int32"),
    Case(c.linspace, 3, 4, 1),
    Case(c.linspace, V, V + 3, 4),
    Case(c.linspace, V, 3.0, 4, axis=-1),
    Case(c.linspace, V.astype(np.float16), 3.0, 4),
    Case(c.linspace, V.astype(np.int32), V.astype(np.int32) + 3, 4),
    Case(c.logspace, 0, 3, 5),
    Case(c.logspace, 0.0, 3.0, 5, base=2, endpoint=False),
    Case(c.logspace, V, 2.0, 3, axis=1),
    Case(c.logspace, 0, 3, 4, dtype="int32"),
    Case(c.geomspace, 1, 256, 9),
    Case(c.geomspace, 1.0, 1000.0, 3, endpoint=False),
    Case(c.geomspace, POSITIVE, 9.0, 4, axis=1),
    Case(c.vander, V),
    Case(c.vander, V, 3, True),
    Case(c.vander, np.arange(4, dtype=np.int32), increasing=True),
    Case(c.vander, V.astype(np.float16), 3),
    Case(c.meshgrid, V, V[:3]),
    Case(c.meshgrid, V, V[:3], np.arange(2, dtype=np.int32), indexing="ij"),
    Case(c.meshgrid, V),
    Case(c.array, [1.5, 2]),
    Case(c.array, [[1, 2], [3, 4]]),
    Case(c.array, M, "int32"),
    Case(c.array, True),
    Case(c.array, 3, "float16"),
]


@pytest.mark.numeric
@pytest.mark.parametrize("case", CASES, ids=repr)
def test_equals_keras(case):
    same_as_keras(case, tolerance=4e-3 if "float16" in repr(case) else None)


@pytest.mark.numeric
@pytest.mark.parametrize(
    "case",
    [
        Case(c.zeros, (2, 3), "float64"),
        Case(c.full, (2, 3), 2**40, "int64"),
        Case(c.eye, 3, dtype="int64"),
        Case(c.tri, 3, dtype="float64"),
        Case(c.arange, np.int64(5)),
        Case(c.arange, np.int64(2) ** 40, np.int64(2) ** 40 + 3),
        Case(c.arange, 2**40, 2**40 + 5, 2),
        Case(c.arange, 0, 1, 0.1, "float64"),
        Case(c.linspace, np.asarray(0.0), np.asarray(1.0), 7),
        Case(c.logspace, np.asarray(0.0), np.asarray(1.0), 7),
        Case(c.geomspace, np.asarray(1.0), np.asarray(9.0), 7),
        Case(c.vander, V),
        Case(c.zeros_like, M),
        Case(c.full_like, M, 0.1),
        Case(c.ones_like, M, "int64"),
        Case(c.array, M),
        Case(c.array, np.array([2**40])),
    ],
    ids=repr,
)
def test_64_bits_equal_numpy(case):
    same_as_numpy(case)


@pytest.mark.unit
def test_64_bits_by_static_dtype_alone():
    assert c.linspace(0, 1, 4, dtype="float64").dtype == "float64"
    np.testing.assert_allclose(c.linspace(0, 1, 4, dtype="float64").numpy(), np.linspace(0, 1, 4), rtol=1e-15)
    assert c.empty((2,), "int64").dtype == "int64" and c.array([1], "float64").dtype == "float64"
    assert c.array([2**40]).dtype == "int64" and c.array(np.float64(1)).dtype == "float64"


@pytest.mark.unit
def test_floatx_is_read_at_each_call():
    before = settings.floatx()
    settings.set_floatx("float16")
    try:
        for made in (
            c.zeros(2),
            c.ones(2),
            c.empty(2),
            c.full(2, 1),
            c.eye(2),
            c.identity(2),
            c.tri(2),
            c.array([1.0]),
        ):
            assert made.dtype == "float16"
    finally:
        settings.set_floatx(before)
    assert c.zeros(2).dtype == before


@pytest.mark.numeric
@pytest.mark.parametrize(
    "case",
    [
        Case(c.full, (2, 5), V),
        Case(c.full_like, M, M[0]),
        Case(c.linspace, A, B, 4),
        Case(c.logspace, A, B, 3),
        Case(c.geomspace, A, B, 3),
        Case(c.vander, V, 4),
        Case(c.meshgrid, V, V[:3]),
    ],
    ids=repr,
)
def test_gradients(case):
    # geomspace: 1e-4, as the powers of a logarithm lose digits in float32 in both.
    same_gradients(case, tolerance=1e-4)


@pytest.mark.unit
def test_symbolic():
    x = KerasTensor((None, 3), "float16")
    for out, shape, dtype in [
        (c.zeros_like(x), (None, 3), "float16"),
        (c.ones_like(x, "int32"), (None, 3), "int32"),
        (c.full_like(x, 2), (None, 3), "float16"),
        (c.full((2, 3), KerasTensor(())), (2, 3), "float32"),
        (c.linspace(x, 1.0, 5), (5, None, 3), "float16"),
        (c.linspace(x, 1.0, 5, retstep=True)[0], (5, None, 3), "float16"),
        (c.logspace(x, 1.0, 5, axis=-1), (None, 3, 5), "float16"),
        (c.geomspace(KerasTensor((4,)), 1.0, 5), (5, 4), "float32"),
        (c.vander(KerasTensor((None,)), 3), (None, 3), "float32"),
        (c.meshgrid(KerasTensor((None,)), KerasTensor((3,)))[0], (3, None), "float32"),
        (c.array(x, "float32"), (None, 3), "float32"),
    ]:
        assert tuple(out.shape) == shape and out.dtype == dtype
    assert c.array(x) is x


@pytest.mark.unit
def test_sizes_may_be_tensors():
    n = from_host(np.array(3, np.int32))
    assert c.zeros((n, 2)).shape == (3, 2) and c.eye(n).shape == (3, 3) and c.arange(n).tolist() == [0, 1, 2]
    assert c.ones(from_host(np.array([2, 2]))).shape == (2, 2)
    assert c.zeros(from_host(M).shape).shape == (3, 4)


@pytest.mark.unit
def test_inside_compiled_functions():
    got = jax.jit(lambda x: jnp.asarray(c.arange(x.shape[0], dtype="int32")) + jnp.asarray(c.zeros((5,), "int32")))(V)
    np.testing.assert_array_equal(got, np.arange(5))
    with pytest.raises(TraceError, match="size of the result"):
        jax.jit(lambda n: c.arange(n))(3)
    with pytest.raises(TraceError, match="shape"):
        jax.jit(lambda n: c.zeros((n, 2)))(3)


@pytest.mark.unit
def test_errors():
    with pytest.raises(ValueError, match="size of a symbolic tensor"):
        c.arange(KerasTensor((None, None)).shape[1])
    for call in (lambda: c.eye(2.0), lambda: c.eye(2, 3.0), lambda: c.vander(from_host(V), 2.0)):
        with pytest.raises(TypeError):
            call()
    for call in (
        lambda: c.vander(from_host(M)),
        lambda: c.vander(from_host(V), -1),
        lambda: c.meshgrid(V, V, indexing="ji"),
        lambda: c.arange(0, 3, 0),
        lambda: c.full((2, 3), from_host(V)),
    ):
        with pytest.raises(ValueError):
            call()
    with pytest.raises(ShapeError, match="scalar"):
        c.arange(from_host(V))
    with pytest.raises(TraceError):
        c.arange(KerasTensor((), "int32"))
    with pytest.raises(TypeError):
        c.zeros((2,), "float31")


@pytest.mark.unit
def test_jax_arrays_stay_jax_arrays():
    same_raw(Case(c.zeros_like, M))
    same_raw(Case(c.linspace, A, B, 4))
    same_raw(cast_case(Case(c.meshgrid, V, V), ml_dtypes.bfloat16))


@pytest.mark.bench
def test_creation_compiles_once():
    c.zeros((3, 7))
    before = c._filled.op.plain._cache_size()
    c.zeros((3, 7)), c.full((3, 7), 0), c.empty((3, 7))
    assert c._filled.op.plain._cache_size() == before
    c.arange(100000)
    before = c._iota.op.plain._cache_size()
    c.arange(1, 100001), c.arange(0, 300000, 3)
    assert c._iota.op.plain._cache_size() == before


@pytest.mark.numeric
def test_half_precision_ranges_are_rounded_once():
    check("arange", "keras", c.arange(0, 3000, dtype="float16"), keras.ops.arange(0, 3000, 1, dtype="float16"))
