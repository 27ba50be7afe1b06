"""``GroupNormalization``: each sample, in groups of channels."""

from __future__ import annotations

from typing import Any

from hornbeam.base.errors import ShapeError
from hornbeam.keras.layers.base.elementwise import check_axes
from hornbeam.keras.layers.base.input_spec import InputSpec
from hornbeam.keras.layers.normalization.scale_and_shift import ScaleAndShift
from hornbeam.ops.normalization import group_normalization


class GroupNormalization(ScaleAndShift):
    """Normalizes each sample over groups of channels (and all other axes), then scales and shifts each channel.

    Args:
        groups: number of groups, which must divide the number of channels; -1 for one group per channel.
        axis: axis of the channels.
        epsilon: added to the variance.
        center: whether to add ``beta``.
        scale: whether to multiply by ``gamma``.
        beta_initializer: initial values of ``beta``.
        gamma_initializer: initial values of ``gamma``.
        beta_regularizer: penalty on ``beta``.
        gamma_regularizer: penalty on ``gamma``.
        beta_constraint: projection of ``beta`` after each update.
        gamma_constraint: projection of ``gamma`` after each update.

    Input shape: ``(batch, ...)``; the number of channels must be known.
    Output shape: that of the inputs, in the layer's compute dtype.

    Raises:
        ValueError: ``groups`` is not positive; at build, if it does not divide the number of channels.

    References: Wu and He 2018. Keras ``layers.GroupNormalization``.
    """

    pure = True

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        if not isinstance(groups, int) or (groups <= 0 and groups != -1):
            raise ValueError(
                "GroupNormalization: `groups` takes an int of at least 1, or -1 for one group per channel. "
                f"Received: groups={groups!r}"
            )
        super().__init__(**kwargs)
        self.supports_masking = True
        self.autocast = False
        self.groups = groups
        self.axis = axis
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self._take_parameters(
            beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer, beta_constraint, gamma_constraint
        )

    def build(self, input_shape: Any) -> None:
        """Create ``gamma`` and ``beta``."""
        channels = input_shape[self.axis]
        if channels is None:
            raise ShapeError(
                f"GroupNormalization '{self.name}' needs to know the size of axis {self.axis}. Received: inputs of "
                f"shape {input_shape}"
            )
        if self.groups == -1:
            self.groups = channels
        if channels < self.groups:
            raise ShapeError(
                f"GroupNormalization: {channels} channels are too few for groups={self.groups}; use at most {channels}."
            )
        if channels % self.groups:
            raise ShapeError(
                f"GroupNormalization: {channels} channels do not split evenly into groups={self.groups}; use a divisor."
            )
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: channels})
        self._make_parameters((channels,), gamma=self.scale, beta=self.center)
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Normalized inputs."""
        return group_normalization(
            inputs,
            self.gamma,
            self.beta,
            groups=self.groups,
            axis=self.axis,
            epsilon=self.epsilon,
            dtype=self.compute_dtype,
        )

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The input shape."""
        return check_axes(self.axis, input_shape)
