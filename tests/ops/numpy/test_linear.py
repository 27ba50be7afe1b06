"""Products against ``keras.ops`` and NumPy."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import from_host
from hornbeam.ops.numpy import linear as n
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

V = numbers("float32", (4,))
M = numbers("float32", (3, 4))
K = numbers("float32", (4, 5), seed=1)
B = numbers("float32", (2, 3, 4), seed=2)
D = numbers("float32", (2, 4, 3), seed=3)
E = numbers("float32", (3, 4, 5), seed=6)
A3 = numbers("float32", (5, 3), seed=4)
B3 = numbers("float32", (5, 3), seed=5)

CASES = [
    Case(n.matmul, M, K),
    Case(n.matmul, B, K),
    Case(n.matmul, B, D),
    Case(n.matmul, V, K),
    Case(n.matmul, M, V),
    Case(n.matmul, V, V),
    Case(n.dot, M, K),
    Case(n.dot, B, V),
    Case(n.dot, B, D),
    Case(n.vdot, M, M),
    Case(n.inner, M, M),
    Case(n.inner, B, M),
    Case(n.outer, M, K),
    Case(n.tensordot, B, E),
    Case(n.tensordot, B, K, 1),
    Case(n.tensordot, B, D, ((1, 2), (2, 1))),
    Case(n.tensordot, B, D, [[0, 2], [0, 1]]),
    Case(n.tensordot, V, V, 0),
    Case(n.kron, M, K),
    Case(n.cross, A3, B3),
    Case(n.cross, A3.T.copy(), B3.T.copy(), axis=0),
    Case(n.cross, A3, B3, axisc=0),
    Case(n.einsum, "ij,jk->ik", M, K),
    Case(n.einsum, "bij,bjk->bik", B, D),
    Case(n.einsum, "...ij->...ji", B),
    Case(n.einsum, "ij->", M),
    Case(n.einsum, "bij,bjk,kl->bil", B, D, M),
    Case(n.einsum, "ij,jk", M, K),
]


@pytest.mark.numeric
@pytest.mark.parametrize("case", CASES, ids=repr)
def test_equals_keras(case):
    same_as_keras(case)


@pytest.mark.numeric
@pytest.mark.parametrize("case", CASES[::2], ids=repr)
def test_64_bits_equal_numpy(case):
    same_as_numpy(case)


@pytest.mark.numeric
@pytest.mark.parametrize("case", CASES, ids=repr)
def test_gradients(case):
    same_gradients(case)


@pytest.mark.numeric
@pytest.mark.parametrize("dtype", ["bool", "int8", "int32", "bfloat16", "complex64"])
def test_dtypes(dtype):
    kind = getattr(ml_dtypes, dtype, dtype)
    for case in (
        Case(n.matmul, M, K),
        Case(n.dot, M, K),
        Case(n.inner, M, M),
        Case(n.outer, V, V),
        Case(n.tensordot, B, K, 1),
        Case(n.einsum, "ij,jk->ik", M, K),
        Case(n.einsum, "ij->j", M),
        Case(n.kron, M, M),
        Case(n.vdot, V, V),
    ):
        if dtype == "bool" and case.name in ("vdot", "einsum"):
            continue
        same_as_keras(cast_case(case, kind))


@pytest.mark.numeric
@pytest.mark.parametrize(
    "pair",
    [("int8", "float16"), ("float16", "bfloat16"), ("int32", "float32"), ("int8", "uint8"), ("bool", "int8")],
    ids="-".join,
)
def test_dtypes_promote(pair):
    one, other = (np.round(x).astype(getattr(ml_dtypes, name, name)) for x, name in zip((M, K), pair, strict=True))
    for case in (Case(n.matmul, one, other), Case(n.einsum, "ij,jk->ik", one, other), Case(n.outer, one, other)):
        same_as_keras(case)


@pytest.mark.unit
def test_numpy_and_lists_beside_a_tensor():
    half = from_host(M.astype(np.float16))
    assert n.matmul(half, K.astype(np.float64)).dtype == "float16"
    assert n.einsum("ij,jk->ik", half, K.astype(np.float64)).dtype == "float16"
    check("matmul", "numpy", n.matmul(from_host(M), K.astype(np.float64).tolist()), M @ K)
    assert n.matmul(M, K.astype(np.float64)).dtype == "float64"
    assert n.dot(from_host(M), 2).dtype == "float32" and n.dot(from_host(M.astype(np.int8)), 2).dtype == "int8"


@pytest.mark.unit
@pytest.mark.parametrize("case", CASES[:3], ids=repr)
def test_symbolic_matmul(case):
    def symbol(array):
        return KerasTensor([None, *array.shape[1:]] if array.ndim == 3 or array is M else array.shape)

    eager = case.function(*(from_host(arg) for arg in case.args))
    out = case.function(*(symbol(arg) for arg in case.args))
    assert out.dtype == "float32"
    assert tuple(out.shape) == (None, *eager.shape[1:])


@pytest.mark.unit
@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda x: n.matmul(x, K), (None, None, 5)),
        (lambda x: n.dot(x, K), (None, None, 5)),
        (lambda x: n.inner(x, M), (None, None, 3)),
        (lambda x: n.tensordot(x, K, 1), (None, None, 5)),
        (lambda x: n.einsum("bij,jk->bik", x, K), (None, None, 5)),
        (lambda x: n.einsum("bij,bkj->bik", x, x), (None, None, None)),
        (lambda x: n.einsum("bij->bj", x), (None, 4)),
        (lambda x: n.vdot(x, x), ()),
    ],
)
def test_symbolic_with_two_unknown_axes(call, expected):
    out = call(KerasTensor((None, None, 4)))
    assert tuple(out.shape) == expected and out.dtype == "float32"


@pytest.mark.unit
def test_symbolic_more():
    x = KerasTensor((None, 3))
    assert tuple(n.outer(x, V).shape) == (None, 4)
    assert tuple(n.kron(x, M).shape) == (None, 12)
    assert tuple(n.cross(x, x).shape) == (None, 3)
    assert n.matmul(KerasTensor((None, 3), "int8"), KerasTensor((3, 4), "int8")).dtype == "int32"
    assert n.einsum("ij,jk->ik", x, A3.T.copy())._keras_history.operation.name.startswith("einsum")


@pytest.mark.unit
def test_errors():
    for call in (
        lambda: n.matmul(from_host(M), from_host(M)),
        lambda: n.matmul(from_host(M), 2.0),
        lambda: n.einsum("ij,kl->ijm", from_host(M), from_host(M)),
        lambda: n.cross(from_host(M), from_host(M)),
        lambda: n.tensordot(from_host(M), from_host(M), 1),
    ):
        with pytest.raises((ValueError, TypeError)):
            call()


@pytest.mark.unit
def test_jax_arrays_stay_jax_arrays():
    for case in (Case(n.matmul, M, K), Case(n.einsum, "ij,jk->ik", M, K), Case(n.einsum, "ij->", M)):
        same_raw(case)
    assert same_symbolic(Case(n.matmul, M, K), ()) is None
