"""``tf.compat.v1.train``: optimizers of TensorFlow 1 as those of Keras; other names are those of ``tf.train``."""

from __future__ import annotations

import importlib
from typing import Any

from hornbeam.base import registry
from hornbeam.keras import optimizers


class _Old:
    """What all old optimizers share; ``kind`` is today's class."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """Make an optimizer of today's class."""
        return cls.make(*args, **kwargs)

    @staticmethod
    def make(*args: Any, **kwargs: Any) -> Any:
        """The optimizer."""
        raise NotImplementedError("Each old optimizer says which one it is today.")


class GradientDescentOptimizer(_Old):
    """``SGD``."""

    @staticmethod
    def make(learning_rate: Any, use_locking: bool = False, name: str = "GradientDescent") -> Any:
        """The optimizer."""
        return optimizers.SGD(learning_rate, name=name)


class MomentumOptimizer(_Old):
    """``SGD`` with momentum."""

    @staticmethod
    def make(
        learning_rate: Any,
        momentum: float,
        use_locking: bool = False,
        name: str = "Momentum",
        use_nesterov: bool = False,
    ) -> Any:
        """The optimizer."""
        return optimizers.SGD(learning_rate, momentum=momentum, nesterov=use_nesterov, name=name)


class AdamOptimizer(_Old):
    """``Adam``."""

    @staticmethod
    def make(
        learning_rate: Any = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        use_locking: bool = False,
        name: str = "Adam",
    ) -> Any:
        """The optimizer."""
        return optimizers.Adam(learning_rate, beta_1=beta1, beta_2=beta2, epsilon=epsilon, name=name)


class RMSPropOptimizer(_Old):
    """``RMSprop``."""

    @staticmethod
    def make(
        learning_rate: Any,
        decay: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-10,
        use_locking: bool = False,
        centered: bool = False,
        name: str = "RMSProp",
    ) -> Any:
        """The optimizer."""
        return optimizers.RMSprop(
            learning_rate, rho=decay, momentum=momentum, epsilon=epsilon, centered=centered, name=name
        )


class AdagradOptimizer(_Old):
    """``Adagrad``."""

    @staticmethod
    def make(
        learning_rate: Any, initial_accumulator_value: float = 0.1, use_locking: bool = False, name: str = "Adagrad"
    ) -> Any:
        """The optimizer."""
        return optimizers.Adagrad(
            learning_rate, initial_accumulator_value=initial_accumulator_value, epsilon=0.0, name=name
        )


class AdadeltaOptimizer(_Old):
    """``Adadelta``."""

    @staticmethod
    def make(
        learning_rate: Any = 0.001,
        rho: float = 0.95,
        epsilon: float = 1e-8,
        use_locking: bool = False,
        name: str = "Adadelta",
    ) -> Any:
        """The optimizer."""
        return optimizers.Adadelta(learning_rate, rho=rho, epsilon=epsilon, name=name)


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(importlib.import_module("hornbeam.train"), name)
    except (ModuleNotFoundError, AttributeError):
        raise registry.missing(__name__, name, [one for one in globals() if one.endswith("Optimizer")]) from None
