"""What a ``FeatureSpace`` is made of: features, crosses, and the two small layers it needs."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.keras.layers.base.layer import Layer
from hornbeam.keras.saving import serialization


class Cross:
    """Two or more features whose combinations are one more feature.

    Args:
        feature_names: names of the features.
        crossing_dim: number of bins of the combinations.
        output_mode: ``one_hot`` or ``int``.
    """

    def __init__(self, feature_names: Any, crossing_dim: int, output_mode: str = "one_hot") -> None:
        if output_mode not in ("int", "one_hot"):
            raise ValueError(f"Cross: `output_mode` must be 'int' or 'one_hot'. Received: output_mode={output_mode!r}")
        self.feature_names = tuple(feature_names)
        self.crossing_dim = crossing_dim
        self.output_mode = output_mode

    @property
    def name(self) -> str:
        """The names of the features, joined."""
        return "_X_".join(self.feature_names)

    def get_config(self) -> dict[str, Any]:
        """Arguments."""
        return {
            "feature_names": self.feature_names,
            "crossing_dim": self.crossing_dim,
            "output_mode": self.output_mode,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Cross:
        """A cross from its config."""
        return cls(**config)


class Feature:
    """One feature: dtype, preprocessing layer and form of the output.

    Args:
        dtype: dtype of the data.
        preprocessor: layer (or its config) applied to the data.
        output_mode: ``float``, ``int`` or ``one_hot``.
    """

    def __init__(self, dtype: str, preprocessor: Any, output_mode: str) -> None:
        if output_mode not in ("int", "one_hot", "float"):
            raise ValueError(
                f"Feature: `output_mode` must be 'int', 'one_hot' or 'float'. Received: output_mode={output_mode!r}"
            )
        self.dtype = dtype
        if isinstance(preprocessor, dict):
            preprocessor = serialization.deserialize_keras_object(preprocessor)
        self.preprocessor = preprocessor
        self.output_mode = output_mode

    def get_config(self) -> dict[str, Any]:
        """Arguments."""
        return {
            "dtype": self.dtype,
            "preprocessor": serialization.serialize_keras_object(self.preprocessor),
            "output_mode": self.output_mode,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Feature:
        """A feature from its config."""
        return cls(**config)


class TFDConcat(Layer):
    """Features joined along an axis.

    Args:
        axis: the axis.
        **kwargs: ``name``, ``dtype``.
    """

    pure = True

    def __init__(self, axis: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, xs: Any) -> Any:
        """The joined features."""
        return ops.concatenate(list(xs), axis=self.axis)


class TFDIdentity(Layer):
    """A feature as it is, in the layer's compute dtype."""

    pure = True

    def call(self, x: Any) -> Any:
        """The feature."""
        return x
