"""The ``.keras`` format: a zip file (or folder) of configuration, metadata and weights."""

from __future__ import annotations

import datetime
import io
import json
import os
import zipfile
from typing import Any

import h5py

from hornbeam.base import dtypes
from hornbeam.base.errors import CorruptFileError, UnsafeFileError
from hornbeam.core.scopes import override
from hornbeam.core.variable import materialize
from hornbeam.keras.saving import serialization
from hornbeam.saving.atomic import atomic_file
from hornbeam.saving.weights_h5 import StoredWeights, read_weights, write_weights
from hornbeam.version import KERAS_VERSION

_CONFIG, _METADATA, _WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
_JSON_LIMIT_BYTES = 64 << 20
_DEPTH_LIMIT = 64


# --- writing -------------------------------------------------------------------------------------
def write_keras(model: Any, path: str, *, include_optimizer: bool = True) -> None:
    """Write a model to a ``.keras`` file, atomically."""
    # Everything is made before the file is touched, so that a model that cannot be saved changes nothing.
    config = json.dumps(serialization.serialize_keras_object(model), default=_plain)
    metadata = json.dumps(
        {"keras_version": KERAS_VERSION, "date_saved": datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S")}
    )
    with atomic_file(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(_METADATA, metadata)
        archive.writestr(_CONFIG, config)
        buffer = io.BytesIO()
        with h5py.File(buffer, "w") as weights:
            write_weights(model, weights, with_optimizer=include_optimizer)
        archive.writestr(_WEIGHTS, buffer.getbuffer())


def _plain(value: Any) -> Any:
    if isinstance(value, dtypes.DType):
        return value.name
    raise TypeError(
        f"The model's config holds {value!r} of type {type(value).__name__}, which JSON cannot store. Return "
        "plain values from `get_config`."
    )


# --- reading -------------------------------------------------------------------------------------
def read_keras(path: str, *, custom_objects: Any = None, compile: bool = True, safe_mode: bool = True) -> Any:
    """Read a model from a ``.keras`` file.

    Args:
        path: the file.
        custom_objects: names of the user's own classes and functions.
        compile: restore the training configuration and the optimizer's state.
        safe_mode: refuse code stored in the file.

    Raises:
        CorruptFileError: damaged, cut short, or no ``.keras`` file.
        UnsafeFileError: asks for something that is refused.
    """
    with _open(path) as archive:
        members = _members(archive, path)
        config = _json(archive, _CONFIG, path)
        _json(archive, _METADATA, path)
        # Variables get no values while the model is built: what the file does not hold is never allocated.
        with override(defer_values=True):
            model = serialization.deserialize_keras_object(
                _without_compile(config) if not compile else config, custom_objects=custom_objects, safe_mode=safe_mode
            )
        if _WEIGHTS in members:
            with h5py.File(io.BytesIO(_content(archive, _WEIGHTS, path)), "r") as weights:
                read_weights(model, StoredWeights(weights, f"{path}:{_WEIGHTS}"), with_optimizer=compile)
    materialize(model.variables)
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None:
        materialize(optimizer.variables)
    return model


def _without_compile(config: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in config.items() if key != "compile_config"}


def _open(path: str) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise CorruptFileError(_not_a_zip(path)) from error


def _not_a_zip(path: str) -> str:
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        head = file.read(200)
    if not size:
        what = "the file is empty"
    elif head.startswith(b"\x89HDF"):
        what = "it is an HDF5 file; give it the ending .h5"
    elif head.startswith(b"version https://git-lfs"):
        what = "it is a Git LFS pointer, not the file itself; run `git lfs pull`"
    elif head.lstrip().lower().startswith((b"<!doctype", b"<html")):
        what = "it is a web page; the download went wrong"
    else:
        what = "it is damaged or cut short"
    return f"{path} is not a .keras file ({size} bytes): {what}."


def _members(archive: zipfile.ZipFile, path: str) -> set[str]:
    infos = archive.infolist()
    names = [info.filename for info in infos]
    folded = [name.casefold().replace("\\", "/") for name in names]
    if len(set(folded)) != len(folded):
        raise UnsafeFileError(f"{path}: two members have the same name, which is refused.")
    for info in infos:
        parts = info.filename.replace("\\", "/").split("/")
        if info.filename.startswith(("/", "\\")) or ".." in parts or ":" in info.filename:
            raise UnsafeFileError(f"{path}: member {info.filename!r} points outside the archive, which is refused.")
    claimed, stored = sum(info.file_size for info in infos), os.path.getsize(path)
    if claimed > max(64 << 20, 20 * stored):
        raise UnsafeFileError(f"{path}: its members claim {claimed} bytes in a file of {stored}, which is refused.")
    if _CONFIG not in names:
        raise CorruptFileError(f"{path}: member {_CONFIG} is missing; this is not a whole .keras file.")
    return set(names)


def _content(archive: zipfile.ZipFile, name: str, path: str) -> bytes:
    try:
        return archive.read(name)
    except (zipfile.BadZipFile, EOFError, OSError, ValueError) as error:
        raise CorruptFileError(f"{path}: member {name} is damaged ({error}). Use another copy of the file.") from error


def _json(archive: zipfile.ZipFile, name: str, path: str) -> Any:
    try:
        info = archive.getinfo(name)
    except KeyError as error:
        raise CorruptFileError(f"{path}: member {name} is missing; this is not a whole .keras file.") from error
    if info.file_size > _JSON_LIMIT_BYTES:
        raise UnsafeFileError(f"{path}: member {name} is {info.file_size} bytes, more than {_JSON_LIMIT_BYTES}.")
    try:
        value = json.loads(_content(archive, name, path).decode("utf-8"), object_pairs_hook=_unique_keys)
    except (ValueError, RecursionError) as error:
        raise CorruptFileError(f"{path}: member {name} is not valid JSON ({error}).") from error
    if _depth(value) > _DEPTH_LIMIT * 4:
        raise CorruptFileError(f"{path}: member {name} is nested too deeply.")
    return value


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key occurs twice in one object")
    return found


def _depth(value: Any) -> int:
    deepest, stack = 0, [(value, 1)]
    while stack:
        part, level = stack.pop()
        deepest = max(deepest, level)
        children = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
        stack += [(child, level + 1) for child in children]
    return deepest


def is_keras_zip(head: bytes) -> bool:
    """True for the first bytes of a zip file."""
    return head.startswith(b"PK\x03\x04")


__all__ = ["is_keras_zip", "read_keras", "write_keras"]
