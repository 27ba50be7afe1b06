"""Settings of the whole test suite; they must stand before JAX and the oracle are imported."""

import gc
import os

import pytest

from tests.oracle_weights import host_drawn

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_PLATFORMS", "cpu")


@pytest.fixture(autouse=True, scope="module")
def _free_compiled_programs():
    """Thousands of small programs, ours and the oracle's, would otherwise pile up to many GB."""
    yield
    import jax

    jax.clear_caches()
    gc.collect()


@pytest.fixture(autouse=True)
def _oracle_weights(request):
    """The oracle's initial weights come from the host, unless the test compares their very bits."""
    if request.node.get_closest_marker("oracle_bits"):
        yield
        return
    with host_drawn():
        yield
