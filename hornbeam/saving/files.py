"""``save_model``, ``load_model``, ``save_weights``, ``load_weights``: the format is chosen by name and content."""

from __future__ import annotations

import os
import re
from typing import Any

from hornbeam.base import check, registry
from hornbeam.base.errors import NotSupportedError, UnsupportedFileError
from hornbeam.base.notices import warn
from hornbeam.saving.archive import open_archive
from hornbeam.saving.array_files import named_arrays, restore_arrays
from hornbeam.saving.array_formats import write_npz, write_safetensors
from hornbeam.saving.atomic import free_path
from hornbeam.saving.h5_file import atomic_h5, open_h5
from hornbeam.saving.h5_layers import read_layers, write_layers
from hornbeam.saving.h5_model import read_h5, write_h5
from hornbeam.saving.keras_file import WEIGHTS, read_keras, write_keras
from hornbeam.saving.paths import local_path
from hornbeam.saving.restore import restore
from hornbeam.saving.sniff import identify
from hornbeam.saving.sources import H5Source, open_source
from hornbeam.saving.weights_h5 import entries, write_entries, write_shards

__all__ = ["load_model", "load_weights", "save_model", "save_weights"]

_H5 = (".h5", ".hdf5", ".hdf")
_FORMAT_NAMES = {"h5": "h5", "hdf5": "h5", "keras": "keras", "tf": "saved_model", "tensorflow": "saved_model"}

for _kind, _name, _home in (
    ("model reader", "saved_model", "saved_model.keras_reader:load_model"),
    ("model writer", "saved_model", "saved_model.keras_writer:save_model"),
    ("weights reader", "tf_checkpoint", "tf_checkpoint.model_weights:load_weights"),
    ("weights writer", "tf_checkpoint", "tf_checkpoint.model_weights:save_weights"),
):
    registry.provide(_kind, _name, f"hornbeam.saving.{_home}")


# --- whole models --------------------------------------------------------------------------------
def save_model(
    model: Any,
    filepath: Any,
    overwrite: bool = True,
    zipped: bool | None = None,
    include_optimizer: bool = True,
    save_format: str | None = None,
    **kwargs: Any,
) -> None:
    """Write a model (architecture, weights, compile information, optimizer state) to a file or folder.

    Args:
        model: the model.
        filepath: where. The ending chooses the format: ``.keras``, or ``.h5`` (also ``.hdf5``); any other name is that
            of a SavedModel folder.
        overwrite: replace what is there without asking.
        zipped: False writes the members of a ``.keras`` file into a folder.
        include_optimizer: False leaves the optimizer's state out.
        save_format: ``"keras"``, ``"h5"`` or ``"tf"``, whatever the ending.
        **kwargs: options of SavedModel folders: ``signatures``, ``save_traces``, ``options``.

    Raises:
        ValueError: an unknown format or option.
        OSError: it cannot be written there; what was there before is unchanged.

    References: Keras ``saving.save_model``.
    """
    path = free_path(filepath, overwrite)
    kind = _model_format(path, save_format, zipped)
    if kind == "saved_model" and _takes_texts(model) and not any(kwargs.values()):
        warn(
            f"save_model(): {model.name!r} takes texts, and the compiled programs of a SavedModel cannot. The folder "
            f"{path} holds what a .keras file does: `load_model` opens it, TensorFlow does not."
        )
        kind, zipped = "keras", False
    if kind != "saved_model":
        check.no_unknown(
            {name: value for name, value in kwargs.items() if value is not None},
            owner=f"save_model() of a `{kind}` file",
            known=("overwrite", "zipped", "include_optimizer", "save_format"),
        )
    if kind == "keras":
        write_keras(model, path, include_optimizer=include_optimizer, zipped=zipped is not False)
    elif kind == "h5":
        write_h5(model, path, include_optimizer=include_optimizer)
    else:
        registry.find("model writer", "saved_model")(model, path, include_optimizer=include_optimizer, **kwargs)


def _takes_texts(model: Any) -> bool:
    return any(tensor.dtype == "string" for tensor in getattr(model, "inputs", None) or ())


def _model_format(path: str, save_format: str | None, zipped: bool | None) -> str:
    if save_format is not None:
        if save_format not in _FORMAT_NAMES:
            near = check.closest(str(save_format), _FORMAT_NAMES)
            raise ValueError(f"save_format must be one of {sorted(_FORMAT_NAMES)}, received {save_format!r}.{near}")
        return _FORMAT_NAMES[save_format]
    if path.endswith(".keras") or zipped is not None:
        return "keras"
    if path.endswith(_H5):
        return "h5"
    # Which format a bare name means is the only thing here that the user's program may have been written to expect.
    return registry.find("saving", "bare name format")()


def load_model(
    filepath: Any, custom_objects: Any = None, compile: bool = True, safe_mode: bool = True, **kwargs: Any
) -> Any:
    """Read a model from a file or folder, whatever its format.

    Args:
        filepath: ``.keras`` file or folder, ``.h5`` file, or SavedModel folder.
        custom_objects: names of your own classes and functions that the model uses.
        compile: restore the training configuration and the optimizer's state too.
        safe_mode: refuse code stored in the file (lambdas).
        **kwargs: ``options`` of TensorFlow, which must be None.

    Raises:
        FileNotFoundError: there is no such file.
        FileFormatError: damaged, unsafe, or of a format that is not read.

    References: Keras ``saving.load_model``.
    """
    if kwargs.pop("options", None) is not None:
        raise NotSupportedError("load_model(options=...) steers TensorFlow's own devices; leave it out.")
    check.no_unknown(kwargs, owner="load_model()", known=("custom_objects", "compile", "safe_mode"))
    path = local_path(filepath)
    kind = identify(path)
    options = {"custom_objects": custom_objects, "compile": compile, "safe_mode": safe_mode}
    readers = {"keras": read_keras, "keras-folder": read_keras, "h5-model": read_h5}
    read = registry.find("model reader", kind) if kind == "saved_model" else readers.get(kind)
    if read is not None:
        try:
            return read(path, **options)
        except Exception as error:
            if path not in str(error):
                error.add_note(f"while loading {path}")
            raise
    if kind in ("json", "yaml"):
        advice = f"it holds an architecture only: use `keras.models.model_from_{kind}(open(path).read())`"
    else:
        advice = "it holds weights only: build the model in Python, then call `model.load_weights(path)`"
    raise UnsupportedFileError(f"{path} is no whole model; {advice}.")


def _has_weights(model: Any) -> bool:
    """True if the model is built, or all layers in it are: one with only a ``train_step`` is never called itself."""
    inner = model._flatten_layers(include_self=False)
    return model.built or (bool(inner) and all(layer.built for layer in inner))


# --- weights -------------------------------------------------------------------------------------
def save_weights(
    model: Any,
    filepath: Any,
    overwrite: bool = True,
    save_format: str | None = None,
    max_shard_size: float | None = None,
    **kwargs: Any,
) -> None:
    """Write the weights of a model; in ``.weights.h5`` and ``.weights.json`` also the state of its optimizer.

    Args:
        model: the model.
        filepath: where. The ending chooses the format: ``.weights.h5`` (arrays by object), ``.weights.json`` (several
            such files and an index of them), ``.h5`` (arrays by layer name), ``.npz``, ``.safetensors``; any other name
            is the prefix of a TensorFlow checkpoint.
        overwrite: replace an existing file without asking.
        save_format: ``"h5"`` or ``"tf"``, whatever the ending.
        max_shard_size: size in gigabytes of each part, for ``.weights.json``.
        **kwargs: ``options`` of TensorFlow, which must be None.

    Raises:
        ValueError: the model has no weights yet.
        OSError: it cannot be written there; what was there before is unchanged.

    References: Keras ``saving.save_weights``.
    """
    if kwargs.pop("options", None) is not None:
        raise NotSupportedError("save_weights(options=...) steers TensorFlow's own devices; leave it out.")
    check.no_unknown(kwargs, owner="save_weights()", known=("overwrite", "save_format", "max_shard_size"))
    if not _has_weights(model):
        raise ValueError(f"Model {model.name} is not built, so it has no weights to save. Call it on data first.")
    path = local_path(filepath)
    kind = _weights_format(path, save_format, max_shard_size)
    if kind == "tf_checkpoint":
        registry.find("weights writer", kind)(model, path)
        return
    path = free_path(path, overwrite)
    if kind == "sharded":
        write_shards(model, path, _shard_bytes(max_shard_size))
    elif kind == "npz":
        write_npz(named_arrays(model), path)
    elif kind == "safetensors":
        write_safetensors(named_arrays(model), path)
    else:
        with atomic_h5(path) as weights:
            if kind == "weights-h5":
                write_entries(entries(model), weights)
            else:
                write_layers(model, weights)


def _weights_format(path: str, save_format: str | None, max_shard_size: float | None) -> str:
    if max_shard_size is not None and not path.endswith(".weights.json"):
        raise ValueError(
            f"`max_shard_size` needs a name that ends in `.weights.json`, the index of the parts. Received: {path}"
        )
    if save_format is not None:
        if save_format not in _FORMAT_NAMES or save_format == "keras":
            raise ValueError(f"save_format must be 'h5' or 'tf' for weights, received {save_format!r}.")
        return "h5-layers" if _FORMAT_NAMES[save_format] == "h5" else "tf_checkpoint"
    endings = {".weights.h5": "weights-h5", ".weights.json": "sharded", ".npz": "npz", ".safetensors": "safetensors"}
    for ending, kind in endings.items():
        if path.endswith(ending):
            return kind
    return "h5-layers" if path.endswith((*_H5, ".keras")) else "tf_checkpoint"


def _shard_bytes(size: Any) -> int:
    """A size in gigabytes, or as text such as ``"5MB"``, in bytes."""
    if size is None:
        return 5 * 10**9
    if isinstance(size, str):
        match = re.fullmatch(r"\s*([\d.]+)\s*([kmgt]?)b?\s*", size.lower())
        if match is None:
            raise ValueError(
                f"max_shard_size={size!r} is no size; write a number of gigabytes, or text such as '500MB'."
            )
        return max(1, int(float(match.group(1)) * 1000 ** " kmgt".index(match.group(2) or " ")))
    if size <= 0:
        raise ValueError(f"max_shard_size must be above 0, received {size!r}.")
    return max(1, int(size * 1024**3))


def load_weights(model: Any, filepath: Any, skip_mismatch: bool = False, by_name: bool = False, **kwargs: Any) -> Any:
    """Read weights into a model, whatever kind of file holds them.

    Args:
        model: the model; unchanged if anything does not fit.
        filepath: the file, or prefix or folder of a TensorFlow checkpoint.
        skip_mismatch: leave out what does not fit, with a warning, instead of refusing.
        by_name: pair layers by their names and ignore those that only one side has (``.h5`` files).
        **kwargs: ``objects_to_skip``, objects of the model that keep their values; ``options`` of TensorFlow,
            which must be None.

    Returns:
        For a TensorFlow checkpoint its status object; else ``None``.

    Raises:
        FileNotFoundError: there is no such file.
        FileFormatError: damaged or unsafe.
        ValueError: the stored weights do not fit the model.

    References: Keras ``saving.load_weights``.
    """
    if kwargs.pop("options", None) is not None:
        raise NotSupportedError("load_weights(options=...) steers TensorFlow's own devices; leave it out.")
    skipped = kwargs.pop("objects_to_skip", None) or ()
    check.no_unknown(kwargs, owner="load_weights()", known=("skip_mismatch", "by_name", "objects_to_skip"))
    path = local_path(filepath)
    kind = identify(path)
    if kind in ("tf_checkpoint", "saved_model"):
        return registry.find("weights reader", "tf_checkpoint")(
            model, path, by_name=by_name, skip_mismatch=skip_mismatch
        )
    if not _has_weights(model):
        raise ValueError(f"Model {model.name} is not built, so weights have no place to go. Call it on data first.")
    if by_name and not kind.startswith("h5-"):
        raise ValueError(
            f"by_name=True needs a file that holds layers by name (`.h5`); {path} holds them by their place in "
            "the model. "
            "Leave `by_name` out."
        )
    if kind.startswith("h5-"):
        _load_layers(model, path, by_name=by_name, skip_mismatch=skip_mismatch)
    elif kind in ("keras", "keras-folder"):
        with open_archive(path) as archive, open_h5(archive.open(WEIGHTS), path, archive.size(WEIGHTS)) as file:
            restore(model, H5Source(file, path), skip_mismatch=skip_mismatch, skipped=skipped)
    elif kind in ("weights-h5", "sharded"):
        with open_source(path) as source:
            restore(model, source, skip_mismatch=skip_mismatch, skipped=skipped)
    elif kind in ("npz", "safetensors"):
        restore_arrays(model, path, skip_mismatch=skip_mismatch)
    else:
        raise UnsupportedFileError(f"{path} holds an architecture, no weights; use `keras.models.model_from_{kind}`.")
    return None


def _load_layers(model: Any, path: str, *, by_name: bool, skip_mismatch: bool) -> None:
    with open_h5(path, path, os.path.getsize(path)) as file:
        group = file["model_weights"] if "layer_names" not in file.attrs and "model_weights" in file else file
        read_layers(model, group, path, by_name=by_name, skip_mismatch=skip_mismatch)
