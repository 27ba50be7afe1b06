"""Functions of ``tf.train`` that look into checkpoint files."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from hornbeam.base import registry

__all__ = [
    "CheckpointReader",
    "checkpoints_iterator",
    "get_checkpoint_state",
    "latest_checkpoint",
    "list_variables",
    "load_checkpoint",
    "load_variable",
]


class CheckpointReader:
    """The tensors of a checkpoint by name.

    Args:
        path: prefix of the checkpoint.

    References: TensorFlow ``tf.train.load_checkpoint``.
    """

    def __init__(self, path: str) -> None:
        self._bundle = registry.find("saving", "bundle")(path)

    def get_variable_to_shape_map(self) -> dict[str, list[int]]:
        """Shape of each tensor."""
        return {name: list(self._bundle.shape(name)) for name in self._bundle.names()}

    def get_variable_to_dtype_map(self) -> dict[str, Any]:
        """Dtype of each tensor."""
        as_dtype = registry.find("saving", "bundle dtype")
        return {name: as_dtype(self._bundle.dtype(name)) for name in self._bundle.names()}

    def has_tensor(self, tensor_str: str) -> bool:
        """Whether there is a tensor of that name."""
        return tensor_str in self._bundle

    def get_tensor(self, tensor_str: str) -> Any:
        """A tensor as a NumPy array; a scalar string as ``bytes``.

        Raises:
            ValueError: there is none of that name.
        """
        if tensor_str not in self._bundle:
            raise ValueError(f"Key {tensor_str!r} is not in the checkpoint; get_variable_to_shape_map() lists them.")
        found = self._bundle.read(tensor_str)
        return found[()] if found.dtype == object and found.shape == () else np.array(found)


def load_checkpoint(ckpt_dir_or_file: Any) -> CheckpointReader:
    """A reader for a checkpoint.

    Args:
        ckpt_dir_or_file: its prefix, or a folder, whose newest checkpoint is meant.

    Raises:
        ValueError: the folder holds no checkpoint.
    """
    path = os.path.expanduser(os.fspath(ckpt_dir_or_file))
    if os.path.isdir(path):
        newest = latest_checkpoint(path)
        if newest is None:
            raise ValueError(
                f"Couldn't find a checkpoint in folder {path!r}: it has no `checkpoint` file, or the files named "
                "there are gone. Give the prefix of a checkpoint instead."
            )
        path = newest
    return CheckpointReader(path)


def load_variable(ckpt_dir_or_file: Any, name: str) -> Any:
    """One tensor of a checkpoint; a trailing ``:0`` of the name is dropped."""
    return load_checkpoint(ckpt_dir_or_file).get_tensor(name.removesuffix(":0"))


def list_variables(ckpt_dir_or_file: Any) -> list[tuple[str, list[int]]]:
    """Names and shapes of all tensors of a checkpoint, sorted by name."""
    return sorted(load_checkpoint(ckpt_dir_or_file).get_variable_to_shape_map().items())


def latest_checkpoint(checkpoint_dir: Any, latest_filename: str | None = None) -> str | None:
    """Prefix of the newest checkpoint of a folder, as its ``checkpoint`` file says; None if there is none."""
    return registry.find("saving", "latest checkpoint")(os.path.expanduser(os.fspath(checkpoint_dir)), latest_filename)


def get_checkpoint_state(checkpoint_dir: Any, latest_filename: str | None = None) -> Any:
    """Contents of the ``checkpoint`` file of a folder; None if there is none."""
    return registry.find("saving", "checkpoint state")(os.path.expanduser(os.fspath(checkpoint_dir)), latest_filename)


def checkpoints_iterator(
    checkpoint_dir: Any, min_interval_secs: float = 0, timeout: float | None = None, timeout_fn: Callable | None = None
) -> Iterator[str]:
    """Wait for new checkpoints of a folder and give the prefix of each.

    Args:
        checkpoint_dir: the folder, which another process writes to.
        min_interval_secs: least time between two of them, in seconds.
        timeout: seconds to wait for the next one; None waits for ever.
        timeout_fn: called after a timeout; the iteration ends if it gives True.
    """
    before = None
    while True:
        started = time.time()
        while (newest := latest_checkpoint(checkpoint_dir)) is None or newest == before:
            if timeout is not None and time.time() - started > timeout:
                if timeout_fn is None or timeout_fn():
                    return
                started = time.time()
            time.sleep(min(1.0, timeout or 1.0) / 4)
        before = newest
        found_at = time.time()
        yield newest
        time.sleep(max(0.0, found_at + min_interval_secs - time.time()))
