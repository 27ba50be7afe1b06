"""Reading and writing by index against ``keras.ops`` and NumPy."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import keras
import ml_dtypes
import numpy as np
import pytest

from hornbeam.base.errors import ShapeError, TraceError
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import from_host
from hornbeam.ops.numpy import index as x
from tests.ops.numpy.compare import (
    Case,
    cast_case,
    same_as_keras,
    same_as_numpy,
    same_gradients,
    same_raw,
    same_symbolic,
)
from tests.ops.numpy.oracle import check, numbers

M = numbers("float32", (4, 6))
N = numbers("float32", (4, 6), seed=1)
I1 = np.array([0, 3, -1], np.int32)
I2 = np.array([[0, 1], [2, 3]], np.int32)
ALONG = np.array([[0, 5, -1], [1, 1, 2], [3, 0, 4], [5, 5, 5]], np.int32)
FLAGS = M > 0
POINTS = np.array([[0, 1], [2, 3], [0, 1]], np.int32)
ROWS = np.array([[1], [3], [1]], np.int32)
U3 = numbers("float32", (3,), seed=2)
U36 = numbers("float32", (3, 6), seed=3)

SMOOTH = [
    Case(x.take, M, I1),
    Case(x.take, M, I1, axis=0),
    Case(x.take, M, I2, axis=1),
    Case(x.take, M, 2, axis=-1),
    Case(x.take_along_axis, M, ALONG, axis=1),
    Case(x.take_along_axis, M, ALONG[:, :1], axis=-1),
    Case(x.take_along_axis, M, I1, axis=None),
    Case(x.where, FLAGS, M, N),
    Case(x.where, FLAGS[:1], M, 0.0),
    Case(x.where, FLAGS[:, :1], 1, M),
    Case(x.select, [FLAGS, M < -1], [M, N]),
    Case(x.select, [FLAGS, M < -1], [M, N], 7),
    Case(x.slice, M, (1, 2), (2, 3)),
    Case(x.slice, M, np.array([1, 2], np.int32), (2, 3)),
    Case(x.slice, M, (3, 5), (2, 3)),
    Case(x.slice, M, (1, 2), (-1, 3)),
    Case(x.slice_update, M, (1, 2), N[:2, :3]),
    Case(x.slice_update, M, (3, 5), N[:2, :3]),
    Case(x.scatter, POINTS, U3, (4, 6)),
    Case(x.scatter, ROWS, U36, (4, 6)),
    Case(x.scatter_update, M, POINTS[:2], U3[:2]),
    Case(x.scatter_update, M, ROWS[:2], U36[:2]),
    Case(x.scatter_update, M, POINTS, U3, "add"),
    Case(x.scatter_update, M, POINTS, U3, reduction="MUL"),
    Case(x.scatter_update, M, POINTS[:2], U3[:2], "max"),
    Case(x.scatter_update, M, ROWS, U36, "min"),
]
OTHERS = [
    Case(x.take, M, np.array([9, -7, 1], np.int32), axis=0),
    Case(x.take, np.arange(5, dtype=np.int32), np.array([9, 1], np.int32)),
    Case(x.take_along_axis, M, ALONG + 3, axis=1),
    Case(x.where, np.round(M), M, N),
    Case(x.where, FLAGS),
    Case(x.nonzero, np.round(M)),
    Case(x.isin, np.round(M), np.round(U3)),
    Case(x.isin, np.round(M), np.array([1, 2], np.int32), invert=True),
    Case(x.isin, np.round(M), np.array([1.0, 2.0], np.float32), assume_unique=True),
    Case(x.scatter, np.array([[9, 0], [1, 1]], np.int32), U3[:2], (4, 6)),
    Case(x.scatter_update, M, np.array([[9], [-1]], np.int32), U36[:2]),
]


@pytest.mark.numeric
@pytest.mark.parametrize("case", SMOOTH + OTHERS, ids=repr)
def test_equals_keras(case):
    same_as_keras(case)


# JAX, and so Keras on JAX, has no gradient of a scattered product.
@pytest.mark.numeric
@pytest.mark.parametrize("case", [case for case in SMOOTH if case.kwargs.get("reduction") != "MUL"], ids=repr)
def test_gradients(case):
    same_gradients(case)


@pytest.mark.numeric
@pytest.mark.parametrize("dtype", ["bool", "int8", "bfloat16", "complex64"])
def test_dtypes(dtype):
    kind = getattr(ml_dtypes, dtype, dtype)
    flags = Case(x.where, FLAGS, M, N)
    for case in (SMOOTH[1], SMOOTH[4], flags, SMOOTH[10], SMOOTH[12], SMOOTH[22], Case(x.where, FLAGS, M, 2)):
        if dtype == "bool" and case.name == "scatter_update":
            continue
        same_as_keras(cast_case(case, kind))


@pytest.mark.numeric
@pytest.mark.parametrize(
    "pair",
    [("int8", "float16"), ("float16", "bfloat16"), ("bool", "int32"), ("uint8", "int8"), ("int32", "float32")],
    ids="-".join,
)
def test_where_promotes(pair):
    one, other = (np.round(M).astype(getattr(ml_dtypes, name, name)) for name in pair)
    same_as_keras(Case(x.where, FLAGS, one, other))
    same_as_keras(Case(x.select, [FLAGS], [one], other[0]))


@pytest.mark.unit
def test_where_with_python_numbers_and_numpy():
    half = from_host(M.astype(np.float16))
    flags = from_host(FLAGS)
    assert x.where(flags, half, 1.0).dtype == "float16"
    assert x.where(flags, half, N.astype(np.float64)).dtype == "float16"
    for out, dtype in [
        (x.where(flags, 1.0, 0), "float32"),
        (x.where(flags, 1, 0), "int32"),
        (x.where([True], 1, 2), "int32"),
    ]:
        assert out.dtype == dtype and not out._value.weak_type
    # A NumPy condition keeps its truth values whatever the dtype of the values is.
    out = x.where(np.array([256, 0, 1]), from_host(np.ones(3, np.uint8)), 0)
    assert out.tolist() == [1, 0, 1]
    with pytest.raises(ValueError, match="`x2` is missing"):
        x.where(flags, 1.0)


@pytest.mark.numeric
def test_64_bits_equal_numpy():
    same_as_numpy(Case(x.take, M, I1, axis=0))
    same_as_numpy(Case(x.take_along_axis, M, ALONG, axis=1))
    same_as_numpy(Case(x.where, FLAGS, M, N))
    same_as_numpy(Case(x.select, [FLAGS, M < -1], [M, N]))
    same_as_numpy(Case(x.isin, np.round(M), np.round(U3)))
    wide = from_host(M.astype(np.float64))
    expected = M.astype(np.float64)
    expected[1:3, 2:5] = 2
    check("slice_update", "numpy", x.slice_update(wide, (1, 2), np.full((2, 3), 2.0)), expected)
    positions = x.nonzero(wide)
    assert [part.dtype for part in positions] == ["int32", "int32"] and positions[0].shape == (24,)
    # 64-bit indices do not widen the values.
    assert x.take(from_host(M), np.array([0, 2]), axis=0).dtype == "float32"


@pytest.mark.unit
@pytest.mark.parametrize(
    "case", [case for case in SMOOTH + OTHERS if case.name in ("take", "nonzero", "isin")], ids=repr
)
def test_symbolic_shapes(case):
    same_symbolic(case, (0,) if case.args[0].ndim > 1 else ())


@pytest.mark.unit
def test_symbolic_shapes_of_the_others():
    a, b, flags = KerasTensor((None, 6)), KerasTensor((None, 6)), KerasTensor((None, 6), "bool")
    points, values = KerasTensor((None, 2), "int32"), KerasTensor((None,))
    for out, shape in [
        (x.where(flags, a, 0.0), (None, 6)),
        (x.select([flags], [a], b), (None, 6)),
        (x.take_along_axis(a, KerasTensor((None, 3), "int32"), axis=1), (None, 3)),
        (x.take(KerasTensor((10, 8)), KerasTensor((None, None), "int32"), axis=0), (None, None, 8)),
        (x.scatter(points, values, (4, 6)), (4, 6)),
        (x.scatter_update(a, points, values), (None, 6)),
        (x.slice_update(a, (0, 2), KerasTensor((1, 3))), (None, 6)),
        (x.slice(a, (0, 2), (-1, 3)), (None, 3)),
        (x.slice(KerasTensor((4, 6)), (1, 2), (-1, -1)), (3, 4)),
        (x.slice(a, (0, 2), (100, 3)), (100, 3)),
    ]:
        assert tuple(out.shape) == shape and out.dtype == "float32"


@pytest.mark.unit
def test_errors():
    m = from_host(M)
    with pytest.raises(TraceError, match="where"):
        jax.jit(x.nonzero)(M)
    with pytest.raises(ValueError, match="Invalid reduction"):
        x.scatter_update(m, POINTS, U3, "mean")
    with pytest.raises(ShapeError, match="one size for each axis"):
        x.slice(m, (0, 0), (2,))
    with pytest.raises(ValueError, match="condlist"):
        x.select([], [])
    with pytest.raises(ValueError, match="differ in length"):
        x.select([FLAGS], [M, N])
    with pytest.raises(TraceError):
        jax.jit(lambda s: x.slice(M, s, (-1, 2)))(jnp.array([1, 2]))
    with pytest.raises(ValueError, match="integer"):
        x.take(m, from_host(U3))


@pytest.mark.numeric
def test_start_of_a_window_may_be_traced():
    got = jax.jit(lambda s: x.slice(jnp.asarray(M), s, (2, 2)))(jnp.array([1, 2]))
    np.testing.assert_array_equal(got, M[1:3, 2:4])
    start = from_host(np.array(1, np.int32))
    check("slice", "keras", x.slice(from_host(M), [start, 2], (2, 2)), keras.ops.slice(jnp.asarray(M), [1, 2], (2, 2)))


@pytest.mark.unit
def test_jax_arrays_stay_jax_arrays():
    for case in (SMOOTH[1], SMOOTH[7], SMOOTH[10], SMOOTH[12], SMOOTH[22], Case(x.nonzero, M)):
        same_raw(case)
