"""Nadam as it was before Keras 2.11: its momentum grows 250 times more slowly."""

from __future__ import annotations

from hornbeam.keras.optimizers import nadam


class Nadam(nadam.Nadam):
    """Nadam with ``pace`` 0.004, see ``keras.optimizers.Nadam``.

    References: Keras 2 ``optimizers.legacy.Nadam``.
    """

    pace = 0.004
