"""Convolutions and their derivatives against sums over the window, in and out of loops, on every path."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam.engine import conv, loops, patches, platform
from hornbeam.engine.conv_geometry import Geometry, pads_of

pytestmark = pytest.mark.numeric


def plain(ndim, strides=1, padding=(0, 0), dilation=1, groups=1, input_dilation=1):
    return Geometry((strides,) * ndim, (padding,) * ndim, (input_dilation,) * ndim, (dilation,) * ndim, groups)


# name: (spatial sizes, window, channels, filters, geometry)
CASES = {
    "plain": ((6, 5), (3, 2), 3, 4, plain(2)),
    "one-d": ((7,), (3,), 3, 4, plain(1, padding=(1, 1))),
    "three-d": ((3, 4, 3), (2, 2, 2), 2, 3, plain(3, strides=2, padding=(1, 0))),
    "strided, rest cut off": ((8, 7), (2, 3), 2, 3, plain(2, strides=3)),
    "stride larger than window": ((7, 7), (2, 2), 2, 3, plain(2, strides=4)),
    "padding asymmetric": ((5, 4), (3, 3), 2, 3, Geometry((2, 1), ((2, 0), (0, 3)), (1, 1), (1, 1))),
    "padding wider than window": ((3, 3), (2, 2), 2, 3, plain(2, padding=(3, 2))),
    "dilated": ((7, 6), (3, 2), 2, 3, plain(2, dilation=2, padding=(1, 2))),
    "pointwise": ((4, 3), (1, 1), 3, 4, plain(2)),
    "one window": ((4, 3), (4, 3), 2, 3, plain(2)),
    "groups": ((5, 5), (3, 3), 4, 6, plain(2, groups=2, padding=(1, 1), strides=2)),
    "depthwise": ((5, 4), (2, 3), 3, 3, plain(2, groups=3, padding=(1, 1))),
    "depthwise strided twofold": ((6, 5), (3, 2), 3, 6, plain(2, groups=3, padding=(0, 1), strides=2)),
    "transposed": ((3, 4), (3, 2), 3, 2, plain(2, input_dilation=2, padding=(2, 1))),
    "depthwise transposed": ((3, 4), (3, 2), 3, 3, plain(2, groups=3, input_dilation=2, padding=(2, 1))),
    "all at once": ((5, 4), (2, 2), 4, 4, plain(2, 2, (3, 1), 2, 2, 2)),
    "cut and padded": ((6, 6), (2, 2), 2, 3, plain(2, padding=(-1, 1))),
    "cut between elements": ((4, 4), (2, 2), 2, 3, plain(2, padding=(-1, -2), input_dilation=3)),
    "nothing left": ((2, 2), (2, 2), 1, 2, plain(2, padding=(-3, 4))),
}

TWICE = {"strided, rest cut off", "pointwise", "groups", "depthwise", "transposed"}


def operands(name):
    sizes, window, channels, filters, spec = CASES[name]
    rng = np.random.default_rng(len(name))
    x = rng.standard_normal((2, *sizes, channels)).astype("float32")
    w = rng.standard_normal((*window, channels // spec.groups, filters)).astype("float32")
    return jnp.asarray(x), jnp.asarray(w), spec


def by_sums(x, w, spec):
    """The definition: pad and spread the input, then add up one product per element of the window."""
    config = [(before, after, gap - 1) for (before, after), gap in zip(spec.padding, spec.input_dilation, strict=True)]
    spread = jax.lax.pad(x, 0.0, [(0, 0, 0), *[(0, 0, gap) for *_, gap in config], (0, 0, 0)])
    spread = jax.lax.pad(spread, 0.0, [(0, 0, 0), *[(*pads, 0) for *pads, _ in config], (0, 0, 0)])
    spread = spread.reshape(*spread.shape[:-1], spec.groups, -1)
    total = 0.0
    counts = spec.out_sizes(x.shape[1:-1], w.shape[:-2])
    for place in itertools.product(*map(range, w.shape[:-2])):
        index = [
            slice(at * gap, at * gap + (count - 1) * stride + 1, stride)
            for at, gap, count, stride in zip(place, spec.kernel_dilation, counts, spec.strides, strict=True)
        ]
        factor = w[place].reshape(w.shape[-2], spec.groups, -1)
        total = total + jnp.einsum("...gc,cgf->...gf", spread[(slice(None), *index)], factor)
    return total.reshape(*total.shape[:-2], -1)


def everything(function, orders):
    """Value, gradients, and (for two orders) gradients of a function of the gradients."""

    def loss(x, w):
        out = function(x, w)
        return jnp.sum(jnp.sin(out) * jnp.cos(jnp.arange(out.size, dtype="float32")).reshape(out.shape))

    def second(x, w):
        return sum(jnp.sum(jnp.cos(part)) for part in jax.grad(loss, (0, 1))(x, w))

    first = lambda x, w: (function(x, w), jax.grad(loss, (0, 1))(x, w))  # noqa: E731
    return first if orders == 1 else lambda x, w: (first(x, w), jax.grad(second, (0, 1))(x, w))


def assert_same(got, expected, tolerance=2e-5):
    for one, other in zip(jax.tree.leaves(got), jax.tree.leaves(expected), strict=True):
        assert one.shape == other.shape
        # Sums of numbers of both signs: errors are small beside the largest, not beside each.
        scale = max(1.0, float(np.abs(other).max()))
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance * scale)


PATCHES = ["plain", "one-d", "three-d", "strided, rest cut off", "padding asymmetric", "dilated"]
PATHS = [(name, "direct") for name in CASES] + [(name, "patches") for name in PATCHES]


@pytest.fixture
def no_patches(monkeypatch):
    """Small shapes take the way of large ones."""
    monkeypatch.setattr(patches, "fits", lambda *_: False)


@pytest.mark.parametrize(("name", "path"), PATHS)
def test_values_and_derivatives(name, path, request):
    x, w, spec = operands(name)
    if path == "direct":
        request.getfixturevalue("no_patches")
    else:
        assert patches.fits(x.shape, w.shape, spec)
    orders = 2 if name in TWICE and path == "direct" else 1
    ours = everything(lambda x, w: conv.canonical(x, w, spec), orders)
    theirs = everything(lambda x, w: by_sums(x, w, spec), orders)
    assert_same(*jax.jit(lambda x, w: (ours(x, w), theirs(x, w)))(x, w))


@pytest.mark.parametrize("name", ["groups", "depthwise strided twofold", "transposed"])
def test_vmap_and_forward_mode(name):
    x, w, spec = operands(name)
    stacked_x, stacked_w = jnp.stack([x, 2 * x, x + 1]), jnp.stack([w, w - 1, 3 * w])

    def run(function):
        tangent = jax.jvp(function, (x, w), (x * 0.5, w + 2))
        pairs = (((0, None), stacked_x, w), ((None, 0), x, stacked_w), ((0, 0), stacked_x, stacked_w))
        mapped = [jax.vmap(function, axes, out_axes=1)(*arrays) for axes, *arrays in pairs]
        return (
            tangent,
            mapped,
            jax.vmap(jax.grad(lambda x, w: jnp.sum(function(x, w) ** 2), (0, 1)))(stacked_x, stacked_w),
        )

    got, expected = jax.jit(
        lambda: (run(lambda x, w: conv.canonical(x, w, spec)), run(lambda x, w: by_sums(x, w, spec)))
    )()
    assert_same(got, expected, 1e-3)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_short_floats_keep_their_dtype(dtype):
    x, w, spec = operands("groups")
    x, w = x.astype(dtype), w.astype(dtype)
    gradients = jax.jit(jax.grad(lambda x, w: conv.canonical(x, w, spec).astype("float32").sum(), (0, 1)))(x, w)
    assert [part.dtype for part in gradients] == [dtype, dtype]
    np.testing.assert_allclose(
        np.asarray(conv.canonical(x, w, spec), "float32"),
        by_sums(*map(jnp.float32, (x, w)), spec),
        rtol=3e-2,
        atol=6e-2,
    )


def training_loop(x, w, spec, kind):
    def step(_, w):
        return w - 0.01 * jax.grad(lambda w: jnp.sum(conv.canonical(x, w, spec) ** 2))(w)

    if kind == "outside":
        for _ in range(3):
            w = step(0, w)
        return w
    if kind == "scan":
        return jax.lax.scan(lambda w, _: (step(0, w), None), w, length=3)[0]
    return jax.lax.fori_loop(0, 3, step, w)


@pytest.mark.parametrize("name", ["plain", "depthwise strided twofold"])
def test_in_loops_as_outside(name):
    x, w, spec = operands(name)
    results = [training_loop(x, w, spec, kind) for kind in ("outside", "scan", "fori_loop")]
    assert_same(results[1:], [results[0]] * 2)


def convolutions(text):
    return [line for line in text.splitlines() if "stablehlo.convolution" in line]


@pytest.mark.parametrize("name", ["plain", "strided, rest cut off", "dilated", "groups", "transposed"])
def test_programs_hold_canonical_convolutions_only(name, no_patches):
    """What runs slowly in loops on CPU: other orders of dimensions, groups of the batch."""
    x, w, spec = operands(name)
    step = jax.jit(lambda w, x: jax.grad(lambda w, x: jnp.sum(conv.canonical(x, w, spec) ** 2), (0, 1))(w, x))
    found = convolutions(step.lower(w, x).as_text())
    assert found
    for line in found:
        assert "[b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]" in line and "batch_group_count = 1" in line


def test_loops_know_which_convolutions_are_slow():
    x, w, spec = operands("plain")

    def verdict(function):
        return loops._work(jax.make_jaxpr(jax.grad(function))(w).jaxpr)

    work = verdict(lambda w: jnp.sum(conv.canonical(x, w, spec)))
    # Forward and kernel gradient: two operations per element of the window and output.
    assert not work.is_slow_in_loops and work.convolutions == 2 * 2 * (2 * 4 * 4 * 4) * (3 * 2 * 3)
    assert not work.products
    names = ("NHWC", "HWIO", "NHWC")
    raw = lambda w: jax.lax.conv_general_dilated(x, w, (1, 1), "VALID", dimension_numbers=names)  # noqa: E731
    assert verdict(lambda w: jnp.sum(raw(w))).is_slow_in_loops
    work = loops._work(jax.make_jaxpr(raw)(w).jaxpr)
    assert not work.is_slow_in_loops and work.convolutions == 2 * (2 * 4 * 4 * 4) * (3 * 2 * 3)
    assert loops.steps_per_call(jax.make_jaxpr(jax.grad(lambda w: jnp.sum(raw(w))))(w), "cpu") == 1
    assert loops.steps_per_call(jax.make_jaxpr(lambda w: conv.canonical(x, w, spec))(w), "cpu") > 1


@pytest.mark.parametrize("first", [False, True])
def test_other_platforms_use_the_plain_convolution(first, monkeypatch):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 4, 6, 5) if first else (2, 6, 5, 4)).astype("float32")
    w, turned = rng.standard_normal((3, 2, 2, 6)), rng.standard_normal((3, 2, 5, 4))
    arguments = ((2, 2), ((1, 0), (0, 1)), (1, 1), first)

    def run():
        return [conv.conv(x, jnp.float32(w), *arguments), conv.conv_transpose(x, jnp.float32(turned), *arguments)]

    expected = run()
    monkeypatch.setattr(platform, "is_cpu", lambda: False)
    assert conv.CANONICAL not in str(jax.make_jaxpr(run)())
    assert_same(run(), expected)


def test_same_padding_puts_an_odd_zero_at_the_end():
    assert pads_of("same", (5, 6, 7), (2, 3, 1), (1, 2, 3), (1, 1, 1)) == ((0, 1), (0, 1), (0, 0))
    assert pads_of("causal", (5,), (3,), (1,), (2,)) == ((4, 0),)
    with pytest.raises(ValueError, match="padding"):
        pads_of("full", (5,), (3,), (1,), (1,))


@pytest.mark.parametrize(("input_dilation", "dilation"), [(1, 2), (1, 3), (2, 1), (3, 1)])
def test_few_places_of_a_large_window(input_dilation, dilation):
    """Every offset of the window, also where whole places see nothing but padding."""
    rng = np.random.default_rng(3)
    for stride, before, after, size, window in itertools.product((1, 2), (-2, 0, 3), (0, 1), (5, 8), (4, 7)):
        spec = Geometry((stride, 1), ((before, after), (1, 0)), (input_dilation, 1), (dilation, 1))
        if min(spec.out_sizes((size, 3), (window, 2))) <= 0:
            continue
        x = rng.standard_normal((2, size, 3, 4)).astype("float32")
        w = rng.standard_normal((window, 2, 4, 3)).astype("float32")
        spread = np.zeros((2, (size - 1) * input_dilation + 1, 3, 4))
        spread[:, ::input_dilation] = x
        taps = np.zeros(((window - 1) * dilation + 1, 2, 4, 3))
        taps[::dilation] = w
        padded = np.pad(spread, ((0, 0), (2 + before, after), (1, 0), (0, 0)))[:, 2:]
        expected = [
            np.einsum("nhwc,hwcf->nf", padded[:, top : top + len(taps), left : left + 2], taps)
            for top in range(0, padded.shape[1] - len(taps) + 1, stride)
            for left in range(3)
        ]
        got = np.asarray(patches.place_by_place(jnp.asarray(x), jnp.asarray(w), spec))
        np.testing.assert_allclose(got.reshape(2, -1, 3), np.stack(expected, 1), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "channels, filters, space", [(80, 3, (2, 3)), (3, 80, (2, 3)), (80, 3, (4,)), (80, 80, (2, 1, 2))]
)
def test_kernel_gradients_of_pointwise_convolutions(channels, filters, space):
    draw = np.random.default_rng(1)
    x = draw.normal(size=(3, *space, channels)).astype("float32")
    dy = draw.normal(size=(3, *space, filters)).astype("float32")
    w = jnp.zeros((*[1] * len(space), channels, filters))
    plain = Geometry((1,) * len(space), ((0, 0),) * len(space), (1,) * len(space), (1,) * len(space))
    found = jax.grad(lambda w: jnp.sum(conv.canonical(x, w, plain) * dy))(w)
    expected = np.einsum("nc,nf->cf", x.reshape(-1, channels).astype(float), dy.reshape(-1, filters))
    np.testing.assert_allclose(found.reshape(channels, filters), expected, atol=1e-5)
