"""Subclassed and hybrid models."""

import copy
import pickle

import numpy as np
import pytest

from hornbeam import keras, ops
from hornbeam.core.tape import GradientTape


class Net(keras.Model):
    def __init__(self, units=3):
        super().__init__()
        self.units = units
        self.first = keras.layers.Dense(4, activation="relu")
        self.blocks = [keras.layers.Dense(units), keras.layers.Dense(units)]

    def call(self, x, training=None):
        x = self.first(x)
        for block in self.blocks:
            x = block(x)
        return x * (2.0 if training else 1.0)


def test_layers_weights_and_build():
    m = Net()
    m.build((None, 5))
    assert m.built and [type(layer).__name__ for layer in m.layers] == ["Dense"] * 3
    assert [tuple(w.shape) for w in m.weights] == [(5, 4), (4,), (4, 3), (3,), (3, 3), (3,)]
    m.summary(print_fn=lambda *a, **k: None)


def test_training_flag_reaches_call():
    m = Net()
    x = np.ones((2, 5), "float32")
    np.testing.assert_allclose(m(x, training=True).numpy(), 2 * m(x).numpy(), rtol=1e-6)


def test_python_side_effects_run_on_every_eager_call():
    seen = []

    class Talking(keras.Model):
        def __init__(self):
            super().__init__()
            self.d = keras.layers.Dense(1)

        def call(self, x):
            seen.append(float(ops.sum(x)))
            return self.d(x)

    m = Talking()
    for value in (1.0, 2.0):
        m(np.full((1, 2), value, "float32"))
    assert seen == [2.0, 4.0]


def test_jnp_inside_call_gets_gradients():
    import jax.numpy as jnp

    class Jnp(keras.layers.Layer):
        def build(self, shape):
            self.w = self.add_weight(name="w", shape=(shape[-1],), initializer="ones")

        def call(self, x):
            return jnp.sin(x) * self.w

    layer = Jnp()
    x = ops.convert_to_tensor(np.array([[0.3, 0.6]], "float32"))
    with GradientTape() as tape:
        tape.watch(x)
        y = ops.sum(ops.convert_to_tensor(layer(x)))
    dx, dw = tape.gradient(y, [x, layer.w])
    np.testing.assert_allclose(dx.numpy(), np.cos([[0.3, 0.6]]), rtol=1e-6)
    np.testing.assert_allclose(dw.numpy(), np.sin([0.3, 0.6]), rtol=1e-6)


def test_hybrid_models_and_functional_subclass():
    class Hybrid(keras.Model):
        def __init__(self):
            super().__init__()
            self.body = keras.Sequential([keras.layers.Dense(4)], name="body")
            self.head = keras.Sequential([keras.layers.Dense(2)], name="head")

        def call(self, x):
            return self.head(self.body(x))

    m = Hybrid()
    m.build((None, 3))
    assert [layer.name for layer in m.layers] == ["body", "head"] and m.count_params() == 26

    class Own(keras.Model):
        def __init__(self):
            x = keras.Input((3,))
            super().__init__(inputs=x, outputs=keras.layers.Dense(2)(x))
            self.extra = 1

    own = Own()
    assert own.output_shape == (None, 2) and tuple(own(np.ones((1, 3), "float32")).shape) == (1, 2)


@pytest.mark.parametrize("base", [keras.Model, keras.layers.Layer])
def test_attributes_may_be_set_before_super(base):
    class Early(base):
        def __init__(self, inner):
            self.inner = inner
            self.more = [keras.layers.Dense(2)]
            super().__init__(name="early")

        def call(self, x):
            return self.more[0](self.inner(x))

    made = Early(keras.layers.Dense(3))
    assert made(np.ones((1, 4), "float32")).shape == (1, 2)
    assert [tuple(weight.shape) for weight in made.weights] == [(4, 3), (3,), (3, 2), (2,)]
    assert made.name == "early" and all(weight.path.startswith("early/") for weight in made.weights)


def test_super_must_be_called():

    class Forgot(keras.layers.Layer):
        def __init__(self):
            self.n = 1

        def call(self, x):
            return x

    with pytest.raises(RuntimeError, match="must call"):
        Forgot()(np.ones((1, 1), "float32"))


def test_config_is_taken_from_the_constructor():
    @keras.saving.register_keras_serializable("tests")
    class Sized(Net):
        pass

    m = Sized(units=2)
    assert m.get_config()["units"] == 2
    assert Sized.from_config(m.get_config()).units == 2


def test_copies_are_independent():
    m = Net()
    x = np.ones((2, 5), "float32")
    want = m(x).numpy()
    twin = copy.deepcopy(m)
    np.testing.assert_array_equal(twin(x).numpy(), want)
    twin.first.kernel.assign(twin.first.kernel * 0)
    np.testing.assert_array_equal(m(x).numpy(), want)
    back = pickle.loads(pickle.dumps(m))
    np.testing.assert_array_equal(back(x).numpy(), want)


def test_weights_shared_by_two_models_stay_shared():
    base = keras.layers.Dense(2)
    x = keras.Input((3,))
    a, b = keras.Model(x, base(x)), keras.Model(x, keras.layers.Dense(1)(base(x)))
    for m in (a, b, a):
        m.compile("sgd", "mse")
        m.fit(np.ones((4, 3)), np.zeros((4, m.output_shape[-1])), verbose=0)
    assert a.weights[0] is b.weights[0]
    np.testing.assert_array_equal(a.get_weights()[0], b.get_weights()[0])


def test_shapes_remembered_from_an_abstract_build_have_no_made_up_batch():
    m = Net()
    m.build((None, 5))
    assert m.first.get_build_config() == {"input_shape": (None, 5)}
    lines = []
    m.summary(print_fn=lambda line, **_: lines.append(line))
    assert "(48" not in "\n".join(lines)


def test_losses_added_outside_of_calls_last():
    m = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    m.add_loss(100)
    m.add_loss(lambda: ops.sum(m.layers[0].kernel * 0.0) + 1.0)
    assert 100 in m.losses and len(m.losses) == 2
    m.compile("sgd", "mse")
    x = np.ones((4, 2), "float32")
    y = m.predict(x, verbose=0)
    for _ in range(2):
        np.testing.assert_allclose(m.evaluate(x, y, verbose=0), 101.0, rtol=1e-5)


def test_the_object_may_have_any_name_in_call():
    class Odd(keras.layers.Layer):
        def call(this, x, training=None):
            return x * (3.0 if training else 2.0)

    x = np.ones((1, 2), "float32")
    np.testing.assert_allclose(Odd()(x).numpy(), 2)
    np.testing.assert_allclose(Odd()(x, training=True).numpy(), 3)


def test_a_model_may_hand_itself_to_its_base():
    class Slip(keras.Model):
        def __init__(self):
            super().__init__(self)
            self.dense = keras.layers.Dense(2)

        def call(self, x):
            return self.dense(x)

    assert Slip()(np.ones((1, 3), "float32")).shape == (1, 2)
    with pytest.raises(TypeError, match="keyword arguments"):
        keras.Model(keras.layers.Dense(2))
