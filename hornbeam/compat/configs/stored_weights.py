"""Stored arrays of a layer, as their writer ordered and laid them out, into the order and layout of today's layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam.compat.configs.generation import version_tuple

__all__ = ["layer_weights"]

Arrays = list[np.ndarray]
_CONVOLUTIONS = ("Conv1D", "Conv2D", "Conv3D", "Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose")


def layer_weights(layer: Any, arrays: Arrays, names: list[str], version: str | None, backend: str | None) -> Arrays:
    """The arrays in today's order and layout.

    Args:
        layer: the layer they are for.
        arrays: as stored.
        names: their names in the file.
        version: version of Keras in the file; none means the first generation.
        backend: backend in the file.
    """
    numbers = version_tuple(version) or (1,)
    if numbers[0] >= 3:
        return arrays
    kind = _kind(layer)
    if kind == "Bidirectional":
        half = len(arrays) // 2
        parts = (layer.forward_layer, arrays[:half]), (layer.backward_layer, arrays[half:])
        return [array for part, own in parts for array in layer_weights(part, own, names, version, backend)]
    if kind == "TimeDistributed":
        return layer_weights(layer.layer, arrays, names, version, backend)
    if hasattr(layer, "layers"):
        return _model(layer, arrays, names, version, backend)
    if kind == "BatchNormalization" and len(arrays) == 4 and names and names[-1].startswith("param_"):
        arrays = _from_deviation(layer, arrays)
    if numbers[0] == 1:
        arrays = _first_generation(layer, kind, arrays)
    arrays = _fused_recurrent(layer, kind, arrays)
    if kind in _CONVOLUTIONS or kind.startswith("ConvLSTM"):
        arrays = _convolution(layer, arrays, _counts_as_flipped(numbers, names, backend), kind)
    return arrays


def _kind(layer: Any) -> str:
    """Name of the built-in class that a layer is of, or derives from."""
    for base in type(layer).__mro__:
        if base.__module__.startswith("hornbeam.keras.layers") or base.__module__.startswith("hornbeam.keras.models"):
            return base.__name__
    return type(layer).__name__


def _model(model: Any, arrays: Arrays, names: list[str], version: str | None, backend: str | None) -> Arrays:
    """Arrays of a model in a model: trainable ones of all layers, then the others; each layer's own are converted."""
    trainable, fixed = list(model.trainable_weights), list(model.non_trainable_weights)
    if len(arrays) != len(trainable) + len(fixed):
        return arrays
    position = {id(variable): index for index, variable in enumerate([*trainable, *fixed])}
    result = list(arrays)
    for layer in model.layers:
        places = [position[id(one)] for one in [*layer.trainable_weights, *layer.non_trainable_weights]]
        own = layer_weights(layer, [arrays[place] for place in places], names, version, backend)
        for place, array in zip(places, own, strict=True):
            result[place] = array
    return result


def _counts_as_flipped(numbers: tuple[int, ...], names: list[str], backend: str | None) -> bool:
    """Whether the program computed true convolution, which turns kernels around.

    The first generation did not store its backend; but TensorFlow ends the names of arrays with ``:0``, Theano not.
    """
    if backend is not None:
        return backend == "theano"
    return numbers[0] == 1 and any(name.endswith(("_W", "_W_1")) for name in names)


def _convolution(layer: Any, arrays: Arrays, flipped: bool, kind: str) -> Arrays:
    kernels = 2 if kind.startswith("ConvLSTM") else 1
    own = [tuple(variable.shape) for variable in layer.weights[:kernels]]
    result = list(arrays)
    for index in range(min(kernels, len(result))):
        array = result[index]
        if array.ndim == 4 and array.shape != own[index] and array.transpose(3, 2, 0, 1).shape == own[index]:
            array = array.transpose(3, 2, 0, 1)
        if flipped and array.ndim >= 3:
            array = np.flip(array, axis=tuple(range(array.ndim - 2)))
        result[index] = array
    return result


def _from_deviation(layer: Any, arrays: Arrays) -> Arrays:
    """Files of numbered layers hold the standard deviation, to which epsilon was added after the root was taken."""
    deviation = arrays[3].astype(np.float64)
    variance = (deviation + layer.epsilon) ** 2 - layer.epsilon
    return [*arrays[:3], variance.astype(arrays[3].dtype)]


# --- first generation ----------------------------------------------------------------------------
def _first_generation(layer: Any, kind: str, arrays: Arrays) -> Arrays:
    convert = _FIRST.get(kind)
    return convert(layer, list(arrays)) if convert is not None and arrays else arrays


def _channels_first(layer: Any) -> bool:
    return getattr(layer, "data_format", None) == "channels_first"


def _conv1d(layer: Any, arrays: Arrays) -> Arrays:
    kernel = arrays[0]
    if kernel.ndim == 4:
        own = tuple(layer.weights[0].shape)
        if not (kernel.shape[1] == 1 and (kernel.shape[0], *kernel.shape[2:]) == own):
            # The oldest layout: (out, in, length, 1).
            kernel = kernel.transpose(2, 3, 1, 0)
        arrays[0] = kernel[:, 0]
    return arrays


def _conv_nd(layer: Any, arrays: Arrays) -> Arrays:
    kernel = arrays[0]
    if _channels_first(layer):
        arrays[0] = kernel.transpose(*range(2, kernel.ndim), 1, 0)
    return arrays


def _conv2d_transposed(layer: Any, arrays: Arrays) -> Arrays:
    kernel = arrays[0]
    arrays[0] = kernel.transpose(2, 3, 0, 1) if _channels_first(layer) else kernel.transpose(0, 1, 3, 2)
    return arrays


def _lstm(layer: Any, arrays: Arrays) -> Arrays:
    """Twelve arrays: kernel, recurrent kernel and bias of the gates i, c, f, o; today i, f, c, o in three arrays."""
    if len(arrays) != 12:
        return arrays
    gates = (0, 6, 3, 9)
    return [np.concatenate([arrays[gate + part] for gate in gates], axis=-1) for part in range(3)]


def _gru(layer: Any, arrays: Arrays) -> Arrays:
    """Nine arrays: kernel, recurrent kernel and bias of the gates z, r, h."""
    if len(arrays) != 9:
        return arrays
    return [np.concatenate([arrays[gate + part] for gate in (0, 3, 6)], axis=-1) for part in range(3)]


def _conv_lstm2d(layer: Any, arrays: Arrays) -> Arrays:
    arrays = _lstm(layer, arrays)
    if _channels_first(layer):
        arrays[:2] = [array.transpose(2, 3, 1, 0) for array in arrays[:2]]
    return arrays


_FIRST: dict[str, Callable[[Any, Arrays], Arrays]] = {
    "Conv1D": _conv1d,
    "Conv2D": _conv_nd,
    "Conv3D": _conv_nd,
    "SeparableConv2D": lambda layer, arrays: arrays,
    "Conv2DTranspose": _conv2d_transposed,
    "LSTM": _lstm,
    "GRU": _gru,
    "ConvLSTM2D": _conv_lstm2d,
}


# --- recurrent layers of the cuDNN library -------------------------------------------------------
def _fused_recurrent(layer: Any, kind: str, arrays: Arrays) -> Arrays:
    """Arrays of cuDNN's recurrent layers, recognised by the length of their bias."""
    if kind not in ("LSTM", "GRU") or len(arrays) != 3 or arrays[2].ndim != 1:
        return arrays
    units, bias = layer.units, arrays[2]
    if kind == "LSTM" and bias.shape == (8 * units,):
        return [*_turned(arrays, 4), bias[: 4 * units] + bias[4 * units :]]
    if kind == "GRU" and bias.shape == (6 * units,):
        return [*_turned(arrays, 3), bias.reshape(2, 3 * units)]
    return arrays


def _turned(arrays: Arrays, gates: int) -> Arrays:
    kernel = [one.T.reshape(one.shape, order="F") for one in np.split(arrays[0], gates, axis=1)]
    recurrent = [one.T for one in np.split(arrays[1], gates, axis=1)]
    return [np.concatenate(kernel, axis=1), np.concatenate(recurrent, axis=1)]
