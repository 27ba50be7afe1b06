"""Options of the compiler: which programs get them, and that they change no number."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam.engine import compiler, conv, onednn, platform

FEATURES = compiler._has_wide_registers
pytestmark = pytest.mark.skipif(not platform.is_cpu(), reason="options for the CPU")


@pytest.fixture(autouse=True)
def xla_alone(monkeypatch):
    """XLA's own convolutions, also where oneDNN is installed, on a processor with narrow registers."""
    monkeypatch.setattr(onednn, "takes", lambda *_: False)
    monkeypatch.setattr(compiler, "_has_wide_registers", lambda: False)


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


def test_wide_registers_are_used_whole(monkeypatch):
    monkeypatch.setattr(compiler, "_has_wide_registers", lambda: True)
    options = compiler.options(program(16))
    assert options == {"xla_cpu_prefer_vector_width": "512"}
    assert options.items() < compiler.options(program(256)).items()

    def run(x):
        return jnp.exp(x) / (1 + jnp.exp(x))

    x = np.random.default_rng(0).normal(size=1000).astype("float32")
    wide = jax.jit(run, compiler_options=options).lower(x).compile()
    np.testing.assert_allclose(wide(x), jax.jit(run)(x), rtol=1e-6)
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_prefer_vector_width=256")
    assert compiler.options(program(16)) is None


def test_which_registers_are_wide(monkeypatch, tmp_path):
    cpuinfo = tmp_path / "cpuinfo"
    monkeypatch.setattr(compiler, "Path", lambda _: cpuinfo)
    found = FEATURES.__wrapped__
    assert not found()  # no such file
    for flags, wide in (("avx2 fma", False), ("avx2 avx512f avx512_vnni", False), ("avx512f avx512_vbmi2", True)):
        cpuinfo.write_text(f"processor: 0\nflags: fpu {flags} sse\n")
        assert found() is wide


def test_a_compiler_without_the_option_is_no_error(monkeypatch):
    monkeypatch.setattr(compiler, "_ALL_BUT_CONVOLUTIONS", {"xla_cpu_of_another_time": "LIBRARY"})
    assert compiler.options(program(256)) is None
    monkeypatch.setattr(compiler, "_has_wide_registers", lambda: True)
    assert compiler.options(program(256)) == {"xla_cpu_prefer_vector_width": "512"}
