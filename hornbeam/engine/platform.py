"""Which kind of device programs are made for."""

from __future__ import annotations

import jax


def is_cpu() -> bool:
    """True if programs run on the CPU unless the user says otherwise."""
    return jax.default_backend() == "cpu"
