"""Initializers whose spread follows from the number of inputs and outputs: Glorot, He, LeCun."""

from __future__ import annotations

import math
from typing import Any

from hornbeam.base import check
from hornbeam.keras.initializers import draws
from hornbeam.keras.initializers.random import RandomInitializer, sizes

__all__ = [
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "LecunNormal",
    "LecunUniform",
    "VarianceScaling",
    "compute_fans",
]

# Standard deviation of the standard normal distribution cut at two.
_CUT_STDDEV = 0.87962566103423978


class VarianceScaling(RandomInitializer):
    """Random values of variance ``scale / n``, where ``n`` counts inputs or outputs of the weight.

    Args:
        scale: positive factor of the variance.
        mode: ``n`` is the number of inputs (``"fan_in"``), of outputs (``"fan_out"``) or their mean (``"fan_avg"``).
        distribution: ``"truncated_normal"`` (also ``"normal"``), ``"untruncated_normal"`` or ``"uniform"``.
        seed: int, ``SeedGenerator`` or ``None``; see ``RandomInitializer``.
        input_axes: axes whose sizes multiply to the number of inputs; used together with ``output_axes``.
        output_axes: axes whose sizes multiply to the number of outputs.

    Raises:
        ValueError: a scale that is not positive, an unknown mode or distribution.

    References: Keras ``keras.initializers.VarianceScaling``.
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: Any = None,
        input_axes: Any = None,
        output_axes: Any = None,
    ) -> None:
        if scale <= 0.0:
            raise ValueError(f"{type(self).__name__}: `scale` must be above 0. Received: scale={scale}")
        check.one_of("mode", mode, ("fan_in", "fan_out", "fan_avg"), owner=self)
        distribution = distribution.lower()
        if distribution == "normal":
            distribution = "truncated_normal"
        check.one_of("distribution", distribution, ("uniform", "truncated_normal", "untruncated_normal"), owner=self)
        self.scale = scale
        self.mode = mode
        self.distribution = distribution
        self.input_axes = input_axes
        self.output_axes = output_axes
        super().__init__(seed=seed)

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        shape = sizes(shape)
        fan_in, fan_out = compute_fans(shape, self.input_axes, self.output_axes)
        counts = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2.0}
        variance = self.scale / max(1.0, counts[self.mode])
        if self.distribution == "truncated_normal":
            return draws.truncated_normal(self.key(), shape, 0.0, math.sqrt(variance) / _CUT_STDDEV, dtype)
        if self.distribution == "untruncated_normal":
            return draws.normal(self.key(), shape, 0.0, math.sqrt(variance), dtype)
        limit = math.sqrt(3.0 * variance)
        return draws.uniform(self.key(), shape, -limit, limit, dtype)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "scale": self.scale,
            "mode": self.mode,
            "distribution": self.distribution,
            "input_axes": self.input_axes,
            "output_axes": self.output_axes,
        }


class _Named(VarianceScaling):
    """A ``VarianceScaling`` whose first three arguments are fixed by its name."""

    _fixed: tuple[float, str, str]

    def __init__(self, seed: Any = None, input_axes: Any = None, output_axes: Any = None) -> None:
        super().__init__(*self._fixed, seed=seed, input_axes=input_axes, output_axes=output_axes)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        return {name: config[name] for name in ("seed", "input_axes", "output_axes")}


class GlorotUniform(_Named):
    """Even spread with limit ``sqrt(6 / (fan_in + fan_out))``; also called Xavier.

    Args:
        seed: int, ``SeedGenerator`` or ``None``; see ``RandomInitializer``.
        input_axes: see ``VarianceScaling``.
        output_axes: see ``VarianceScaling``.

    References: Glorot and Bengio 2010, equation 16. Keras ``keras.initializers.GlorotUniform``.
    """

    _fixed = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Named):
    """Cut normal distribution of standard deviation ``sqrt(2 / (fan_in + fan_out))``; also called Xavier.

    Arguments as in ``GlorotUniform``.

    References: Glorot and Bengio 2010, equation 12. Keras ``keras.initializers.GlorotNormal``.
    """

    _fixed = (1.0, "fan_avg", "truncated_normal")


class LecunNormal(_Named):
    """Cut normal distribution of standard deviation ``sqrt(1 / fan_in)``, the one for ``selu``.

    Arguments as in ``GlorotUniform``.

    References: LeCun et al. 1998, section 4.6. Keras ``keras.initializers.LecunNormal``.
    """

    _fixed = (1.0, "fan_in", "truncated_normal")


class LecunUniform(_Named):
    """Even spread with limit ``sqrt(3 / fan_in)``.

    Arguments as in ``GlorotUniform``.

    References: LeCun et al. 1998, section 4.6. Keras ``keras.initializers.LecunUniform``.
    """

    _fixed = (1.0, "fan_in", "uniform")


class HeNormal(_Named):
    """Cut normal distribution of standard deviation ``sqrt(2 / fan_in)``, the one for ``relu``.

    Arguments as in ``GlorotUniform``.

    References: He et al. 2015, equation 10. Keras ``keras.initializers.HeNormal``.
    """

    _fixed = (2.0, "fan_in", "truncated_normal")


class HeUniform(_Named):
    """Even spread with limit ``sqrt(6 / fan_in)``, for ``relu``.

    Arguments as in ``GlorotUniform``.

    References: He et al. 2015, equation 10. Keras ``keras.initializers.HeUniform``.
    """

    _fixed = (2.0, "fan_in", "uniform")


def compute_fans(shape: Any, input_axes: Any = None, output_axes: Any = None) -> tuple[int, int]:
    """How many inputs and outputs a weight of a shape connects.

    Args:
        shape: sizes; of a convolution kernel ``(*window, inputs, outputs)``.
        input_axes: axes that count inputs.
        output_axes: axes that count outputs; both or neither are given.
    """
    shape = tuple(shape)
    if input_axes is not None and output_axes is not None:
        return math.prod(shape[axis] for axis in input_axes), math.prod(shape[axis] for axis in output_axes)
    if len(shape) < 2:
        size = shape[0] if shape else 1
        return size, size
    window = math.prod(shape[:-2])
    return shape[-2] * window, shape[-1] * window
