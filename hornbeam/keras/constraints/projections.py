"""Constraints: projections that bring a weight back into an allowed set after each update."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.base import settings
from hornbeam.core.door import op
from hornbeam.ops.casting import convert_to_tensor
from hornbeam.ops.promotion import as_float, promote, to_dtype

__all__ = ["Constraint", "MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm"]


class Constraint:
    """A projection: called with a weight, gives the weight that is allowed.

    A subclass writes ``__call__(w)``, and ``get_config`` if its constructor takes arguments. Any function of a
    tensor serves as well.

    References: Keras ``keras.constraints.Constraint``.
    """

    def __call__(self, w: Any) -> Any:
        """The projected weight; here: the weight itself."""
        return w

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Constraint:
        """The constraint that ``get_config`` described."""
        return cls(**config)


def _norms(w: Any, axis: Any) -> Any:
    return jnp.sqrt(as_float(jnp.sum(jnp.square(w), axis=axis, keepdims=True, dtype=w.dtype)))


@op(static=("axis", "epsilon"))
def _bounded(w: Any, low: Any, high: Any, rate: Any, axis: Any, epsilon: float) -> jax.Array:
    w = promote(w)[0]
    norms = _norms(w, axis)
    wanted = jnp.clip(norms, to_dtype(low, norms.dtype), to_dtype(high, norms.dtype))
    wanted = to_dtype(rate, norms.dtype) * wanted + to_dtype(1 - rate, norms.dtype) * norms
    return to_dtype(w, norms.dtype) * (wanted / (epsilon + norms))


@op(static=("axis", "epsilon"))
def _capped(w: Any, high: Any, axis: Any, epsilon: float) -> jax.Array:
    w = promote(w)[0]
    norms = _norms(w, axis)
    wanted = jnp.clip(norms, 0, to_dtype(high, norms.dtype))
    return to_dtype(w, norms.dtype) * (wanted / (epsilon + norms))


@op(static=("axis", "epsilon"))
def _of_unit_norm(w: Any, axis: Any, epsilon: float) -> jax.Array:
    w = promote(w)[0]
    norms = _norms(w, axis)
    return to_dtype(w, norms.dtype) / (epsilon + norms)


@op
def _non_negative(w: Any) -> jax.Array:
    w = promote(w)[0]
    return jnp.maximum(w, jnp.zeros((), w.dtype))


class MaxNorm(Constraint):
    """Scales down what is longer than ``max_value``.

    Args:
        max_value: largest Euclidean norm.
        axis: axis or axes over which a norm is taken: 0 for the kernel of a ``Dense`` layer, ``[0, 1, 2]`` for that
            of a two-dimensional convolution.

    References: Srivastava et al. 2014, section 5.1. Keras ``keras.constraints.MaxNorm``.
    """

    def __init__(self, max_value: float = 2, axis: Any = 0) -> None:
        self.max_value = max_value
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        return _capped(convert_to_tensor(w), self.max_value, axis=self.axis, epsilon=settings.epsilon())

    def get_config(self) -> dict[str, Any]:
        return {"max_value": self.max_value, "axis": self.axis}


class NonNeg(Constraint):
    """Sets negative elements to zero.

    References: Keras ``keras.constraints.NonNeg``.
    """

    def __call__(self, w: Any) -> Any:
        return _non_negative(convert_to_tensor(w))


class UnitNorm(Constraint):
    """Scales to norm 1.

    Args:
        axis: axis or axes over which a norm is taken; see ``MaxNorm``.

    References: Keras ``keras.constraints.UnitNorm``.
    """

    def __init__(self, axis: Any = 0) -> None:
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        return _of_unit_norm(convert_to_tensor(w), axis=self.axis, epsilon=settings.epsilon())

    def get_config(self) -> dict[str, Any]:
        return {"axis": self.axis}


class MinMaxNorm(Constraint):
    """Moves norms into ``[min_value, max_value]``.

    Args:
        min_value: smallest norm.
        max_value: largest norm.
        rate: 1 puts every norm inside at once; less moves it there by that fraction of the way.
        axis: axis or axes over which a norm is taken; see ``MaxNorm``.

    References: Keras ``keras.constraints.MinMaxNorm``.
    """

    def __init__(self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Any = 0) -> None:
        self.min_value = min_value
        self.max_value = max_value
        self.rate = rate
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        bounds = (self.min_value, self.max_value, self.rate)
        return _bounded(convert_to_tensor(w), *bounds, axis=self.axis, epsilon=settings.epsilon())

    def get_config(self) -> dict[str, Any]:
        return {"min_value": self.min_value, "max_value": self.max_value, "rate": self.rate, "axis": self.axis}
