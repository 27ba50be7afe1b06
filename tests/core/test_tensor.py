"""Tensors: facts, conversions, Python protocols, and how they meet NumPy and JAX."""

import copy
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam import ops
from hornbeam.base.errors import TapeError, TraceError
from hornbeam.core.function import function
from hornbeam.core.tape import GradientTape
from hornbeam.core.tensor import HostTensor, Tensor, WideTensor, from_host


def test_facts_are_those_of_the_array():
    x = from_host(np.arange(6, dtype="float32").reshape(2, 3))
    assert x.shape == (2, 3) and x.shape.as_list() == [2, 3] and x.shape.rank == 2
    assert x.dtype == "float32" and x.dtype.is_floating and x.dtype == np.float32
    assert (x.ndim, x.size, x.nbytes, len(x)) == (2, 6, 24, 2)


@pytest.mark.parametrize("dtype", ["float64", "int64", "uint64", "complex128"])
def test_wide_dtypes_are_kept(dtype):
    x = from_host(np.ones((3,), dtype))
    assert type(x) is WideTensor
    assert x.dtype == dtype
    assert ops.add(x, x).dtype == dtype
    assert ops.multiply(x, 2).dtype == dtype
    np.testing.assert_array_equal((x + x).numpy(), np.full((3,), 2, dtype))


def test_nothing_becomes_wide_by_itself():
    assert ops.add(1, 2).dtype == "int32"
    assert ops.add(1.0, 2).dtype == "float32"
    assert ops.sum(ops.ones((3,), "int32")).dtype == "int32"
    assert ops.argmax(from_host(np.ones((3,), "float64"))).dtype == "int32"
    assert (ops.ones((2,), "int32") / 2).dtype == "float32"


def test_users_jnp_code_keeps_jax_defaults():
    _ = from_host(np.ones((3,), "float64")) * 2
    assert jnp.arange(3).dtype == jnp.int32
    assert jnp.asarray(np.ones(2)).dtype == jnp.float32
    assert not jax.config.jax_enable_x64


def test_weak_python_scalars_take_the_tensors_dtype():
    half = ops.ones((2,), "float16")
    assert (half * 2.5).dtype == "float16" and (2 * half).dtype == "float16"
    assert (ops.ones((2,), "uint8") + 1).dtype == "uint8"
    assert (ops.ones((2,), "int32") * 1.5).dtype == "float32"
    assert not (ops.ones((2,), "int32") * 1.5)._value.weak_type


def test_numpy_operands_take_the_tensors_dtype_where_their_kind_allows():
    x = ops.ones((2,), "float32")
    assert (x + np.ones(2)).dtype == "float32"
    assert (np.arange(2) + x).dtype == "float32"
    assert (x * np.float64(2)).dtype == "float32"


def test_numpy_and_python_protocols():
    x = from_host(np.float32(2.5))
    assert float(x) == 2.5 and int(x) == 2 and bool(x) and f"{x:.2f}" == "2.50"
    assert from_host(np.int32(3)).__index__() == 3
    assert [float(v) for v in from_host(np.ones(2, "float32"))] == [1.0, 1.0]
    array = from_host(np.ones(2, "float32")).numpy()
    array[0] = 7
    assert array[0] == 7
    with pytest.raises(TypeError, match="unhashable"):
        hash(x)
    assert x.ref().deref() is x and x.ref() == x.ref()


def test_copies_and_pickles():
    x = from_host(np.arange(3, dtype="int64"))
    for twin in (copy.copy(x), copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert type(twin) is WideTensor
        np.testing.assert_array_equal(twin.numpy(), x.numpy())


def test_jax_functions_take_tensors():
    x = from_host(np.arange(4, dtype="float32"))
    np.testing.assert_allclose(jnp.sum(x), 6.0)
    np.testing.assert_allclose(jax.jit(lambda t: t * 2)(x).numpy(), [0, 2, 4, 6])
    np.testing.assert_allclose(jax.grad(lambda t: ops.sum(t * t)._value)(x).numpy(), [0, 2, 4, 6])


def test_jnp_on_a_watched_tensor_raises_instead_of_losing_the_gradient():
    x = from_host(np.ones(3, "float32"))
    with GradientTape() as tape:
        tape.watch(x)
        with pytest.raises(TapeError, match="silently be lost"):
            jnp.sin(x)


def test_raw_arrays_stay_raw_and_mix_with_tensors():
    raw = jnp.ones((2,))
    assert isinstance(ops.add(raw, raw), jax.Array)
    assert isinstance(ops.add(raw, from_host(np.ones(2, "float32"))), Tensor)
    assert isinstance(ops.add(np.ones(2, "float32"), 1.0), Tensor)


def test_strings_live_on_the_host():
    x = from_host(np.array(["a", "b\u00e9"]))
    assert type(x) is HostTensor and x.dtype == "string"
    assert x.numpy().tolist() == [b"a", "b\u00e9".encode()]
    with pytest.raises(TypeError, match="string"):
        ops.add(x, 1)


@pytest.mark.parametrize("dtype", ["longdouble", "M8[D]", "m8[s]", "V4"])
def test_dtypes_that_devices_do_not_have_are_refused(dtype):
    with pytest.raises(TypeError, match="no counterpart here"):
        from_host(np.zeros(3, dtype))


def test_a_traced_tensor_has_no_value():
    seen = []

    @function
    def probe(x):
        with pytest.raises(TraceError, match="run_eagerly"):
            x.numpy()
        seen.append(repr(x))
        return x

    probe(ops.ones((2,)))
    assert "traced" in seen[0]


def test_texts_match_tensorflow():
    assert repr(from_host(np.float32(1))) == "<tf.Tensor: shape=(), dtype=float32, numpy=1.0>"
    assert str(from_host(np.array([1, 2], "int32"))) == "tf.Tensor([1 2], shape=(2,), dtype=int32)"


def test_equality_is_elementwise_and_never_raises_for_unlike_shapes():
    x = from_host(np.array([1, 2, 3], "int32"))
    np.testing.assert_array_equal((x == 2).numpy(), [False, True, False])
    assert (x == from_host(np.ones((2,), "int32"))) is False
    assert (x != None) is True  # noqa: E711
    assert 100 in [from_host(np.float32(100))]
