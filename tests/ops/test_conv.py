"""Convolution and pooling ops against Keras."""

import keras
import ml_dtypes
import numpy as np
import pytest

from hornbeam.base import settings
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import from_host
from hornbeam.ops import pooling
from hornbeam.ops.conv import conv, conv_transpose, depthwise_conv, separable_conv
from tests.ops.numpy.compare import Case, same_as_keras, same_gradients
from tests.ops.numpy.oracle import difference, numbers

pytestmark = pytest.mark.numeric

IMAGE, FIRST = numbers("float32", (2, 6, 5, 4)), numbers("float32", (2, 4, 6, 5), seed=1)
STEPS, VOLUME = numbers("float32", (2, 7, 4), seed=2), numbers("float32", (1, 4, 3, 4, 2), seed=3)
K2, K1 = numbers("float32", (3, 2, 4, 6), seed=4), numbers("float32", (3, 2, 6), seed=5)
K3, DEEP = numbers("float32", (2, 2, 2, 2, 3), seed=6), numbers("float32", (3, 2, 4, 2), seed=7)
POINT, WIDE = numbers("float32", (1, 1, 8, 3), seed=8), numbers("float32", (2, 3, 3, 4), seed=9)
CHANNELS_FIRST = {"data_format": "channels_first"}

CONVOLUTIONS = [
    Case(conv, IMAGE, K2),
    Case(conv, IMAGE, K2, strides=(2, 1), padding="same"),
    Case(conv, IMAGE, K2, 1, "valid", None, 2),
    Case(conv, FIRST, K2, strides=3, padding="SAME", **CHANNELS_FIRST),
    Case(conv, STEPS, K1, strides=[2], padding="same"),
    Case(conv, VOLUME, K3),
    Case(depthwise_conv, IMAGE, DEEP, strides=2, padding="same"),
    Case(depthwise_conv, FIRST, DEEP, dilation_rate=(2, 1), **CHANNELS_FIRST),
    Case(separable_conv, IMAGE, DEEP, POINT, padding="same"),
    Case(conv_transpose, IMAGE, WIDE, strides=2),
    Case(conv_transpose, IMAGE, WIDE, strides=(2, 3), padding="same", output_padding=(1, 2)),
    Case(conv_transpose, FIRST, WIDE, padding="same", dilation_rate=2, **CHANNELS_FIRST),
]
POOLS = [
    Case(pooling.max_pool, IMAGE, 2, 2),
    Case(pooling.max_pool, FIRST, (3, 2), strides=(2, 1), padding="same", **CHANNELS_FIRST),
    Case(pooling.average_pool, IMAGE, (2, 2), (2, 2), "same"),
    Case(pooling.average_pool, VOLUME, 2, strides=1),
    Case(pooling.adaptive_average_pool, IMAGE, (4, 2)),
    Case(pooling.adaptive_max_pool, FIRST, 3, **CHANNELS_FIRST),
]


@pytest.mark.parametrize("case", CONVOLUTIONS + POOLS, ids=repr)
def test_equals_keras(case):
    same_as_keras(case, 1e-5)


@pytest.mark.parametrize("case", CONVOLUTIONS[1::3] + POOLS[::2], ids=repr)
def test_gradients_equal_keras(case):
    same_gradients(case)


@pytest.mark.parametrize("dtype, tolerance", [("float16", 5e-4), ("bfloat16", 4e-3)])
@pytest.mark.parametrize("case", [CONVOLUTIONS[1], CONVOLUTIONS[6], CONVOLUTIONS[9], *POOLS[1:3]], ids=repr)
def test_16_bit_floats_are_rounded_once(case, dtype, tolerance):
    """Half a step of the type away from what Keras finds in float32 for the same numbers."""
    if case.function is conv_transpose:
        tolerance *= 8  # its lowering adds the window's parts up in the type itself
    low = Case(case.function, *with_dtype(case.args, dtype), **case.kwargs)
    wide = [arg.astype("float32") if isinstance(arg, np.ndarray) else arg for arg in low.args]
    expected = np.asarray(getattr(keras.ops, case.name)(*wide, **case.kwargs))
    received = low.function(*(from_host(arg) if isinstance(arg, np.ndarray) else arg for arg in low.args), **low.kwargs)
    assert received.dtype == dtype
    assert difference(received.numpy().astype("float32"), expected) <= tolerance


def with_dtype(args, dtype):
    kind = np.dtype(getattr(ml_dtypes, dtype, dtype))
    return [arg.astype(kind) if isinstance(arg, np.ndarray) else arg for arg in args]


def test_inputs_take_the_dtype_of_the_kernel():
    whole = np.round(IMAGE).astype("int32")
    out = conv(whole, K2)
    assert out.dtype == "float32"
    np.testing.assert_allclose(out, keras.ops.conv(whole.astype("float32"), K2), rtol=1e-5, atol=1e-5)


def test_the_global_data_format_counts_at_each_call():
    kernel = numbers("float32", (2, 2, 4, 3))
    before = conv(IMAGE, kernel)
    settings.set_image_data_format("channels_first")
    try:
        assert conv(FIRST, kernel).shape == (2, 3, 5, 4)
        assert pooling.max_pool(FIRST, 2).shape == (2, 4, 3, 2)
    finally:
        settings.set_image_data_format("channels_last")
    np.testing.assert_array_equal(conv(IMAGE, kernel), before)


def test_symbolic_shapes():
    images = KerasTensor((None, 8, None, 4))
    assert conv(images, K2, padding="same", strides=2).shape == (None, 4, None, 6)
    assert conv_transpose(images, WIDE, strides=2).shape == (None, 16, None, 3)
    assert pooling.max_pool(images, 2).shape == (None, 4, None, 4)
    assert pooling.adaptive_max_pool(images, (3, 5)).shape == (None, 3, 5, 4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: conv(IMAGE, K2[:, :, :3]), "without a rest"),
        (lambda: conv(IMAGE, K1), "equal rank"),
        (lambda: conv(IMAGE, K2, dilation_rate=5), "nothing is left of the output"),
        (lambda: conv(IMAGE, K2, strides=(1, 1, 1)), "strides"),
        (lambda: conv(IMAGE, K2, padding="full"), "padding"),
        (lambda: conv(IMAGE, K2[:, :, :2, :5]), "groups"),
        (lambda: depthwise_conv(IMAGE, DEEP[:, :, :3]), "another number of input channels"),
        (lambda: conv_transpose(IMAGE, K2), "another number of input channels"),
        (lambda: pooling.max_pool(IMAGE, 7), "zero or negative"),
        (lambda: pooling.average_pool(IMAGE, 2, padding="causal"), "padding"),
        (lambda: pooling.max_pool(from_host(STEPS[0]), 2), "spatial axes"),
        (lambda: pooling.max_pool(IMAGE, 0), "positive"),
    ],
)
def test_errors_say_what_does_not_fit(call, message):
    with pytest.raises(ValueError, match=message):
        call()
