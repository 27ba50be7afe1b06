"""Helpers of ``keras.applications`` that other people's networks are built with."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

from hornbeam.base import settings
from hornbeam.keras import backend, layers, models, utils
from hornbeam.keras.applications import blocks

_KERAS_BACKEND, _KERAS_LAYERS, _KERAS_MODELS, _KERAS_UTILS = backend, layers, models, utils
_PARTS = {"backend": backend, "layers": layers, "models": models, "utils": utils}


def obtain_input_shape(
    input_shape: Any,
    default_size: int,
    min_size: int,
    data_format: str | None = None,
    require_flatten: bool = True,
    weights: Any = None,
    include_top: bool | None = None,
) -> tuple[int | None, ...]:
    """The shape of a network's pictures, without the batch axis: the wanted one, checked, or the usual one.

    Args:
        input_shape: what the user asked for, or None.
        default_size: usual height and width in pixels.
        min_size: smallest height and width in pixels.
        data_format: order of the axes; None for the global setting.
        require_flatten: whether height and width must be known, because a dense layer follows.
        weights: with ``"imagenet"`` pictures have 3 channels, and with ``require_flatten`` the usual size too.
        include_top: former name of ``require_flatten``.

    Raises:
        ValueError: the network cannot take pictures of this shape.
    """
    flat = require_flatten if include_top is None else include_top
    first = settings.standardize_data_format(data_format) == "channels_first"
    wanted = tuple(input_shape) if input_shape else None
    channels = 3
    if weights != "imagenet" and wanted is not None and len(wanted) == 3:
        channels = wanted[0 if first else -1]
        if channels not in (1, 3):
            warnings.warn(f"Pictures have 1 or 3 channels. Received: input_shape={wanted}", stacklevel=2)
    usual = _order(default_size, channels, first)
    if weights == "imagenet" and flat and wanted is not None:
        if wanted != usual:
            raise ValueError(f"With its published classifier the network takes {usual}. Received: input_shape={wanted}")
        return usual
    if wanted is None:
        return usual if flat else _order(None, 3, first)
    sides = wanted[1:] if first else wanted[:2]
    if len(wanted) != 3 or any(side is not None and side < min_size for side in sides):
        raise ValueError(
            f"The network takes pictures of 3 axes, {min_size} pixels or more on each side. "
            f"Received: input_shape={wanted}"
        )
    if weights == "imagenet" and wanted[0 if first else -1] != 3:
        raise ValueError(f"The published weights are for 3 channels. Received: input_shape={wanted}")
    if flat and None in wanted:
        raise ValueError(f"A dense layer follows, so all sizes must be known. Received: input_shape={wanted}")
    return wanted


def _order(side: int | None, channels: int, first: bool) -> tuple[int | None, ...]:
    return (channels, side, side) if first else (side, side, channels)


def correct_pad(backend: Any, inputs: Any, kernel_size: Any = None) -> tuple[tuple[int, int], tuple[int, int]]:
    """Zero padding before a "valid" convolution of stride 2; ``backend``, the first argument once, may be left out."""
    given = (backend, inputs) if kernel_size is None else (inputs, kernel_size)
    return blocks.correct_pad(*given)


def get_submodules_from_kwargs(kwargs: dict[str, Any]) -> tuple[Any, Any, Any, Any]:
    """The modules ``backend``, ``layers``, ``models`` and ``utils``: those given, or Hornbeam's.

    Raises:
        TypeError: there are other arguments.
    """
    if unknown := [name for name in kwargs if name not in _PARTS]:
        raise TypeError(f"The parts of Keras are {', '.join(_PARTS)}. Received: {', '.join(unknown)}")
    return tuple(kwargs.get(name, part) for name, part in _PARTS.items())  # type: ignore[return-value]


def get_keras_submodule(name: str) -> Any:
    """One of the parts by its name, ``engine`` included.

    Raises:
        ImportError: there is no such part.
    """
    parts = {**_PARTS, "keras_utils": utils, "engine": models}
    if name not in parts:
        raise ImportError(f"The parts of Keras are {', '.join(parts)}. Received: {name!r}")
    return parts[name]


def set_keras_submodules(**parts: Any) -> None:
    """Take the parts that networks are to be built from: Hornbeam's own, the only ones.

    Raises:
        ValueError: a part is another one.
    """
    foreign = [name for name, part in parts.items() if name in _PARTS and part not in (None, _PARTS[name])]
    if foreign:
        raise ValueError(f"Networks are built from Hornbeam's own parts. Received others for: {', '.join(foreign)}")


def keras_modules_injection(base_fun: Callable) -> Callable:
    """Give a function that builds a network the four parts as arguments."""

    @functools.wraps(base_fun)
    def with_parts(*args: Any, **kwargs: Any) -> Any:
        return base_fun(*args, **kwargs, **_PARTS)

    return with_parts
