"""Random functions: the numbers of Keras on JAX, bit for bit."""

import jax.numpy as jnp
import keras
import numpy as np
import pytest

from hornbeam.base import settings
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tape import GradientTape
from hornbeam.core.tensor import Tensor, from_host
from hornbeam.keras import random
from hornbeam.keras.random import SeedGenerator

LOGITS = np.random.RandomState(0).randn(3, 5).astype(np.float32)
CASES = [
    ("normal", ((1001,),), {}),
    ("normal", ((200,), 1.7, 0.3), {}),
    ("normal", ((200,),), {"stddev": 0.05, "dtype": "float16"}),
    ("normal", ((200,),), {"mean": 2.0, "stddev": 0.5, "dtype": "bfloat16"}),
    ("normal", ((2, 3), LOGITS[:2, :3], 2.0), {}),
    ("truncated_normal", ((1001,),), {}),
    ("truncated_normal", ((200,), 0.2, 0.05), {}),
    ("uniform", ((1001,),), {}),
    ("uniform", ((200,), -0.37, 0.91), {}),
    ("uniform", ((200,),), {"minval": -3.0, "dtype": "float16"}),
    ("randint", ((1001,), -5, 77), {}),
    ("randint", ((200,), 0, 200), {"dtype": "uint8"}),
    ("randint", ((200,), -100, 100), {"dtype": "int8"}),
    ("categorical", (LOGITS, 7), {}),
    ("categorical", (LOGITS, 1), {"dtype": "uint8"}),
    ("dropout", (LOGITS, 0.3), {}),
    ("dropout", (LOGITS, 0.3), {"noise_shape": (3, 1)}),
    ("dropout", (LOGITS, 0.9), {"noise_shape": (None, 1)}),
    ("dropout", (LOGITS.astype(np.float16), 0.25), {}),
    ("dropout", (LOGITS, 0.0), {}),
    ("dropout", (LOGITS, 1.0), {}),
    ("shuffle", (LOGITS,), {}),
    ("shuffle", (np.arange(20, dtype=np.int32),), {}),
    ("shuffle", (LOGITS,), {"axis": 1}),
    ("gamma", ((200,), 2.5), {}),
    ("binomial", ((3,), [10.0, 20, 30], [0.3, 0.2, 0.9]), {}),
    ("beta", ((2,), [2.0, 1.0], 3.0), {}),
]


def bits(value):
    return np.ascontiguousarray(np.asarray(value)).view(np.uint8)


@pytest.mark.parametrize(("name", "args", "options"), CASES)
def test_bits_equal_keras(name, args, options):
    for seed in (0, 1337, 2**32 - 1):
        same_bits(name, args, options, seed)


def same_bits(name, args, options, seed):
    to_tensor = lambda part: from_host(part) if isinstance(part, np.ndarray) else part  # noqa: E731
    got = getattr(random, name)(*(to_tensor(arg) for arg in args), **options, seed=seed)
    # Keras computes with NumPy where it is given NumPy, and rounds float16 differently then.
    to_array = lambda part: jnp.asarray(part) if isinstance(part, np.ndarray) else part  # noqa: E731
    expected = getattr(keras.random, name)(*(to_array(arg) for arg in args), **options, seed=seed)
    assert isinstance(got, Tensor) and got.dtype == keras.backend.standardize_dtype(expected.dtype)
    assert tuple(got.shape) == tuple(expected.shape)
    np.testing.assert_array_equal(bits(got), bits(expected))


def test_a_generator_gives_the_sequence_of_keras():
    ours, theirs = SeedGenerator(42), keras.random.SeedGenerator(42)
    for _ in range(3):
        np.testing.assert_array_equal(random.normal((4,), seed=ours), keras.random.normal((4,), seed=theirs))
        np.testing.assert_array_equal(
            random.dropout(LOGITS, 0.5, seed=ours), keras.random.dropout(LOGITS, 0.5, seed=theirs)
        )
    np.testing.assert_array_equal(ours.state.numpy(), theirs.state)


def test_floatx_is_the_default_dtype():
    settings.set_floatx("float16")
    try:
        assert random.uniform((2,), seed=1).dtype == "float16"
        assert random.beta((2,), 1.0, 2.0, seed=1).dtype == "float16"
    finally:
        settings.set_floatx("float32")


def test_64_bit_dtypes_are_given_when_asked_for():
    assert random.normal((3,), dtype="float64", seed=1).dtype == "float64"
    large = random.randint((100,), 0, 2**40, dtype="int64", seed=1)
    assert large.dtype == "int64" and large.numpy().max() > 2**32


def test_wrong_arguments_raise_as_in_keras():
    for name in ("normal", "uniform", "truncated_normal"):
        with pytest.raises(ValueError, match="floating point `dtype`"):
            getattr(random, name)((2,), dtype="int32")
    with pytest.raises(ValueError, match="integer `dtype`"):
        random.randint((2,), 0, 3, dtype="float32")
    with pytest.raises(ValueError, match=r"\(batch, classes\)"):
        random.categorical(from_host(LOGITS[0].copy()), 2)
    with pytest.raises(ValueError, match=r"`seed` takes an int.*'abc', a str"):
        random.normal((2,), seed="abc")
    with pytest.raises(OverflowError, match="2\\*\\*32"):
        random.normal((2,), seed=-1)


def test_shapes_may_be_tensors_lists_and_ints():
    shape = from_host(np.array([2, 3], np.int32))
    assert tuple(random.normal(shape, seed=1).shape) == (2, 3)
    assert tuple(random.uniform([2, from_host(np.int32(4))], seed=1).shape) == (2, 4)


def test_gradients_flow_through_dropout_and_location():
    x, mean = from_host(np.ones((50,), np.float32)), from_host(np.float32(2.0))
    with GradientTape() as tape:
        tape.watch([x, mean])
        dropped = random.dropout(x, 0.5, seed=3)
        placed = random.normal((5,), mean=mean, seed=3)
    gx, gm = tape.gradient([dropped, placed], [x, mean])
    np.testing.assert_array_equal(gx.numpy(), dropped.numpy())
    assert gm.numpy() == 5.0


def test_symbolic_dropout_draws_anew_in_each_run_and_moves_no_state_while_shapes_are_inferred():
    generator = SeedGenerator(5)
    x = KerasTensor((None, 4))
    out = random.dropout(x, 0.5, seed=generator)
    assert tuple(out.shape) == (None, 4)
    np.testing.assert_array_equal(generator.state.numpy(), [5, 0])
    ones = from_host(np.ones((8, 4), np.float32))
    args, kwargs = out.node.arguments({id(x): ones})
    first, second = (out.node.operation(*args, **kwargs).numpy() for _ in range(2))
    assert (first != second).any()
    assert tuple(random.shuffle(x, seed=1).shape) == (None, 4)
