"""Pixels in the form that each architecture was trained on, and names of the 1000 ImageNet classes.

References: Keras ``applications.imagenet_utils``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.base import dtypes, settings
from hornbeam.base.errors import DataError, explain
from hornbeam.keras.applications.weight_files import HOST, WeightFile

__all__ = ["decode_predictions", "preprocess_input"]

CLASS_INDEX: dict[str, list[str]] | None = None
"""Class number (as text) to WordNet id and description; read when first needed."""

CLASS_INDEX_FILE = WeightFile(
    "download.tensorflow.org/data", "imagenet_class_index.json", "c2c37ea517e94d9795004a39431a14cb"
)
CLASS_INDEX_PATH = f"{HOST}{CLASS_INDEX_FILE.folder}/{CLASS_INDEX_FILE.source}"

_MODES = ("caffe", "tf", "torch")
# ImageNet means and deviations: RGB of pixels in 0..1 ("torch"), BGR of pixels in 0..255 ("caffe").
_TORCH_MEAN, _TORCH_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_CAFFE_MEAN = (103.939, 116.779, 123.68)


def preprocess_input(x: Any, data_format: str | None = None, mode: str = "caffe") -> Any:
    """Bring pixels of 0 to 255 into the range that a pretrained network expects.

    Args:
        x: pictures, 3 axes, or a batch of them, 4 axes, with RGB channels. A floating NumPy array is changed in place.
        data_format: ``"channels_last"``, ``"channels_first"``, or None for the global setting.
        mode: ``"caffe"``: BGR order, ImageNet's mean pixel subtracted; ``"tf"``: -1 to 1; ``"torch"``: 0 to 1, then
            each channel normalized by ImageNet's mean and standard deviation.

    Returns:
        Floating array or tensor of the same shape; integers become the default float type.

    Raises:
        ValueError: unknown mode or data format, or fewer than 3 channels.

    References: Keras ``applications.imagenet_utils.preprocess_input``.
    """
    if mode not in _MODES:
        raise ValueError(
            explain("preprocess_input does not know this mode.", expected=f"one of {_MODES}", received=f"mode={mode!r}")
        )
    axis = _channel_axis(x, settings.standardize_data_format(data_format))
    if isinstance(x, np.ndarray):
        return _preprocess_array(x, axis, mode)
    return _preprocess_tensor(x, axis, mode)


def preprocessing(mode: str) -> Callable[..., Any]:
    """The ``preprocess_input`` of an architecture trained on pixels of the given mode."""

    def preprocess(x: Any, data_format: str | None = None) -> Any:
        return preprocess_input(x, data_format=data_format, mode=mode)

    ranges = {
        "caffe": "BGR order, the mean pixel of ImageNet subtracted",
        "tf": "-1 to 1",
        "torch": "0 to 1, each channel then normalized by ImageNet's mean and standard deviation",
    }
    preprocess.__name__ = preprocess.__qualname__ = "preprocess_input"
    preprocess.__doc__ = f"""Bring RGB pixels of 0 to 255 into the form this architecture expects: {ranges[mode]}.

    Args:
        x: array or tensor of 3 or 4 axes; a floating NumPy array is changed in place.
        data_format: ``"channels_last"``, ``"channels_first"``, or None for the global setting.

    Returns:
        Floating array or tensor of the same shape.

    References: Keras ``applications.imagenet_utils.preprocess_input``, mode ``"{mode}"``.
    """
    return preprocess


def no_preprocessing(x: Any, data_format: str | None = None) -> Any:
    """Give ``x`` back: the model takes pixels of 0 to 255 and has a layer of its own for their range.

    Args:
        x: array or tensor.
        data_format: has no effect, since nothing is done to ``x``.
    """
    return x


def decode_predictions(preds: Any, top: int = 5) -> list[list[tuple[str, str, Any]]]:
    """Names of the most likely ImageNet classes.

    Args:
        preds: probabilities, shape ``(samples, 1000)``.
        top: how many classes per sample.

    Returns:
        For each sample a list of ``(WordNet id, description, probability)``, the most likely first.

    Raises:
        ValueError: another shape.

    References: Keras ``applications.imagenet_utils.decode_predictions``.
    """
    shape = tuple(getattr(preds, "shape", np.shape(preds)))
    if len(shape) != 2 or shape[1] != 1000:
        raise DataError(
            explain(
                "decode_predictions names the 1000 classes of ImageNet and no others.",
                expected="predictions of shape (samples, 1000)",
                received=f"shape {shape}",
                fix="keep the classifier (`include_top=True, classes=1000`), or use your own list of class names",
            )
        )
    names = _class_index()
    results = []
    for row in ops.convert_to_numpy(preds):
        best = row.argsort()[-top:][::-1]
        result = [(*names[str(index)], row[index]) for index in best]
        results.append(sorted(result, key=lambda entry: entry[2], reverse=True))
    return results


def _class_index() -> dict[str, list[str]]:
    global CLASS_INDEX
    if CLASS_INDEX is None:
        with open(CLASS_INDEX_FILE.fetch(), encoding="utf-8") as file:
            CLASS_INDEX = json.load(file)
    return CLASS_INDEX  # pyright: ignore[reportReturnType]


def _channel_axis(x: Any, data_format: str) -> int:
    shape = np.shape(x) if isinstance(x, (list, tuple)) else tuple(x.shape)
    ndim = len(shape)
    axis = ndim - 1 if data_format == "channels_last" else (0 if ndim == 3 else 1)
    if ndim < 3 or (shape[axis] is not None and shape[axis] < 3):
        raise DataError(
            explain(
                "preprocess_input needs color pictures.",
                expected=f"3 or 4 axes, RGB channels in axis {axis} ({data_format})",
                received=f"shape {shape}",
                fix="repeat a gray channel three times: `np.repeat(x, 3, axis=-1)`",
            )
        )
    return axis


def _preprocess_array(x: np.ndarray, axis: int, mode: str) -> np.ndarray:
    if not np.issubdtype(x.dtype, np.floating):
        x = x.astype(settings.floatx())
    if mode == "tf":
        x /= 127.5
        x -= 1.0
        return x
    if mode == "torch":
        x /= 255.0
    else:
        x = np.flip(x, axis)
    channels = np.moveaxis(x, axis, 0)
    for index, mean in enumerate(_TORCH_MEAN if mode == "torch" else _CAFFE_MEAN):
        channels[index] -= mean
        if mode == "torch":
            channels[index] /= _TORCH_STD[index]
    return x


def _preprocess_tensor(x: Any, axis: int, mode: str) -> Any:
    if isinstance(x, (list, tuple)):
        x = ops.convert_to_tensor(x)
    if not dtypes.as_dtype(x.dtype).is_floating:
        x = ops.cast(x, settings.floatx())
    if mode == "tf":
        return x / 127.5 - 1.0
    one_per_channel = [1] * len(x.shape)
    one_per_channel[axis] = 3
    means = np.reshape(_TORCH_MEAN if mode == "torch" else _CAFFE_MEAN, one_per_channel)
    mean = ops.convert_to_tensor(means, dtype=x.dtype)
    if mode == "caffe":
        return ops.take(x, [2, 1, 0], axis=axis) - mean
    std = ops.convert_to_tensor(np.reshape(_TORCH_STD, one_per_channel), dtype=x.dtype)
    return (x / 255.0 - mean) / std
