"""``save_model``, ``load_model``, ``save_weights``, ``load_weights``: the format is chosen by name and content."""

from __future__ import annotations

import os
from typing import Any

import h5py

from hornbeam.base.errors import CorruptFileError, UnsupportedFileError
from hornbeam.saving.atomic import atomic_file, free_path
from hornbeam.saving.keras_zip import read_keras, write_keras
from hornbeam.saving.weights_h5 import StoredWeights, read_weights, write_weights


def save_model(
    model: Any,
    filepath: Any,
    overwrite: bool = True,
    zipped: bool | None = None,
    include_optimizer: bool = True,
    **kwargs: Any,
) -> None:
    """Write a model (architecture, weights, compile information, optimizer state) to a file.

    Args:
        model: the model.
        filepath: where; must end in ``.keras``.
        overwrite: replace an existing file without asking.
        zipped: must be True or None: the folder form is not offered yet.
        include_optimizer: False leaves the optimizer's state out.

    Raises:
        UnsupportedFileError: another ending.

    References: Keras ``saving.save_model``.
    """
    if kwargs:
        raise ValueError(f"save_model() got unexpected arguments {sorted(kwargs)}; `.keras` files take none of them.")
    path = free_path(filepath, overwrite)
    if not path.endswith(".keras") or zipped is False:
        raise UnsupportedFileError(
            f"Cannot save to {path!r}: models are saved as `.keras` files so far. Use a name that ends in `.keras`"
            f"{' and leave out zipped=False' if zipped is False else ''}."
        )
    write_keras(model, path, include_optimizer=include_optimizer)


def load_model(filepath: Any, custom_objects: Any = None, compile: bool = True, safe_mode: bool = True) -> Any:
    """Read a model from a file.

    Args:
        filepath: a ``.keras`` file.
        custom_objects: names of your own classes and functions that the model uses.
        compile: restore the training configuration and the optimizer's state too.
        safe_mode: refuse code stored in the file (lambdas).

    Raises:
        FileNotFoundError: there is no such file.
        FileFormatError: damaged, unsafe, or of a format that is not read.

    References: Keras ``saving.load_model``.
    """
    path = os.path.expanduser(os.fspath(filepath))
    if not os.path.exists(path):
        raise FileNotFoundError(f"There is no file or folder {path!r}.")
    if os.path.isdir(path):
        raise UnsupportedFileError(f"{path!r} is a folder; only `.keras` files are read so far.")
    with open(path, "rb") as file:
        head = file.read(8)
    if head.startswith(b"\x89HDF"):
        raise UnsupportedFileError(f"{path!r} is an HDF5 model file; only `.keras` files are read so far.")
    return read_keras(path, custom_objects=custom_objects, compile=compile, safe_mode=safe_mode)


def save_weights(model: Any, filepath: Any, overwrite: bool = True, **kwargs: Any) -> None:
    """Write the weights of a model to a ``.weights.h5`` file.

    References: Keras ``saving.save_weights``.
    """
    if kwargs:
        raise ValueError(f"save_weights() got unexpected arguments {sorted(kwargs)}.")
    path = free_path(filepath, overwrite)
    if not path.endswith(".weights.h5"):
        raise ValueError(f"The filename must end in `.weights.h5`. Received: filepath={path}")
    if not model.built:
        raise ValueError(f"Model {model.name} is not built, so it has no weights to save. Call it on data first.")
    with atomic_file(path) as file, h5py.File(file, "w") as weights:
        write_weights(model, weights, with_optimizer=False)


def load_weights(model: Any, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
    """Read weights from a ``.weights.h5`` file into a model of the same architecture.

    Args:
        model: the model; unchanged if anything does not fit.
        filepath: the file.
        skip_mismatch: leave out what does not fit instead of refusing.

    References: Keras ``saving.load_weights``.
    """
    if kwargs:
        raise ValueError(f"load_weights() got unexpected arguments {sorted(kwargs)}.")
    path = os.path.expanduser(os.fspath(filepath))
    if not os.path.exists(path):
        raise FileNotFoundError(f"There is no file {path!r}.")
    if not path.endswith(".weights.h5"):
        raise UnsupportedFileError(f"{path!r}: only `.weights.h5` files are read so far.")
    if not model.built:
        raise ValueError(f"Model {model.name} is not built, so weights have no place to go. Call it on data first.")
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise CorruptFileError(f"{path} is not a whole HDF5 file: {error}") from error
    with file:
        read_weights(model, StoredWeights(file, path), skip_mismatch=skip_mismatch, with_optimizer=False)
