"""Convolutions with windows of 3x3, done as products by Winograd's minimal filtering where that is quicker."""

import os
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam.engine import conv, onednn
from hornbeam.engine.conv_geometry import Geometry
from tests.engine import other_process

pytestmark = pytest.mark.numeric
AVAILABLE, WHY = onednn.status()
needs_kernels = pytest.mark.skipif(not AVAILABLE, reason=f"oneDNN's kernels are not in use: {WHY}")
SWITCH = "HORNBEAM_ONEDNN_WINOGRAD"
KINDS = (onednn.FORWARD, onednn.INPUT, onednn.KERNEL)

# name: (shape of the input, filters, padding)
LARGE = {
    "even sizes": ((2, 24, 20, 32), 48, ((1, 1), (1, 1))),
    "odd sizes": ((3, 21, 15, 64), 32, ((1, 1), (1, 1))),
    "no padding": ((2, 18, 23, 48), 32, ((0, 0), (0, 0))),
    "padding of one side, and more than the window": ((1, 25, 22, 32), 64, ((2, 0), (0, 3))),
    "many channels, few pixels": ((4, 7, 7, 144), 160, ((1, 1), (1, 1))),
    "one image": ((1, 33, 30, 32), 32, ((1, 1), (1, 1))),
    "several blocks of tiles, the last one smaller": ((8, 41, 39, 32), 32, ((1, 1), (1, 1))),
}
SMALL = {
    "one pixel": ((2, 1, 1, 16), 32, ((1, 1), (1, 1))),
    "narrower than a tile's surroundings": ((1, 3, 5, 16), 16, ((0, 0), (0, 0))),
    "windows wholly in padding": ((1, 2, 3, 16), 16, ((5, 4), (3, 6))),
    "a row of pixels": ((3, 1, 9, 16), 16, ((1, 1), (1, 1))),
    "few filters": ((2, 9, 8, 48), 16, ((1, 1), (1, 1))),
}
CASES = LARGE | SMALL


def problem(name):
    shape, filters, padding = CASES[name]
    rng = np.random.default_rng(len(name))
    spec = Geometry((1, 1), padding, (1, 1), (1, 1))
    x, w = rng.standard_normal(shape), rng.standard_normal((3, 3, shape[-1], filters))
    return x, w, rng.standard_normal((shape[0], *spec.out_sizes(shape[1:-1], (3, 3)), filters)), spec


def by_definition(x, w, dy, spec):
    """Result, and gradients of input and kernel, in float64."""
    padded = np.pad(x, [(0, 0), *spec.padding, (0, 0)])
    height, width = dy.shape[1:3]
    y, d_padded, dw = np.zeros_like(dy), np.zeros_like(padded), np.zeros_like(w)
    for i in range(3):
        for j in range(3):
            part = (slice(None), slice(i, i + height), slice(j, j + width))
            y += padded[part] @ w[i, j]
            d_padded[part] += dy @ w[i, j].T
            dw[i, j] = np.tensordot(padded[part], dy, ((0, 1, 2), (0, 1, 2)))
    inside = [slice(before, before + size) for (before, _), size in zip(spec.padding, x.shape[1:3], strict=True)]
    return y, d_padded[:, inside[0], inside[1]], dw


@jax.jit(static_argnames="spec")
def ours(x, w, dy, spec):
    y, pull = jax.vjp(lambda x, w: conv.canonical(x, w, spec), x, w)
    return y, *pull(dy)


def in_single(x, w, dy, spec):
    return ours(*(jnp.asarray(array, "float32") for array in (x, w, dy)), spec)


def is_taken(kind, x, w, spec, threads=2, dtype="float32"):
    y = onednn._result(x, w, spec)
    return onednn._found()[0].by_winograd(kind, dtype, threads, x, w, y, onednn._numbers(spec))


@needs_kernels
@pytest.mark.parametrize("name", CASES)
def test_result_and_gradients(name):
    x, w, dy, spec = problem(name)
    got = in_single(x, w, dy, spec)
    for one, exact in zip(got, by_definition(x, w, dy, spec), strict=True):
        assert one.shape == exact.shape and one.dtype == np.float32
        scale = max(np.abs(exact).max(), 1.0)
        np.testing.assert_allclose(np.asarray(one, "float64"), exact, rtol=0, atol=3e-6 * scale)
    for one, again in zip(got, in_single(x, w, dy, spec), strict=True):
        assert np.array_equal(one, again)  # to the last bit


def same(padding=1, strides=(1, 1), dilation=(1, 1), groups=1):
    return Geometry(strides, ((padding, padding),) * 2, (1, 1), dilation, groups)


def usual(function):
    """For what is decided where nobody has set the switch."""
    skip = pytest.mark.skipif(SWITCH in os.environ, reason=f"{SWITCH} is set")
    return needs_kernels(skip(pytest.mark.parametrize("kind", KINDS)(function)))


@usual
@pytest.mark.parametrize("name", LARGE)
def test_large_ones_are_done_so(name, kind):
    x, w, _, spec = problem(name)
    assert is_taken(kind, x.shape, w.shape, spec)


# name: (shape of the input, shape of the kernel, geometry)
NOT = {
    "window": ((2, 24, 24, 32), (5, 3, 32, 32), same()),
    "stride": ((2, 48, 48, 32), (3, 3, 32, 32), same(strides=(1, 2))),
    "dilation": ((2, 24, 24, 32), (3, 3, 32, 32), same(dilation=(2, 1))),
    "groups": ((2, 32, 32, 64), (3, 3, 32, 64), same(groups=2)),
    "three axes": ((2, 8, 8, 8, 32), (3, 3, 3, 32, 32), Geometry((1,) * 3, ((1, 1),) * 3, (1,) * 3, (1,) * 3)),
    "channels that do not fill a line": ((2, 32, 32, 24), (3, 3, 24, 32), same()),
    "filters that do not fill a line": ((2, 32, 32, 32), (3, 3, 32, 24), same()),
    "few channels": ((4, 64, 64, 16), (3, 3, 16, 64), same()),
    "few filters": ((4, 64, 64, 64), (3, 3, 64, 16), same()),
    "little work": ((1, 8, 8, 32), (3, 3, 32, 32), same()),
    "few tiles": ((1, 6, 6, 512), (3, 3, 512, 512), same()),
    "tiles that are half empty": ((64, 1, 18, 64), (3, 3, 64, 64), same()),
}


@usual
@pytest.mark.parametrize("name", NOT)
def test_others_are_not(name, kind):
    assert not is_taken(kind, *NOT[name])


@usual
def test_tiles_are_those_of_the_result(kind):
    """Those of 5x5 results waste too much; the gradient of the input has 7x7."""
    assert is_taken(kind, (16, 7, 7, 64), (3, 3, 64, 64), same(padding=0)) == (kind == onednn.INPUT)


@usual
def test_not_on_more_threads_than_there_is_work_for(kind):
    shapes = (1, 24, 24, 64), (3, 3, 64, 32)  # 144 tiles, 4 lines
    found = [threads for threads in (1, 4, 5, 18, 19) if is_taken(kind, *shapes, same(), threads)]
    assert found == ([1, 4] if kind == onednn.KERNEL else [1, 4, 5, 18])


NARROW = {
    "many channels, few pixels": ((8, 7, 7, 256), (3, 3, 256, 192), same()),
    "few filters": ((8, 14, 14, 512), (3, 3, 512, 64), same()),
    "padding of one side": ((4, 25, 22, 160), (3, 3, 160, 256), Geometry((1, 1), ((2, 0), (0, 3)), (1, 1), (1, 1))),
}


def has_tile_products():
    return "amx_bf16" in Path("/proc/cpuinfo").read_text()


def kernel_gradient_in_half(x, w, dy, spec):
    """Ours, and that by definition of the same rounded numbers."""
    x, w, dy = (jnp.asarray(array, "bfloat16") for array in (x, w, dy))
    exact = by_definition(*(np.asarray(array, np.float64) for array in (x, w, dy)), spec)[2]
    return ours(x, w, dy, spec)[2], exact


@needs_kernels
@pytest.mark.parametrize("name", NARROW)
def test_kernel_gradients_in_half_precision(name):
    x_shape, w_shape, spec = NARROW[name]
    if SWITCH not in os.environ:
        kinds = [is_taken(kind, x_shape, w_shape, spec, dtype="bfloat16") for kind in KINDS]
        assert kinds == [False, False, not has_tile_products()]
    rng = np.random.default_rng(3)
    x, w = rng.standard_normal(x_shape), rng.standard_normal(w_shape)
    found, exact = kernel_gradient_in_half(x, w, rng.standard_normal(onednn._result(x_shape, w_shape, spec)), spec)
    assert found.dtype == jnp.bfloat16
    # Half the distance of two neighbours, and what float32 adds to it.
    error = np.abs(np.asarray(found, np.float64) - exact)
    assert (error <= 2.0**-7.99 * np.abs(exact) + 1e-6 * np.abs(exact).max()).all()


@usual
def test_small_kernels_in_half_precision_are_not(kind):
    assert not is_taken(kind, (8, 28, 28, 128), (3, 3, 128, 128), same(), dtype="bfloat16")


@needs_kernels
def test_half_precision_beyond_what_it_can_hold():
    x_shape, w_shape, spec = NARROW["many channels, few pixels"]
    x = np.zeros(x_shape)
    dy = np.zeros(onednn._result(x_shape, w_shape, spec))
    x[0, 3, 3, 5], dy[0, 3, 3, 7:10] = np.nan, 1  # alone in its channel
    x[1, 3, 3, 6], dy[1, 3, 3, 20] = 3e38, 1.2
    dw = np.asarray(kernel_gradient_in_half(x, np.zeros(w_shape), dy, spec)[0], np.float32)
    assert np.isnan(dw[1, 1, 5, 7:10]).all() and dw[1, 1, 6, 20] == np.inf
    assert np.isfinite(np.delete(dw, [5, 6], axis=2)).all()


@needs_kernels
def test_nan_stays_within_reach_of_the_window():
    x, w, dy, spec = problem("even sizes")
    x[1, 10, 7, 3] = np.nan
    y = in_single(x, w, dy, spec)[0]
    reached = np.zeros(y.shape[:3], bool)
    reached[1, 9:12, 6:9] = True
    assert np.array_equal(np.isnan(y).any(-1), reached) and np.array_equal(np.isnan(y).all(-1), reached)


@needs_kernels
def test_what_a_mask_hides_does_not_matter():
    """To the last bit, forward and in the gradient, as a check of causality asks."""
    x, w, dy, spec = problem("even sizes")
    w[1, 2], w[2] = 0, 0
    other = x.copy()
    other[:, 12:] = 1e6 * other[:, 12:]
    one, two = (in_single(array, w, dy, spec)[0] for array in (x, other))
    assert np.array_equal(one[:, :12], two[:, :12]) and not np.array_equal(one[:, 12:], two[:, 12:])
    sparse = np.zeros_like(dy)
    sparse[0, 10, 9, 5] = 1
    reached = np.zeros(x.shape[:3], bool)
    reached[0, 9, 8:11], reached[0, 10, 8:10] = True, True
    assert np.array_equal((np.asarray(in_single(x, w, sparse, spec)[1]) != 0).any(-1), reached)


@needs_kernels
@pytest.mark.parametrize(("wish", "taken"), [("always", True), ("0", False), ("off", False)])
def test_switch(wish, taken):
    """Every size works, and the switch switches it off: rounding differs, and nothing else."""
    script = (
        "from tests.engine.test_winograd import *\n"
        "onednn._LEAST_WORK = 0.0\n"
        "onednn._is_slower = lambda *_: False\n"
        "for name in CASES:\n"
        "    test_result_and_gradients(name)\n"
        "    x, w, dy, spec = problem(name)\n"
        "    found, exact = kernel_gradient_in_half(x, w, dy, spec)\n"
        "    np.testing.assert_allclose(found, exact, rtol=2**-7.99, atol=1e-6 * np.abs(exact).max())\n"
        "for name in ('even sizes', 'one pixel'):\n"
        "    x, w, _, spec = problem(name)\n"
        "    print([is_taken(kind, x.shape, w.shape, spec) for kind in KINDS])\n"
    )
    printed = other_process.run(script, **{SWITCH: wish})
    assert printed.split("\n")[:2] == [str([taken] * 3)] * 2
