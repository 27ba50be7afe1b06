"""``Normalization``."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.base import settings
from hornbeam.core.tensor import Tensor
from hornbeam.keras.layers.base.layer import Layer
from hornbeam.keras.layers.preprocessing import data_batches
from hornbeam.keras.layers.preprocessing.vocabularies import common_config


class Normalization(Layer):
    """Features shifted and scaled to mean 0 and variance 1: ``(x - mean) / sqrt(variance)``.

    Args:
        axis: axes that have a mean and variance each; ``None`` for one of each for all values.
        mean: the mean, if it is not to be learned with ``adapt``: a number, or an array for the axes kept.
        variance: the variance, likewise.
        invert: the other way round: ``x * sqrt(variance) + mean``.
        **kwargs: ``name``, ``dtype``.

    Input shape: any; the kept axes must be known.
    Output shape: that of the input, in the layer's compute dtype.

    Example:
        >>> layer = Normalization(axis=None)
        >>> layer.adapt(np.array([1.0, 2.0, 3.0, 4.0, 5.0], "float32"))
        >>> layer(np.array([3.0, 5.0])).numpy()
        array([0.       , 1.4142135], dtype=float32)

    References: Keras ``layers.Normalization``.
    """

    pure = True

    def __init__(
        self, axis: Any = -1, mean: Any = None, variance: Any = None, invert: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.axis = () if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
        self.input_mean, self.input_variance, self.invert = mean, variance, invert
        self.supports_masking = True
        self._build_input_shape: tuple | None = None
        if (mean is None) != (variance is None):
            raise ValueError(
                f"Normalization: give both `mean` and `variance`, or none. Received: mean={mean}, variance={variance}"
            )
        if mean is not None:
            if np.shape(mean) != np.shape(variance):
                raise ValueError(
                    "Normalization: `mean` and `variance` must have one shape. Received: "
                    f"{np.shape(mean)} and {np.shape(variance)}"
                )
            if np.ndim(mean) > len(self.axis):
                raise ValueError(
                    f"Normalization: `mean` must have at most {len(self.axis)} axes, those kept by `axis`. Received: "
                    f"shape {np.shape(mean)} for axis {self.axis}"
                )

    def build(self, input_shape: Any) -> None:
        """Find the kept axes; create the weights that ``adapt`` fills."""
        if input_shape is None:
            return
        shape = tuple(input_shape)
        ndim = len(shape)
        if any(not -ndim <= axis < ndim for axis in self.axis):
            raise ValueError(f"Normalization '{self.name}': axis {self.axis} lies outside of inputs with {ndim} axes.")
        self._build_input_shape = shape
        self._keep_axis = tuple(sorted(axis % ndim for axis in self.axis))
        unknown = [axis for axis in self._keep_axis if shape[axis] is None]
        if unknown:
            raise ValueError(
                f"Normalization '{self.name}': the sizes of the kept axes must be known. Received: shape {shape}, axis "
                f"{self.axis}, with unknown axis {unknown[0]}"
            )
        self._reduce_axis = tuple(axis for axis in range(ndim) if axis not in self._keep_axis)
        self._broadcast_shape = tuple(shape[axis] if axis in self._keep_axis else 1 for axis in range(ndim))
        kept = tuple(shape[axis] for axis in self._keep_axis)
        if self.input_mean is None:
            self.adapt_mean = self.add_weight(kept, "zeros", trainable=False, name="mean")
            self.adapt_variance = self.add_weight(kept, "ones", trainable=False, name="variance")
            self.count = self.add_weight((), "zeros", dtype="int32", trainable=False, name="count")
        else:
            self._given = (self._spread(self.input_mean), self._spread(self.input_variance))
        self.built = True

    def _spread(self, given: Any) -> np.ndarray:
        """A given statistic with the axes of the inputs."""
        array = np.asarray(given, settings.floatx())
        expanded = [1] * len(self._broadcast_shape)
        for place in range(1, array.ndim + 1):
            expanded[self._keep_axis[-place]] = array.shape[-place]
        return np.broadcast_to(array.reshape(expanded if array.ndim else ()), self._broadcast_shape)

    def _statistics(self) -> tuple[Any, Any]:
        if self.input_mean is not None:
            found: tuple[Any, Any] = self._given
        else:
            found = (self.adapt_mean, self.adapt_variance)
        mean, variance = (ops.cast(ops.reshape(one, self._broadcast_shape), self.compute_dtype) for one in found)
        return mean, variance

    @property
    def mean(self) -> Any:
        """The mean in use, with the axes of the inputs; None before the layer is built."""
        return self._statistics()[0] if self.built else None

    @property
    def variance(self) -> Any:
        """The variance in use, with the axes of the inputs; None before the layer is built."""
        return self._statistics()[1] if self.built else None

    def adapt(self, data: Any) -> None:
        """Learn mean and variance from data.

        Args:
            data: array or tensor of samples; a dataset, ``PyDataset`` or iterable of batches.

        Raises:
            ValueError: no data, or shapes that do not fit each other.
            TypeError: no such data.
        """
        if self.input_mean is not None:
            raise ValueError(f"Normalization '{self.name}' was given mean and variance, so it cannot be adapted.")
        if data_batches.is_one_array(data, lists=False):
            array = data if isinstance(data, Tensor) else np.asarray(data)
            self._prepare(tuple(array.shape))
            if isinstance(array, Tensor):
                mean, variance = ops.mean(array, self._reduce_axis), ops.var(array, self._reduce_axis)
            else:
                mean, variance = np.mean(array, axis=self._reduce_axis), np.var(array, axis=self._reduce_axis)
        else:
            mean, variance = self._over(self._batched(data))
        self.adapt_mean.assign(mean)
        self.adapt_variance.assign(variance)
        self.finalize_state()

    def _batched(self, data: Any) -> Any:
        if not hasattr(data, "__iter__") and not hasattr(data, "__getitem__"):
            raise TypeError(
                f"Normalization '{self.name}' adapts to arrays, tensors, datasets and iterables of batches. Received: "
                f"{type(data)}"
            )
        if data_batches.is_dataset(data):
            spec = data_batches.features(data.element_spec)
            if len(tuple(spec.shape)) == 1:
                # A dataset of single rows.
                data = data.batch(128)
        found = (data_batches.features(batch) for batch in data_batches.batches(data))
        first = next(found, None)
        if first is None:
            raise ValueError(f"Normalization '{self.name}': there are no batches to adapt to.")
        if not hasattr(first, "shape"):
            raise TypeError(
                f"Normalization '{self.name}' adapts to an iterable of arrays. Received: elements of type "
                f"{type(first).__name__}"
            )
        self._prepare(tuple(first.shape))
        return itertools.chain([first], found)

    def _prepare(self, shape: tuple) -> None:
        if not self.built:
            self.build(shape)
        self._compare(shape)

    def _compare(self, shape: tuple) -> None:
        expected = self._build_input_shape or ()
        if len(shape) != len(expected) or any(shape[axis] != expected[axis] for axis in self._keep_axis):
            raise ValueError(
                f"Normalization '{self.name}' was built for shape {expected}; the data have shape {shape}."
            )

    def _over(self, batches: Any) -> tuple[Any, Any]:
        """Mean and variance of all batches, merged one by one in the compute dtype."""
        kind = np.float32 if "float64" not in self.compute_dtype else np.float64
        kept = tuple((self._build_input_shape or ())[axis] for axis in self._keep_axis)
        mean, variance, total = np.zeros(kept, kind), np.zeros(kept, kind), 0
        for batch in batches:
            array = np.asarray(batch).astype(kind, copy=False)
            self._compare(array.shape)
            count = math.prod(array.shape[axis] for axis in self._reduce_axis)
            if not count:
                continue
            total += count
            weight = kind(count / total)
            rest = kind(1.0 - count / total)
            batch_mean, batch_variance = array.mean(self._reduce_axis), array.var(self._reduce_axis)
            joined = mean * rest + batch_mean * weight
            variance = (variance + (mean - joined) ** 2) * rest + (batch_variance + (batch_mean - joined) ** 2) * weight
            mean = joined
        return mean, variance

    def finalize_state(self) -> None:
        """Use what was learned; called at the end of ``adapt``."""
        self._changed()

    def call(self, inputs: Any) -> Any:
        """``(inputs - mean) / sqrt(variance)``, or the inverse."""
        if not self.built:
            raise ValueError(f"Normalization '{self.name}' must be built first, with `build(input_shape)` or a call.")
        inputs = ops.cast(inputs, self.compute_dtype)
        mean, variance = self._statistics()
        scale = ops.maximum(ops.sqrt(variance), settings.epsilon())
        return ops.add(mean, ops.multiply(inputs, scale)) if self.invert else (inputs - mean) / scale

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The input shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Arguments."""
        return {
            **common_config(self),
            "axis": self.axis,
            "invert": self.invert,
            "mean": np.array(self.input_mean).tolist(),
            "variance": np.array(self.input_variance).tolist(),
        }

    def get_build_config(self) -> dict[str, Any] | None:
        """The shape it was built for."""
        return {"input_shape": self._build_input_shape} if self._build_input_shape else None

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build for a stored shape."""
        if config and not self.built:
            self.build(config["input_shape"])
