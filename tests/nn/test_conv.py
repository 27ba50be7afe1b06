"""`tf.nn` convolutions and pooling: TensorFlow's forms of the arguments, against Keras's ops and closed forms."""

import keras
import numpy as np
import pytest

import hornbeam as tf

pytestmark = pytest.mark.numeric

rng = np.random.default_rng(0)
IMAGE, FIRST = (rng.standard_normal(shape).astype("float32") for shape in ((2, 6, 5, 4), (2, 4, 6, 5)))
STEPS, VOLUME = (rng.standard_normal(shape).astype("float32") for shape in ((2, 7, 4), (1, 4, 3, 4, 2)))
K2, K1, K3, DEEP, POINT = (
    rng.standard_normal(shape).astype("float32")
    for shape in ((3, 2, 4, 6), (3, 4, 6), (2, 2, 2, 2, 3), (3, 2, 4, 2), (1, 1, 8, 3))
)
NCHW = {"data_format": "NCHW"}
C1 = {"data_format": "channels_first"}
PAIRS = [[0, 0], [1, 2], [0, 1], [0, 0]]
PADDED = np.pad(IMAGE, PAIRS)

NN, OPS = tf.nn, keras.ops
CASES = [
    (lambda: NN.conv2d(IMAGE, K2, [1, 2, 1, 1], "SAME"), lambda: OPS.conv(IMAGE, K2, (2, 1), "same")),
    (lambda: NN.conv2d(FIRST, K2, 2, "VALID", **NCHW), lambda: OPS.conv(FIRST, K2, 2, **C1)),
    (lambda: NN.conv2d(IMAGE, K2, 1, PAIRS), lambda: OPS.conv(PADDED, K2)),
    (
        lambda: NN.conv2d(IMAGE, K2, 1, "VALID", dilations=[1, 2, 1, 1]),
        lambda: OPS.conv(IMAGE, K2, dilation_rate=(2, 1)),
    ),
    (lambda: NN.atrous_conv2d(IMAGE, K2, 2, "SAME"), lambda: OPS.conv(IMAGE, K2, 1, "same", None, 2)),
    (lambda: NN.conv1d(STEPS, K1, 2, "SAME"), lambda: OPS.conv(STEPS, K1, 2, "same")),
    (lambda: NN.conv3d(VOLUME, K3, [1] * 5, "VALID"), lambda: OPS.conv(VOLUME, K3)),
    (lambda: NN.convolution(IMAGE, K2, padding="SAME"), lambda: OPS.conv(IMAGE, K2, 1, "same")),
    (
        lambda: NN.depthwise_conv2d(IMAGE, DEEP, [1, 2, 2, 1], "SAME"),
        lambda: OPS.depthwise_conv(IMAGE, DEEP, 2, "same"),
    ),
    (
        lambda: NN.separable_conv2d(IMAGE, DEEP, POINT, [1, 1, 1, 1], "VALID"),
        lambda: OPS.separable_conv(IMAGE, DEEP, POINT),
    ),
    (lambda: NN.max_pool2d(IMAGE, 2, 2, "VALID"), lambda: OPS.max_pool(IMAGE, (2, 2), (2, 2))),
    (
        lambda: NN.max_pool(IMAGE, [1, 3, 2, 1], [1, 2, 1, 1], "SAME"),
        lambda: OPS.max_pool(IMAGE, (3, 2), (2, 1), "same"),
    ),
    (lambda: NN.max_pool1d(STEPS, 3, 2, "SAME"), lambda: OPS.max_pool(STEPS, (3,), (2,), "same")),
    (
        lambda: NN.avg_pool2d(FIRST, [2, 3], 1, "SAME", **NCHW),
        lambda: OPS.average_pool(FIRST, (2, 3), (1, 1), "same", **C1),
    ),
    (lambda: NN.avg_pool3d(VOLUME, 2, 1, "VALID"), lambda: OPS.average_pool(VOLUME, (2, 2, 2), (1, 1, 1))),
    (lambda: NN.pool(IMAGE, [2, 2], "AVG"), lambda: OPS.average_pool(IMAGE, (2, 2), (1, 1))),
]


@pytest.mark.parametrize("index", range(len(CASES)))
def test_equals_keras_ops(index):
    ours, theirs = CASES[index]
    np.testing.assert_allclose(ours(), theirs(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("padding", "strides"), [("SAME", 2), ("VALID", [1, 3, 2, 1]), (PAIRS, 2)])
def test_conv2d_transpose_is_the_gradient_of_conv2d(padding, strides):
    images = tf.constant(IMAGE)
    with tf.GradientTape() as tape:
        tape.watch(images)
        out = tf.nn.conv2d(images, K2, strides, padding)
    slopes = rng.standard_normal(out.shape).astype("float32")
    expected = tape.gradient(out, images, output_gradients=tf.constant(slopes))
    got = tf.nn.conv2d_transpose(slopes, K2, IMAGE.shape, strides, padding)
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)


def test_what_does_not_fit():
    for call, message in [
        (lambda: tf.nn.conv2d_transpose(IMAGE, K2, (2, 6, 5, 4), 2), "output_shape"),
        (lambda: tf.nn.conv2d(IMAGE, K2, [2, 1, 1, 1], "SAME"), "batch and channels"),
        (lambda: tf.nn.conv2d(IMAGE, K2, [1, 1, 1], "SAME"), "elements"),
        (lambda: tf.nn.pool(IMAGE, 2, "MIN"), "pooling_type"),
        (lambda: tf.nn.pool(IMAGE, 2, "MAX", dilations=[2, 2]), "gaps"),
        (lambda: tf.nn.max_pool2d(IMAGE, 9, 1, "VALID"), "zero or negative"),
    ]:
        with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match=message):
            call()
