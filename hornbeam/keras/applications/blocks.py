"""Small parts that several architectures are made of."""

from __future__ import annotations

from typing import Any

from hornbeam.keras import layers
from hornbeam.keras.applications.assembly import channels_first

CONV_INITIALIZER = {
    "class_name": "VarianceScaling",
    "config": {"scale": 2.0, "mode": "fan_out", "distribution": "truncated_normal"},
}
"""How the EfficientNets start their convolutions; a config, so that each layer gets an initializer of its own."""

DENSE_INITIALIZER = {
    "class_name": "VarianceScaling",
    "config": {"scale": 1.0 / 3.0, "mode": "fan_out", "distribution": "uniform"},
}
"""How the EfficientNets start their classifiers."""


def channel_axis(last: int = 3) -> int:
    """Axis of the channels in the global data format; ``last`` says how "last" is written in configs."""
    return 1 if channels_first() else last


def conv(x: Any, filters: int, size: Any = 1, **options: Any) -> Any:
    """``Conv2D`` applied."""
    return layers.Conv2D(filters, size, **options)(x)


def relu(x: Any, name: str | None = None) -> Any:
    """An ``Activation("relu")`` layer applied."""
    return layers.Activation("relu", name=name)(x)


def correct_pad(x: Any, size: Any) -> tuple[tuple[int, int], tuple[int, int]]:
    """Zero padding before a "valid" convolution of stride 2, so that it covers an even or odd picture evenly.

    Args:
        x: tensor to be padded.
        size: window, an int or one per axis.
    """
    windows = (size, size) if isinstance(size, int) else size
    start = 2 if channels_first() else 1
    rows, columns = x.shape[start : start + 2]
    odd = (1, 1) if rows is None else (1 - rows % 2, 1 - columns % 2)
    return (
        (windows[0] // 2 - odd[0], windows[0] // 2),
        (windows[1] // 2 - odd[1], windows[1] // 2),
    )


def round_to_multiple(value: float, divisor: int = 8) -> int:
    """The multiple of ``divisor`` nearest to ``value``, but not more than 10 % below it."""
    rounded = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return int(rounded + divisor if rounded < 0.9 * value else rounded)


def squeeze_excite(x: Any, filters: int, squeezed: int, name: str, activation: str = "swish") -> Any:
    """Weigh each channel by a small network that sees the means of all channels."""
    se = layers.GlobalAveragePooling2D(name=f"{name}se_squeeze")(x)
    shape = (filters, 1, 1) if channels_first() else (1, 1, filters)
    se = layers.Reshape(shape, name=f"{name}se_reshape")(se)
    common = {"padding": "same", "kernel_initializer": CONV_INITIALIZER}
    se = conv(se, squeezed, activation=activation, name=f"{name}se_reduce", **common)
    se = conv(se, filters, activation="sigmoid", name=f"{name}se_expand", **common)
    return layers.Multiply(name=f"{name}se_excite")([x, se])
