"""``plaidml.keras``: choosing PlaidML as the backend, which leaves all work to Hornbeam."""

from __future__ import annotations

import os

from hornbeam.compat.notes import note

BACKEND = "plaidml.keras.backend"
"""What `keras.backend.backend()` says afterwards."""

__all__ = ["install_backend"]


def install_backend(import_path: str = BACKEND) -> None:
    """Accept PlaidML as the backend: `keras.backend.backend()` gives its name, XLA does the work.

    Args:
        import_path: the backend's name.
    """
    note("plaidml: XLA computes on the devices that JAX finds; no other backend is needed.")
    os.environ["KERAS_BACKEND"] = import_path
