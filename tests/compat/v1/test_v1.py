"""``tf.compat.v1`` and ``tf.compat``: idioms of programs of that time."""

from __future__ import annotations

import logging

import numpy as np
import pytest

import hornbeam as tf
from hornbeam.base.errors import NotSupportedError
from hornbeam.compat.names.tensorflow import V1
from hornbeam.compat.v1 import images

tf1 = tf.compat.v1


@pytest.mark.parametrize("name", [name for name in V1 if name not in ("gfile",)])
def test_every_name_leads_somewhere(name):
    assert getattr(tf1, name) is not None


def test_sessions_carry_configurations_and_give_values():
    config = tf1.ConfigProto(allow_soft_placement=True)
    config.gpu_options.allow_growth = True
    config.gpu_options.per_process_gpu_memory_fraction = 0.4
    config.graph_options.optimizer_options.global_jit_level = tf1.OptimizerOptions.ON_1
    assert config.gpu_options.allow_growth is True and tf1.GPUOptions(allow_growth=True).allow_growth
    with tf1.Session(config=config) as session:
        session.run(tf1.global_variables_initializer())
        assert session.run(tf.constant(3.0)) == 3.0
        one, two = session.run([tf.Variable(1.0), {"a": tf.constant(2.0)}])
        assert one == 1.0 and two == {"a": 2.0}
        x = tf1.placeholder(tf.float32, [None, 3], name="x")
        total = tf.reduce_sum(x * 2, axis=1)
        np.testing.assert_array_equal(session.run(total, feed_dict={x: np.ones((2, 3))}), [6.0, 6.0])
    with pytest.raises(NotSupportedError, match="servers"):
        tf1.Session("grpc://somewhere")


def test_what_needs_a_graph_is_refused_with_advice():
    for call in (lambda: tf1.get_variable("a", [1]), lambda: tf1.layers.dense(None, 3), tf1.global_variables):
        with pytest.raises(NotSupportedError, match="not offered"):
            call()


def test_old_reductions_and_casts():
    values = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(tf1.reduce_sum(values, reduction_indices=1, keep_dims=True), [[3.0], [12.0]])
    np.testing.assert_array_equal(tf1.reduce_mean(values, axis=0), [1.5, 2.5, 3.5])
    assert tf1.to_float(3).dtype == tf.float32 and tf1.to_int64(3.7).dtype == tf.int64
    np.testing.assert_allclose(
        tf1.log_sigmoid(tf.constant([-1.0, 2.0])), np.log(1 / (1 + np.exp([1.0, -2.0]))), rtol=1e-5
    )
    variable = tf.Variable(1.0)
    tf1.assign_add(variable, 2.0)
    assert float(variable) == 3.0 and tf1.Dimension(3) == 3


@pytest.mark.parametrize(
    "make, kind",
    [
        (lambda: tf1.train.GradientDescentOptimizer(0.2), tf.keras.optimizers.SGD),
        (lambda: tf1.train.MomentumOptimizer(0.2, 0.9, use_nesterov=True), tf.keras.optimizers.SGD),
        (lambda: tf1.train.AdamOptimizer(0.2, beta1=0.8), tf.keras.optimizers.Adam),
        (lambda: tf1.train.RMSPropOptimizer(0.2, decay=0.8), tf.keras.optimizers.RMSprop),
        (lambda: tf1.train.AdagradOptimizer(0.2), tf.keras.optimizers.Adagrad),
        (lambda: tf1.train.AdadeltaOptimizer(0.2), tf.keras.optimizers.Adadelta),
    ],
)
def test_old_optimizers_train_keras_models(make, kind):
    # From zero the loss is far from its least value, which a large rate oversteps.
    model = tf.keras.Sequential([tf.keras.layers.Dense(1, kernel_initializer="zeros", input_shape=(2,))])
    model.compile(make(), "mse")
    assert type(model.optimizer) is kind and float(model.optimizer.learning_rate) == pytest.approx(0.2)
    history = model.fit(np.ones((8, 2)), np.ones((8, 1)), epochs=3, verbose=0).history["loss"]
    assert history[-1] < history[0]


def test_logging_levels():
    before = tf1.logging.get_verbosity()
    tf1.logging.set_verbosity(tf1.logging.ERROR)
    assert tf.get_logger().level == logging.ERROR
    tf1.logging.set_verbosity(before)


def test_flags(monkeypatch):
    monkeypatch.setattr("sys.argv", ["program", "--steps", "5", "--fast", "rest"])
    flags = tf1.flags
    flags.DEFINE_integer("steps", 1, "number of steps")
    flags.DEFINE_string("folder", "out", "where")
    flags.DEFINE_bool("fast", False, "hurry")
    assert (flags.FLAGS.steps, flags.FLAGS.folder, flags.FLAGS.fast) == (5, "out", True)
    flags.FLAGS.steps = 9
    assert flags.FLAGS.steps == 9
    with pytest.raises(SystemExit) as ended:
        tf1.app.run(lambda words: len(words))
    assert ended.value.code == 2


def test_texts_and_bytes():
    assert tf.compat.as_text(b"a") == "a" and tf.compat.as_bytes("a") == b"a" and tf.compat.as_str_any(3) == "3"
    with pytest.raises(TypeError):
        tf.compat.as_text(3)
    assert tf.compat.v2.constant is tf.constant


@pytest.mark.parametrize(
    "name, advice", [("contrib", "tf.keras"), ("Session", "compat.v1"), ("raw_ops", "public operations")]
)
def test_missing_names_say_what_to_do(name, advice):
    with pytest.raises(AttributeError, match=advice):
        getattr(tf, name)


def test_pictures_are_resized_by_the_corners_of_their_pixels():
    picture = np.float32([[0, 1], [2, 3]])[..., None]
    rows = [[0, 0.5, 1, 1], [1, 1.5, 2, 2], [2, 2.5, 3, 3], [2, 2.5, 3, 3]]
    np.testing.assert_allclose(images.resize_images(picture, (4, 4))[..., 0], rows)
    np.testing.assert_allclose(images.resize_bilinear(picture[None], (4, 4))[0, ..., 0], rows)
    ends = images.resize_bilinear(picture[None], (3, 3), align_corners=True)[0, ..., 0]
    np.testing.assert_allclose(ends, [[0, 0.5, 1], [1, 1.5, 2], [2, 2.5, 3]])
    centres = images.resize_bilinear(picture[None], (4, 4), half_pixel_centers=True)
    np.testing.assert_allclose(centres, tf.image.resize(picture[None], (4, 4)))
    nearest = images.resize_nearest_neighbor(picture[None], (4, 3))[0, ..., 0]
    np.testing.assert_array_equal(nearest, [[0, 0, 1], [0, 0, 1], [2, 2, 3], [2, 2, 3]])
    with pytest.raises(NotSupportedError, match="bicubic"):
        images.resize_images(picture, (4, 4), method=2)
    with pytest.raises(ValueError, match="exclude each other"):
        images.resize_bilinear(picture[None], (4, 4), align_corners=True, half_pixel_centers=True)


def test_renamed_functions():
    x = np.arange(32, dtype="float32").reshape(1, 4, 4, 2)
    np.testing.assert_array_equal(tf1.depth_to_space(tf1.space_to_depth(x, 2), 2), x)
    np.testing.assert_array_equal(tf1.matrix_band_part(np.ones((2, 2)), 0, 0), np.eye(2))
    patches = tf1.extract_image_patches(x, ksizes=[1, 2, 2, 1], strides=[1, 2, 2, 1], rates=[1] * 4, padding="VALID")
    assert patches.shape == (1, 2, 2, 8)
    assert float(tf1.py_func(lambda a: a.sum(), [x], tf.float32)) == x.sum()
