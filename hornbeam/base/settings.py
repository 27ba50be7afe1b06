"""Process-wide settings: floatx, epsilon, image data format, and the ``keras.json`` they may come from."""

from __future__ import annotations

import json
import os
from typing import Any

from hornbeam.base import dtypes

_values: dict[str, Any] = {}
_defaults: dict[str, Any] = {
    "floatx": "float32",
    "epsilon": 1e-7,
    "image_data_format": "channels_last",
    "traceback_filtering": True,
    "interactive_logging": True,
    "flash_attention": None,
    "max_epochs": None,
    "max_steps_per_epoch": None,
}


def keras_home() -> str:
    """Folder of caches and of ``keras.json``; looked up anew each time, as HOME may change."""
    return os.environ.get("KERAS_HOME") or os.path.join(os.path.expanduser("~"), ".keras")


def _from_file() -> dict[str, Any]:
    try:
        with open(os.path.join(keras_home(), "keras.json"), encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def get(name: str) -> Any:
    """Value of a setting; ``keras.json`` is read when the first file-backed one is asked for."""
    if name not in _values:
        file = _from_file()
        for key in ("floatx", "epsilon", "image_data_format"):
            _values.setdefault(key, file.get(key, _defaults[key]))
        _values.setdefault(name, _defaults[name])
    return _values[name]


def floatx() -> str:
    """Default float dtype of weights and layers."""
    return _values.get("floatx") or get("floatx")


def numeric() -> tuple[float, str]:
    """The settings that numbers in a compiled program depend on: epsilon and floatx."""
    return epsilon(), floatx()


def set_floatx(value: str) -> None:
    """Set the default float dtype: float16, bfloat16, float32 or float64."""
    name = dtypes.as_dtype(value).name if not isinstance(value, str) else value
    if name not in dtypes.FLOATS:
        raise ValueError(f"set_floatx(): unknown float dtype {value!r}. Choose one of {', '.join(dtypes.FLOATS)}.")
    get("floatx")
    _values["floatx"] = name


def epsilon() -> float:
    """Small number that keeps divisions and logarithms finite."""
    return _values.get("epsilon") or get("epsilon")


def set_epsilon(value: float) -> None:
    """Set the small number that keeps divisions and logarithms finite."""
    get("epsilon")
    _values["epsilon"] = float(value)


def image_data_format() -> str:
    """``"channels_last"`` or ``"channels_first"``."""
    return _values.get("image_data_format") or get("image_data_format")


def set_image_data_format(data_format: str) -> None:
    """Set the default place of the channels axis."""
    get("image_data_format")
    _values["image_data_format"] = standardize_data_format(data_format)


def standardize_data_format(value: str | None) -> str:
    """The default for ``None``; lower case otherwise, checked."""
    if value is None:
        return image_data_format()
    name = str(value).lower()
    if name not in ("channels_last", "channels_first"):
        raise ValueError(
            f"Unknown data_format {value!r}. Choose 'channels_last' (batch, ..., channels) or 'channels_first' "
            "(batch, channels, ...)."
        )
    return name


def put(name: str, value: Any) -> None:
    """Set one of the remaining settings."""
    if name not in _defaults:
        raise KeyError(f"No setting is called {name!r}; there are {sorted(_defaults)}.")
    _values[name] = value


def interactive_logging() -> bool:
    """True if progress goes to standard output, False if it goes to the log."""
    return bool(get("interactive_logging"))
