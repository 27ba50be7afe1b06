"""Initializers give the bits that Keras gives, and are stored in the same way."""

import keras
import numpy as np
import pytest

import hornbeam as tf
from hornbeam.keras import initializers
from hornbeam.keras import utils as ours_utils

pytestmark = pytest.mark.oracle_bits

SHAPES = [(), (7,), (0, 4), (3, 3, 16, 8), (129, 257)]
RANDOM = [
    ("RandomNormal", {}),
    ("RandomNormal", {"mean": 0.3, "stddev": 1.7}),
    ("RandomUniform", {}),
    ("RandomUniform", {"minval": -3, "maxval": 0.7}),
    ("TruncatedNormal", {}),
    ("TruncatedNormal", {"mean": -1.1, "stddev": 2.3}),
    ("GlorotUniform", {}),
    ("GlorotNormal", {}),
    ("HeUniform", {}),
    ("HeNormal", {}),
    ("LecunUniform", {}),
    ("LecunNormal", {}),
    ("VarianceScaling", {"scale": 0.3, "mode": "fan_out", "distribution": "untruncated_normal"}),
    ("VarianceScaling", {"mode": "fan_avg", "distribution": "uniform"}),
    ("VarianceScaling", {"distribution": "normal"}),
]
FIXED = [
    ("Zeros", {}),
    ("Ones", {}),
    ("Constant", {"value": 1.3}),
    ("Identity", {}),
]


def both(name, arguments):
    return getattr(initializers, name)(**arguments), getattr(keras.initializers, name)(**arguments)


def assert_same_bits(ours, theirs):
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.dtype == theirs.dtype
    assert ours.shape == theirs.shape
    np.testing.assert_array_equal(ours, theirs)
    assert ours.tobytes() == theirs.tobytes()


@pytest.mark.parametrize(("name", "arguments"), RANDOM)
def test_random_values_are_bit_equal(name, arguments):
    for seed, shape in zip((0, 42, 2**31, 2**32 - 1, 7), SHAPES, strict=True):
        ours, theirs = both(name, arguments | {"seed": seed})
        assert_same_bits(ours(shape), theirs(shape))


@pytest.mark.parametrize("name", ["glorot_uniform", "random_normal", "truncated_normal"])
def test_draws_longer_than_one_piece_are_bit_equal(name):
    ours, theirs = both(name, {"seed": 5})
    assert_same_bits(ours((601, 1003)), theirs((601, 1003)))
    assert_same_bits(ours((4096, 4)), theirs((4096, 4)))
    assert_same_bits(ours((4096, 4 + 1)), theirs((4096, 4 + 1)))


@pytest.mark.parametrize(("low", "high"), [(-1e-3, 1e-3), (0.3, 7.0), (-5.0, -0.25), (0.1, 0.1000001)])
def test_uniform_draws_of_numpy_and_xla_are_bit_equal(low, high):
    """NumPy draws up to 512 x 512 values, XLA more; the bounds are such that products are rounded."""
    ours, theirs = both("RandomUniform", {"minval": low, "maxval": high, "seed": 8})
    for shape in ((512, 512), (512, 513)):
        assert_same_bits(ours(shape), theirs(shape))


def test_draws_inside_a_traced_function_are_values():
    @tf.function
    def total(x):
        return x + tf.constant(initializers.TruncatedNormal(seed=6)((3,)).numpy())

    expected = keras.initializers.TruncatedNormal(seed=6)((3,))
    np.testing.assert_array_equal(total(tf.zeros(3)), np.asarray(expected))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", ["he_normal", "random_uniform", "random_normal", "zeros", "ones"])
def test_half_precision_is_bit_equal(name, dtype):
    arguments = {} if name in ("zeros", "ones") else {"seed": 3}
    ours, theirs = both(name, arguments)
    assert_same_bits(ours((5, 6), dtype=dtype), theirs((5, 6), dtype=dtype))


def test_float64_is_made_in_float64():
    value = initializers.RandomNormal(seed=1)((1000,), dtype="float64")
    assert value.dtype == "float64"
    array = value.numpy()
    assert np.any(array != array.astype(np.float32))
    assert abs(array.std() - 0.05) < 0.005


@pytest.mark.parametrize("shape", [(4, 4), (6, 3), (3, 6), (2, 3, 4), (2, 3, 16)])
def test_orthogonal_is_bit_equal(shape):
    ours, theirs = both("Orthogonal", {"gain": 1.5, "seed": 11})
    assert_same_bits(ours(shape), theirs(shape))


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("shape", [(40, 12), (3, 5, 20)])
def test_orthogonal_in_half_precision(dtype, shape):
    found = initializers.Orthogonal(seed=2)(shape, dtype=dtype)
    assert found.dtype == dtype
    q = np.asarray(found.numpy(), np.float64).reshape(-1, shape[-1])
    product = q.T @ q if q.shape[0] > q.shape[1] else q @ q.T
    np.testing.assert_allclose(product, np.eye(len(product)), atol=0.01)


def test_orthogonal_columns():
    q = initializers.Orthogonal(seed=2)((40, 12)).numpy().astype(np.float64)
    np.testing.assert_allclose(q.T @ q, np.eye(12), atol=1e-6)


@pytest.mark.parametrize(("name", "arguments"), FIXED)
@pytest.mark.parametrize("dtype", [None, "float16", "int32"])
def test_fixed_values_are_equal(name, arguments, dtype):
    ours, theirs = both(name, arguments)
    assert_same_bits(ours((3, 5), dtype=dtype), theirs((3, 5), dtype=dtype))


@pytest.mark.parametrize(
    ("side", "window", "scaling"),
    [("real", "hann", "density"), ("imag", "hamming", "spectrum"), ("imag", None, None), ("real", "blackman", None)],
)
def test_stft_is_bit_equal(side, window, scaling):
    ours, theirs = both("STFT", {"side": side, "window": window, "scaling": scaling, "periodic": True})
    assert_same_bits(ours((16, 1, 9)), theirs((16, 1, 9)))


@pytest.mark.parametrize("dtype", [None, "int32"])
def test_identity_with_gain(dtype):
    ours, theirs = both("Identity", {"gain": 0.3})
    assert_same_bits(ours((3, 5), dtype=dtype), theirs((3, 5), dtype=dtype))
    # Keras loses the gain when it stores the initializer.
    assert initializers.deserialize(initializers.serialize(ours)).gain == 0.3
    assert keras.initializers.deserialize(initializers.serialize(ours)).gain == 0.3


def test_axes_of_fans():
    arguments = {"seed": 4, "input_axes": [0, 2], "output_axes": [1]}
    ours, theirs = both("HeNormal", arguments)
    assert_same_bits(ours((3, 4, 5)), theirs((3, 4, 5)))


def test_default_seed_follows_the_global_seed():
    values = []
    for package, utils in ((initializers, ours_utils), (keras.initializers, keras.utils)):
        utils.set_random_seed(1234)
        values.append([np.asarray(package.get(name)((5, 3))) for name in ("glorot_uniform", "he_normal", "orthogonal")])
    for ours, theirs in zip(*values, strict=True):
        assert_same_bits(ours, theirs)


def test_an_int_seed_repeats_and_a_generator_does_not():
    from hornbeam.keras.random.seed_generator import SeedGenerator

    fixed = initializers.GlorotUniform(seed=3)
    np.testing.assert_array_equal(fixed((4, 4)), fixed((4, 4)))
    moving = initializers.GlorotUniform(seed=SeedGenerator(3))
    theirs = keras.initializers.GlorotUniform(seed=keras.random.SeedGenerator(3))
    for _ in range(3):
        assert_same_bits(moving((4, 4)), theirs((4, 4)))


NAMES = sorted(set(keras.src.initializers.ALL_OBJECTS_DICT))


@pytest.mark.parametrize("name", NAMES)
def test_every_name_of_keras_is_known(name):
    if name.lower() == "constant":
        assert initializers.get(name).value == 0.0  # Keras fails here
        return
    ours, theirs = initializers.get(name), keras.initializers.get(name)
    assert type(ours).__name__ == type(theirs).__name__
    assert initializers.serialize(ours) == keras.initializers.serialize(theirs)


@pytest.mark.parametrize(("name", "arguments"), [*RANDOM, *FIXED, ("Orthogonal", {"gain": 2.0}), ("STFT", {})])
def test_configs_equal_those_of_keras_and_cross_over(name, arguments):
    ours, theirs = both(name, arguments)
    config = initializers.serialize(ours)
    assert config == keras.initializers.serialize(theirs)
    assert initializers.serialize(initializers.deserialize(keras.initializers.serialize(theirs))) == config
    assert keras.initializers.serialize(keras.initializers.deserialize(config)) == config
    assert initializers.serialize(ours.clone()) == config


def test_a_seed_generator_is_stored():
    from hornbeam.keras.random.seed_generator import SeedGenerator

    ours = initializers.RandomNormal(seed=SeedGenerator(3, name="seeds"))
    theirs = keras.initializers.RandomNormal(seed=keras.random.SeedGenerator(3, name="seeds"))
    assert initializers.serialize(ours) == keras.initializers.serialize(theirs)
    again = initializers.deserialize(keras.initializers.serialize(theirs))
    assert isinstance(again.seed, SeedGenerator)


def test_public_names_are_those_of_keras():
    theirs = {name for name in vars(keras.initializers) if not name.startswith("_")}
    assert set(initializers.__all__) == theirs
