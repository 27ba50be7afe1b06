"""Options of the compiler: which programs get them, and that they change no number."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam.engine import compiler, conv, onednn, platform

pytestmark = pytest.mark.skipif(not platform.is_cpu(), reason="options for the CPU")


@pytest.fixture(autouse=True)
def xla_alone(monkeypatch):
    """XLA's own convolutions, also where oneDNN is installed."""
    monkeypatch.setattr(onednn, "takes", lambda *_: False)


def program(size):
    x = jnp.ones((2, size, size, 32))
    return jax.make_jaxpr(lambda w: conv.conv(x, w, (1, 1), ((1, 1), (1, 1)), (1, 1)))(jnp.ones((3, 3, 32, 32)))


def test_programs_with_much_work_in_convolutions_leave_the_default_library():
    w, x = np.random.default_rng(0).normal(size=(2, 3, 3, 32, 32)).astype("float32"), jnp.ones((2, 256, 256, 32))
    large = program(256)
    options = compiler.options(large)
    assert options and all("CONVOLUTION" not in value for value in options.values())

    def run(w):
        return conv.conv(x, w, (1, 1), ((1, 1), (1, 1)), (1, 1))

    usual, chosen = jax.jit(run).lower(w[0]).compile(), jax.jit(run, compiler_options=options).lower(w[0]).compile()
    assert "ynn" in usual.as_text() and "ynn" not in chosen.as_text()
    np.testing.assert_allclose(chosen(w[0]), usual(w[0]), atol=1e-3)


def test_small_programs_and_products_keep_it():
    assert compiler.options(program(16)) is None
    wide = jnp.ones((2048, 2048))
    assert compiler.options(jax.make_jaxpr(lambda w: wide @ w)(wide)) is None


def test_what_the_user_has_set_stays(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_experimental_ynn_fusion_type=-individual_dot")
    assert compiler.options(program(256)) is None


def test_a_compiler_without_the_option_is_no_error(monkeypatch):
    monkeypatch.setattr(compiler, "_ALL_BUT_CONVOLUTIONS", {"xla_cpu_of_another_time": "LIBRARY"})
    compiler._is_known.cache_clear()
    try:
        assert compiler.options(program(256)) is None
    finally:
        compiler._is_known.cache_clear()
