"""Initializers without chance: ``Zeros``, ``Ones``, ``Constant``, ``Identity``."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.base import dtypes
from hornbeam.keras.initializers.base import Initializer, numpy_dtype, placed
from hornbeam.keras.saving.serialization import deserialize_keras_object, serialize_keras_object

__all__ = ["Constant", "Identity", "Ones", "Zeros"]


class Zeros(Initializer):
    """All zeros.

    References: Keras ``keras.initializers.Zeros``.
    """

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return placed(np.zeros(tuple(shape), numpy_dtype(dtype)))


class Ones(Initializer):
    """All ones.

    References: Keras ``keras.initializers.Ones``.
    """

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return placed(np.ones(tuple(shape), numpy_dtype(dtype)))


class Constant(Initializer):
    """One value everywhere.

    Args:
        value: a number; or an array or nested list that broadcasts to the shape asked for.

    References: Keras ``keras.initializers.Constant``.
    """

    def __init__(self, value: Any = 0.0) -> None:
        self.value = value

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        kind = numpy_dtype(dtype)
        value = np.asarray(self.value).astype(kind)
        return placed(np.array(np.broadcast_to(value, np.broadcast_shapes(value.shape, tuple(shape)))))

    def get_config(self) -> dict[str, Any]:
        return {"value": serialize_keras_object(self.value)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Constant:
        return cls(deserialize_keras_object(config.get("value", 0.0)))


class Identity(Initializer):
    """Ones on the main diagonal of a matrix, zeros elsewhere.

    Args:
        gain: factor.

    Raises:
        ValueError: the shape asked for has not two axes.

    References: Keras ``keras.initializers.Identity``.
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        if len(shape) != 2:
            raise ValueError(
                f"The Identity initializer fills matrices, so it takes a `shape` of two axes. Received: shape={shape} "
                f"({len(shape)} axes)."
            )
        kind = numpy_dtype(dtype)
        # A fractional gain makes an integer matrix floating, as any product does.
        result = np.dtype(dtypes.result_type(kind, type(self.gain)).as_numpy_dtype)
        return placed(np.eye(*shape, dtype=result) * np.asarray(self.gain, result))

    def get_config(self) -> dict[str, Any]:
        # Keras stores no gain and loses it; here only the default one is left out.
        return {} if self.gain == 1.0 else {"gain": self.gain}
