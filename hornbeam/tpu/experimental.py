"""``tf.tpu.experimental``: the start of a TPU system."""

from __future__ import annotations

from typing import Any

from hornbeam.config.devices import list_logical_devices

__all__ = ["initialize_tpu_system", "shutdown_tpu_system"]


def initialize_tpu_system(cluster_resolver: Any = None) -> None:
    """Check that there is a TPU; JAX has started it.

    Raises:
        RuntimeError: there is none.
    """
    if not list_logical_devices("TPU"):
        raise RuntimeError(
            "There is no TPU to start: JAX sees none. `jax.devices()` lists what there is; "
            "`tf.distribute.MirroredStrategy()` takes what it finds."
        )


def shutdown_tpu_system(cluster_resolver: Any = None) -> None:
    """Check that there is a TPU; it stays with the process until that ends.

    Raises:
        RuntimeError: there is none.
    """
    initialize_tpu_system(cluster_resolver)
