"""``ParametricSoftplus`` and ``SReLU``."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.keras import initializers
from hornbeam.keras.layers import Layer
from hornbeam.keras.saving.registration import register_keras_serializable


def _slopes_shape(input_shape: Any, shared_axes: Any) -> list[int]:
    sizes = list(input_shape[1:])
    for axis in shared_axes or ():
        sizes[axis - 1] = 1
    return sizes


@register_keras_serializable("hornbeam")
class ParametricSoftplus(Layer):
    """``alpha * log(1 + exp(beta * x))`` with trained ``alpha`` and ``beta``.

    Args:
        alpha_init: number at which ``alpha`` starts.
        beta_init: number at which ``beta`` starts.
        shared_axes: axes along which all elements share their numbers, counted with the batch axis.

    References: Keras 1 ``layers.ParametricSoftplus``.
    """

    def __init__(self, alpha_init: float = 0.2, beta_init: float = 5.0, shared_axes: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.alpha_init = float(alpha_init)
        self.beta_init = float(beta_init)
        self.shared_axes = shared_axes

    def build(self, input_shape: Any) -> None:
        """Create ``alpha`` and ``beta``."""
        shape = _slopes_shape(input_shape, self.shared_axes)
        self.alpha = self.add_weight(shape, initializers.Constant(self.alpha_init), None, name="alpha")
        self.beta = self.add_weight(shape, initializers.Constant(self.beta_init), None, name="beta")
        self.built = True

    def call(self, inputs: Any) -> Any:
        """The soft rectifier."""
        return ops.softplus(inputs * self.beta) * self.alpha

    def get_config(self) -> dict[str, Any]:
        """Arguments that make an equal layer."""
        return {
            "name": self.name,
            "alpha_init": self.alpha_init,
            "beta_init": self.beta_init,
            "shared_axes": self.shared_axes,
        }


@register_keras_serializable("hornbeam")
class SReLU(Layer):
    """Three straight pieces: slopes left of ``t_left`` and right of ``t_right`` are trained, 1 between them.

    Args:
        t_left_init: initializer of the left border.
        a_left_init: initializer of the left slope.
        t_right_init: initializer of the distance between the borders.
        a_right_init: initializer of the right slope.
        shared_axes: axes along which all elements share their numbers, counted with the batch axis.

    References: Jin et al. 2015, "Deep learning with S-shaped rectified linear activation units". Keras 1
        ``layers.SReLU``.
    """

    def __init__(
        self,
        t_left_init: Any = "zeros",
        a_left_init: Any = "glorot_uniform",
        t_right_init: Any = "glorot_uniform",
        a_right_init: Any = "ones",
        shared_axes: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        starts = {"t_left": t_left_init, "a_left": a_left_init, "t_right": t_right_init, "a_right": a_right_init}
        self.initializers = {name: initializers.get(start) for name, start in starts.items()}
        self.shared_axes = shared_axes

    def build(self, input_shape: Any) -> None:
        """Create borders and slopes."""
        shape = _slopes_shape(input_shape, self.shared_axes)
        for name, start in self.initializers.items():
            setattr(self, name, self.add_weight(shape, start, None, name=name))
        self.built = True

    def call(self, inputs: Any) -> Any:
        """The three pieces."""
        left, right = self.t_left, self.t_left + ops.absolute(self.t_right)  # type: ignore[attr-defined]
        below = ops.minimum(inputs - left, 0.0) * self.a_left  # type: ignore[attr-defined]
        above = ops.maximum(inputs - right, 0.0) * self.a_right  # type: ignore[attr-defined]
        return ops.minimum(ops.maximum(inputs, left), right) + below + above

    def get_config(self) -> dict[str, Any]:
        """Arguments that make an equal layer."""
        starts = {f"{name}_init": initializers.serialize(start) for name, start in self.initializers.items()}
        return {"name": self.name, **starts, "shared_axes": self.shared_axes}
