"""Weights in HDF5 by layer: one group per layer, the names of its arrays in an attribute, in order.

The layout of whole-model ``.h5`` files (below ``model_weights``) and of ``.h5`` weight files (at the root).
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import h5py
import numpy as np

from hornbeam.base import registry
from hornbeam.base.errors import CorruptFileError
from hornbeam.keras.layers.base import tracking
from hornbeam.keras.models import Sequential
from hornbeam.saving.h5_file import names_in, read_array, text_in, write_array, write_names
from hornbeam.saving.numbered import host_view
from hornbeam.saving.restore import Staged
from hornbeam.saving.texts import printable
from hornbeam.version import KERAS_VERSION

__all__ = ["layer_weights", "listed_state", "read_layers", "stored_names", "write_layers", "write_listed"]

TOP_LEVEL = "top_level_model_weights"


def layer_weights(layer: Any) -> list[Any]:
    """Variables of a layer in the order of these files: trainable ones first, each kind in order of its layers."""
    return [*layer.trainable_weights, *layer.non_trainable_weights]


# --- writing -------------------------------------------------------------------------------------
def write_layers(model: Any, group: Any) -> None:
    """Write the weights of all layers of a model into a group.

    Args:
        model: a model.
        group: open group, or file, without content.
    """
    layers = model.layers
    twice = sorted(name for name, count in Counter(layer.name for layer in layers).items() if count > 1)
    if twice:
        raise ValueError(
            f"Model {model.name}: layers have equal names {twice}, and `.h5` files hold layers by name. Rename "
            "them, or "
            "save as `.keras`."
        )
    write_names(group, "layer_names", [layer.name for layer in layers])
    group.attrs["backend"] = b"jax"
    group.attrs["keras_version"] = KERAS_VERSION.encode()
    # A name may be the beginning of another one ("a", "a/b"): sorted, the shorter group is made first.
    for layer in sorted(layers, key=lambda one: one.name):
        write_listed(group.create_group(layer.name), layer_weights(layer))
    write_listed(group.create_group(TOP_LEVEL), tracking.own_variables(model))


def listed_state(optimizer: Any) -> list[Any]:
    """State of an optimizer in the order in which the programs before Keras 3 list it.

    The count comes first, then a running product, then all arrays of one slot after another (for Ftrl all slots of one
    weight). The learning rate stands in the config.
    """
    if not optimizer.built or not hasattr(optimizer, "slot_groups"):
        return list(optimizer.variables)
    product = getattr(optimizer, "_u_product", None)
    lists = [getattr(optimizer, slot.attribute) for group in optimizer.slot_groups() for slot in group]
    in_order = zip(*lists, strict=True) if type(optimizer).__name__ == "Ftrl" else lists
    slots = [variable for one in in_order for variable in one if variable is not None]
    known = {id(one): one for one in (optimizer._iterations, product, *slots) if one is not None}
    rest = [one for one in optimizer.variables if id(one) not in known and one is not optimizer._learning_rate]
    return [*known.values(), *rest]


def write_listed(group: Any, variables: list[Any], *, counter: bool = False) -> None:
    """Write variables under their paths, and the list of these.

    Args:
        group: open group without content.
        variables: what to write.
        counter: the first one counts steps, which other programs do in 64 bits.
    """
    used: dict[str, int] = {}
    names = []
    for variable in variables:
        number = used.get(variable.path, 0)
        used[variable.path] = number + 1
        names.append(f"{variable.path}_{number}" if number else variable.path)
    write_names(group, "weight_names", names)
    for place, (name, variable) in enumerate(zip(names, variables, strict=True)):
        array = host_view(variable)
        write_array(group, name, array.astype("int64") if counter and place == 0 else array)


# --- reading -------------------------------------------------------------------------------------
class _Layer(NamedTuple):
    """A layer as stored."""

    name: str
    names: list[str]
    read: Callable[[], list[np.ndarray]]
    shapes: list[tuple[int, ...]]


def stored_names(group: Any, source: str) -> list[str]:
    """Names of the stored layers, those without weights included."""
    return names_in(group, "layer_names", source)


def _stored(group: Any, name: str, source: str) -> _Layer:
    if name not in group or not isinstance(group[name], h5py.Group):
        raise CorruptFileError(f"{source}: layer {printable(name)!r} is listed, but its weights are missing.")
    inner = group[name]
    names = names_in(inner, "weight_names", source)
    for one in names:
        if one not in inner or not isinstance(inner[one], h5py.Dataset):
            raise CorruptFileError(f"{source}: array {printable(one)!r} of layer {printable(name)!r} is missing.")

    def read() -> list[np.ndarray]:
        return [read_array(inner[one], f"{name}/{one}", source) for one in names]

    return _Layer(name, names, read, [tuple(inner[one].shape) for one in names])


def read_layers(
    model: Any, group: Any, source: str, *, by_name: bool = False, skip_mismatch: bool = False, own_file: bool = False
) -> None:
    """Give the layers of a model their stored weights; the model changes only if everything fits.

    Args:
        model: the model.
        group: open group with ``layer_names``, or with ``nb_layers`` (layers by number).
        source: how messages call it.
        by_name: pair layers by name, ignoring the rest; else by order.
        skip_mismatch: leave out, with a warning, what does not fit.
        own_file: the model was built from the same file, so names are known to be equal.

    Raises:
        ValueError: the layers or their weights do not fit.
    """
    version = text_in(group, "keras_version", source)
    backend = text_in(group, "backend", source)
    if "nb_layers" in group.attrs:
        if by_name:
            raise ValueError(f"{source} holds no layer names; load it without by_name=True, by the order of layers.")
        stored = _numbered(group, source)
    else:
        stored = [_stored(group, name, source) for name in stored_names(group, source)]
    pairs = _pairs_by_name(model, stored) if by_name else _pairs_in_order(model, stored, source, own_file, version)
    staged, problems = Staged(), []
    convert = registry.find("configs", "layer weights")
    for layer, one in pairs:
        arrays = convert(layer, one.read(), one.names, version, backend)
        problems += _stage(staged, layer_weights(layer), arrays, f"layer {printable(layer.name)!r}", skip_mismatch)
    if TOP_LEVEL in group:
        top = _stored(group, TOP_LEVEL, source)
        own = tracking.own_variables(model)
        if top.names or own:
            problems += _stage(staged, own, top.read(), "the model itself", skip_mismatch)
    if problems:
        listing = "\n  ".join(problems)
        if not skip_mismatch:
            raise ValueError(
                f"{source}: the stored weights do not fit model '{model.name}'; nothing was loaded.\n  {listing}\n"
                "  fix:      build the same architecture, or pass skip_mismatch=True to load the rest"
            )
        warnings.warn(f"{source}: not everything was loaded:\n  {listing}", stacklevel=3)
    staged.commit()


def _stage(staged: Staged, own: list[Any], arrays: list[Any], where: str, skip_mismatch: bool) -> list[str]:
    if len(own) != len(arrays):
        return [
            f"{where}: expected {len(own)} arrays {[variable.name for variable in own]}, stored are {len(arrays)} of "
            f"shapes {[tuple(array.shape) for array in arrays]}"
        ]
    wrong = [
        f"{where}: weight {variable.path} expected shape {tuple(variable.shape)}, stored {tuple(array.shape)}"
        for variable, array in zip(own, arrays, strict=True)
        if tuple(variable.shape) != tuple(array.shape)
    ]
    if not wrong or skip_mismatch:
        for variable, array in zip(own, arrays, strict=True):
            if tuple(variable.shape) == tuple(array.shape):
                staged.put(variable, array)
    return wrong


def _numbered(group: Any, source: str) -> list[_Layer]:
    """Layers stored by number, without names."""
    found = []
    count = int(group.attrs["nb_layers"])
    for number in range(count):
        name = f"layer_{number}"
        if name not in group:
            raise CorruptFileError(f"{source}: group {name} of {count} is missing.")
        inner = group[name]
        names = [f"param_{index}" for index in range(int(inner.attrs.get("nb_params", 0)))]
        missing = [one for one in names if one not in inner]
        if missing:
            raise CorruptFileError(f"{source}: arrays {missing} of {name} are missing.")

        def read(inner: Any = inner, names: Any = names, name: str = name) -> list[np.ndarray]:
            return [read_array(inner[one], f"{name}/{one}", source) for one in names]

        found.append(_Layer(name, names, read, [tuple(inner[one].shape) for one in names]))
    return found


def _pairs_by_name(model: Any, stored: list[_Layer]) -> list[tuple[Any, _Layer]]:
    by_name: dict[str, list[Any]] = {}
    for layer in model.layers:
        by_name.setdefault(layer.name, []).append(layer)
    return [(layer, one) for one in stored for layer in by_name.get(one.name, []) if one.names or layer_weights(layer)]


def _pairs_in_order(
    model: Any, stored: list[_Layer], source: str, own_file: bool, version: str | None
) -> list[tuple[Any, _Layer]]:
    full = [one for one in stored if one.names]
    layers = [layer for layer in model.layers if layer_weights(layer)]
    flat = [layer for layer in _flattened(model) if layer_weights(layer)]
    if own_file:
        for candidates in (layers, flat):
            known = {layer.name: layer for layer in candidates}
            if len(known) == len(candidates) == len(full) and all(one.name in known for one in full):
                return [(known[one.name], one) for one in full]
    if len(layers) != len(full) and len(flat) == len(full):
        # Some programs stored the layers of Sequential models within Sequential models as if they were one list.
        layers = flat
    if len(layers) != len(full):
        raise ValueError(
            f"{source} holds weights of {len(full)} layers {[printable(one.name) for one in full[:12]]}, but model "
            f"'{model.name}' has {len(layers)} layers with weights {[layer.name for layer in layers[:12]]}. Build the "
            "same architecture, or load by name: load_weights(path, by_name=True)."
        )
    return list(zip(layers, full, strict=True))


def _flattened(model: Any) -> list[Any]:
    """Layers, those of Sequential models in it in their place."""
    found: list[Any] = []
    for layer in model.layers:
        found += _flattened(layer) if isinstance(layer, Sequential) else [layer]
    return found
