"""The ``.keras`` format: configuration, metadata, weights and assets, in one zip file or in a folder."""

from __future__ import annotations

import contextlib
import datetime
import io
import json
import os
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import h5py
import numpy as np

from hornbeam.base import dtypes, registry
from hornbeam.base.errors import CorruptFileError, FileFormatError, UnsafeFileError
from hornbeam.core.scopes import override
from hornbeam.core.variable import materialize
from hornbeam.keras.saving import serialization
from hornbeam.keras.saving.scopes import CustomObjectScope, ObjectSharingScope, SafeModeScope
from hornbeam.saving.archive import ZipArchive, open_archive
from hornbeam.saving.assets import assets_of, load_assets
from hornbeam.saving.atomic import atomic_file, atomic_folder
from hornbeam.saving.folder_sums import check_sums, seal, sums_of_folder
from hornbeam.saving.h5_file import dataset_in, group_in, new_h5, open_h5, read_array
from hornbeam.saving.limits import check_claim
from hornbeam.saving.restore import SIDE_STATE, Staged, restore
from hornbeam.saving.sources import H5Source
from hornbeam.saving.texts import parse_json, printable
from hornbeam.saving.weights_h5 import Entry, entries, random_states, write_entries
from hornbeam.saving.zip_writer import ZipWriter
from hornbeam.version import KERAS_VERSION

__all__ = [
    "Prepared",
    "build",
    "compile_as_stored",
    "finish",
    "keras_bytes",
    "plain",
    "prepare",
    "read_keras",
    "read_keras_bytes",
    "write_keras",
    "write_prepared",
]

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"


# --- writing -------------------------------------------------------------------------------------
class Prepared(NamedTuple):
    """All that a file is going to hold; the model may change from then on if ``weights`` is a list."""

    config: bytes
    metadata: bytes
    weights: Iterable[Entry]
    assets: list[tuple[str, bytes]]


def prepare(model: Any, *, include_optimizer: bool = True) -> Prepared:
    """Config, weights (copied as they are reached) and assets of a model.

    Raises:
        TypeError: the config holds something that JSON cannot store.
    """
    with ObjectSharingScope():
        stored = serialization.serialize_keras_object(model)
    config = json.dumps(stored, default=plain).encode("utf-8")
    date = datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S")
    metadata = json.dumps({"keras_version": KERAS_VERSION, "date_saved": date}).encode("utf-8")
    weights = entries(model, with_optimizer=include_optimizer, with_random=True)
    return Prepared(config, metadata, weights, assets_of(model))


def write_keras(model: Any, path: str, *, include_optimizer: bool = True, zipped: bool = True) -> None:
    """Write a model to a ``.keras`` file or to a folder, atomically."""
    # Everything is made before the file is touched, so that a model that cannot be saved changes nothing.
    write_prepared(prepare(model, include_optimizer=include_optimizer), path, zipped=zipped)


def write_prepared(found: Prepared, path: str, *, zipped: bool = True) -> None:
    """Write what ``prepare`` gave."""
    if zipped:
        with atomic_file(path) as file:
            _write_zip(found, file)
        return
    with atomic_folder(path) as folder:
        for name, content in [(CONFIG, found.config), *found.assets]:
            target = os.path.join(folder, *name.split("/"))
            os.makedirs(os.path.dirname(target), exist_ok=True)
            _write(target, content)
        with h5py.File(os.path.join(folder, WEIGHTS), "w") as weights:
            write_entries(found.weights, weights)
        # A zip file has checksums of its members; a folder gets them here.
        sums = sums_of_folder(folder)
        _write(os.path.join(folder, METADATA), seal(json.loads(found.metadata), sums))


def _write_zip(found: Prepared, file: Any) -> None:
    archive = ZipWriter(file)
    for name, content in ((METADATA, found.metadata), (CONFIG, found.config)):
        archive.add(name, content)
    with archive.member(WEIGHTS) as member, new_h5(member) as weights:
        write_entries(found.weights, weights)
    for name, content in found.assets:
        archive.add(name, content)
    archive.close()


def keras_bytes(model: Any) -> bytes:
    """The content of a ``.keras`` file of a model, its optimizer's state included."""
    found, file = prepare(model), io.BytesIO()
    _write_zip(found, file)
    return file.getvalue()


def _write(path: str, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)


def plain(value: Any) -> Any:
    """What JSON shall store for a value that it does not know."""
    if isinstance(value, dtypes.DType):
        return value.name
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(
        f"The model's config holds {value!r} of type {type(value).__name__}, which JSON cannot store. Return "
        "plain values from `get_config`."
    )


# --- reading -------------------------------------------------------------------------------------
def read_keras(path: str, *, custom_objects: Any = None, compile: bool = True, safe_mode: bool = True) -> Any:
    """Read a model from a ``.keras`` file or folder.

    Args:
        path: the file or folder.
        custom_objects: names of the user's own classes and functions.
        compile: restore the training configuration and the optimizer's state.
        safe_mode: refuse code stored in the file.

    Raises:
        CorruptFileError: damaged, cut short, or no ``.keras`` file.
        UnsafeFileError: asks for something that is refused.
    """
    with open_archive(path) as archive:
        return _read(archive, path, custom_objects, compile, safe_mode)


def read_keras_bytes(content: bytes, custom_objects: Any = None) -> Any:
    """A model from what ``keras_bytes`` gave, read as strictly as a file."""
    with ZipArchive(_PICKLED, io.BytesIO(content)) as archive:
        return _read(archive, _PICKLED, custom_objects, True, True)


_PICKLED = "the pickled model"


def _read(archive: Any, path: str, custom_objects: Any, compile: bool, safe_mode: bool) -> Any:
    config = parse_json(archive.read(CONFIG), f"{path}:{CONFIG}")
    metadata = parse_json(archive.read(METADATA), f"{path}:{METADATA}")
    if not isinstance(config, dict) or not isinstance(metadata, dict):
        raise CorruptFileError(f"{path}: {CONFIG} or {METADATA} is no JSON object; this is not a whole model.")
    if not compile:
        config = {key: value for key, value in config.items() if key != "compile_config"}
    try:
        model = build(config, version=metadata.get("keras_version"), custom_objects=custom_objects, safe_mode=safe_mode)
    except UnsafeFileError:
        raise
    except Exception:
        # Damage may be the reason; then it is what is said.
        archive.compare(check_sums(metadata, f"{path}:{METADATA}"))
        raise
    # After the look for what is unsafe: a manipulated file shall be called so.
    archive.compare(check_sums(metadata, f"{path}:{METADATA}"))
    check_size(model, sum(map(archive.size, archive.names)), path)
    load_assets(model, archive)
    if WEIGHTS in archive.names:
        name = f"{path}:{WEIGHTS}"
        with open_h5(archive.open(WEIGHTS), name, archive.size(WEIGHTS)) as weights, as_damage(path):
            restore(model, H5Source(weights, name), with_optimizer=compile)
            _restore_random(model, weights, name)
    elif model.weights:
        raise CorruptFileError(f"{path}: member {WEIGHTS} is missing; this is not a whole model. Use another copy.")
    finish(model)
    return model


def _restore_random(model: Any, weights: h5py.File, name: str) -> None:
    if SIDE_STATE not in weights:
        return
    group, states = group_in(weights, SIDE_STATE, name), random_states(model)
    if len(group) != len(states):
        return
    kept = [dataset_in(group, str(index), name) for index in range(len(states))]
    if any(tuple(one.shape) != tuple(state.shape) for one, state in zip(kept, states, strict=True)):
        return
    staged = Staged()
    for index, variable in enumerate(states):
        staged.put(variable, read_array(kept[index], f"{SIDE_STATE}/{index}", name))
    staged.commit()


def build(
    config: Any, *, version: str | None = None, backend: str | None = None, custom_objects: Any = None,
    safe_mode: bool = True,
) -> Any:  # fmt: skip
    """A model from a config of any generation, abstractly: its variables get no values yet.

    Args:
        config: the stored config.
        version: version of Keras that wrote it, if known.
        backend: backend of that program, if known.
        custom_objects: names of the user's own classes and functions.
        safe_mode: refuse code stored in the config.
    """
    check_names(config)
    config = registry.find("configs", "modernize")(config, version, backend, custom_objects)
    # What the file does not hold is never allocated, and no initializer runs.
    with override(defer_values=True), ObjectSharingScope():
        model = serialization.deserialize_keras_object(config, custom_objects=custom_objects, safe_mode=safe_mode)
    if not hasattr(model, "layers") and not getattr(model, "saved_alone", False):
        raise CorruptFileError(f"The stored object is a {type(model).__name__}, not a model.")
    if not safe_mode:
        vars(model)["_loaded_without_safe_mode"] = True
    return model


def compile_as_stored(model: Any, training: Any, version: Any, custom_objects: Any, safe_mode: bool) -> None:
    """Compile a model with a training configuration that stands beside its config, in the form of any generation."""
    if not isinstance(training, dict):
        raise CorruptFileError("The training configuration in the file is no JSON object.")
    outputs = getattr(model, "output_names", None)
    config = registry.find("configs", "compile config")(training, version, custom_objects, outputs)
    scopes = (CustomObjectScope(custom_objects), SafeModeScope(safe_mode), ObjectSharingScope())
    with scopes[0], scopes[1], scopes[2], override(defer_values=True):
        arguments = serialization.deserialize_keras_object(config, custom_objects=custom_objects, safe_mode=safe_mode)
        model.compile(**arguments)
        if model.built and model.optimizer is not None:
            model.optimizer.build(model.trainable_variables)


def check_names(config: Any) -> None:
    """Names reach terminals, pages and pictures: those with control characters are refused at the door."""
    stack = [config]
    while stack:
        part = stack.pop()
        if isinstance(part, dict):
            stack += part.values()
            for key in ("name", "class_name", "custom_name"):
                value = part.get(key)
                if isinstance(value, str) and any(
                    ord(letter) < 32 or ord(letter) in range(127, 160) for letter in value
                ):
                    raise UnsafeFileError(
                        f"The stored model has a {key} with control characters: '{printable(value)}'. This is refused, "
                        "because showing it could do things to a terminal."
                    )
        elif isinstance(part, (list, tuple)):
            stack += part


def check_size(model: Any, stored_bytes: int, source: str) -> None:
    """Refuse a model that asks for far more memory than its file has content.

    Raises:
        UnsafeFileError: naming both sizes.
    """
    asked = sum(
        int(np.prod(weight.shape, dtype=np.float64)) * np.dtype(weight._dtype.as_numpy_dtype).itemsize
        for weight in (model.weights if model.built else ())
    )
    check_claim(f"{source}: the model that it describes", asked, stored_bytes)


@contextlib.contextmanager
def as_damage(source: str) -> Iterator[None]:
    """Within a file of a whole model, weights that do not fit the architecture are damage of the file."""
    try:
        yield
    except FileFormatError:
        raise
    except ValueError as error:
        raise CorruptFileError(f"{source}: weights and architecture do not belong together. {error}") from error


def finish(model: Any) -> None:
    """Give initial values to what no file had values for."""
    materialize(model.variables)
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None:
        materialize(optimizer.variables)
    materialize(getattr(model, "metrics_variables", []))
