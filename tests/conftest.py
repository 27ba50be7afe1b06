"""Settings of the whole test suite; they must stand before JAX and the oracle are imported."""

import gc
import os

import pytest

from tests.oracle_weights import host_drawn

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
# Kept blocks make training quicker; here they would add up to the sum of the largest needs of all tests.
os.environ.setdefault("HORNBEAM_MALLOC", "0")


@pytest.fixture(autouse=True, scope="module")
def _free_compiled_programs():
    """Thousands of small programs, ours and the oracle's, would otherwise pile up to many GB.

    What is left is frozen until the next module ends: Keras's `clear_session` collects garbage, in tests again and
    again, and would walk through all that the tests before have left.
    """
    yield
    import jax

    gc.unfreeze()
    jax.clear_caches()
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _oracle_weights(request):
    """The oracle's initial weights come from the host, unless the test compares their very bits."""
    if request.node.get_closest_marker("oracle_bits"):
        yield
        return
    with host_drawn():
        yield
