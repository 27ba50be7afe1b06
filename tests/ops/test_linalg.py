"""Linear algebra against Keras and NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import from_host
from hornbeam.ops import linalg as ops
from tests.ops.numpy.compare import Case, same_as_keras, same_gradients, same_symbolic
from tests.ops.numpy.oracle import numbers

A = numbers("float32", (2, 4, 4)) + 4 * np.eye(4, dtype=np.float32)
SYMMETRIC = A @ np.swapaxes(A, -1, -2)
FACTOR = np.linalg.cholesky(SYMMETRIC.astype(np.float64)).astype(np.float32)
TALL = numbers("float32", (2, 5, 3), seed=1)
B = numbers("float32", (2, 4, 2), seed=2)
ONE = A[0].copy()
VECTOR = numbers("float32", (4,), seed=3)

SMOOTH = [
    Case(ops.cholesky, SYMMETRIC),
    Case(ops.cholesky, SYMMETRIC, upper=True),
    Case(ops.cholesky_inverse, FACTOR[0].copy()),
    Case(ops.cholesky_inverse, FACTOR[0].T.copy(), upper=True),
    Case(ops.det, A),
    Case(ops.inv, A),
    Case(ops.lstsq, TALL[0].copy(), numbers("float32", (5, 2))),
    Case(ops.lstsq, TALL[0].copy(), numbers("float32", (5,)), rcond=1e-3),
    Case(ops.norm, A),
    Case(ops.norm, A, ord=1, axis=-1, keepdims=True),
    Case(ops.norm, A, ord=np.inf, axis=1),
    Case(ops.norm, A, ord="fro", axis=(1, 2)),
    Case(ops.norm, A, ord="nuc", axis=(1, 2)),
    Case(ops.norm, A, ord=2, axis=(-2, -1)),
    Case(ops.norm, VECTOR, ord=3),
    Case(ops.pinv, TALL),
    Case(ops.pinv, TALL[0].copy(), rcond=0.5),
    Case(ops.qr, TALL),
    Case(ops.solve, A, B),
    Case(ops.solve, ONE, VECTOR),
    Case(ops.solve_triangular, A, B),
    Case(ops.solve_triangular, ONE, VECTOR, lower=True),
    Case(ops.eigh, SYMMETRIC),
    Case(ops.svd, TALL, compute_uv=False),
    Case(ops.svd, TALL, full_matrices=False),
    Case(ops.lu_factor, A),
]
OTHER = [
    Case(ops.qr, TALL, mode="complete"),
    Case(ops.svd, TALL),
    Case(ops.eig, A),
    Case(ops.slogdet, A),
    Case(ops.lu_factor, TALL),
    Case(ops.matrix_rank, SYMMETRIC),
    Case(ops.matrix_rank, np.ones((3, 2, 3), np.float32)),
    Case(ops.matrix_rank, SYMMETRIC, tol=20.0),
    Case(ops.norm, np.arange(4, dtype=np.int32)),
    Case(ops.norm, VECTOR.astype(np.float16)),
    Case(ops.det, np.arange(4, dtype=np.int32).reshape(2, 2)),
    Case(ops.norm, VECTOR > 0),
]


@pytest.mark.parametrize("case", SMOOTH + OTHER, ids=repr)
def test_equals_keras(case):
    same_as_keras(case, 1e-4 if case.function is ops.det else 2e-5)


@pytest.mark.parametrize("case", SMOOTH[:8] + SMOOTH[11:15:3] + SMOOTH[15:19] + SMOOTH[20:], ids=repr)
def test_gradients_equal_keras(case):
    same_gradients(case, 2e-4)


@pytest.mark.parametrize("case", [case for case in SMOOTH if case.args[0].ndim == 3], ids=repr)
def test_symbolic_agrees_with_eager(case):
    same_symbolic(case)


@pytest.mark.parametrize("name", ["inv", "det", "pinv", "norm"])
def test_double_precision_equals_numpy(name):
    a = A.astype(np.float64)
    out = getattr(ops, name)(from_host(a))
    assert out.dtype == "float64"
    np.testing.assert_allclose(out.numpy(), getattr(np.linalg, name)(a), rtol=1e-11)


def test_double_precision_systems():
    a, b = A.astype(np.float64), B.astype(np.float64)
    np.testing.assert_allclose(ops.solve(from_host(a), from_host(b)).numpy(), np.linalg.solve(a, b), rtol=1e-11)
    assert ops.norm(from_host(np.array([3, 4], np.int64))).dtype == "float32"


def test_cholesky_of_an_indefinite_matrix_raises_eagerly_and_is_nan_inside_jit():
    bad = -np.eye(3, dtype=np.float32)
    with pytest.raises(ValueError, match="positive definite"):
        ops.cholesky(from_host(bad))
    assert np.isnan(jax.jit(ops.cholesky)(jnp.asarray(bad))).any()


def test_batches_of_vectors_and_inverses():
    vectors = numbers("float32", (2, 4), seed=8)
    got = ops.solve(from_host(A), from_host(vectors)).numpy()
    np.testing.assert_allclose(got, np.linalg.solve(A, vectors[..., None])[..., 0], rtol=1e-4, atol=1e-5)
    inverse = ops.cholesky_inverse(from_host(FACTOR)).numpy()
    np.testing.assert_allclose(inverse @ SYMMETRIC, np.broadcast_to(np.eye(4), (2, 4, 4)), atol=2e-3)


@pytest.mark.parametrize("name", ["cholesky", "cholesky_inverse", "det", "eig", "eigh", "inv"])
def test_matrices_of_wrong_shape_raise(name):
    function = getattr(ops, name)
    for wrong in (np.ones(3, np.float32), np.ones((2, 3), np.float32)):
        with pytest.raises(ValueError, match=r"\(\.\.\., rows, columns\)|takes square matrices"):
            function(from_host(wrong))
    with pytest.raises(ValueError, match="square"):
        function(KerasTensor((None, 2, 3)))


def test_other_wrong_arguments_raise():
    with pytest.raises(ValueError, match="mode"):
        ops.qr(from_host(A), mode="full")
    with pytest.raises(ValueError, match="Incompatible"):
        ops.solve(from_host(ONE), from_host(np.ones((3, 1), np.float32)))
    for function in (ops.lu_factor, ops.svd, ops.pinv, ops.matrix_rank):
        with pytest.raises(ValueError, match="rows, columns"):
            function(from_host(VECTOR))
