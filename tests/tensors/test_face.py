"""What all `tf` functions have in common: conversions, strings, errors, names."""

from __future__ import annotations

import subprocess
import sys
import warnings

import jax.numpy as jnp
import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras


@pytest.mark.parametrize("function", [tf.exp, tf.reduce_sum, tf.nn.relu, tf.transpose, tf.identity, tf.math.cumsum])
def test_plain_jax_and_numpy_arrays_give_tensors(function):
    for x in (jnp.ones((2, 2)), np.ones((2, 2), "float32"), [[1.0, 1.0], [1.0, 1.0]], tf.Variable(tf.ones((2, 2)))):
        out = function(x)
        assert isinstance(out, tf.Tensor)
        assert out.dtype == tf.float32


def test_numpy_operands_take_the_dtype_of_the_tensor():
    assert tf.add(tf.ones(2), np.ones(2)).dtype == tf.float32
    assert tf.maximum(np.zeros(2), tf.ones(2)).dtype == tf.float32
    assert tf.add(np.ones(2), np.ones(2)).dtype == tf.float64


def test_shapes_that_do_not_fit_raise_invalid_argument_which_is_a_value_error():
    for call in (
        lambda: tf.matmul(tf.ones((2, 3)), tf.ones((2, 3))),
        lambda: tf.add(tf.ones(3), tf.ones(2)),
        lambda: tf.reshape([1, 2, 3], (2, 2)),
        lambda: tf.concat([tf.ones((2, 2)), tf.ones((3, 3))], 0),
        lambda: tf.gather([1, 2, 3], [5]),
        lambda: tf.gather_nd([[1, 2]], [[0, 3]]),
        lambda: tf.scatter_nd([[7]], [1.0], [3]),
        lambda: tf.nn.sparse_softmax_cross_entropy_with_logits([5], [[1.0, 2.0]]),
        lambda: tf.split([1, 2, 3], 2),
        lambda: tf.slice([1, 2, 3], [2], [2]),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError):
            call()
        with pytest.raises(ValueError):
            call()


def test_wrong_python_arguments_stay_type_errors():
    with pytest.raises(TypeError, match="unexpected keyword"):
        tf.reshape([1], (1,), shapes=3)
    with pytest.raises(TypeError, match="does not take string"):
        tf.exp(["a"])
    with pytest.raises(tf.errors.UnimplementedError):
        tf.cast("a", tf.int32)
    with pytest.raises(TypeError, match="Cannot convert"):
        tf.constant(1.5, tf.int32)
    with pytest.raises(ValueError, match="float32 here, and makes no int32"):
        tf.convert_to_tensor(tf.ones(2), tf.int32)


def test_gather_out_of_range_inside_a_function_gives_zero():
    gather = tf.function(lambda x, i: tf.gather(x, i))
    assert gather(tf.constant([1.0, 2.0]), tf.constant([1, 7, -1])).numpy().tolist() == [2.0, 0.0, 0.0]


def test_strings_go_through_structural_functions():
    x = tf.constant([["b", "a"], ["c", "b"]])
    assert tf.transpose(x).numpy().tolist() == [[b"b", b"c"], [b"a", b"b"]]
    assert tf.concat([x, [["z", "é"]]], 0).numpy()[-1].tolist() == [b"z", "é".encode()]
    assert tf.sort(x).numpy().tolist() == [[b"a", b"b"], [b"b", b"c"]]
    assert tf.argsort(["b", "a"]).numpy().tolist() == [1, 0]
    assert tf.equal(x, "b").numpy().tolist() == [[True, False], [False, True]]
    assert tf.map_fn(lambda s: s + s if False else s, tf.constant(["a", "b"])).numpy().tolist() == [b"a", b"b"]
    assert tf.shape(x).numpy().tolist() == [2, 2]
    assert tf.random.shuffle(["a", "b", "c"], seed=1).shape == (3,)


def test_shape_is_known_inside_compiled_functions():
    @tf.function
    def flat(x):
        return tf.reshape(x, (tf.shape(x)[0], -1)), tf.range(tf.shape(x)[1]), tf.zeros(tf.shape(x))

    rows, numbers, zeros = flat(tf.ones((2, 3, 4)))
    assert (rows.shape, numbers.numpy().tolist(), zeros.shape) == ((2, 12), [0, 1, 2], (2, 3, 4))


def test_sizes_stay_known_under_a_tape_inside_compiled_functions():
    @tf.function
    def noisy(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.exp(x)
            twice, width = tf.shape(y)[0] * 2, tf.shape(y)[1]
            loss = tf.reduce_sum(y + tf.random.normal((twice // 2, width)))
        # Numbers written down beside sizes are known, too.
        tiled = tf.tile(tf.ones((1, 2)), tf.concat([tf.expand_dims(twice, -1), tf.constant([1])], 0))
        return tape.gradient(loss, x), tf.zeros(tf.stack([twice, 1, width])), tiled

    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a function that falls back to running eagerly says so
        slope, zeros, tiled = noisy(tf.ones((2, 3)))
    np.testing.assert_allclose(slope, np.full((2, 3), np.e), rtol=1e-6)
    assert (zeros.shape, tiled.shape) == ((4, 1, 3), (4, 2))


def test_int64_results_inside_compiled_functions():
    for function in (tf.function(lambda x: tf.argmax(x, -1)), lambda x: tf.argmax(x, -1)):
        out = function(tf.constant([[1.0, 3.0], [5.0, 2.0]]))
        assert out.dtype == tf.int64
        assert out.numpy().tolist() == [1, 0]


def test_functions_work_on_symbolic_tensors():
    inputs = keras.Input((4,))
    outputs = tf.nn.relu(tf.reduce_sum(tf.math.square(inputs) - 1.0, axis=-1, keepdims=True))
    outputs = tf.concat([outputs, tf.cast(inputs > 0, tf.float32)], axis=-1)
    assert tuple(outputs.shape) == (None, 5)
    model = keras.Model(inputs, outputs)
    x = np.arange(8, dtype="float32").reshape(2, 4)
    wanted = np.concatenate([np.maximum((x**2 - 1).sum(-1, keepdims=True), 0), x > 0], -1)
    np.testing.assert_allclose(np.asarray(model(x)), wanted, rtol=1e-6)


def test_every_public_name_is_found_and_import_stays_light():
    missing = [name for name in tf.__all__ if not hasattr(tf, name)]
    assert not missing
    assert tf.newaxis is None
    assert tf.losses is keras.losses
    assert tf.random_normal_initializer is keras.initializers.RandomNormal
    code = "import hornbeam, sys; print(sorted({'jax', 'numpy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_rounding_has_no_gradient_and_stop_gradient_neither():
    x = tf.Variable([1.5, 2.5])
    with tf.GradientTape(persistent=True) as tape:
        rounded, stopped = tf.round(x), tf.stop_gradient(x)
    assert tape.gradient(rounded, x) is None
    assert tape.gradient(stopped, x) is None
    zero = tape.gradient(rounded, x, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    assert zero.numpy().tolist() == [0.0, 0.0]


def test_what_graphs_had_is_refused_with_advice():
    with pytest.raises(NotImplementedError, match="GradientTape"):
        tf.gradients(1, 2)
    with pytest.raises(NotImplementedError, match="layout"):
        tf.zeros((2,), layout="x")


@pytest.mark.parametrize(("mode", "margins"), [("REFLECT", [[0, 0], [3, 0]]), ("SYMMETRIC", [[0, 3], [0, 0]])])
def test_margins_wider_than_the_mirror_are_refused(mode, margins):
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"at most 2 on each side for mode='{mode}'"):
        tf.pad([[1, 2, 3], [4, 5, 6]], margins, mode)
    assert tf.pad([[1, 2, 3], [4, 5, 6]], [[0, 1], [2, 2]], mode).shape == (3, 7)


def test_variables_in_a_graph_keep_changing():
    weights = tf.Variable(np.ones((3, 2), "float32"))
    inputs = keras.Input((3,))
    model = keras.Model(inputs, tf.matmul(inputs, weights))
    x = np.ones((1, 3), "float32")
    np.testing.assert_array_equal(model(x), [[3.0, 3.0]])
    weights.assign(weights * 2)
    np.testing.assert_array_equal(model(x), [[6.0, 6.0]])
    np.testing.assert_array_equal(model.predict(x, verbose=0), [[6.0, 6.0]])
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(model(x))
    np.testing.assert_array_equal(tape.gradient(total, weights), np.ones((3, 2)))


def test_sizes_in_lists_may_be_computed_as_floats():
    half = tf.math.ceil(tf.constant(5) / 2)
    assert half.dtype.is_floating
    assert tf.tile(tf.ones((1, 2)), [half, 1]).shape == (3, 2)
    assert tf.reshape(tf.range(6), [half, 2]).shape == (3, 2)


def test_one_element_is_a_number():
    assert int(tf.constant([3])) == 3 and float(tf.constant([[2.5]])) == 2.5
    with pytest.raises(TypeError):
        int(tf.constant([1, 2]))
