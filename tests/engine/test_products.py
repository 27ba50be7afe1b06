"""Matrix products by oneDNN against sums in double precision, wherever programs may make them."""

import functools
import os
import subprocess
import sys
import threading

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from hornbeam.core import tensor  # noqa: F401 - has products done by oneDNN
from hornbeam.engine import jax_compat, onednn, products

pytestmark = pytest.mark.numeric
AVAILABLE, WHY = onednn.status()
needs_kernels = pytest.mark.skipif(not AVAILABLE, reason=f"oneDNN's kernels are not in use: {WHY}")
CALL = 'custom_call_target="hornbeam_product"'

# Shapes of both operands and the axes that are summed.
CASES = {
    "plain": ((64, 48), (48, 72), (1,), (0,)),
    "second turned": ((64, 48), (72, 48), (1,), (1,)),
    "first turned": ((48, 64), (48, 72), (0,), (0,)),
    "both turned": ((48, 64), (72, 48), (0,), (1,)),
    "odd sizes": ((131, 67), (67, 29), (1,), (0,)),
    "few rows": ((8, 1001), (1001, 37), (1,), (0,)),
    "sequences": ((6, 11, 48), (48, 40), (2,), (0,)),
    "gradient of a kernel": ((6, 40, 48), (6, 40, 33), (0, 1), (0, 1)),
    "heads": ((5, 9, 4, 16), (4, 16, 50), (2, 3), (0, 1)),
    "gradient of heads": ((5, 9, 50), (4, 16, 50), (2,), (2,)),
    "more columns than rows, split": ((16, 512), (512, 1024), (1,), (0,)),
    "more rows than columns, split": ((2000, 100), (100, 24), (1,), (0,)),
    "turned and split": ((3000, 70), (3000, 130), (0,), (0,)),
    "second turned and split": ((20, 300), (1000, 300), (1,), (1,)),
}


def operands(name, dtype="float32"):
    left, right, *summed = CASES[name]
    rng = np.random.default_rng(0)
    arrays = [jnp.asarray(rng.standard_normal(shape), dtype) for shape in (left, right)]
    return *arrays, tuple(summed)


def product(summed):
    def multiply(a, b):
        return lax.dot_general(a, b, (summed, ((), ())))

    return multiply


def exact(a, b, summed):
    return np.tensordot(np.asarray(a, np.float64), np.asarray(b, np.float64), axes=summed)


def assert_close(found, expected, dtype="float32"):
    assert found.dtype == jnp.dtype(dtype) and found.shape == expected.shape
    tolerance = 1e-5 if dtype == "float32" else 1e-2
    np.testing.assert_allclose(
        np.asarray(found, np.float64), expected, rtol=tolerance, atol=tolerance * abs(expected).max()
    )


def text_of(function, *args):
    return jax.jit(function).lower(*args).compile().as_text()


@needs_kernels
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", CASES)
def test_values(name, dtype):
    a, b, summed = operands(name, dtype)
    assert text_of(product(summed), a, b).count(CALL) == 1
    expected = exact(a, b, summed)
    assert_close(product(summed)(a, b), expected, dtype)
    assert_close(jax.jit(product(summed))(a, b), expected, dtype)


@needs_kernels
@pytest.mark.parametrize("name", ["plain", "sequences", "heads", "second turned and split"])
def test_gradients(name):
    """All three products are oneDNN's, and nothing is turned round in memory where kernels lie as in Keras."""
    a, b, summed = operands(name)

    def loss(a, b):
        return (product(summed)(a, b) ** 2).sum()

    text = text_of(jax.grad(loss, (0, 1)), a, b)
    assert text.count(CALL) == 3
    assert name.startswith("second turned") or not (" transpose(" in text or " copy(" in text)
    da, db = jax.jit(jax.grad(loss, (0, 1)))(a, b)
    with jax_compat.wide_types(True):
        wide = [jnp.asarray(np.asarray(array, np.float64)) for array in (a, b)]
        expected = [np.asarray(gradient) for gradient in jax.grad(loss, (0, 1))(*wide)]
    assert_close(da, expected[0])
    assert_close(db, expected[1])


@needs_kernels
def test_second_derivatives_and_forward_mode():
    a, b, _ = operands("plain")

    def loss(a):
        return jnp.tanh(0.1 * (a @ b)).sum()

    along = jnp.ones_like(a)
    _, slope = jax.jit(lambda a: jax.jvp(jax.grad(loss), (a,), (along,)))(a)
    with jax_compat.wide_types(True):
        a, b, along = (jnp.asarray(np.asarray(array, np.float64)) for array in (a, b, along))
        expected = np.asarray(jax.jvp(jax.grad(loss), (a,), (along,))[1])
    assert_close(slope, expected)


@needs_kernels
def test_in_loops_and_batches():
    a, b, _ = operands("plain")
    square = jnp.asarray(np.random.default_rng(1).standard_normal((72, 72)) / 9, "float32")

    def steps(a):
        return lax.scan(lambda state, _: (jnp.tanh(state @ square), None), a @ b, None, length=5)[0]

    assert CALL in text_of(steps, a)
    state = np.asarray(a, np.float64) @ np.asarray(b, np.float64)
    for _ in range(5):
        state = np.tanh(state @ np.asarray(square, np.float64))
    assert_close(jax.jit(steps)(a), state)
    stacked = jnp.stack([a, 2 * a, -a])
    found = jax.jit(jax.vmap(lambda a: a @ b))(stacked)
    assert_close(found, np.asarray(stacked, np.float64) @ np.asarray(b, np.float64))


@needs_kernels
@pytest.mark.parametrize("name", ["plain", "first turned", "turned and split"])
def test_not_a_number_and_infinity_stay(name):
    a, b, summed = operands(name)
    a = a.at[0, 5].set(jnp.nan).at[3, 7].set(jnp.inf)
    found = np.asarray(jax.jit(product(summed))(a, b))
    expected = exact(a, b, summed)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    np.testing.assert_array_equal(np.isinf(found), np.isinf(expected))


@needs_kernels
def test_repeats_to_the_last_bit_on_many_threads():
    a, b, summed = operands("turned and split")
    run = jax.jit(product(summed))
    first = np.asarray(run(a, b))
    wrong = []

    def work():
        for _ in range(20):
            if not np.array_equal(np.asarray(run(a, b)), first):
                wrong.append(True)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


# --- what stays XLA's --------------------------------------------------------------------------------
def _others():
    a, b, _ = operands("plain")
    wide = jnp.ones((64, 64, 64))
    yield "batches", lambda: text_of(lambda a: jnp.einsum("bij,bjk->bik", a, a), wide)
    yield (
        "summed axis between others",
        lambda: text_of(lambda a: jnp.einsum("bij,ik->bjk", a, jnp.ones((64, 64))), wide),
    )
    yield "a vector", lambda: text_of(jnp.matmul, a, b[:, 0])
    yield "one row", lambda: text_of(jnp.matmul, jnp.ones((1, 4096)), jnp.ones((4096, 512)))
    yield "little work", lambda: text_of(jnp.matmul, jnp.ones((16, 16)), jnp.ones((16, 16)))
    yield "integers", lambda: text_of(jnp.matmul, a.astype(int), b.astype(int))
    yield "float16", lambda: text_of(jnp.matmul, a.astype("float16"), b.astype("float16"))
    yield "complex", lambda: text_of(jnp.matmul, a.astype("complex64"), b.astype("complex64"))
    half = a.astype("bfloat16"), b.astype("bfloat16")
    yield "two dtypes", lambda: text_of(lax.dot, a, b.astype("bfloat16"))
    yield "a wider result", lambda: text_of(lambda a, b: jnp.matmul(a, b, preferred_element_type="float32"), *half)
    chosen = lax.DotAlgorithmPreset.F32_F32_F32
    yield "an algorithm by name", lambda: text_of(lambda a, b: lax.dot(a, b, precision=chosen), a, b)
    empty = jnp.ones((0, 4096)), jnp.ones((4096, 512))
    yield "nothing", lambda: text_of(jnp.matmul, *empty)


@pytest.mark.parametrize(("name", "text"), [pytest.param(*case, id=case[0]) for case in _others()])
def test_others_stay(name, text):
    assert "hornbeam_product" not in text()


@pytest.mark.parametrize("size", [4, 64])
def test_algorithms_that_the_processor_lacks_are_refused_as_by_jax(size):
    a = jnp.ones((size, size))
    for precision in (lax.DotAlgorithmPreset.TF32_TF32_F32, lax.DotAlgorithm(jnp.float32, jnp.float32, jnp.float32)):
        with pytest.raises(ValueError, match="not supported"):
            lax.dot(a, a, precision=precision)


@needs_kernels
@pytest.mark.parametrize("highest", [lax.Precision.HIGHEST, (lax.Precision.HIGH, lax.Precision.DEFAULT), "highest"])
def test_precisions_are_all_the_full_one(highest):
    a, b, summed = operands("plain")
    run = functools.partial(lax.dot_general, dimension_numbers=(summed, ((), ())), precision=highest)
    assert CALL in text_of(run, a, b)
    assert_close(run(a, b), exact(a, b, summed))


@needs_kernels
def test_processors_without_code_for_bfloat16():
    program = """
import jax, jax.numpy as jnp
from hornbeam.core import tensor
a = jnp.full((64, 64), 0.5, "bfloat16")
single = a.astype("float32")
print(float((a @ a)[3, 5]), "hornbeam_product" in jax.jit(jnp.matmul).lower(single, single).as_text())
"""
    environment = {**os.environ, "ONEDNN_MAX_CPU_ISA": "AVX2"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["16.0", "True"], done.stderr[-2000:]


def test_programs_for_other_processes_hold_no_foreign_calls():
    a, b, _ = operands("plain")
    exported = jax.export.export(jax.jit(jnp.matmul))(a, b)
    assert "hornbeam" not in exported.mlir_module()
    assert_close(exported.call(a, b), exact(a, b, ((1,), (0,))))


def test_nothing_changes_without_it(monkeypatch):
    monkeypatch.setattr(onednn, "_found", lambda: (None, "not installed"))
    a, b, _ = operands("plain")
    assert "hornbeam" not in jax.jit(lambda a, b: a @ b).lower(a, b).as_text()


def test_several_devices_keep_xlas(monkeypatch):
    monkeypatch.setattr(products.jax, "device_count", lambda *_: 2)
    a, b, _ = operands("plain")
    assert "hornbeam" not in jax.jit(lambda a, b: (a @ b) + 1).lower(a, b).as_text()


def test_jax_that_cannot_be_told(monkeypatch):
    for table in ("_lowerings", "_platform_specific_lowerings"):
        monkeypatch.setattr(jax_compat.mlir, table, {}, raising=False)
    assert not products.use_onednn()
