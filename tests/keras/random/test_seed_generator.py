"""Generators, the global one, seeds of the process, and state inside compiled programs."""

import random as python_random

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from hornbeam.core import random_state
from hornbeam.core.frame import Program
from hornbeam.core.symbolic import KerasTensor, infer
from hornbeam.core.tensor import Tensor
from hornbeam.keras import random
from hornbeam.keras.random.seed_generator import SeedGenerator, draw_seed, global_seed_generator, make_default_seed
from hornbeam.keras.utils.random_seed import get_random_seed, set_random_seed


def keras_draws(seed):
    keras.utils.set_random_seed(seed)
    generator = keras.random.SeedGenerator()
    return [
        *(np.asarray(keras.random.normal((3,))) for _ in range(3)),
        *(np.asarray(keras.random.uniform((3,), seed=generator)) for _ in range(2)),
        np.asarray(keras.random.randint((3,), 0, 9)),
        keras.random.SeedGenerator().state.numpy(),
        np.random.rand(2),
        python_random.random(),
    ]


def our_draws(seed):
    set_random_seed(seed)
    generator = SeedGenerator()
    return [
        *(random.normal((3,)).numpy() for _ in range(3)),
        *(random.uniform((3,), seed=generator).numpy() for _ in range(2)),
        random.randint((3,), 0, 9).numpy(),
        SeedGenerator().state.numpy(),
        np.random.rand(2),
        python_random.random(),
    ]


@pytest.mark.parametrize("seed", [0, 3, 123456])
def test_after_set_random_seed_all_draws_are_those_of_keras(seed):
    expected = keras_draws(seed)
    for one, other in zip(our_draws(seed), expected, strict=True):
        np.testing.assert_array_equal(one, other)
    assert get_random_seed() == seed


def test_next_in_order_and_scrambled_equal_keras():
    ours, theirs = SeedGenerator(2**32 - 1), keras.random.SeedGenerator(2**32 - 1)
    for ordered in (True, False, True, False, False):
        np.testing.assert_array_equal(ours.next(ordered).numpy(), theirs.next(ordered))
        np.testing.assert_array_equal(ours.state.numpy(), theirs.state.numpy())
    assert ours.next().dtype == "uint32" and tuple(ours.next().shape) == (2,)


def test_state_is_a_variable_that_is_not_trained():
    generator = SeedGenerator(7)
    assert not generator.state.trainable and generator.state.dtype == "uint32"
    assert generator.state.name == "seed_generator_state"
    assert generator.state.path == f"{generator.name}/seed_generator_state"


def test_config_gives_a_generator_that_starts_anew():
    generator = SeedGenerator(7, name="mine")
    generator.next()
    assert generator.get_config() == {"seed": 7, "name": "mine"}
    twin = SeedGenerator.from_config(generator.get_config())
    np.testing.assert_array_equal(twin.state.numpy(), [7, 0])
    assert SeedGenerator().get_config()["seed"] is None


def test_wrong_seeds_raise():
    for wrong in ("a", 1.5, np.int64(3)):
        with pytest.raises(ValueError, match="`seed` is an int, or None"):
            SeedGenerator(wrong)
    with pytest.raises(ValueError, match="Unrecognized"):
        SeedGenerator(1, speed=3)
    with pytest.raises(ValueError, match=r"set_random_seed.*is an int"):
        set_random_seed("1")


def test_draw_seed_takes_what_keras_takes_and_key_data():
    np.testing.assert_array_equal(draw_seed(9).numpy(), [9, 0])
    key = jnp.array([1, 2], jnp.uint32)
    assert draw_seed(key) is key
    np.testing.assert_array_equal(random.normal((3,), seed=key), keras.random.normal((3,), seed=key))
    assert 1 <= make_default_seed() <= 10**9


def test_reset_forgets_the_global_generator():
    set_random_seed(5)
    first = global_seed_generator()
    assert global_seed_generator() is first
    random_state.reset()
    assert global_seed_generator() is not first and get_random_seed() is None


@pytest.mark.parametrize("seed", [None, "generator"])
def test_a_compiled_step_draws_new_numbers_on_each_run(seed):
    set_random_seed(11)
    generator = SeedGenerator(4) if seed else None
    program = Program(lambda x: x * random.uniform((4,), seed=generator)._value, [jnp.ones(4)])
    (state,) = program.writes
    assert program.reads == [state]
    assert state is (generator or global_seed_generator()).state
    step = jax.jit(lambda reads, x: program.pure(reads, program.consts, [x]))
    drawn = []
    for _ in range(3):
        (out,), (new,) = step([state._array], jnp.ones(4))
        state.assign(new)
        drawn.append(np.asarray(out))
    again = SeedGenerator(4) if seed else (set_random_seed(11), global_seed_generator())[1]
    for numbers in drawn:
        expected = random.uniform((4,), seed=draw_seed(again) if seed else None)
        np.testing.assert_array_equal(numbers, expected.numpy())


def test_inference_of_shapes_moves_no_state():
    generator = SeedGenerator(1)
    out = infer(lambda x: Tensor(random.normal((2,), seed=generator)._value + x._value), KerasTensor((2,)))
    assert tuple(out.shape) == (2,)
    np.testing.assert_array_equal(generator.state.numpy(), [1, 0])


def test_the_global_generator_inside_a_foreign_transformation_raises():
    with pytest.raises(ValueError, match="without a seed"):
        jax.jit(lambda: random.normal((2,))._value)()
    with pytest.raises(RuntimeError, match="traced value"):
        jax.jit(lambda: random.normal((2,), seed=SeedGenerator(1))._value)()
    fixed = jax.jit(lambda: random.normal((2,), seed=3)._value)()
    np.testing.assert_array_equal(fixed, keras.random.normal((2,), seed=3))
