"""Colour conversions against Keras."""

import colorsys

import numpy as np
import pytest

from hornbeam.core.tensor import from_host
from hornbeam.ops import image as ops
from tests.ops.numpy.compare import Case, same_as_keras, same_gradients, same_symbolic

RNG = np.random.default_rng(0)
LAST = RNG.random((2, 5, 4, 3)).astype("float32")
FIRST = np.ascontiguousarray(LAST.transpose(0, 3, 1, 2))
CASES = [
    Case(function, images, data_format=form)
    for function in (ops.rgb_to_grayscale, ops.rgb_to_hsv, ops.hsv_to_rgb)
    for images, form in ((LAST, "channels_last"), (FIRST, "channels_first"), (LAST[0].copy(), None))
]


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_equals_keras_with_gradients_and_symbolic_shapes(case):
    same_as_keras(case, 1e-6)
    same_gradients(case, 2e-4)
    if case.args[0].ndim == 4:
        same_symbolic(case)


def test_hues_equal_the_standard_library():
    colours = np.concatenate([LAST.reshape(-1, 3), np.eye(3), np.ones((1, 3)), np.zeros((1, 3))]).astype("float32")
    expected = np.array([colorsys.rgb_to_hsv(*colour) for colour in colours.astype("float64")])
    got = ops.rgb_to_hsv(from_host(colours[None])).numpy()[0]
    np.testing.assert_allclose(got, expected, atol=1e-6)
    np.testing.assert_allclose(ops.hsv_to_rgb(from_host(got[None])).numpy()[0], colours, atol=1e-6)


def test_bytes_and_grey_images():
    pixels = RNG.integers(0, 256, (1, 4, 4, 3)).astype("uint8")
    same_as_keras(Case(ops.rgb_to_grayscale, pixels))
    grey = from_host(pixels[..., :1].copy())
    np.testing.assert_array_equal(ops.rgb_to_grayscale(grey).numpy(), pixels[..., :1])
    with pytest.raises(ValueError, match="floating"):
        ops.rgb_to_hsv(from_host(pixels))
    with pytest.raises(ValueError, match="3 channels"):
        ops.rgb_to_grayscale(from_host(pixels[..., :2].copy()))
    with pytest.raises(ValueError, match="3 axes"):
        ops.hsv_to_rgb(from_host(LAST[0, 0].copy()))
