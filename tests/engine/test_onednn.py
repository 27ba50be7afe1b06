"""oneDNN's convolutions against sums over the window, wherever programs may call them."""

import functools
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam.engine import batch_minor, conv, conv_gradients, layout, max_pool, onednn
from hornbeam.engine.conv_geometry import Geometry
from hornbeam.engine.window import Window
from tests.engine.test_conv import CASES, assert_same, by_sums, everything, operands, plain

pytestmark = pytest.mark.numeric
AVAILABLE, WHY = onednn.status()
needs_kernels = pytest.mark.skipif(not AVAILABLE, reason=f"oneDNN's kernels are not in use: {WHY}")
NAMES = ("hornbeam_conv_forward", "hornbeam_conv_input_gradient", "hornbeam_conv_kernel_gradient")


@pytest.fixture
def small_too(monkeypatch):
    """Shapes of any size and kind go to oneDNN."""
    monkeypatch.setattr(onednn, "_LEAST_WORK", 0.0)
    monkeypatch.setattr(onednn, "_is_slower", lambda *_: False)
    onednn._pays.cache_clear()
    yield
    onednn._pays.cache_clear()


@pytest.fixture
def absent(monkeypatch):
    monkeypatch.setattr(onednn, "_found", lambda: (None, "not installed"))


def gradients(x, w, spec):
    return jax.jit(lambda x, w: jax.vjp(lambda x, w: conv.canonical(x, w, spec), x, w)[1](conv.canonical(x, w, spec)))


# --- without the package -----------------------------------------------------------------------------
def test_switched_off(monkeypatch):
    monkeypatch.setenv(onednn.SWITCH, "0")
    kernels, text = onednn._load.__wrapped__()
    assert kernels is None and onednn.SWITCH in text


def test_missing_package_is_no_error(monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.delenv(onednn.SWITCH, raising=False)
    monkeypatch.setattr(onednn.importlib, "import_module", missing)
    kernels, text = onednn._load.__wrapped__()
    assert kernels is None and "not" in text


def test_broken_library_is_a_warning(monkeypatch):
    def broken(name):
        raise OSError("libgomp.so.1: cannot open shared object file")

    monkeypatch.delenv(onednn.SWITCH, raising=False)
    monkeypatch.setattr(onednn.sys, "platform", "linux")
    monkeypatch.setattr(onednn.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(onednn.importlib, "import_module", broken)
    with pytest.warns(RuntimeWarning, match=rf"libgomp.*{onednn.SWITCH}=0"):
        kernels, text = onednn._load.__wrapped__()
    assert kernels is None and text.startswith(onednn.BROKEN) and "libgomp" in text


def test_broken_library_that_the_user_named(monkeypatch):
    def broken(name):
        raise OSError("no such file")

    monkeypatch.delenv(onednn.SWITCH, raising=False)
    monkeypatch.setenv("HORNBEAM_ONEDNN_LIBRARY", "/nowhere.so")
    monkeypatch.setattr(onednn.sys, "platform", "linux")
    monkeypatch.setattr(onednn.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(onednn.importlib, "import_module", broken)
    with pytest.warns(RuntimeWarning, match=r"names /nowhere\.so"):
        onednn._load.__wrapped__()


def test_loaded_once_by_many_threads(monkeypatch):
    calls = []

    @functools.cache
    def load():
        calls.append(True)
        time.sleep(0.05)
        return None, "not installed"

    monkeypatch.setattr(onednn, "_load", load)
    threads = [threading.Thread(target=onednn.status) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) == 1


def test_nothing_changes_without_it(absent):
    x, w, spec = operands("plain")
    text = gradients(x, w, spec).lower(x, w).as_text()
    assert "hornbeam_conv" not in text


# --- gradients as operations, with and without kernels -------------------------------------------------
@pytest.mark.parametrize("name", ["padding asymmetric", "groups"])
def test_gradient_operations_written_out(name):
    """Their expansion, derivatives and batches are those of the convolution."""
    x, w, spec = operands(name)
    shape = conv._shape(x.shape, w.shape, spec)
    dy = jnp.asarray(np.random.default_rng(1).standard_normal(shape), "float32")

    def ours(x, w, dy):
        return conv.input_gradient(dy, w, x.shape, spec), conv.kernel_gradient(dy, x, w.shape, spec)

    def theirs(x, w, dy):
        return jax.vjp(lambda x, w: conv._direct(x, w, spec), x, w)[1](dy)

    def with_derivatives(function):
        def loss(*operands):
            return sum(jnp.sum(jnp.sin(part)) for part in function(*operands))

        return lambda *operands: (function(*operands), jax.grad(loss, (0, 1, 2))(*operands))

    assert_same(jax.jit(with_derivatives(ours))(x, w, dy), jax.jit(with_derivatives(theirs))(x, w, dy))
    stacked = jnp.stack([dy, 2 * dy])
    got = jax.vmap(lambda dy: ours(x, w, dy))(stacked)
    assert_same(got, jax.vmap(lambda dy: theirs(x, w, dy))(stacked))


def test_passes_see_the_convolutions_inside():
    x, w, spec = operands("plain")
    dy = jnp.zeros(conv._shape(x.shape, w.shape, spec))
    program = jax.make_jaxpr(lambda dy, x: conv.kernel_gradient(dy, x, w.shape, spec))(dy, x)
    (equation,) = program.eqns
    assert equation.primitive.name == conv_gradients.KERNEL
    assert [width is not None for width in layout._widths(program.jaxpr)] == [
        batch_minor.width(*(v.aval.shape for v in eqn.invars), eqn.params["spec"]) is not None
        for eqn in equation.params["spec"].jaxpr.eqns
        if eqn.primitive.name == conv.CANONICAL
    ]


# --- the kernels -----------------------------------------------------------------------------------------
CHOSEN = ["one-d", "three-d", "padding asymmetric", "dilated", "groups", "depthwise strided twofold", "pointwise"]


@needs_kernels
@pytest.mark.parametrize("name", CHOSEN)
def test_values_and_derivatives(name, small_too):
    x, w, spec = operands(name)
    orders = 2 if name == "groups" else 1
    ours = everything(lambda x, w: conv.canonical(x, w, spec), orders)
    theirs = everything(lambda x, w: by_sums(x, w, spec), orders)
    assert_same(jax.jit(ours)(x, w), jax.jit(theirs)(x, w))


@needs_kernels
def test_all_three_kernels_are_called():
    x, w, spec = jnp.ones((8, 16, 16, 16)), jnp.ones((3, 3, 16, 32)), plain(2, padding=(1, 1))
    text = gradients(x, w, spec).lower(x, w).as_text()
    assert all(name in text for name in NAMES)
    assert "stablehlo.convolution" not in text


POINTS = {
    "one-d": ((40,), plain(1)),
    "two-d": ((12, 9), plain(2)),
    "three-d": ((4, 5, 3), plain(3)),
    "padded before": ((16, 16), Geometry((1, 1), ((1, 0), (0, 0)), (1, 1), (1, 1))),
    "padded after": ((16, 16), Geometry((1, 1), ((0, 0), (0, 1)), (1, 1), (1, 1))),
    "strided": ((9, 8), plain(2, strides=2)),
    "strided along one axis": ((9, 8), Geometry((1, 2), ((0, 0), (0, 0)), (1, 1), (1, 1))),
    "groups": ((9, 8), plain(2, groups=2)),
}


@needs_kernels
@pytest.mark.parametrize("name", POINTS)
def test_convolutions_of_one_element(name, small_too):
    """Products if they skip and pad nothing, and convolutions otherwise."""
    space, spec = POINTS[name]
    rng = np.random.default_rng(0)
    x = jnp.asarray(rng.standard_normal((4, *space, 32)), "float32")
    w = jnp.asarray(rng.standard_normal((*[1] * len(space), 32 // spec.groups, 48)), "float32")
    text = gradients(x, w, spec).lower(x, w).as_text()
    # oneDNN has no gradients of the padded ones.
    assert all(kind in text for kind in (NAMES[:1] if "padded" in name else NAMES))
    ours = everything(lambda x, w: conv.canonical(x, w, spec), 1)
    theirs = everything(lambda x, w: by_sums(x, w, spec), 1)
    assert_same(jax.jit(ours)(x, w), jax.jit(theirs)(x, w))


@needs_kernels
@pytest.mark.parametrize("file", ["test_onednn.py", "test_products.py"])
def test_everything_split(file):
    """The smallest work on several threads, too."""
    chosen = "one_element or derivatives or test_values"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        str(Path(__file__).parent / file),
        "-k",
        chosen,
    ]
    environment = {**os.environ, "HORNBEAM_ONEDNN_SPLIT": "0"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout


@needs_kernels
@pytest.mark.parametrize("shape", [(5, 24, 20, 16), (1, 40, 33, 16), (2, 31, 16)])
@pytest.mark.parametrize("strides", [1, 2])
def test_work_that_is_split(shape, strides):
    """Along the batch, and along the rows of a single image, the last part smaller than the others."""
    rng = np.random.default_rng(0)
    space = len(shape) - 2
    window = (5, 3)[:space]
    spec = Geometry((strides,) * space, ((2, 1), (0, 2))[:space], (1,) * space, (1,) * space)
    x = jnp.asarray(rng.standard_normal(shape), "float32")
    w = jnp.asarray(rng.standard_normal((*window, 16, 64)), "float32")
    ours = lambda x, w: jax.vjp(lambda x, w: conv.canonical(x, w, spec), x, w)  # noqa: E731
    theirs = lambda x, w: jax.vjp(lambda x, w: conv._direct(x, w, spec), x, w)  # noqa: E731
    run = lambda f: jax.jit(lambda x, w: (f(x, w)[0], f(x, w)[1](jnp.cos(f(x, w)[0]))))  # noqa: E731
    got, expected = run(ours)(x, w), run(theirs)(x, w)
    assert_same(got, expected, 2e-5)
    for one, other in zip(jax.tree.leaves(got), jax.tree.leaves(run(ours)(x, w)), strict=True):
        assert np.array_equal(one, other)  # to the last bit


@needs_kernels
def test_bfloat16(small_too):
    x, w, spec = operands("groups")
    x, w = x.astype("bfloat16"), w.astype("bfloat16")
    text = gradients(x, w, spec).lower(x, w).as_text()
    assert all(name in text for name in NAMES) or not onednn._pays("forward", x.shape, w.shape, spec, "bfloat16")
    got = gradients(x, w, spec)(x, w)
    wide = [part.astype("float32") for part in (x, w)]
    dy = by_sums(*wide, spec).astype("bfloat16").astype("float32")
    expected = jax.vjp(lambda x, w: by_sums(x, w, spec), *wide)[1](dy)
    for one, other in zip(got, expected, strict=True):
        assert one.dtype == "bfloat16"
        np.testing.assert_allclose(one.astype("float32"), other, rtol=2e-2, atol=2e-2 * float(jnp.abs(other).max()))


@needs_kernels
@pytest.mark.parametrize("padding", [((2, 2), (1, 1)), ((1, 2), (3, 2))])
def test_transposed(padding, small_too):
    rng = np.random.default_rng(2)
    x = jnp.asarray(rng.standard_normal((2, 5, 4, 6)), "float32")
    w = jnp.asarray(rng.standard_normal((3, 3, 8, 6)), "float32")

    def ours(x, w):
        return conv.conv_transpose(x, w, (2, 3), padding, (1, 1))

    def theirs(x, w):
        spec = Geometry((1, 1), padding, (2, 3), (1, 1))
        return by_sums(x, jnp.swapaxes(w[::-1, ::-1], -1, -2), spec)

    assert_same(jax.jit(everything(ours, 1))(x, w), jax.jit(everything(theirs, 1))(x, w))
    if min(map(min, padding)) <= 2 and max(map(max, padding)) <= 2:
        assert NAMES[1] in jax.jit(ours).lower(x, w).as_text()


@needs_kernels
def test_in_a_loop_over_steps(small_too):
    x, w, spec = operands("plain")

    def step(w, _):
        return w - 0.01 * jax.grad(lambda w: jnp.sum(conv.canonical(x, w, spec) ** 2))(w), None

    inside = jax.jit(lambda w: jax.lax.scan(step, w, length=3)[0])(w)
    for _ in range(3):
        w, _ = step(w, None)
    assert_same(inside, w)


@needs_kernels
def test_many_threads_at_once():
    rng = np.random.default_rng(3)
    w = jnp.asarray(rng.standard_normal((3, 3, 16, 64)), "float32")
    spec = plain(2, padding=(1, 1))
    run = jax.jit(lambda x: conv.canonical(x, w, spec))
    inputs = [jnp.asarray(rng.standard_normal((4, 24, 24, 16)), "float32") for _ in range(6)]
    expected = [np.asarray(run(x)) for x in inputs]
    wrong = []

    def work(number):
        for _ in range(5):
            if not np.array_equal(run(inputs[number]), expected[number]):
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(inputs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@needs_kernels
def test_exported_programs_hold_no_foreign_calls():
    x, w, spec = jnp.ones((8, 16, 16, 16)), jnp.ones((3, 3, 16, 32)), plain(2, padding=(1, 1))
    exported = jax.export.export(gradients(x, w, spec))(x, w)
    assert "hornbeam_conv" not in exported.mlir_module()
    assert_same(exported.call(x, w), gradients(x, w, spec)(x, w))


@needs_kernels
@pytest.mark.parametrize("name", ["transposed", "cut and padded", "nothing left"])
def test_what_it_does_not_take(name):
    x, w, spec = operands(name)
    assert name in CASES
    assert not onednn.takes(onednn.FORWARD, x.shape, w.shape, spec, (x.dtype, w.dtype))


def test_other_dtypes_and_symbols_stay():
    spec = plain(2)
    assert not onednn.takes(onednn.FORWARD, (8, 64, 64, 64), (3, 3, 64, 64), spec, ("float16", "float16"))
    assert not onednn.takes(onednn.FORWARD, (8, 64, 64, 64), (3, 3, 64, 64), spec, ("float32", "bfloat16"))
    assert not onednn.takes(onednn.FORWARD, (8, 64, 0, 64), (3, 3, 64, 64), spec, ("float32", "float32"))


# --- pooling -------------------------------------------------------------------------------------------
POOLINGS = {
    "side by side": ((3, 12, 12, 16), Window(1, (2, 2), (2, 2), ((0, 0), (0, 0)))),
    "rest cut off": ((3, 13, 11, 6), Window(1, (2, 2), (2, 2), ((0, 0), (0, 0)))),
    "overlapping": ((5, 13, 11, 20), Window(1, (3, 3), (2, 2), ((1, 1), (0, 1)))),
    "one channel": ((2, 9, 9, 1), Window(1, (3, 2), (1, 1), ((1, 1), (0, 1)))),
    "one-d with gaps": ((2, 9, 4), Window(1, (2,), (3,), ((0, 0),))),
    "three-d": ((2, 6, 7, 8, 5), Window(1, (2, 2, 2), (2, 2, 2), ((0, 0), (0, 1), (0, 0)))),
    "split": ((7, 28, 28, 24), Window(1, (2, 2), (2, 2), ((0, 0), (0, 0)))),
}


@needs_kernels
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", POOLINGS)
def test_gradient_of_max_pooling(name, dtype):
    """Whole numbers, so that sums are exact; many ties, which go to the first."""
    shape, window = POOLINGS[name]
    rng = np.random.default_rng(4)
    x = jnp.asarray(rng.integers(0, 4, shape), dtype)
    spec = max_pool.Pooling(window, shape, x.dtype)
    assert onednn.takes_put_back(shape, window, dtype)
    _, winner = max_pool._largest(x, spec)
    part = jnp.asarray(rng.integers(1, 9, spec.pooled), dtype)
    got = jax.jit(lambda part, winner: onednn.put_back(part, winner, shape, window))(part, winner)
    np.testing.assert_array_equal(got, max_pool._put_back(part, winner, spec))
    pull = jax.jit(lambda x, part: jax.vjp(lambda x: max_pool.max_pool(x, window), x)[1](part)[0])
    assert "hornbeam_pool_put_back" in pull.lower(x, part).as_text()
    np.testing.assert_array_equal(pull(x, part), got)


@needs_kernels
def test_gradients_of_pooling_it_does_not_take():
    window = POOLINGS["side by side"][1]
    assert not onednn.takes_put_back((3, 12, 12, 16), window, "float16")
    assert not onednn.takes_put_back((3, 16, 12, 12), Window(2, (2, 2), (2, 2), ((0, 0), (0, 0))), "float32")
    wide = Window(1, (2, 2), (2, 2), ((2, 0), (0, 0)))
    assert not onednn.takes_put_back((3, 12, 12, 16), wide, "float32")
    x = jnp.asarray(np.random.default_rng(5).standard_normal((2, 4, 4, 3)), "float32")
    gradient = jax.grad(lambda x: jnp.sum(jnp.sin(max_pool.max_pool(x, window))))
    assert "hornbeam_pool_put_back" not in jax.export.export(jax.jit(gradient))(x).mlir_module()


@needs_kernels
def test_held_arrays_are_themselves():
    x = jnp.arange(12.0).reshape(3, 4)
    held = jax.jit(lambda x: (onednn.hold(x + 1) * 2, x))
    assert "hornbeam_hold" in held.lower(x).as_text()
    np.testing.assert_array_equal(held(x)[0], (x + 1) * 2)
    np.testing.assert_array_equal(held(x)[1], x)
    assert "hornbeam_hold" not in jax.export.export(held)(x).mlir_module()
