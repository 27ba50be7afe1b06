"""Vocabulary files, and the checks of lookup layers' arguments."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from hornbeam.core.tensor import Tensor
from hornbeam.keras.layers.base.config import policy_config


def check_arguments(
    owner: str, max_tokens: Any, num_oov_indices: int, pad: bool, invert: bool, output_mode: str, sparse: bool
) -> None:
    """Refuse arguments of a lookup layer that contradict each other."""
    if max_tokens is not None and max_tokens <= 1:
        raise ValueError(f"{owner}: `max_tokens` must be 2 or more. Received: max_tokens={max_tokens}")
    if pad and max_tokens is None:
        raise ValueError(f"{owner}: `pad_to_max_tokens=True` needs `max_tokens`. Received: max_tokens=None")
    if num_oov_indices < 0:
        raise ValueError(f"{owner}: `num_oov_indices` must be 0 or more. Received: num_oov_indices={num_oov_indices}")
    if invert and output_mode != "int":
        raise ValueError(f"{owner}: `invert=True` goes with output_mode='int'. Received: output_mode={output_mode!r}")
    if sparse and output_mode == "int":
        raise ValueError(f"{owner}: `sparse=True` goes with output modes other than 'int'. Received: {output_mode!r}")


def checked_salt(salt: Any, oov_method: str, vocabulary_dtype: str, owner: str) -> Any:
    """Two integers from one or two."""
    if oov_method not in ("floormod", "farmhash"):
        raise ValueError(f"{owner}: `oov_method` must be 'floormod' or 'farmhash'. Received: {oov_method!r}")
    if salt is None:
        return None
    if vocabulary_dtype != "string" and oov_method != "farmhash":
        raise ValueError(f"{owner}: `salt` goes with oov_method='farmhash'. Received: oov_method={oov_method!r}")
    return pair_of(salt, owner)


def pair_of(salt: Any, owner: str) -> list[int]:
    """A salt as two integers."""
    if isinstance(salt, (tuple, list)) and len(salt) == 2:
        return list(salt)
    if isinstance(salt, int):
        return [salt, salt]
    raise ValueError(f"{owner}: `salt` must be an integer, or two of them. Received: salt={salt!r}")


def read(path: Any, dtype: str, output_mode: str) -> list[Any]:
    """Words of a vocabulary file.

    Raises:
        ValueError: there is no such file, or weights would be needed beside it.
    """
    if not os.path.exists(path):
        raise ValueError(f"Vocabulary file {path} does not exist.")
    if output_mode == "tf_idf":
        raise ValueError("output_mode='tf_idf' takes no vocabulary file, as it needs weights; pass lists instead.")
    with open(path, "rb") as file:
        lines = file.read().splitlines()
    return lines if dtype == "string" else [int(line) for line in lines]


def read_asset(path: str, dtype: str) -> list[Any]:
    """Words of the vocabulary file in a model file."""
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("\n")
    while lines and lines[-1] == "":
        lines.pop()
    return lines if dtype == "string" else [int(line) for line in lines]


def write(path: str, words: list[Any]) -> None:
    """Write a vocabulary file, a word a line."""
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.write("\n".join(map(str, words)))


def listed(x: Any) -> Any:
    """Arrays and tensors as lists, for configs."""
    if isinstance(x, Tensor):
        x = x.numpy()
    if isinstance(x, np.ndarray):
        x = x.tolist()
    if isinstance(x, (list, tuple)):
        return [
            item.decode() if isinstance(item, bytes) else item.item() if hasattr(item, "item") else item for item in x
        ]
    return x


def common_config(layer: Any) -> dict[str, Any]:
    """Name, trainable flag and dtype policy."""
    return {"name": layer.name, "trainable": layer.trainable, "dtype": policy_config(layer)}
