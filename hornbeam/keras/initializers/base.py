"""``Initializer``: an object that makes the first value of a weight."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from hornbeam.base import dtypes, settings
from hornbeam.core.tensor import Tensor, wrap
from hornbeam.engine.jax_compat import wide_types

__all__ = ["Initializer"]


class Initializer:
    """Makes the first value of a weight when called with its shape and dtype.

    A subclass writes ``__call__(shape, dtype=None)``, and ``get_config`` if its constructor takes arguments.

    Example:
        >>> class Ramp(Initializer):
        ...     def __call__(self, shape, dtype=None):
        ...         return tf.reshape(tf.range(math.prod(shape)), shape)

    References: Keras ``keras.initializers.Initializer``.
    """

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        """The value.

        Args:
            shape: sizes.
            dtype: element type, floatx by default.
        """
        raise NotImplementedError(
            f"Initializer subclasses must implement `__call__()`; {type(self).__name__} does not."
        )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Initializer:
        """The initializer that ``get_config`` described."""
        return cls(**config)

    def clone(self) -> Initializer:
        """A new initializer of equal arguments."""
        return type(self).from_config(self.get_config())


def numpy_dtype(dtype: Any) -> np.dtype:
    """NumPy's dtype of a dtype in any spelling, floatx for ``None``."""
    return np.dtype(dtypes.as_dtype(dtype if dtype is not None else settings.floatx()).as_numpy_dtype)


def placed(array: np.ndarray) -> Tensor:
    """Tensor of a host array. Nothing is compiled for its shape, unlike by ``jnp.array``."""
    with jax.ensure_compile_time_eval(), wide_types(dtypes.is_wide(array.dtype.name)):
        return wrap(jax.device_put(array, may_alias=False))
