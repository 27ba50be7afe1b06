"""Affine, perspective and elastic warps against Keras."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from hornbeam import ops as keras_ops
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tape import GradientTape
from hornbeam.core.tensor import from_host
from hornbeam.ops import image as ops
from tests.ops.numpy.compare import Case, same_as_keras, same_gradients, same_symbolic
from tests.ops.numpy.oracle import numbers

LAST = numbers("float32", (2, 9, 7, 3))
FIRST = np.ascontiguousarray(LAST.transpose(0, 3, 1, 2))
# Odd numbers: no coordinate lies on a pixel or half-way between two, where slopes and roundings jump.
MAPS = np.float32(
    [[0.917, 0.213, -1.331, -0.157, 1.109, 0.723, 0, 0], [1.43, -0.31, 2.229, 0.351, 0.807, -3.117, 0, 0]]
)
START = np.float32([[[0.137, 0.211], [6.093, 0.083], [0.057, 8.141], [6.129, 8.031]]] * 2)
END = START + numbers("float32", (2, 4, 2), seed=3)
FILLS = ("constant", "nearest", "wrap", "mirror", "reflect")
PLACES = numbers("float32", (3, 4, 5), seed=5) * 4
AFFINE = [
    Case(ops.affine_transform, LAST, MAPS.tolist(), interpolation=how, fill_mode=fill, fill_value=0.5)
    for how in ("nearest", "bilinear")
    for fill in FILLS
] + [
    Case(ops.affine_transform, FIRST, MAPS.tolist(), fill_mode="reflect", data_format="channels_first"),
    Case(ops.affine_transform, LAST[0].copy(), MAPS[0].tolist()),
]
PERSPECTIVE = [
    Case(ops.perspective_transform, LAST, START, END, interpolation="nearest", fill_value=0.3),
    Case(ops.perspective_transform, LAST, START, END),
    Case(ops.perspective_transform, FIRST, START, END, data_format="channels_first"),
]
MAPPED = [
    Case(ops.map_coordinates, LAST[0].copy(), PLACES, order, fill_mode=fill) for order in (0, 1) for fill in FILLS
]


@pytest.mark.parametrize("case", AFFINE + PERSPECTIVE + MAPPED, ids=repr)
def test_equals_keras_with_gradients_and_symbolic_shapes(case):
    # The oracle solves for the map in float32 too; its last bits move the coordinates.
    same_as_keras(case, 2e-5 if case.name == "perspective_transform" else 5e-6)
    chosen = case.kwargs.get("fill_mode") in (None, "reflect") and case.kwargs.get("interpolation") != "nearest"
    if chosen and not (case.name == "map_coordinates" and case.args[2] == 0):
        same_gradients(case, 2e-4)
    if chosen and case.args[0].ndim == 4 and case.name != "affine_transform":
        same_symbolic(case)


def test_symbolic_affine_warp():
    out = ops.affine_transform(KerasTensor((None, 9, None, 3)), KerasTensor((None, 8)))
    assert tuple(out.shape) == (None, 9, None, 3) and out.dtype == "float32"


def test_gradient_of_the_map():
    def oracle(rows):
        full = jnp.concatenate([rows, jnp.zeros((2, 2))], axis=1)
        return jnp.sum(keras.ops.image.affine_transform(LAST, full, fill_mode="reflect") ** 2)

    expected = jax.grad(oracle)(jnp.asarray(MAPS[:, :6]))
    maps = from_host(MAPS)
    with GradientTape() as tape:
        tape.watch(maps)
        out = keras_ops.sum(ops.affine_transform(from_host(LAST), maps, fill_mode="reflect") ** 2)
    np.testing.assert_allclose(tape.gradient(out, maps).numpy()[:, :6], expected, rtol=2e-4, atol=2e-3)


def test_whole_number_images_and_single_ones():
    pixels = np.random.default_rng(0).integers(0, 256, (2, 9, 7, 3)).astype("uint8")
    same_as_keras(Case(ops.affine_transform, pixels, MAPS, fill_mode="reflect"))
    same_as_keras(Case(ops.affine_transform, pixels, MAPS, interpolation="nearest"))
    same_as_keras(Case(ops.perspective_transform, LAST[0].copy(), START[0].copy(), END[0].copy()), 2e-5)


def test_one_map_serves_a_batch():
    both = ops.affine_transform(from_host(LAST), from_host(MAPS[0].copy())).numpy()
    for image, got in zip(LAST, both, strict=True):
        alone = ops.affine_transform(from_host(image.copy()), from_host(MAPS[0].copy())).numpy()
        np.testing.assert_allclose(got, alone, atol=1e-6)


@pytest.mark.parametrize("form", ["channels_last", "channels_first"])
@pytest.mark.parametrize("how", ["nearest", "bilinear"])
def test_elastic_warp_draws_and_moves_as_keras(form, how):
    images = LAST if form == "channels_last" else FIRST
    options = {"alpha": 3.0, "sigma": 1.2, "interpolation": how, "seed": 11, "data_format": form}
    expected = keras.ops.image.elastic_transform(images, **options)
    got = ops.elastic_transform(from_host(images), **options).numpy()
    close = np.abs(got - np.asarray(expected)) < 2e-5
    # A coordinate half-way between two pixels may round either way.
    assert close.mean() > (0.99 if how == "nearest" else 0.9999)


def test_wrong_arguments_raise():
    x, m = from_host(LAST), from_host(MAPS)
    with pytest.raises(ValueError, match="interpolation"):
        ops.affine_transform(x, m, interpolation="bicubic")
    with pytest.raises(ValueError, match="fill_mode"):
        ops.affine_transform(x, m, fill_mode="edge")
    with pytest.raises(ValueError, match="8 numbers"):
        ops.affine_transform(x, from_host(MAPS[:, :6].copy()))
    with pytest.raises(ValueError, match="one shape"):
        ops.perspective_transform(x, from_host(START), from_host(END[:1].copy()))
    with pytest.raises(ValueError, match="start_points"):
        ops.perspective_transform(x, from_host(START[:, :3].copy()), from_host(END))
    with pytest.raises(ValueError, match="order"):
        ops.map_coordinates(x, from_host(PLACES), 2)
    with pytest.raises(ValueError, match="one coordinate per axis"):
        ops.map_coordinates(x, from_host(PLACES), 1)
