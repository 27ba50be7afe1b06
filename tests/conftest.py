"""Settings of the whole test suite; they must stand before JAX and the oracle are imported."""

import gc
import os

import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_PLATFORMS", "cpu")


@pytest.fixture(autouse=True, scope="module")
def _free_compiled_programs():
    """Thousands of small programs, ours and the oracle's, would otherwise pile up to many GB."""
    yield
    import jax

    jax.clear_caches()
    gc.collect()
