"""What is in a model file: format, writer, layers, arrays, and what is wrong with it. Needs no JAX and runs nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np

from hornbeam.base import registry
from hornbeam.base.errors import FileFormatError
from hornbeam.saving.archive import open_archive
from hornbeam.saving.array_formats import read_arrays
from hornbeam.saving.folder_sums import check_sums
from hornbeam.saving.h5_file import CHECKSUM, open_h5, read_array, text_in
from hornbeam.saving.limits import DEPTH_LIMIT
from hornbeam.saving.sniff import identify
from hornbeam.saving.sources import ShardedSource
from hornbeam.saving.texts import parse_json, parse_yaml, printable

__all__ = ["examine", "note_config"]

for _name, _target in (("saved_model", "examine_saved_model"), ("tf_checkpoint", "examine_checkpoint")):
    registry.provide("examiner", _name, f"hornbeam.saving.report_tensorflow:{_target}")


def examine(path: str, *, read_all: bool = False) -> dict[str, Any]:
    """A description of a file as plain data.

    Args:
        path: the file or folder.
        read_all: read every array and compare it with its checksum.

    Returns:
        ``path``, ``bytes``, ``format``, ``producer``, ``layers`` (name, class), ``arrays`` (name, shape, dtype),
        ``parameters`` (numbers in all arrays but those of an optimizer), ``compiled``, ``checked`` (arrays that were
        compared with a checksum), ``problems`` (why it is refused or damaged) and ``notes``; ``ok`` is False if there
        are problems.

    Raises:
        FileNotFoundError: there is no such file.
    """
    found: dict[str, Any] = {
        "path": path, "bytes": _bytes(path), "format": None, "producer": None, "layers": [], "arrays": [],
        "compiled": False, "checked": 0, "problems": [], "notes": [],
    }  # fmt: skip
    try:
        found["format"] = identify(path)
        _EXAMINERS[found["format"]](path, found, read_all)
    except FileFormatError as error:
        found["problems"].append(f"{type(error).__name__}: {printable(error)}")
    found["parameters"] = sum(
        int(np.prod(one["shape"], dtype=np.int64)) for one in found["arrays"] if not one["optimizer"]
    )
    found["ok"] = not found["problems"]
    return found


def _bytes(path: str) -> int:
    if not os.path.isdir(path):
        return os.path.getsize(path) if os.path.exists(path) else 0
    return sum(os.path.getsize(os.path.join(folder, name)) for folder, _, names in os.walk(path) for name in names)


# --- configs -------------------------------------------------------------------------------------
def note_config(config: Any, found: dict[str, Any]) -> None:
    """Note the layers of an architecture, and what in it needs a second thought."""
    if not isinstance(config, dict):
        found["problems"].append("The architecture is no JSON object.")
        return
    found["layers"] = [
        {"name": printable(name), "class": printable(kind), "depth": depth} for name, kind, depth in _layers(config, 0)
    ]
    found["compiled"] = found["compiled"] or "compile_config" in config
    parts = list(_parts(config))
    if any(
        part.get("class_name") in ("__lambda__", "Lambda") or part.get("function_type") == "lambda" for part in parts
    ):
        found["notes"].append("holds a Lambda layer; Python code in it is refused unless loaded with safe_mode=False")
    own = {part.get("registered_name") for part in parts} - {None, "function"}
    own = {printable(name) for name in own if isinstance(name, str) and (">" in name or _is_custom(name, parts))}
    if own:
        found["notes"].append(f"uses classes or functions that the loading program must know: {sorted(own)}")


def _is_custom(name: str, parts: list[dict[str, Any]]) -> bool:
    modules = [str(part.get("module")) for part in parts if part.get("registered_name") == name]
    return not any(module.startswith(("keras", "builtins")) for module in modules)


def _parts(config: Any) -> Iterator[dict[str, Any]]:
    stack = [config]
    while stack:
        part = stack.pop()
        if isinstance(part, dict):
            yield part
            stack += part.values()
        elif isinstance(part, (list, tuple)):
            stack += part


def _layers(config: dict[str, Any], depth: int) -> Iterator[tuple[str, str, int]]:
    inner = config.get("config", config)
    layers = inner if isinstance(inner, list) else inner.get("layers") if isinstance(inner, dict) else None
    for layer in layers if isinstance(layers, list) and depth < DEPTH_LIMIT else ():
        if isinstance(layer, dict):
            own = layer.get("config")
            name = layer.get("custom_name") or (own.get("name") if isinstance(own, dict) else None) or layer.get("name")
            yield str(name), str(layer.get("class_name") or layer.get("name")), depth
            yield from _layers(layer, depth + 1) if isinstance(own, (dict, list)) else ()


# --- arrays --------------------------------------------------------------------------------------
def _note_h5(file: h5py.File, source: str, found: dict[str, Any], read_all: bool) -> None:
    def visit(path: str, item: Any) -> None:
        if not isinstance(item, h5py.Dataset):
            return
        kind = text_in(item, "dtype", source) or item.dtype.name
        optimizer = path.split("/")[0] in ("optimizer", "optimizer_weights", "hornbeam_state")
        found["arrays"].append(
            {"name": printable(path), "shape": list(item.shape), "dtype": kind, "optimizer": optimizer}
        )
        if read_all:
            read_array(item, path, source)
            found["checked"] += CHECKSUM in item.attrs

    file.visititems(visit)
    if read_all and found["arrays"] and not found["checked"]:
        found["notes"].append("holds no checksums (not written by Hornbeam): damage within arrays cannot be seen")


def _keras(path: str, found: dict[str, Any], read_all: bool) -> None:
    with open_archive(path) as archive:
        metadata = parse_json(archive.read("metadata.json"), f"{path}:metadata.json")
        if isinstance(metadata, dict):
            found["producer"] = f"Keras {printable(metadata.get('keras_version'))}"
        if read_all:
            archive.compare(check_sums(metadata, f"{path}:metadata.json"))
        note_config(parse_json(archive.read("config.json"), f"{path}:config.json"), found)
        if "model.weights.h5" in archive.names:
            source = f"{path}:model.weights.h5"
            with open_h5(archive.open("model.weights.h5"), source, archive.size("model.weights.h5")) as file:
                _note_h5(file, source, found, read_all)
        elif any(layer["class"] not in ("InputLayer",) for layer in found["layers"]):
            found["notes"].append("holds no weights")
        for name in archive.names:
            if name.startswith("assets/"):
                found["notes"].append(f"asset {printable(name)} ({archive.size(name)} bytes)")
                if read_all:
                    archive.read(name)


def _h5(path: str, found: dict[str, Any], read_all: bool) -> None:
    with open_h5(path, path, os.path.getsize(path)) as file:
        group = file.get("model_weights", file)
        version = text_in(file, "keras_version", path) or text_in(group, "keras_version", path)
        backend = text_in(file, "backend", path) or text_in(group, "backend", path)
        if version:
            found["producer"] = f"Keras {printable(version)}" + (f" ({printable(backend)})" if backend else "")
        config = text_in(file, "model_config", path)
        if config is not None:
            note_config(parse_json(config, f"{path}:model_config"), found)
        found["compiled"] = text_in(file, "training_config", path) is not None
        _note_h5(file, path, found, read_all)


def _sharded(path: str, found: dict[str, Any], read_all: bool) -> None:
    with ShardedSource(path) as source:
        for owner in source.paths():
            for name, part in source.at(owner).parts.items():
                state = owner.split("/")[0] == "optimizer"
                entry = {"shape": list(part.shape), "dtype": part.dtype, "optimizer": state}
                found["arrays"].append({"name": printable(f"{owner}/vars/{name}"), **entry})
                if read_all:
                    part.read()
                    found["checked"] += CHECKSUM in part.dataset.attrs


def _plain_arrays(path: str, found: dict[str, Any], read_all: bool) -> None:
    # These formats are read whole either way: their checksums are part of the container.
    for name, array in read_arrays(path).items():
        entry = {"name": printable(name), "shape": list(array.shape), "dtype": array.dtype.name, "optimizer": False}
        found["arrays"].append(entry)
        found["checked"] += 1


def _json(path: str, found: dict[str, Any], read_all: bool) -> None:
    with open(path, "rb") as file:
        config = parse_json(file.read(), path)
    _text(config, found)


def _yaml(path: str, found: dict[str, Any], read_all: bool) -> None:
    with open(path, "rb") as file:
        config = parse_yaml(file.read(), path)
    _text(config, found)


def _text(config: Any, found: dict[str, Any]) -> None:
    version = config.get("keras_version") if isinstance(config, dict) else None
    found["producer"] = f"Keras {printable(version)}" if version else None
    note_config(config, found)


def _other(path: str, found: dict[str, Any], read_all: bool) -> None:
    """Formats whose readers live elsewhere have an examiner under their name in the registry."""
    registry.find("examiner", found["format"])(path, found, read_all)


_EXAMINERS = {
    "keras": _keras,
    "keras-folder": _keras,
    "h5-model": _h5,
    "h5-layers": _h5,
    "h5-numbered": _h5,
    "weights-h5": _h5,
    "sharded": _sharded,
    "npz": _plain_arrays,
    "safetensors": _plain_arrays,
    "json": _json,
    "yaml": _yaml,
    "saved_model": _other,
    "tf_checkpoint": _other,
}
