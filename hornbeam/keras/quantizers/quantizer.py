"""Quantizers: objects that turn floats into small integers."""

from __future__ import annotations

from typing import Any

from hornbeam.base.errors import ArgumentError
from hornbeam.keras.quantizers.functions import EPSILON, abs_max_quantize

__all__ = ["AbsMaxQuantizer", "Quantizer"]


class Quantizer:
    """Base of quantizers: a call returns integers and their scale.

    Args:
        output_dtype: dtype of the integers.

    References: Keras ``quantizers.Quantizer``.
    """

    def __init__(self, output_dtype: str = "int8") -> None:
        self.output_dtype = output_dtype

    def __call__(self, x: Any) -> Any:
        """What stands for ``x``; here ``x`` itself."""
        return x

    def get_config(self) -> dict[str, Any]:
        """Arguments of the constructor; to be overridden.

        Raises:
            NotImplementedError: the class does not say.
        """
        raise NotImplementedError(f"{type(self).__name__} must override `get_config()` to be saved with a model.")

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Quantizer:
        """The quantizer that ``get_config`` described."""
        return cls(**config)


class AbsMaxQuantizer(Quantizer):
    """Scales so that the largest magnitude along an axis becomes the largest integer.

    Args:
        axis: axis or axes that share a scale, unless a call names another one; then the last.
        value_range: least and largest integer.
        epsilon: added to the largest magnitude.
        output_dtype: dtype of the integers.

    Raises:
        ValueError: a range that int8 cannot hold.

    References: Keras ``quantizers.AbsMaxQuantizer``.
    """

    def __init__(
        self,
        axis: Any = None,
        value_range: tuple[int, int] = (-127, 127),
        epsilon: float = EPSILON,
        output_dtype: str = "int8",
    ) -> None:
        super().__init__(output_dtype)
        self.axis = None if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
        self.value_range = value_range
        self.epsilon = epsilon
        if output_dtype == "int8" and not (value_range[0] >= -128 and value_range[1] <= 127):
            raise ArgumentError(
                f"AbsMaxQuantizer: int8 holds -128 to 127. Received: value_range={value_range}. Choose a smaller range."
            )

    def __call__(self, x: Any, axis: Any = None, to_numpy: bool = False) -> tuple[Any, Any]:
        """Integers and scales of ``x``.

        Args:
            x: floats.
            axis: axis or axes that share a scale; that of the constructor by default.
            to_numpy: compute on the host.
        """
        axis = self.axis if axis is None else axis
        low, high = self.value_range
        return abs_max_quantize(x, -1 if axis is None else axis, (low, high), self.output_dtype, self.epsilon, to_numpy)

    def get_config(self) -> dict[str, Any]:
        config = {"value_range": self.value_range, "epsilon": self.epsilon, "output_dtype": self.output_dtype}
        return config if self.axis is None else {**config, "axis": self.axis}
