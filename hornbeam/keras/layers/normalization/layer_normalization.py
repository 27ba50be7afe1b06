"""``LayerNormalization``: each sample for itself."""

from __future__ import annotations

import warnings
from typing import Any

from hornbeam import ops
from hornbeam.keras.layers.base.elementwise import check_axes
from hornbeam.keras.layers.normalization.scale_and_shift import ScaleAndShift


class LayerNormalization(ScaleAndShift):
    """Normalizes each sample to mean 0 and variance 1 over some axes, then scales and shifts.

    ``(x - mean) / sqrt(variance + epsilon) * gamma + beta``, in float32 at least.

    Args:
        axis: axis or axes over which to normalize.
        epsilon: added to the variance.
        center: whether to add ``beta``.
        scale: whether to multiply by ``gamma``.
        beta_initializer: initial values of ``beta``.
        gamma_initializer: initial values of ``gamma``.
        beta_regularizer: penalty on ``beta``.
        gamma_regularizer: penalty on ``gamma``.
        beta_constraint: projection of ``beta`` after each update.
        gamma_constraint: projection of ``gamma`` after each update.
        **kwargs: arguments of ``Layer``. The old argument ``rms_scaling=True`` divides by the standard deviation
            without taking off the mean.

    Input shape: any; sizes of ``axis`` must be known.
    Output shape: that of the inputs, in the layer's compute dtype.

    References: Ba et al. 2016, equation 4. Keras ``layers.LayerNormalization``.
    """

    pure = True

    def __init__(
        self,
        axis: Any = -1,
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
        rms_scaling = kwargs.pop("rms_scaling", False)
        if rms_scaling:
            warnings.warn(
                "`rms_scaling=True` is deprecated: it scales by the variance, not by the root mean square. Use "
                "`keras.layers.RMSNormalization` for RMS normalization.",
                stacklevel=2,
            )
        super().__init__(**kwargs)
        if not isinstance(axis, (int, list, tuple)):
            raise TypeError(f"LayerNormalization: `axis` takes an int or several in a list. Received: axis={axis!r}")
        self.axis: Any = axis if isinstance(axis, int) else list(axis)
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self.rms_scaling = rms_scaling
        self._take_parameters(
            beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer, beta_constraint, gamma_constraint
        )
        self.supports_masking = True
        self.autocast = False

    def build(self, input_shape: Any) -> None:
        """Create ``gamma`` and ``beta``."""
        self.axis = [self.axis] if isinstance(self.axis, int) else sorted(self.axis)
        check_axes(self.axis, tuple(input_shape))
        shape = tuple(input_shape[axis] for axis in self.axis)
        self._make_parameters(shape, gamma=self.scale or self.rms_scaling, beta=self.center and not self.rms_scaling)
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Normalized inputs."""
        with warnings.catch_warnings():
            # The user heard about `rms_scaling` from the constructor.
            warnings.simplefilter("ignore")
            outputs = ops.layer_normalization(
                inputs, self.gamma, self.beta, tuple(self.axis), self.epsilon, rms_scaling=self.rms_scaling
            )
        return ops.cast(outputs, self.compute_dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The input shape."""
        return check_axes(self.axis, input_shape)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rms_scaling": self.rms_scaling}
