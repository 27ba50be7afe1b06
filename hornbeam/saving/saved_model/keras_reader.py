"""Keras models from SavedModel folders: rebuilt from their configs, with weights and optimizer state."""

from __future__ import annotations

import warnings
from typing import Any

from hornbeam.base import registry
from hornbeam.base.errors import FileFormatError, UnsafeFileError, UnsupportedFileError
from hornbeam.core.scopes import override
from hornbeam.keras.saving.errors import UnresolvedNameError
from hornbeam.keras.saving.registration import get_registered_object
from hornbeam.saving.keras_file import build, compile_as_stored, finish
from hornbeam.saving.saved_model.folder import Folder, check_files, open_folder
from hornbeam.saving.saved_model.metadata import KerasNode, keras_nodes, root_node
from hornbeam.saving.saved_model.metadata_writer import EXACT
from hornbeam.saving.tf_checkpoint.restore import Restoration

__all__ = ["load_model", "rebuild"]


def load_model(path: Any, custom_objects: Any = None, compile: bool = True, safe_mode: bool = True) -> Any:
    """Read a Keras model from a SavedModel folder.

    A model whose class is not at hand, or that has no config, still runs and trains through the functions in the
    file.

    Args:
        path: the folder.
        custom_objects: names of the user's own classes and functions.
        compile: restore the training configuration and the optimizer's state.
        safe_mode: refuse code stored in configs.

    Raises:
        FileNotFoundError: there is no SavedModel.
        FileFormatError: damaged, unsafe, or no Keras model.
    """
    folder = open_folder(path)
    root = root_node(keras_nodes(folder))
    if root is None:
        raise UnsupportedFileError(
            f"{folder.path} is a SavedModel, but not of a Keras model: its objects carry no layer configs. Use "
            "`tf.saved_model.load(path)` and call its signatures, or wrap it: `keras.layers.TFSMLayer(path)`."
        )
    try:
        return rebuild(folder, root, custom_objects=custom_objects, compile=compile, safe_mode=safe_mode)
    except _Unbuildable as problem:
        model = registry.find("saving", "revive saved model")(folder, root, str(problem))
    training = root.config.get("training_config")
    if compile and training:
        compile_as_stored(model, training, root.config.get("keras_version"), custom_objects, safe_mode)
        restore_optimizer(model, folder)
        finish(model)
    return model


class _Unbuildable(Exception):
    """The file does not say how to build the model."""


def rebuild(
    folder: Folder, root: KerasNode, *, custom_objects: Any = None, compile: bool = True, safe_mode: bool = True
) -> Any:
    """The model that the metadata describes, with its stored values.

    Raises:
        _Unbuildable: the class of a subclassed model is not at hand.
    """
    exact = root.config.get(EXACT)
    if isinstance(exact, dict):
        return _rebuild_exactly(folder, exact, custom_objects, compile, safe_mode)
    version = root.config.get("keras_version")
    config = _architecture(root, custom_objects)
    try:
        model = build(config, version=version, backend="tensorflow", custom_objects=custom_objects, safe_mode=safe_mode)
    except (UnresolvedNameError, UnsupportedFileError) as error:
        warnings.warn(
            f"{folder.path}: the model is not rebuilt from its layers, but runs as the functions in the file: {error}",
            stacklevel=4,
        )
        raise _Unbuildable(str(error)) from error
    except UnsafeFileError:
        raise
    except Exception:
        # Damage may be the reason; then it is what is said.
        check_files(folder.path)
        raise
    check_files(folder.path)
    if not model.built:
        _build_on_stored_shape(model, root.config)
    training = root.config.get("training_config")
    if compile and training:
        compile_as_stored(model, training, version, custom_objects, safe_mode)
    _restore(model, folder)
    finish(model)
    return model


def _rebuild_exactly(folder: Folder, exact: dict[str, Any], custom_objects: Any, compile: bool, safe_mode: bool) -> Any:
    """A model that was written here: its own config stands in the file too."""
    config = exact if compile else {key: value for key, value in exact.items() if key != "compile_config"}
    try:
        model = build(config, custom_objects=custom_objects, safe_mode=safe_mode)
    except UnresolvedNameError as error:
        warnings.warn(
            f"{folder.path}: the model is not rebuilt from its layers, but runs as the functions in the file: {error}",
            stacklevel=4,
        )
        raise _Unbuildable(f"a class of it is not at hand ({error})") from error
    except UnsafeFileError:
        raise
    except Exception:
        # Damage may be the reason; then it is what is said.
        check_files(folder.path)
        raise
    check_files(folder.path)
    _restore(model, folder)
    finish(model)
    return model


def _architecture(root: KerasNode, custom_objects: Any) -> dict[str, Any]:
    config = root.config.get("model_config")
    if isinstance(config, dict) and config.get("config"):
        return config
    name = root.config.get("class_name")
    known = get_registered_object(name, custom_objects) if isinstance(name, str) else None
    if known is not None and isinstance(root.config.get("config"), dict):
        return {"class_name": name, "config": root.config["config"]}
    raise _Unbuildable(f"its class {name!r} is not at hand, or has no config")


def _build_on_stored_shape(model: Any, config: dict[str, Any]) -> None:
    shape = config.get("build_input_shape") or _shape_of_spec(config.get("save_spec"))
    if shape is not None:
        with override(defer_values=True):
            model.build(shape)


def _shape_of_spec(spec: Any) -> Any:
    if isinstance(spec, dict) and spec.get("class_name") == "TypeSpec":
        parts = spec.get("parts")
        return parts[0] if isinstance(parts, (list, tuple)) and parts else None
    return None


def restore_optimizer(model: Any, folder: Folder) -> None:
    """Restore an optimizer whose variables belong to a model that is not rebuilt from layers."""
    objects = folder.graph.object_graph_def.nodes
    number = next((c.node_id for c in objects[0].children if c.local_name == "optimizer"), None)
    if folder.bundle is None or number is None or model.optimizer is None:
        return
    restoration = Restoration(folder.bundle, model)
    restoration.pair_with({**model.numbered, number: model.optimizer})
    restoration.assign()


def _restore(model: Any, folder: Folder) -> None:
    if folder.bundle is None:
        return
    restoration = Restoration(folder.bundle, model)
    restoration.match()
    restoration.assign()
    missing = [v.path for v in model.weights if id(v) not in restoration.restored]
    if missing and len(missing) == len(model.weights):
        raise FileFormatError(
            f"{folder.path}: none of the {len(missing)} weights of model {model.name!r} was found in the stored "
            f"variables. The first are {missing[:5]}."
        )
    if missing:
        warnings.warn(
            f"{folder.path}: no stored value was found for {len(missing)} weights of model {model.name!r}, which have "
            f"their initial ones: {', '.join(missing[:10])}",
            stacklevel=5,
        )
