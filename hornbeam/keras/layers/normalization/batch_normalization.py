"""``BatchNormalization``: each channel over the batch."""

from __future__ import annotations

from typing import Any

from hornbeam.base import check, settings
from hornbeam.base.errors import NotSupportedError, ShapeError, explain
from hornbeam.keras import initializers
from hornbeam.keras.layers.base.elementwise import check_axes
from hornbeam.keras.layers.base.input_spec import InputSpec
from hornbeam.keras.layers.normalization.scale_and_shift import ScaleAndShift
from hornbeam.ops.normalization import batch_normalization_apply, batch_normalization_train


class BatchNormalization(ScaleAndShift):
    """Normalizes each channel to mean 0 and variance 1, then scales and shifts.

    While training, with the statistics of the batch, which also move the moving statistics:
    ``moving = moving * momentum + batch * (1 - momentum)``. Otherwise with the moving statistics. A frozen layer
    (``trainable = False``) never uses the batch's.

    Args:
        axis: axis of the channels.
        momentum: weight of the old moving statistics.
        epsilon: added to the variance.
        center: whether to add ``beta``.
        scale: whether to multiply by ``gamma``.
        beta_initializer: initial values of ``beta``.
        gamma_initializer: initial values of ``gamma``.
        moving_mean_initializer: initial values of the moving mean.
        moving_variance_initializer: initial values of the moving variance.
        beta_regularizer: penalty on ``beta``.
        gamma_regularizer: penalty on ``gamma``.
        beta_constraint: projection of ``beta`` after each update.
        gamma_constraint: projection of ``gamma`` after each update.
        renorm: must be False.
        renorm_clipping: used with ``renorm`` only.
        renorm_momentum: used with ``renorm`` only.
        synchronized: statistics over the batches of all replicas. A batch is one array here, wherever its parts lie, so
            this is always so.

    Input shape: any; the size of ``axis`` must be known.
    Output shape: that of the inputs, in the layer's compute dtype.

    Call arguments:
        inputs: floating tensor.
        training: True uses and moves statistics.
        mask: steps that count; without the last axis of the inputs.

    Raises:
        NotSupportedError: ``renorm=True``.

    References: Ioffe and Szegedy 2015, algorithm 1. Keras ``layers.BatchNormalization``.
    """

    pure = True

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        renorm_clipping: dict[str, Any] | None = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if renorm:
            raise NotSupportedError(
                explain(
                    f"{check.owner_text(self)} does not offer batch renormalization.",
                    expected="renorm=False",
                    received=f"renorm={renorm}",
                    fix="use GroupNormalization or LayerNormalization for small batches, which is what renorm is for",
                )
            )
        self.axis = int(axis)
        self.synchronized = synchronized
        self.momentum = float(momentum)
        self.epsilon = float(epsilon)
        self.center = center
        self.scale = scale
        self._take_parameters(
            beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer, beta_constraint, gamma_constraint
        )
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.supports_masking = True
        self.renorm = renorm
        self.renorm_clipping = renorm_clipping
        self.renorm_momentum = renorm_momentum
        self.gamma = self.beta = None
        self.moving_mean: Any = None
        self.moving_variance: Any = None

    def build(self, input_shape: Any) -> None:
        """Create ``gamma``, ``beta`` and the moving statistics."""
        check_axes(self.axis, tuple(input_shape))
        channels = check.known_axis(input_shape, self.axis, owner=self)
        self._make_parameters((channels,), gamma=self.scale, beta=self.center)
        self.moving_mean = self._statistic("moving_mean", channels, self.moving_mean_initializer)
        self.moving_variance = self._statistic("moving_variance", channels, self.moving_variance_initializer)
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: channels})
        self.built = True

    def _statistic(self, name: str, channels: int, initializer: Any) -> Any:
        return self.add_weight(name=name, shape=(channels,), initializer=initializer, trainable=False, autocast=False)

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """Normalized inputs."""
        if mask is not None and len(mask.shape) != len(inputs.shape) - 1:
            raise ShapeError(
                "BatchNormalization: `mask` has the axes of the inputs without the last one. Received: "
                f"mask.shape={mask.shape}, inputs.shape={inputs.shape}"
            )
        parameters = (inputs, self.moving_mean, self.moving_variance, self.gamma, self.beta)
        fixed = {"axis": self.axis, "epsilon": self.epsilon, "dtype": self.compute_dtype}
        if not (training and self.trainable):
            return batch_normalization_apply(*parameters, **fixed)
        outputs, mean, variance = batch_normalization_train(
            *parameters, mask, momentum=self.momentum, least_weight=settings.epsilon(), **fixed
        )
        self.moving_mean.assign(mean)
        self.moving_variance.assign(variance)
        return outputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The input shape."""
        return check_axes(self.axis, input_shape)
