"""Blurring, edges, likeness and patches against Keras."""

import numpy as np
import pytest

from hornbeam.core.tensor import from_host
from hornbeam.ops import image as ops
from tests.ops.numpy.compare import Case, same_as_keras, same_gradients, same_symbolic
from tests.ops.numpy.oracle import numbers

LAST = numbers("float32", (2, 19, 14, 3))
FIRST = np.ascontiguousarray(LAST.transpose(0, 3, 1, 2))
OTHER = numbers("float32", (2, 19, 14, 3), seed=2)
VOLUME = numbers("float32", (2, 6, 7, 5, 2))
SIGMA = (1.3, 0.7)
CASES = [
    Case(ops.gaussian_blur, LAST, (3, 3), SIGMA, data_format="channels_last"),
    Case(ops.gaussian_blur, LAST, (5, 3), SIGMA, data_format="channels_last"),
    Case(ops.gaussian_blur, LAST, (21, 17), SIGMA, data_format="channels_last"),
    Case(ops.gaussian_blur, LAST, (4, 3), SIGMA, data_format="channels_last"),
    Case(ops.gaussian_blur, FIRST, (3, 7), SIGMA, data_format="channels_first"),
    Case(ops.sobel_edges, LAST),
    Case(ops.sobel_edges, FIRST, data_format="channels_first"),
    Case(ops.ssim, LAST, OTHER),
    Case(ops.ssim, LAST, LAST * np.float32(0.9), max_val=2.0, filter_size=7, filter_sigma=1.0),
    Case(ops.ssim, FIRST, FIRST[::-1].copy(), data_format="channels_first"),
    Case(ops.ssim, LAST[0].copy(), OTHER[0].copy()),
    Case(ops.extract_patches, LAST, 3),
    Case(ops.extract_patches, LAST, (3, 2), strides=(2, 1), padding="same"),
    Case(ops.extract_patches, LAST, (3, 2), strides=1, dilation_rate=2),
    Case(ops.extract_patches, FIRST, 4, padding="same", data_format="channels_first"),
    Case(ops.extract_patches, LAST[0].copy(), 4),
    Case(ops.extract_patches, VOLUME, (2, 3, 2), strides=(1, 2, 2)),
    Case(ops.extract_patches_3d, VOLUME, 2, padding="same"),
    Case(ops.extract_patches_3d, VOLUME[0].copy(), (2, 3, 2), strides=1),
]


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_equals_keras_with_gradients_and_symbolic_shapes(case):
    same_as_keras(case, 2e-5)
    same_gradients(case, 1e-4)
    if case.args[0].ndim >= 4 and "3d" not in case.name and case.args[0].shape[0] == 2:
        same_symbolic(case)


def test_blurring_keeps_the_mean_away_from_the_edges():
    flat = from_host(np.full((1, 40, 40, 1), 0.25, np.float32))
    out = ops.gaussian_blur(flat, (9, 9), (2.0, 2.0)).numpy()[0, 10:-10, 10:-10, 0]
    np.testing.assert_allclose(out, 0.25, atol=1e-6)


def test_wrong_arguments_raise():
    x = from_host(LAST)
    with pytest.raises(ValueError, match="batch of images"):
        ops.sobel_edges(from_host(LAST[0].copy()))
    with pytest.raises(TypeError, match="size"):
        ops.extract_patches(x, "3")
    with pytest.raises(ValueError, match="two or three"):
        ops.extract_patches(x, (1, 2, 3, 4))
    with pytest.raises(ValueError, match="padding"):
        ops.extract_patches(x, 2, padding="full")
    with pytest.raises(ValueError, match="axes"):
        ops.extract_patches(from_host(LAST[0].copy()), (2, 2, 2))
