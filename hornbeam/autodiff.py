"""``tf.autodiff``: automatic differentiation."""

from __future__ import annotations

import enum

from hornbeam.core.tape import GradientTape

__all__ = ["GradientTape", "UnconnectedGradients"]


class UnconnectedGradients(enum.Enum):
    """What ``GradientTape.gradient`` gives for sources that do not matter for the target."""

    NONE = "none"
    ZERO = "zero"
