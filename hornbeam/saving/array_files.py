"""Weights of a model as a plain list of named arrays (``.npz``, ``.safetensors``)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from hornbeam.keras.layers.base.tracking import own_variables
from hornbeam.saving.array_formats import read_arrays
from hornbeam.saving.restore import Staged
from hornbeam.saving.walk import walk
from hornbeam.saving.weights_h5 import own_arrays

__all__ = ["named_arrays", "restore_arrays"]


def named_arrays(model: Any) -> Iterator[tuple[str, np.ndarray]]:
    """Arrays of a model, each named by the path of its object and its number there."""
    for path, item in walk(model):
        if path.split("/")[0] != "optimizer":
            for name, array in own_arrays(item).items():
                yield "/".join(part for part in (path, "vars", name) if part), array


# --- into a model --------------------------------------------------------------------------------
def restore_arrays(model: Any, path: str, *, skip_mismatch: bool = False) -> None:
    """Give a model the weights of a file: by object path, by variable path, or by order (``arr_0``, ``arr_1`` ...).

    Raises:
        ValueError: listing what does not fit.
    """
    arrays = read_arrays(path)
    weights = list(model.weights)
    by_order = bool(arrays) and all(name == f"arr_{index}" for index, name in enumerate(arrays))
    if by_order:
        pairs = dict(zip((id(one) for one in weights), arrays.values(), strict=False))
        problem = None if len(arrays) == len(weights) else f"expected {len(weights)} arrays, stored are {len(arrays)}"
    else:
        pairs, problem = _by_name(model, arrays), None
    staged, problems = Staged(), [problem] if problem else []
    for variable in weights:
        array = pairs.get(id(variable))
        if array is None:
            problems.append(f"weight {variable.path}: no array of its name is stored")
        elif tuple(array.shape) != tuple(variable.shape):
            problems.append(f"weight {variable.path}: expected shape {tuple(variable.shape)}, stored {array.shape}")
        else:
            staged.put(variable, array)
    if problems and not skip_mismatch:
        listing = "\n  ".join(problems)
        raise ValueError(f"{path} does not fit model '{model.name}'; nothing was loaded.\n  {listing}")
    staged.commit()


def _by_name(model: Any, arrays: dict[str, np.ndarray]) -> dict[int, np.ndarray]:
    from_paths = {
        id(variable): arrays[name]
        for path, item in walk(model)
        for name, variable in _own_names(path, item)
        if name in arrays
    }
    return from_paths or {id(one): arrays[one.path] for one in model.weights if one.path in arrays}


def _own_names(path: str, item: Any) -> list[tuple[str, Any]]:
    if not hasattr(item, "save_own_variables") or not hasattr(item, "_weights"):
        return []
    return [("/".join(p for p in (path, "vars", str(i)) if p), v) for i, v in enumerate(own_variables(item))]
