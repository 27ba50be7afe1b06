"""``keras.backend`` beside the functions of the cases: variables, phases, functions, gradients."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

import hornbeam as tf
from hornbeam import keras
from hornbeam.base.errors import NotSupportedError
from hornbeam.keras import backend as K

X = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")


def model() -> keras.Sequential:
    return keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(3, activation="tanh", name="hidden"),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(2, name="out"),
        ]
    )


def test_every_public_name_is_there():
    for name in K.__all__:
        assert getattr(K, name) is not None


# --- variables -----------------------------------------------------------------------------------
def test_variables_and_their_values():
    variable = K.variable([[1, 2], [3, 4]], name="v")
    assert K.dtype(variable) == "float32" and K.int_shape(variable) == (2, 2) and K.ndim(variable) == 2
    assert K.count_params(variable) == 4 and K.is_tensor(variable) and not K.is_sparse(variable)
    K.set_value(variable, np.zeros((2, 2)))
    K.update_add(variable, K.ones((2, 2)))
    K.update_sub(variable, K.constant(0.25, shape=(2, 2)))
    np.testing.assert_array_equal(K.eval(variable), np.full((2, 2), 0.75))
    K.batch_set_value([(variable, np.eye(2))])
    assert [value.tolist() for value in K.batch_get_value([variable])] == [[[1.0, 0.0], [0.0, 1.0]]]
    np.testing.assert_array_equal(K.get_value(K.eye(2)), np.eye(2))
    assert isinstance(K.zeros((2,)), keras.Variable) and K.get_value(3) == 3
    np.testing.assert_array_equal(K.get_value(K.variable(scipy.sparse.eye(2))), np.eye(2))
    with pytest.raises(ValueError, match="symbolic"):
        K.get_value(keras.Input((2,)))


def test_dtypes_settings_and_numbers():
    assert K.cast_to_floatx(np.array([1, 2])).dtype == np.float32 and K.floatx() == "float32"
    assert K.is_float_dtype("bfloat16") and K.is_int_dtype("uint8") and not K.is_int_dtype("float32")
    assert K.result_type("int32", "float32") == "float32" and K.standardize_dtype("int") == "int32"
    assert K.image_data_format() == "channels_last" and K.epsilon() == pytest.approx(1e-7) and K.backend() == "jax"
    K.reset_uids()
    assert [K.get_uid("part"), K.get_uid("part")] == [1, 2]


def test_sparse_labels():
    found = K.ctc_label_dense_to_sparse(np.array([[1, 2, 0], [3, 0, 0]]), np.array([2, 1]))
    assert K.is_sparse(found)
    np.testing.assert_array_equal(K.eval(found), [[1, 2, 0], [3, 0, 0]])
    np.testing.assert_array_equal(found.values, [1, 2, 3])


def test_draws_follow_seeds():
    np.testing.assert_array_equal(K.random_normal((3,), seed=1), K.random_normal((3,), seed=1))
    np.random.seed(7)
    first = np.asarray(K.random_uniform((4,), 2.0, 3.0))
    np.random.seed(7)
    np.testing.assert_array_equal(K.random_uniform((4,), 2.0, 3.0), first)
    assert first.min() >= 2 and first.max() < 3
    ones = np.asarray(K.random_bernoulli((4000,), p=0.3, seed=3))
    assert set(np.unique(ones)) == {0.0, 1.0} and abs(ones.mean() - 0.3) < 0.03
    assert np.abs(K.truncated_normal((500,), stddev=2.0, seed=1)).max() <= 4
    dropped = np.asarray(K.dropout(K.ones((1000,)), 0.25, seed=1))
    np.testing.assert_allclose(np.unique(dropped), [0, 1 / 0.75], rtol=1e-6)
    assert K.int_shape(K.random_normal_variable((2, 3), 0.0, 1.0)) == (2, 3)


# --- phases --------------------------------------------------------------------------------------
def test_phases():
    assert K.learning_phase() == 0 and K.in_train_phase(1, 2) == 2 and K.in_test_phase(lambda: 1, 2) == 1
    with K.learning_phase_scope(1):
        assert K.learning_phase() == 1 and K.in_train_phase(lambda: 1, 2) == 1
    assert K.learning_phase() == 0 and K.in_train_phase(1, 2, training=True) == 1
    with pytest.raises(ValueError, match="phase"):
        K.set_learning_phase(2)


def test_layers_see_the_phase_of_their_call():
    class Flag(keras.layers.Layer):
        def call(self, inputs, training=None):
            return K.in_train_phase(inputs * 2, inputs)

    layer = Flag()
    np.testing.assert_array_equal(layer(X, training=True), X * 2)
    np.testing.assert_array_equal(layer(X), X)


# --- functions -----------------------------------------------------------------------------------
def test_functions_give_inner_values():
    net = model()
    function = K.function([net.input, K.learning_phase()], [net.layers[0].output, net.output])
    hidden, out = function([X, 0])
    assert isinstance(hidden, np.ndarray) and hidden.shape == (5, 3)
    np.testing.assert_allclose(out, net.predict(X, verbose=0), rtol=1e-5, atol=1e-6)
    trained = function([X, 1])[1]
    assert not np.allclose(trained, out)
    rest = K.function([net.layers[1].input], [net.output])
    np.testing.assert_allclose(rest([hidden])[0], out, rtol=1e-5, atol=1e-6)
    single = K.function(net.inputs, K.sum(net.output))
    np.testing.assert_allclose(single([X]), out.sum(), rtol=1e-4)
    assert K.function([], [net.layers[0].kernel])([])[0].shape == (4, 3)
    hidden[:, 0] *= 2  # callers write into what they get
    np.testing.assert_allclose(hidden[:, 0], 2 * function([X, 0])[0][:, 0])


def test_functions_refuse_what_they_cannot_do():
    net = model()
    with pytest.raises(NotSupportedError, match="update"):
        K.function([net.input], [net.output], updates=[1])
    kept, count = K.variable(np.zeros(3)), K.variable(0.0)
    x = K.placeholder((None, 3))
    step = K.function([x], [K.mean(x)], updates=[(kept, K.sum(x, axis=0)), K.update_add(count, K.sum(x))])
    step([np.ones((2, 3))])
    assert step([np.ones((2, 3))])[0] == 1
    np.testing.assert_array_equal(K.get_value(kept), [2, 2, 2])
    assert K.get_value(count) == 12
    with pytest.raises(ValueError, match="2 inputs"):
        K.function([net.input, K.learning_phase()], [net.output])([X])
    with pytest.raises(ValueError, match="symbolic"):
        K.function([X], [net.output])


def test_placeholders():
    a, b = K.placeholder((None, 3)), K.placeholder(ndim=2)
    assert K.is_placeholder(a) and K.int_shape(b) == (None, None) and not K.is_placeholder(a + 1)
    total = K.function([a], [K.sum(a * 2, axis=1)])([np.ones((2, 3))])[0]
    np.testing.assert_array_equal(total, [6, 6])


@pytest.mark.parametrize("which", ["input", "inner", "weight"])
def test_gradients_equal_those_of_a_tape(which):
    net = model()
    loss = K.mean(K.square(net.output[:, 0]))
    wanted = {"input": net.input, "inner": net.layers[0].output, "weight": net.layers[0].kernel}[which]
    found = K.function([net.input], [loss, *K.gradients(loss, wanted)])([X])
    tensor = tf.constant(X)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        inner = net.layers[0](tensor)
        tape.watch(inner)
        value = tf.reduce_mean(net.layers[2](inner)[:, 0] ** 2)
    target = {"input": tensor, "inner": inner, "weight": net.layers[0].kernel}[which]
    np.testing.assert_allclose(found[0], value, rtol=1e-5)
    np.testing.assert_allclose(found[1], tape.gradient(value, target), rtol=1e-4, atol=1e-6)


def test_gradients_can_be_used_further_and_need_symbols():
    net = model()
    gradient = K.gradients(K.sum(net.output), [net.input])[0]
    scaled = gradient / (K.sqrt(K.mean(K.square(gradient))) + 1e-5)
    found = K.function([net.input], [scaled])([X])[0]
    np.testing.assert_allclose(np.sqrt(np.mean(found**2)), 1, rtol=1e-3)
    with pytest.raises(NotSupportedError, match="GradientTape"):
        K.gradients(tf.constant(1.0), [tf.Variable(1.0)])


def test_print_tensor(capsys):
    tensor = K.constant([1.0, 2.0])
    assert K.print_tensor(tensor, "values:") is tensor
    assert "values:" in capsys.readouterr().out


def test_functions_of_symbolic_tensors_keep_unknown_sizes():
    a = keras.Input((None, 4))
    assert K.int_shape(K.batch_flatten(keras.Input((3, 4)))) == (None, 12)
    assert K.int_shape(K.permute_dimensions(a, (0, 2, 1))) == (None, 4, None)
    assert K.int_shape(K.repeat(keras.Input((4,)), 3)) == (None, 3, 4)
    with pytest.raises(ValueError, match="two axes"):
        K.repeat(X[0], 2)
    with pytest.raises(ValueError, match="one size"):
        K.batch_dot(X, X[:, :3], axes=1)
