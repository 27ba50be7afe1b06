"""Weights that another program stored as 8-bit integers with scales: read as the floats they stand for."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.base.errors import UnsupportedFileError

__all__ = ["dequantized", "without_quantization"]


def without_quantization(config: Any) -> Any:
    """A config whose layers have the float policy that their quantised one was made from.

    Raises:
        UnsupportedFileError: a kind of quantisation other than int8.
    """
    if isinstance(config, list):
        return [without_quantization(item) for item in config]
    if not isinstance(config, dict):
        return config
    if config.get("class_name") == "QuantizedDTypePolicy" and isinstance(config.get("config"), dict):
        mode = config["config"].get("mode")
        if mode != "int8":
            raise UnsupportedFileError(
                f"The file holds weights quantised as {mode!r}; only 'int8' is read. Save the model before "
                "`quantize()`."
            )
        name = config["config"].get("source_name") or "float32"
        return {"module": "keras", "class_name": "DTypePolicy", "config": {"name": name}, "registered_name": None}
    found = {key: without_quantization(item) for key, item in config.items()}
    return {**found, "quantization_config": None} if isinstance(found.get("quantization_config"), dict) else found


def dequantized(shapes: list[tuple[int, ...]], store: Any) -> list[np.ndarray] | None:
    """Float arrays of a layer from integers and their scale, which stands last; ``None`` if it is stored otherwise.

    Args:
        shapes: shapes of the layer's variables.
        store: its stored arrays, by number.
    """
    parts = list(store.parts.values())
    if len(parts) != len(shapes) + 1 or not parts or parts[0].dtype != "int8":
        return None
    if [part.shape for part in parts[:-1]] != list(shapes):
        return None
    arrays = [part.read() for part in parts]
    scale = arrays[-1].astype(np.float64)
    try:
        value = arrays[0] / np.broadcast_to(scale, arrays[0].shape)
    except ValueError:
        return None
    return [value.astype(np.float32), *arrays[1:-1]]
