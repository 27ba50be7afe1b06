"""Whole models in one HDF5 file: architecture and configuration as texts, weights by layer, optimizer state."""

from __future__ import annotations

import json
import os
import warnings
from typing import Any

import h5py

from hornbeam.base import registry
from hornbeam.base.errors import CorruptFileError, UnsupportedFileError
from hornbeam.core.scopes import override
from hornbeam.saving.h5_file import atomic_h5, dataset_in, group_in, names_in, open_h5, read_array, text_in
from hornbeam.saving.h5_layers import listed_state, read_layers, write_layers, write_listed
from hornbeam.saving.h5_sharing import number_shared
from hornbeam.saving.keras_file import as_damage, build, check_size, compile_as_stored, finish, plain
from hornbeam.saving.learned import learned_in_configs
from hornbeam.saving.plain_config import plain_config, plain_training
from hornbeam.saving.restore import Staged
from hornbeam.saving.texts import parse_json
from hornbeam.version import KERAS_VERSION

__all__ = ["read_h5", "write_h5"]


# --- writing -------------------------------------------------------------------------------------
def write_h5(model: Any, path: str, *, include_optimizer: bool = True) -> None:
    """Write a whole model to an HDF5 file, atomically.

    Raises:
        NotImplementedError: the model has no config.
        NotSupportedError: a layer keeps something that such files cannot hold.
    """
    _warn_if_empty(model)
    with learned_in_configs(model, "`.h5`"):
        config = json.dumps(plain_config(model), default=plain)
    training = plain_training(model) if include_optimizer else None
    with atomic_h5(path) as target:
        target.attrs["keras_version"] = KERAS_VERSION
        target.attrs["backend"] = "jax"
        target.attrs["model_config"] = config.encode("utf-8")
        if training is not None:
            target.attrs["training_config"] = json.dumps(training, default=plain).encode("utf-8")
        write_layers(model, target.create_group("model_weights"))
        optimizer = getattr(model, "optimizer", None)
        if include_optimizer and optimizer is not None and optimizer.built:
            write_listed(target.create_group("optimizer_weights"), listed_state(optimizer), counter=True)


def _warn_if_empty(model: Any) -> None:
    if not getattr(model, "built", False):
        warnings.warn(
            f"Model '{model.name}' is not built: the file holds its architecture, but no weights. Call it on data, or "
            "`build` it, before saving.",
            stacklevel=5,
        )


# --- reading -------------------------------------------------------------------------------------
def read_h5(path: str, *, custom_objects: Any = None, compile: bool = True, safe_mode: bool = True) -> Any:
    """Read a whole model from an HDF5 file.

    Args:
        path: the file.
        custom_objects: names of the user's own classes and functions.
        compile: restore the training configuration and the optimizer's state.
        safe_mode: refuse code stored in the file.

    Raises:
        CorruptFileError: damaged or not such a file.
        UnsafeFileError: asks for something that is refused.
    """
    with open_h5(path, path, os.path.getsize(path)) as file:
        text = text_in(file, "model_config", path)
        if text is None:
            raise CorruptFileError(f"{path} holds weights but no model; build the model and call `load_weights`.")
        config = parse_json(text, f"{path}:model_config")
        weights = file.get("model_weights")
        version = text_in(file, "keras_version", path) or (text_in(weights, "keras_version", path) if weights else None)
        backend = text_in(file, "backend", path)
        if isinstance(weights, h5py.Group):
            number_shared(config, weights, path)
        model = build(config, version=version, backend=backend, custom_objects=custom_objects, safe_mode=safe_mode)
        if weights is None:
            raise CorruptFileError(f"{path}: group model_weights is missing; this is not a whole model.")
        check_size(model, os.path.getsize(path), path)
        if not model.built and isinstance(weights, h5py.Group):
            _build_or_refuse(model, config, weights, path)
        if model.built:
            with as_damage(path):
                read_layers(model, weights, path, own_file=True)
        training = text_in(file, "training_config", path)
        if compile and training is not None:
            compile_as_stored(
                model, parse_json(training, f"{path}:training_config"), version, custom_objects, safe_mode
            )
            if "optimizer_weights" in file and getattr(model, "optimizer", None) is not None:
                _restore_optimizer(model, file, path, version, backend)
        finish(model)
    return model


def _build_or_refuse(model: Any, config: Any, weights: h5py.Group, path: str) -> None:
    """Build a model that its config alone does not build.

    Raises:
        UnsupportedFileError: the file has weights, and does not say for which inputs.
    """
    shape = config.get("build_config")
    if isinstance(shape, dict):
        with override(defer_values=True):
            model.build_from_config(shape)
    if not model.built and any(isinstance(part, h5py.Group) and len(part) for part in weights.values()):
        raise UnsupportedFileError(
            f"{path} holds weights of {type(model).__name__} {model.name!r}, but not the shapes of its inputs, so they "
            "have no place to go. Make the model, call it on a batch of data, and use `load_weights` with this file."
        )


def _restore_optimizer(model: Any, file: h5py.File, path: str, version: str | None, backend: str | None) -> None:
    group = group_in(file, "optimizer_weights", path)
    names = names_in(group, "weight_names", path)
    missing = [name for name in names if name not in group]
    if missing:
        raise CorruptFileError(f"{path}: arrays {missing[:3]} of the optimizer's state are missing.")
    arrays = [read_array(dataset_in(group, name, path), name, path) for name in names]
    info = {"version": version, "backend": backend, "variables": model.trainable_variables, "file": file}
    info["weight_names"] = _trainable_names(model, file, path)
    own = listed_state(model.optimizer)
    listed = str(version).startswith("3.") and not any(name.endswith("learning_rate") for name in names)
    if listed and [array.shape for array in arrays] == [tuple(variable.shape) for variable in own]:
        pairs = list(zip(own, arrays, strict=True))
    else:
        pairs = registry.find("configs", "optimizer state")(model.optimizer, arrays, names, info)
    if pairs is None:
        warnings.warn(
            f"{path}: the stored state of the optimizer ({len(arrays)} arrays) does not fit {model.optimizer.name}, "
            f"which has {len(model.optimizer.variables)} variables; it starts anew.",
            stacklevel=4,
        )
        return
    staged = Staged()
    for variable, array in pairs:
        staged.put(variable, array)
    staged.commit()


def _trainable_names(model: Any, file: h5py.File, path: str) -> dict[int, str]:
    """Names that the file has for the trainable weights of plain layers, by ``id`` of the variable."""
    found: dict[int, str] = {}
    group = group_in(file, "model_weights", path)
    for layer in model._flatten_layers():
        member: Any = group.get(layer.name)
        if isinstance(member, h5py.Group):
            names = names_in(member, "weight_names", path) if "weight_names" in member.attrs else []
            found.update((id(variable), name) for variable, name in zip(layer.trainable_weights, names, strict=False))
    return found
