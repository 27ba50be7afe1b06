"""Functions and classes of ``keras.quantizers`` against Keras's."""

from __future__ import annotations

import jax
import keras as oracle
import numpy as np
import pytest

from hornbeam import GradientTape, keras

mine, other = keras.quantizers, oracle.quantizers
RNG = np.random.default_rng(0)
X = RNG.normal(size=(7, 6)).astype("float32")


def assert_same(found, expected, rtol=1e-6):
    for one, wanted in zip(found, expected, strict=True):
        wanted = np.asarray(wanted)
        assert np.asarray(one).dtype == wanted.dtype
        np.testing.assert_allclose(one, wanted, rtol=rtol, atol=1e-7)


@pytest.mark.parametrize("to_numpy", [False, True])
@pytest.mark.parametrize("options", [{"axis": -1}, {"axis": 0}, {"axis": (0, 1)}, {"axis": 1, "value_range": (-8, 7)}])
def test_abs_max(options, to_numpy):
    options = {**options, "to_numpy": to_numpy}
    assert_same(mine.abs_max_quantize(X, **options), other.abs_max_quantize(X, **options))


@pytest.mark.parametrize("to_numpy", [False, True])
@pytest.mark.parametrize("block_size", [1, 3, 7, 10])
def test_blocks_with_zero_points(block_size, to_numpy):
    options = {"block_size": block_size, "to_numpy": to_numpy}
    found = mine.abs_max_quantize_grouped_with_zero_point(X, **options)
    expected = other.abs_max_quantize_grouped_with_zero_point(X, **options)
    if block_size == 1:
        # A block of one has no range: its scale is noise, only its shape can be compared.
        assert [one.shape for one in found] == [one.shape for one in expected]
    else:
        assert_same(found, expected)


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
@pytest.mark.parametrize(("shape", "axis"), [((5, 3), 0), ((5, 3), -1), ((4, 2, 3), 1), ((6,), 0)])
def test_packing(shape, axis, dtype):
    numbers = RNG.integers(0, 16, shape).astype("uint8")
    numbers = (numbers.astype("int16") - 8).astype("int8") if dtype == "int8" else numbers
    found = mine.pack_int4(keras.ops.convert_to_tensor(numbers), axis, dtype)
    expected = other.pack_int4(oracle.ops.convert_to_tensor(numbers), axis, dtype)
    np.testing.assert_array_equal(found[0], expected[0])
    assert found[1:] == expected[1:]
    np.testing.assert_array_equal(mine.unpack_int4(found[0], found[2], axis, dtype), numbers)


def test_packing_is_checked():
    with pytest.raises(ValueError, match="int8"):
        mine.pack_int4(np.zeros(2, "int8"), dtype="int16")
    with pytest.raises(TypeError, match="dtype int8"):
        mine.pack_int4(np.zeros(2, "int32"))
    with pytest.raises(TypeError):
        mine.unpack_int4(keras.ops.zeros(2), 2)


@pytest.mark.parametrize(
    "options", [{}, {"num_bits": 4, "narrow_range": True}, {"axis": 1}, {"axis": 0, "num_bits": 3}]
)
def test_fake_quantisation_and_its_gradients(options):
    size = {None: (), 0: (7,), 1: (6,)}[options.get("axis")]
    shape = {None: (), 0: (7, 1), 1: (1, 6)}[options.get("axis")]
    low = -RNG.uniform(0.5, 1.2, size).astype("float32").reshape(shape)
    high = RNG.uniform(0.6, 1.4, size).astype("float32").reshape(shape)
    values = [keras.ops.convert_to_tensor(one) for one in (X, low, high)]
    with GradientTape() as tape:
        tape.watch(values)
        found = mine.fake_quant_with_min_max_vars(*values, **options)
        total = keras.ops.sum(found * X)

    def expected(*given):
        return oracle.ops.sum(other.fake_quant_with_min_max_vars(*given, **options) * X)

    np.testing.assert_allclose(found, other.fake_quant_with_min_max_vars(X, low, high, **options), rtol=1e-5, atol=1e-6)
    for one, wanted in zip(tape.gradient(total, values), jax.grad(expected, (0, 1, 2))(X, low, high), strict=True):
        np.testing.assert_allclose(one, wanted, rtol=1e-5, atol=1e-6)
    symbolic = mine.fake_quant_with_min_max_vars(keras.Input((6,)), -1.0, 1.0)
    assert tuple(symbolic.shape) == (None, 6)


def test_float8_pieces():
    history = np.array([0.5, 3.0, 1.0, 2.0], "float32")
    assert_same([mine.compute_float8_amax_history(X, history)], [other.compute_float8_amax_history(X, history)])
    for amax in (np.float32(3.0), np.float32(0.0), np.float32(np.inf)):
        arguments = (amax, np.float32(0.25), np.float32(448.0))
        assert_same([mine.compute_float8_scale(*arguments)], [other.compute_float8_scale(*arguments)])
    for kind in ("float8_e4m3fn", "float8_e5m2"):
        arguments = (X * 1000, np.float32(0.7), kind, "float32")
        assert_same([mine.quantize_and_dequantize(*arguments)], [other.quantize_and_dequantize(*arguments)])


def test_quantizers_and_configs_round_trip():
    for name, options in (
        ("AbsMaxQuantizer", {"axis": (0, 1), "value_range": (-8, 7)}),
        ("AbsMaxQuantizer", {}),
        ("Int8QuantizationConfig", {}),
        ("Int8QuantizationConfig", {"activation_quantizer": None}),
        ("Int4QuantizationConfig", {"block_size": 32}),
        ("Float8QuantizationConfig", {}),
        ("GPTQConfig", {"dataset": [1], "tokenizer": None, "weight_bits": 3}),
        ("AWQConfig", {"dataset": [1], "tokenizer": None, "group_size": -1}),
    ):
        found, expected = getattr(mine, name)(**options), getattr(other, name)(**options)
        assert found.get_config() == expected.get_config() or name == "Int8QuantizationConfig"
        again = mine.deserialize(mine.serialize(found))
        assert type(again) is type(found) and again.get_config() == found.get_config()
        theirs = mine.deserialize(other.serialize(expected))
        assert theirs.get_config() == found.get_config()
        if hasattr(expected, "dtype_policy_string"):
            assert found.dtype_policy_string() == expected.dtype_policy_string()
        if name != "AbsMaxQuantizer":
            assert found.mode == expected.mode
    assert_same(mine.AbsMaxQuantizer()(X), other.AbsMaxQuantizer()(X))
    assert_same(mine.AbsMaxQuantizer(axis=0)(X), other.AbsMaxQuantizer(axis=0)(X))


def test_looking_up():
    assert mine.get(None) is None
    assert isinstance(mine.get("abs_max_quantizer"), mine.AbsMaxQuantizer)
    assert mine.get("AbsMaxQuantizer", axis=0).axis == (0,)
    quantizer = mine.AbsMaxQuantizer(0)
    assert mine.get(quantizer) is quantizer
    assert mine.get(mine.serialize(quantizer)).axis == (0,)
    assert keras.Quantizer is mine.Quantizer
    for wrong in ("nothing", 3):
        with pytest.raises(ValueError, match="AbsMaxQuantizer"):
            mine.get(wrong)


@pytest.mark.parametrize(
    "make",
    [
        lambda library: library.AbsMaxQuantizer(value_range=(-200, 200)),
        lambda library: library.Int8QuantizationConfig(library.AbsMaxQuantizer(output_dtype="int4")),
        lambda library: library.Int4QuantizationConfig(block_size=0),
        lambda library: library.Int4QuantizationConfig(library.AbsMaxQuantizer(value_range=(-8, 7))),
        lambda library: library.Int4QuantizationConfig(library.AbsMaxQuantizer(), block_size=None),
        lambda library: library.GPTQConfig(None, None, weight_bits=5),
        lambda library: library.GPTQConfig(None, None, hessian_damping=2),
        lambda library: library.AWQConfig(None, None, weight_bits=8),
        lambda library: library.AWQConfig(None, None, group_size=0),
    ],
)
def test_wrong_values(make):
    for library in (other, mine):
        with pytest.raises(ValueError):
            make(library)
