"""What `initializers.get` takes, and what it refuses."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam.core.tensor import from_host
from hornbeam.keras import initializers
from hornbeam.keras.saving import custom_object_scope


def test_none_and_callables():
    def my_init(shape, dtype=None):
        return np.zeros(shape, dtype)

    assert initializers.get(None) is None
    assert initializers.get(my_init) is my_init
    assert type(initializers.get(initializers.Ones)) is initializers.Ones
    with custom_object_scope({"my_init": my_init}):
        assert initializers.get("my_init") is my_init


def test_a_tensor_is_its_own_value():
    value = np.arange(6.0).reshape(2, 3)
    given = initializers.get(from_host(value))
    assert given((2, 3), dtype="float32").dtype == "float32"
    np.testing.assert_array_equal(given((2, 3)), value)
    with pytest.raises(ValueError, match=r"fills variables of its own shape, \(2, 3\)"):
        given((3, 2))


def test_unknown_names_are_refused_with_the_closest():
    with pytest.raises(ValueError, match=r"glorot_unifrom \(did you mean 'glorot_uniform'\?\)"):
        initializers.get("glorot_unifrom")
    with pytest.raises(ValueError, match="Unknown initializer: 3"):
        initializers.get(3)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: initializers.VarianceScaling(scale=0), "scale"),
        (lambda: initializers.VarianceScaling(mode="fan_inn"), "did you mean 'fan_in'"),
        (lambda: initializers.VarianceScaling(distribution="cauchy"), "distribution"),
        (lambda: initializers.GlorotUniform(seed="a"), "SeedGenerator"),
        (lambda: initializers.Identity()((3,)), "of two axes"),
        (lambda: initializers.Orthogonal()((3,)), "two or more axes"),
        (lambda: initializers.STFT(side="up"), "side"),
        (lambda: initializers.STFT(window="no such window"), "window"),
        (lambda: initializers.GlorotUniform()((None, 3)), "all sizes"),
    ],
)
def test_bad_arguments(make, text):
    with pytest.raises(ValueError, match=text):
        make()


def test_many_shapes_share_their_programs():
    initializers.HeNormal(seed=1)((10, 10))
    compiled = []
    jax.monitoring.register_event_duration_secs_listener(
        lambda event, duration, **_: compiled.append(event) if event.endswith("backend_compile_duration") else None
    )
    for size in range(2, 40):
        initializers.HeNormal(seed=size)((3, 3, size, 2 * size))
        initializers.Zeros()((size, 3))
    # The copies to the device may compile nothing either: 38 shapes, at most the long pieces' program.
    assert len(compiled) <= 2, len(compiled)


def test_inside_a_trace_concrete_seeds_give_constants():
    @jax.jit
    def inside(x):
        return x + initializers.GlorotUniform(seed=3)((4, 5)).value

    expected = initializers.GlorotUniform(seed=3)((4, 5)).numpy()
    np.testing.assert_array_equal(inside(jnp.zeros((4, 5))), expected)


@pytest.mark.parametrize("name", ["glorot_uniform", "he_normal", "random_normal", "orthogonal"])
def test_a_traced_key_gives_the_same_values(name):
    """A ``SeedGenerator`` inside a compiled function: the key is known only when the program runs."""
    initializer = initializers.get(name)

    def values(key):
        initializer.key = lambda: key
        return initializer((5, 4)).value

    key = np.array([7, 3], np.uint32)
    np.testing.assert_allclose(jax.jit(values)(key), values(key), rtol=1e-6, atol=1e-7)


def test_the_base_class_says_what_is_missing():
    with pytest.raises(NotImplementedError, match="__call__"):
        initializers.Initializer()((2,))
