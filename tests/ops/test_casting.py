"""Conversions against ``keras.ops``, NumPy and TensorFlow's documented dtypes."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest

from hornbeam.base.errors import NotSupportedError, ShapeError
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tape import GradientTape
from hornbeam.core.tensor import HostTensor, Tensor, WideTensor, from_host
from hornbeam.core.variable import Variable
from hornbeam.ops import casting as k
from tests.ops.numpy.compare import Case, same_as_keras, same_gradients, same_raw, same_symbolic
from tests.ops.numpy.oracle import check, numbers

M = numbers("float32", (3, 4), -9, 9)
EXTREME = np.array([0.0, -0.7, 2.9, -130.0, 200.0, 300.0, 7e4, -3e9, 5e9, np.inf, -np.inf], np.float32)
NAMES = ["bool", "int8", "uint8", "int16", "int32", "uint32", "float16", "bfloat16", "float32"]


@pytest.mark.numeric
@pytest.mark.parametrize("given", ["bool", "int32", "uint8", "float32", "bfloat16"])
def test_cast_equals_keras(given):
    for wanted in NAMES:
        if wanted.startswith("uint") and given not in ("bool", "uint8"):
            continue  # negative numbers to unsigned integers: not defined by XLA
        same_as_keras(Case(k.cast, M.astype(getattr(ml_dtypes, given, given)), wanted))


@pytest.mark.numeric
@pytest.mark.parametrize("given", ["float32", "float16", "bfloat16", "int32", "uint32"])
def test_saturate_cast_equals_keras(given):
    kind = getattr(ml_dtypes, given, given)
    with np.errstate(all="ignore"):
        x = EXTREME.astype(kind) if "float" in given else np.array([0, 1, 127, 128, 300, 70000, 2**31 - 1]).astype(kind)
    for wanted in NAMES:
        if "int" in given and wanted in ("bfloat16", "float32"):
            # Keras brings the limits of the floats to the integer dtype here, and clips everything to the lower one.
            expected = x.astype(getattr(ml_dtypes, wanted, wanted))
            check("saturate_cast", "numpy", k.saturate_cast(from_host(x), wanted), expected)
        else:
            same_as_keras(Case(k.saturate_cast, x, wanted))


@pytest.mark.numeric
def test_saturate_cast_of_64_bits():
    x = from_host(np.array([2**40, -(2**40), 5]))
    assert k.saturate_cast(x, "int32").tolist() == [2**31 - 1, -(2**31), 5]
    assert k.saturate_cast(from_host(np.array([1e300, -1.0])), "uint8").tolist() == [255, 0]


@pytest.mark.unit
def test_casts_to_64_bits_and_back():
    x = k.cast(from_host(M), "float64")
    assert type(x) is WideTensor and x.dtype == "float64"
    check("cast", "numpy", k.cast(x, "float32"), M)
    assert k.cast(from_host(M), np.int64).dtype == "int64" and k.cast(3, float).dtype == "float32"
    assert type(k.cast(from_host(np.array([2**40 + 1])), "int32")) is Tensor


@pytest.mark.unit
@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (1.5, "float32"),
        (2, "int32"),
        (2**31, "int64"),
        (-(2**31), "int32"),
        (True, "bool"),
        (1j, "complex64"),
        ([1, 2.5], "float32"),
        ([1, 2**35], "int64"),
        ([], "float32"),
        ([[True], [False]], "bool"),
        ("text", "string"),
        ([b"a", b"b"], "string"),
        (np.float64(1), "float64"),
        (np.arange(3), "int64"),
        (np.zeros(2), "float64"),
        (np.zeros(2, np.float16), "float16"),
        ([np.zeros(2, np.float32), np.ones(2, np.float32)], "float32"),
        (range(3), "int32"),
    ],
)
def test_dtype_of_converted_values(value, dtype):
    out = k.convert_to_tensor(value)
    assert out.dtype == dtype and isinstance(out, Tensor)
    if dtype != "string":
        np.testing.assert_array_equal(out.numpy(), np.asarray(value).astype(dtype))
        assert not out._value.weak_type


@pytest.mark.unit
@pytest.mark.parametrize("wanted", ["float32", "bfloat16", "int8", "bool", "float64", "complex64"])
@pytest.mark.parametrize("value", [1, [0, 1, 2], [1.0, 0.0], np.array([1, 0]), jnp.array([1.0, 2.0]), True], ids=repr)
def test_wanted_dtype(value, wanted):
    out = k.convert_to_tensor(value, wanted)
    assert k.dtype(out) == wanted
    np.testing.assert_array_equal(np.asarray(out), np.asarray(value).astype(getattr(ml_dtypes, wanted, wanted)))


@pytest.mark.unit
def test_tensors_pass_through():
    x = from_host(M)
    assert k.convert_to_tensor(x) is x and k.convert_to_tensor(x, "float32") is x
    raw = jnp.asarray(M)
    assert k.convert_to_tensor(raw) is raw
    assert isinstance(k.convert_to_tensor(raw, "int32"), jax.Array)
    symbol = KerasTensor((None, 3))
    assert k.convert_to_tensor(symbol) is symbol
    assert k.convert_to_tensor(symbol, "int32").dtype == "int32"
    variable = Variable(M)
    assert isinstance(k.convert_to_tensor(variable), Tensor)
    check("convert_to_tensor", "numpy", k.convert_to_tensor(variable, "float16"), M.astype(np.float16))


@pytest.mark.numeric
def test_gradients_pass_through_conversions():
    variable = Variable(M)
    x = from_host(M)
    with GradientTape() as tape:
        tape.watch(x)
        whole = k.convert_to_tensor(variable)
        parts = k.convert_to_tensor([[x, x], [x, x]])
        half = k.cast(x, "float16")
    weights = from_host(np.ones((2, 2, 3, 4), np.float32))
    outputs = tape.gradient([whole, parts, half], [variable, x], output_gradients=[x, weights, k.cast(x, "float16")])
    check("convert_to_tensor", "closed form", outputs[0], M)
    check("convert_to_tensor", "closed form", outputs[1], 4 + M.astype(np.float16).astype(np.float32))
    same_gradients(Case(k.unstack, M, axis=1))
    same_gradients(Case(k.cast, M, "float32"))


@pytest.mark.unit
def test_stop_gradient():
    x = from_host(M)
    with GradientTape() as tape:
        tape.watch(x)
        out = k.stop_gradient(x)
    gradient = tape.gradient(out, x)
    assert gradient is None or not gradient.numpy().any()
    check("stop_gradient", "numpy", out, M)
    assert jax.grad(lambda v: jnp.sum(k.stop_gradient(v) * v))(jnp.asarray(M)).tolist() == M.tolist()
    assert k.stop_gradient(Variable(M)).shape == (3, 4)
    assert tuple(k.stop_gradient(KerasTensor((None, 2))).shape) == (None, 2)


@pytest.mark.unit
def test_sparse_and_ragged():
    import scipy.sparse

    matrix = scipy.sparse.csr_matrix(np.eye(3, dtype=np.float32))
    check("convert_to_tensor", "numpy", k.convert_to_tensor(matrix), np.eye(3, dtype=np.float32))
    assert k.convert_to_tensor(M, sparse=True).shape == (3, 4)
    with pytest.raises(NotSupportedError, match="dense"):
        k.convert_to_tensor(matrix, sparse=True)
    with pytest.raises(NotSupportedError, match="pad"):
        k.convert_to_tensor([[1], [1, 2]], ragged=True)
    with pytest.raises(ValueError):
        k.convert_to_tensor([[1], [1, 2]])
    with pytest.raises(OverflowError):
        k.convert_to_tensor([300], "uint8")
    with pytest.raises(TypeError):
        k.convert_to_tensor(from_host(np.array("a")), "float32")


@pytest.mark.unit
def test_convert_to_numpy():
    for value in (from_host(M), jnp.asarray(M), M, M.tolist(), Variable(M), [from_host(row) for row in M]):
        out = k.convert_to_numpy(value)
        assert type(out) is np.ndarray and out.flags.writeable
        np.testing.assert_allclose(out, M)
    assert k.convert_to_numpy(from_host(M.astype(ml_dtypes.bfloat16))).dtype == ml_dtypes.bfloat16
    assert k.convert_to_numpy(from_host(np.float64(2))).dtype == np.float64
    assert k.convert_to_numpy(from_host(np.array(["a"]))).tolist() == [b"a"]
    changed = k.convert_to_numpy(M)
    changed[0, 0] = 99
    assert M[0, 0] != 99
    with pytest.raises(TypeError, match="no value"):
        k.convert_to_numpy(KerasTensor((2,)))


@pytest.mark.unit
def test_facts():
    x = from_host(M)
    assert k.is_tensor(x) and k.is_tensor(jnp.asarray(M)) and isinstance(from_host(np.array("a")), HostTensor)
    assert not any(k.is_tensor(other) for other in (M, 1.0, [1], Variable(M), KerasTensor((2,))))
    assert k.dtype(x) == "float32" and k.dtype(M) == "float32" and k.dtype(KerasTensor((2,), "int8")) == "int8"
    assert k.shape(x) == (3, 4) and type(k.shape(x)) is tuple and k.shape([[1, 2]]) == (1, 2)
    assert k.shape(KerasTensor((None, 3))) == (None, 3)


@pytest.mark.unit
def test_unstack():
    same_as_keras(Case(k.unstack, M))
    same_as_keras(Case(k.unstack, M, 4, -1))
    same_symbolic(Case(k.unstack, M, axis=1))
    same_raw(Case(k.unstack, M))
    assert [tuple(part.shape) for part in k.unstack(KerasTensor((None, 3)), num=2)] == [(3,), (3,)]
    with pytest.raises(ShapeError, match="num"):
        k.unstack(KerasTensor((None, 3)))
    with pytest.raises(ShapeError, match="num"):
        k.unstack(from_host(M), num=2)


@pytest.mark.unit
def test_symbolic_shapes_of_casts():
    same_symbolic(Case(k.cast, M, "int32"))
    same_symbolic(Case(k.saturate_cast, M, "uint8"), (0, 1))
    assert tuple(k.cast(KerasTensor((None, 2)), "int8").shape) == (None, 2)
