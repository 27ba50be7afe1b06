"""``SpatialDropout1D``, ``SpatialDropout2D``, ``SpatialDropout3D``: whole channels become zero."""

from __future__ import annotations

from typing import Any

from hornbeam.base import settings
from hornbeam.keras.layers.base.input_spec import InputSpec
from hornbeam.keras.layers.regularization.dropout import Dropout


class SpatialDropout(Dropout):
    """What the three layers share: one decision per sample and channel."""

    pure = True
    data_format = "channels_last"

    def __init__(self, rate: float, seed: int | None = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(rate, seed=seed, name=name, dtype=dtype)

    def _noise_shape_for(self, inputs: Any) -> tuple:
        spatial = (1,) * (len(inputs.shape) - 2)
        return (None, None, *spatial) if self.data_format == "channels_first" else (None, *spatial, None)

    def get_config(self) -> dict[str, Any]:
        return {"rate": self.rate, "seed": self.seed, "name": self.name, "dtype": self.dtype}


class SpatialDropout1D(SpatialDropout):
    """Drops whole features of a sequence, in all steps at once.

    Args:
        rate: probability of a feature's being dropped, 0 to 1.
        seed: int, for masks that can be repeated.

    Input shape: ``(batch, steps, features)``.
    Output shape: that of the inputs.

    References: Tompson et al. 2015. Keras ``layers.SpatialDropout1D``.
    """

    pure = True

    def __init__(self, rate: float, seed: int | None = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(rate, seed=seed, name=name, dtype=dtype)
        self.input_spec = InputSpec(ndim=3)


class SpatialDropout2D(SpatialDropout):
    """Drops whole channels of images.

    Args:
        rate: probability of a channel's being dropped, 0 to 1.
        data_format: "channels_last" or "channels_first"; the global setting if not given.
        seed: int, for masks that can be repeated.

    Input shape: ``(batch, rows, columns, channels)``, or ``(batch, channels, rows, columns)`` for "channels_first".
    Output shape: that of the inputs.

    References: Tompson et al. 2015. Keras ``layers.SpatialDropout2D``.
    """

    pure = True

    def __init__(
        self,
        rate: float,
        data_format: str | None = None,
        seed: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(rate, seed=seed, name=name, dtype=dtype)
        self.data_format = settings.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=4)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "data_format": self.data_format}


class SpatialDropout3D(SpatialDropout):
    """Drops whole channels of volumes.

    Args:
        rate: probability of a channel's being dropped, 0 to 1.
        data_format: "channels_last" or "channels_first"; the global setting if not given.
        seed: int, for masks that can be repeated.

    Input shape: ``(batch, depth, rows, columns, channels)``, or with the channels second for "channels_first".
    Output shape: that of the inputs.

    References: Tompson et al. 2015. Keras ``layers.SpatialDropout3D``.
    """

    pure = True

    def __init__(
        self,
        rate: float,
        data_format: str | None = None,
        seed: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(rate, seed=seed, name=name, dtype=dtype)
        self.data_format = settings.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=5)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "data_format": self.data_format}
