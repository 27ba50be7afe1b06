"""``x[key]`` against NumPy, for tensors, traced tensors, symbolic tensors and string tensors."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from hornbeam.base.errors import TraceError
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tape import GradientTape
from hornbeam.core.tensor import HostTensor, from_host
from hornbeam.ops.numpy.item import _array_item, _basic_item, get_item
from tests.ops.numpy.oracle import check, numbers

X = numbers("float32", (4, 5, 6))
IDS = np.array([[0, 3], [-1, 1]])

BASIC = [
    0,
    -1,
    (1, 2),
    (1, 2, 3),
    slice(1, 3),
    slice(None, None, -1),
    (slice(None), slice(4, 1, -2)),
    (slice(None), slice(1, None, 2), 3),
    (Ellipsis, 2),
    (0, Ellipsis, slice(-3, None)),
    None,
    (slice(None), None, 2),
    (None, 1, None, slice(2, 2)),
    slice(3, 1),
    slice(-100, 100),
    Ellipsis,
    (),
    np.int64(2),
    (np.int32(1), slice(np.int64(0), np.int64(2))),
]
ADVANCED = [
    IDS,
    (IDS, 1),
    (slice(None), IDS),
    (slice(None), 1, IDS),
    (0, slice(None), IDS),
    (IDS, slice(1, 4), IDS),
    (slice(None, None, -1), Ellipsis, np.array([1, 0])),
    [0, 2],
    (slice(None), [1, 1, 0]),
    X > 0,
    X[:, 0, 0] > 0,
    (slice(None), X[0, :, 0] > 0, 2),
    (None, IDS, None),
]


def name_of(key):
    return str(key).replace("\n", "")[:60]


@pytest.mark.numeric
@pytest.mark.parametrize("key", BASIC + ADVANCED, ids=name_of)
def test_equals_numpy(key):
    check("get_item", "numpy", get_item(from_host(X), key), np.asarray(X[key]), where=key)


@pytest.mark.numeric
@pytest.mark.parametrize("key", BASIC[1:14:2] + ADVANCED, ids=name_of)
def test_equals_numpy_when_compiled(key):
    got = jax.jit(lambda x: get_item(x, key))(jnp.asarray(X))
    np.testing.assert_array_equal(got, X[key])


@pytest.mark.numeric
@pytest.mark.parametrize("key", [*BASIC[:12:2], *ADVANCED[::2]], ids=name_of)
def test_gradients(key):
    x = from_host(X)
    with GradientTape() as tape:
        tape.watch(x)
        out = get_item(x, key)
    weights = numbers("float32", X[key].shape, seed=3)
    expected = np.zeros_like(X)
    np.add.at(expected, key, weights)
    check("get_item", "numpy gradient", tape.gradient(out, x, output_gradients=from_host(weights)), expected, 1e-6)


@pytest.mark.numeric
def test_tensors_as_keys():
    x = from_host(X)
    for number in (2, -1):
        check("get_item", "numpy", get_item(x, from_host(np.array(number))), X[number])
        got = jax.jit(lambda x, i: get_item(x, (slice(None), i)))(jnp.asarray(X), jnp.int32(number))
        np.testing.assert_array_equal(got, X[:, number])
    check("get_item", "numpy", get_item(x, slice(from_host(np.array(1)), from_host(np.array(3)))), X[1:3])
    check("get_item", "numpy", get_item(x, (from_host(IDS), 2)), X[IDS, 2])
    check("get_item", "numpy", get_item(x, from_host(X > 0)), X[X > 0])
    check("get_item", "numpy", get_item(X, 1), X[1])
    # An index out of range in a tensor is moved inside, as JAX does.
    check("get_item", "numpy", get_item(x, from_host(np.array([9]))), X[[3]])


@pytest.mark.numeric
@pytest.mark.parametrize("dtype", [np.float64, np.int64, np.int8, np.bool_])
def test_dtypes(dtype):
    x = (X * 10).astype(dtype)
    for key in (1, (slice(None), slice(1, 3)), IDS):
        check("get_item", "numpy", get_item(from_host(x), key), x[key])


@pytest.mark.unit
def test_strings():
    words = from_host(np.array([["a", "b"], ["c", "d"]]))
    assert get_item(words, (0, 1)).numpy() == b"b"
    assert isinstance(get_item(words, slice(1)), HostTensor)
    assert get_item(words, from_host(np.array([1]))).numpy().tolist() == [[b"c", b"d"]]


@pytest.mark.unit
def test_errors():
    x = from_host(X)
    for key in (4, -5, (0, 9), (IDS, 7), (0, 0, 0, 0), (Ellipsis, Ellipsis), (IDS, 0, 0, 0), True):
        with pytest.raises(IndexError):
            get_item(x, key)
    for key in ("a", 1.5, np.array([0.5])):
        with pytest.raises(TypeError):
            get_item(x, key)
    with pytest.raises(TraceError, match="where"):
        jax.jit(lambda x: get_item(x, x > 0))(X)
    with pytest.raises(TraceError):
        jax.jit(lambda n: get_item(jnp.asarray(X), slice(0, n)))(2)


@pytest.mark.unit
@pytest.mark.parametrize(
    ("shape", "key", "expected"),
    [
        ((None, 5, 6), 0, (5, 6)),
        ((None, 5, 6), 1000, (5, 6)),
        ((None, 5, 6), (slice(None), 2), (None, 6)),
        ((None, 5, 6), (slice(None), slice(1, None, 2)), (None, 2, 6)),
        ((None, 5, 6), slice(0, 3), (None, 5, 6)),
        ((None, None, 6), (slice(None), slice(None, -1)), (None, None, 6)),
        ((None, None, 6), (slice(None), -1), (None, 6)),
        ((None, None, 6), (Ellipsis, None, slice(2)), (None, None, 1, 2)),
        ((2, 5), (1, slice(1, 4)), (3,)),
        ((None, 5), (slice(None), IDS), (None, 2, 2)),
    ],
)
def test_symbolic_shapes(shape, key, expected):
    out = get_item(KerasTensor(shape, "int32"), key)
    assert tuple(out.shape) == expected and out.dtype == "int32"
    assert out._keras_history.operation.name.startswith("get_item")


@pytest.mark.unit
def test_symbolic_index_and_errors():
    x = KerasTensor((None, 5))
    assert tuple(get_item(x, KerasTensor((None,), "int32")).shape) == (None, 5)
    with pytest.raises(IndexError):
        get_item(x, (0, 5))
    with pytest.raises(TraceError):
        get_item(x, KerasTensor((None, 5), "bool"))


@pytest.mark.bench
def test_other_numbers_do_not_recompile():
    x = from_host(X)
    plain, advanced = _basic_item.op.plain, _array_item.op.plain
    get_item(x, 0), get_item(x, slice(0, 2)), get_item(x, (IDS, 0))
    before = plain._cache_size(), advanced._cache_size()
    for i in range(3):
        get_item(x, i), get_item(x, slice(i, i + 2)), get_item(x, (IDS, i))
    assert (plain._cache_size(), advanced._cache_size()) == before


@pytest.mark.numeric
@settings(max_examples=25, deadline=None, derandomize=True)
@given(data=st.data())
def test_any_basic_key(data):
    key = data.draw(arrays.basic_indices((4, 5, 6), allow_newaxis=True))
    check("get_item", "numpy", get_item(from_host(X), key), np.asarray(X[key]), where=key)
