"""Joining, splitting and ``rearrange`` against ``keras.ops`` and NumPy."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from hornbeam.base.errors import ShapeError
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import from_host
from hornbeam.ops.numpy import join as j
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

V = numbers("float32", (6,))
M = numbers("float32", (4, 6))
N = numbers("float32", (4, 6), seed=1)
C = numbers("float32", (4, 2, 6))

CASES = [
    Case(j.concatenate, [M, N]),
    Case(j.concatenate, (M, N, M), -1),
    Case(j.stack, [M, N]),
    Case(j.stack, (M, N), -1),
    Case(j.vstack, [M, N]),
    Case(j.vstack, [V, V]),
    Case(j.hstack, [M, N]),
    Case(j.hstack, [V, V]),
    Case(j.dstack, [M, N]),
    Case(j.dstack, [V, V]),
    Case(j.append, M, V),
    Case(j.append, M, N, 1),
    Case(j.split, M, 2),
    Case(j.split, M, 3, -1),
    Case(j.split, M, (1, 4), 1),
    Case(j.split, M, [2, 3]),
    Case(j.array_split, M, 3),
    Case(j.array_split, M, 4, 1),
    Case(j.vsplit, M, 2),
    Case(j.hsplit, M, (2, 3)),
    Case(j.hsplit, V, 3),
    Case(j.dsplit, C, 3),
]
REARRANGE = [
    Case(j.rearrange, C, "b h w -> b w h"),
    Case(j.rearrange, C, "b h w -> b (h w)"),
    Case(j.rearrange, C, "b h w -> w (b h)"),
    Case(j.rearrange, C, "b h (p w) -> (b p) w h", p=2),
    Case(j.rearrange, C, "b h (w p q) -> b h w (q p)", p=3, q=2),
]
ALL = CASES + REARRANGE


@pytest.mark.numeric
@pytest.mark.parametrize("case", ALL, ids=repr)
def test_equals_keras(case):
    same_as_keras(case)


@pytest.mark.numeric
@pytest.mark.parametrize("case", CASES[::3], ids=repr)
def test_64_bits_equal_numpy(case):
    same_as_numpy(case)


@pytest.mark.numeric
@pytest.mark.parametrize("case", ALL[::2], ids=repr)
def test_gradients(case):
    same_gradients(case)


PAIRS = [
    ("int8", "float16"),
    ("bool", "uint8"),
    ("int32", "float32"),
    ("float16", "bfloat16"),
    ("uint8", "int8"),
    ("int32", "uint32"),
    ("float32", "complex64"),
]


@pytest.mark.numeric
@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_dtypes_promote(pair):
    one, other = (np.round(M).astype(getattr(ml_dtypes, name, name)) for name in pair)
    for case in (Case(j.concatenate, [one, other]), Case(j.stack, [one, other]), Case(j.append, one, other)):
        same_as_keras(case)


@pytest.mark.unit
def test_python_numbers_are_weak_and_numpy_beside_a_tensor_takes_its_dtype():
    half = from_host(V.astype(np.float16))
    assert j.stack([half, V.astype(np.float64)]).dtype == "float16"
    assert j.concatenate([half, [1.0, 2.0]]).dtype == "float32"
    assert j.stack([from_host(np.float16(1)), 2.0]).dtype == "float16"
    assert j.stack([1, 2.5]).dtype == "float32" and not j.stack([1, 2.5])._value.weak_type
    assert j.concatenate([np.zeros(2), np.zeros(2)]).dtype == "float64"


def has_keras_rule(case):
    """Keras's rules do not add the axes that its functions add, nor take unknown sizes in these; tested below."""
    if case.name in ("dstack", "append", "rearrange"):
        return False
    return not (case.name in ("vstack", "hstack") and case.args[0][0].ndim == 1)


@pytest.mark.unit
@pytest.mark.parametrize("case", [case for case in ALL if has_keras_rule(case)], ids=repr)
@pytest.mark.parametrize("unknown", [(0,), (0, 1)], ids=["N", "NN"])
def test_symbolic_shapes(case, unknown):
    same_symbolic(case, unknown)


@pytest.mark.unit
def test_symbolic_stacks():
    flat, matrix = KerasTensor((None,)), KerasTensor((None, 6))
    assert tuple(j.vstack([flat, flat]).shape) == (2, None)
    assert tuple(j.dstack([flat, flat]).shape) == (1, None, 2)
    assert tuple(j.dstack([matrix, matrix]).shape) == (None, 6, 2)
    assert tuple(j.hstack([flat, flat]).shape) == (None,)
    assert tuple(j.append(matrix, flat).shape) == (None,)
    assert tuple(j.append(matrix, matrix, 1).shape) == (None, 12)
    assert tuple(j.concatenate([matrix, KerasTensor((None, 2))], -1).shape) == (None, 8)
    assert j.stack([matrix, KerasTensor((None, 6), "int32")]).dtype == "float32"


@pytest.mark.unit
def test_symbolic_split_of_an_unknown_size():
    x = KerasTensor((None, 6))
    assert [tuple(part.shape) for part in j.split(x, 5)] == [(None, 6)] * 5
    assert [tuple(part.shape) for part in j.split(x, (2, 5))] == [(2, 6), (3, 6), (None, 6)]
    assert [tuple(part.shape) for part in j.array_split(x, 3)] == [(None, 6)] * 3
    assert [tuple(part.shape) for part in j.array_split(x, 4, 1)] == [(None, 2), (None, 2), (None, 1), (None, 1)]
    assert [tuple(part.shape) for part in j.vsplit(x, 7)] == [(None, 6)] * 7


@pytest.mark.unit
def test_symbolic_rearrange():
    x = KerasTensor((None, 4, 6))
    assert tuple(j.rearrange(x, "b h (p w) -> (b p) w h", p=2).shape) == (None, 3, 4)
    assert tuple(j.rearrange(x, "b h w -> b (h w)").shape) == (None, 24)
    assert tuple(j.rearrange(KerasTensor((None, 3)), "(b t) c -> b t c", t=7).shape) == (None, 7, 3)


@pytest.mark.unit
def test_errors():
    x = from_host(M)
    for call in (
        lambda: j.split(x, 5),
        lambda: j.concatenate([x, from_host(V)]),
        lambda: j.stack([x, from_host(V)]),
        lambda: j.vsplit(from_host(V), 2),
        lambda: j.dsplit(x, 2),
        lambda: j.array_split(x, 0),
        lambda: j.rearrange(x, "a b -> a"),
        lambda: j.rearrange(x, "a ... -> ... a"),
        lambda: j.rearrange(x, "a (b c) -> a b c"),
        lambda: j.rearrange(x, "(a b) c -> a b c", a=3),
        lambda: j.rearrange(x, "a b c -> c b a"),
    ):
        with pytest.raises((ValueError, TypeError)):
            call()
    with pytest.raises(TypeError, match="indices_or_sections"):
        j.array_split(x, (1, 2))
    with pytest.raises(ShapeError, match="sizes do not fit"):
        j.rearrange(x, "a (b c) -> a b c", b=4)


@pytest.mark.unit
def test_jax_arrays_stay_jax_arrays():
    for case in (Case(j.concatenate, [M, N]), Case(j.split, M, 2), Case(j.append, M, N), Case(j.hsplit, M, 2)):
        same_raw(case)


@pytest.mark.numeric
def test_lists_of_rows_and_one_array_instead_of_a_list():
    check("vstack", "numpy", j.vstack(from_host(C)), np.vstack(list(C)))
    check("stack", "numpy", j.stack([[1.0, 2.0], [3.0, 4.0]]), np.array([[1, 2], [3, 4]], np.float32))
    assert cast_case(Case(j.stack, [M]), np.int8).args[0][0].dtype == np.int8
