"""Settings of the whole test suite; they must stand before JAX and the oracle are imported."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
