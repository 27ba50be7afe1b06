"""Resizing, cutting and padding against Keras."""

import keras
import numpy as np
import pytest

from hornbeam.core.tensor import from_host
from hornbeam.ops import image as ops
from hornbeam.ops.image.taps import axis_weights
from tests.ops.numpy.compare import Case, same_as_keras, same_gradients, same_symbolic
from tests.ops.numpy.oracle import numbers

LAST = numbers("float32", (2, 9, 7, 3))
FIRST = numbers("float32", (2, 3, 9, 7), seed=1)
METHODS = ("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5")
RESIZE = [
    Case(ops.resize, LAST, size, interpolation=method, antialias=antialias)
    for method in METHODS
    for antialias in (False, True)
    for size in ((4, 11), (18, 3))
] + [
    Case(ops.resize, FIRST, (5, 6), data_format="channels_first"),
    Case(ops.resize, LAST[0].copy(), (5, 6)),
    Case(ops.resize, LAST, (6, 12), crop_to_aspect_ratio=True),
    Case(ops.resize, LAST, (12, 6), crop_to_aspect_ratio=True, interpolation="nearest"),
    Case(ops.resize, LAST, (6, 12), pad_to_aspect_ratio=True, fill_value=0.5),
    Case(ops.resize, LAST, (12, 6), pad_to_aspect_ratio=True),
    Case(ops.resize, FIRST, (6, 12), pad_to_aspect_ratio=True, fill_value=-1.0, data_format="channels_first"),
    Case(ops.resize, FIRST[0].copy(), (6, 12), crop_to_aspect_ratio=True, data_format="channels_first"),
]
REST = [
    Case(ops.pad_images, LAST, top_padding=1, left_padding=2, target_height=15, target_width=10),
    Case(ops.pad_images, FIRST, 1, 2, 3, 4, data_format="channels_first"),
    Case(ops.pad_images, LAST[0].copy(), bottom_padding=1, right_padding=2, target_height=15, target_width=10),
    Case(ops.crop_images, LAST, 1, 2, target_height=4, target_width=5),
    Case(ops.crop_images, FIRST, 1, 2, 3, 0, data_format="channels_first"),
    Case(ops.crop_images, LAST[0].copy(), bottom_cropping=1, right_cropping=2, target_height=3, target_width=4),
    Case(
        ops.scale_and_translate,
        LAST,
        (2, 6, 8, 3),
        np.float32([0.7, 1.2]),
        np.float32([0.3, -1.0]),
        (1, 2),
        "linear",
    ),
]


@pytest.mark.parametrize("case", RESIZE + REST, ids=repr)
def test_equals_keras_with_gradients_and_symbolic_shapes(case):
    same_as_keras(case, 6e-6)
    if case.name == "scale_and_translate":
        return
    if "interpolation" not in case.kwargs or (case.kwargs["interpolation"], case.args[1]) == ("bicubic", (18, 3)):
        same_gradients(case)
        if case.args[0].ndim == 4:
            same_symbolic(case)


@pytest.mark.parametrize("method", ["cubic", "bilinear", "lanczos3", "lanczos5"])
@pytest.mark.parametrize("antialias", [True, False])
def test_scale_and_translate_methods(method, antialias):
    arguments = ((2, 5, 8, 3), np.float32([0.5, 1.3]), np.float32([0.2, 0.4]), (1, 2), method)
    same_as_keras(Case(ops.scale_and_translate, LAST, *arguments, antialias=antialias), 3e-6)


@pytest.mark.parametrize(
    "dtype, method",
    [
        ("uint8", "bilinear"),
        ("uint8", "bicubic"),
        ("int32", "nearest"),
        ("float16", "bilinear"),
        ("bfloat16", "nearest"),
    ],
)
def test_dtypes_are_kept(dtype, method):
    pixels = np.random.default_rng(0).integers(0, 256, (1, 8, 6, 3)).astype("uint8")
    given = keras.ops.cast(pixels, dtype)
    expected = keras.ops.image.resize(given, (12, 9), interpolation=method)
    got = ops.resize(from_host(np.asarray(given)), (12, 9), interpolation=method)
    assert got.dtype == dtype
    difference = np.abs(got.numpy().astype("float64") - np.asarray(expected).astype("float64"))
    if dtype in ("uint8", "int32"):
        # Ties of rounding may fall either way.
        assert difference.max() <= 1 and (difference > 0).mean() < 0.04
    else:
        # The oracle's weights are in half precision, 11 or 8 bits.
        assert difference.max() <= {"float16": 0.5, "bfloat16": 4.0}[dtype]


def test_weights_sum_to_one_and_area_is_a_mean():
    for method in ("bilinear", "bicubic", "lanczos3", "mitchellcubic", "gaussian", "area"):
        for size, target in ((7, 3), (3, 7), (8, 8), (100, 9)):
            np.testing.assert_allclose(axis_weights(size, target, method, True).sum(axis=1), 1.0, atol=1e-6)
    blocks = np.arange(12.0)
    np.testing.assert_allclose(axis_weights(12, 3, "area", False) @ blocks, blocks.reshape(3, 4).mean(axis=1))


def test_wrong_arguments_raise():
    x = from_host(LAST)
    for bad in ({"size": (3,)}, {"size": (0, 3)}, {"size": (3, 3), "interpolation": "cubic2"}):
        with pytest.raises(ValueError, match="resize"):
            ops.resize(x, **bad)
    with pytest.raises(ValueError, match="only one of"):
        ops.resize(x, (3, 3), crop_to_aspect_ratio=True, pad_to_aspect_ratio=True)
    with pytest.raises(ValueError, match="fill_mode"):
        ops.resize(x, (3, 3), fill_mode="reflect")
    with pytest.raises(ValueError, match="3 axes"):
        ops.resize(from_host(LAST[0, 0].copy()), (3, 3))
    with pytest.raises(ValueError, match="exactly two"):
        ops.pad_images(x, 1, 1, 1, 1, 20, 20)
    with pytest.raises(ValueError, match="do not fit"):
        ops.pad_images(x, top_padding=1, left_padding=1, target_height=3, target_width=20)
    with pytest.raises(ValueError, match="do not fit"):
        ops.crop_images(x, 20, 1, target_height=3, target_width=2)
    with pytest.raises(ValueError, match="negative"):
        ops.crop_images(x, -1, 1, target_height=3, target_width=2)
