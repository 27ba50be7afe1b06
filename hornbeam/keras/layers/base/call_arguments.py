"""Arguments of a layer call: casts, masks, training flag, shapes for ``build``."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from hornbeam.base import dtypes, shapes, trees
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import Tensor, from_host, wrap
from hornbeam.core.variable import Variable
from hornbeam.engine.jax_compat import Tracer
from hornbeam.keras.layers.base.call_context import CallContext
from hornbeam.keras.layers.base.call_spec import CallSpec
from hornbeam.ops.casting import cast

_TENSORS = (Tensor, KerasTensor, Variable)


def convert(layer: Any, value: Any, is_first: bool) -> Any:
    """Arrays and lists of numbers among an argument as tensors, floats in the compute dtype."""
    if isinstance(value, (list, tuple, dict)) and not isinstance(value, shapes.TensorShape):
        leaves = trees.flatten(value)
        if is_first and leaves and all(isinstance(leaf, (int, float)) for leaf in leaves):
            return convert_leaf(layer, np.asarray(value))
        return trees.map_structure(lambda leaf: convert_leaf(layer, leaf), value)
    return convert_leaf(layer, value)


def convert_leaf(layer: Any, value: Any) -> Any:
    """One value: arrays become tensors, floats are cast to the compute dtype, everything else stays."""
    kind = type(value)
    if kind is Tensor:
        if not layer.autocast or value._value.dtype == layer.compute_dtype or not value.dtype.is_floating:
            return value
        return cast_keeping_mask(value, layer.compute_dtype)
    if isinstance(value, (Tensor, KerasTensor)):
        if layer.autocast and value.dtype.is_floating and value.dtype != layer.compute_dtype:
            return cast_keeping_mask(value, layer.compute_dtype)
        return value
    if value is None or isinstance(value, (bool, int, float, str, Variable)):
        return value
    if isinstance(value, (jax.Array, Tracer)):
        return convert_leaf(layer, wrap(value))
    if hasattr(value, "__array__") and not callable(value):
        array = np.asarray(value)
        if layer.autocast and dtypes.from_numpy(array.dtype).is_floating:
            array = array.astype(dtypes.as_dtype(layer.compute_dtype).as_numpy_dtype, copy=False)
        elif array.dtype.kind in "iu" and array.dtype.itemsize == 8 and not layer.keeps_wide_integers:
            array = array.astype(np.int32 if array.dtype.kind == "i" else np.uint32)
        return from_host(array)
    return value


def cast_keeping_mask(value: Any, dtype: str) -> Any:
    """The value in another dtype, with its mask."""
    mask = getattr(value, "_keras_mask", None)
    out = cast(value, dtype)
    if mask is not None:
        out._keras_mask = mask
    if isinstance(value, KerasTensor):
        out._uncast = value
    return out


def tensor_arguments(spec: CallSpec, bound: dict[str, Any]) -> dict[str, Any]:
    """The arguments that carry tensors: those whose shapes ``build`` is told."""
    found = {}
    for name, value in bound.items():
        if name in spec.mask_names or name == "training":
            continue
        leaves = trees.flatten(value)
        if leaves and any(isinstance(leaf, _TENSORS) for leaf in leaves):
            found[name] = value
    # `call(self, *args, **kwargs)` that hands all on: its only tensor is the layer's input.
    return {"inputs": found["*"][0]} if set(found) == {"*"} and len(found["*"]) == 1 else found


def shapes_of(arguments: dict[str, Any]) -> dict[str, Any]:
    """Shapes in place of tensors."""

    def shape_of(leaf: Any) -> Any:
        return tuple(leaf.shape) if hasattr(leaf, "shape") else None

    return {name: trees.map_structure(shape_of, value) for name, value in arguments.items()}


def resolve_training(spec: CallSpec, bound: dict[str, Any], context: CallContext | None) -> Any:
    """The training flag in force: given, of the call around, or the default of ``call``."""
    training = bound.get("training")
    if isinstance(training, (Tensor, Variable, np.generic)):
        training = bool(training)
    if training is None and context is not None:
        training = context.training
    if training is None:
        training = spec.default_training
    if spec.has_training:
        bound["training"] = training
    return training


def mask_of(structure: Any) -> Any:
    """Masks attached to the tensors of a structure."""
    return trees.map_structure(lambda leaf: getattr(leaf, "_keras_mask", None), structure)


def has_any(structure: Any) -> bool:
    """True if anything but None is in a structure."""
    return any(leaf is not None for leaf in trees.flatten(structure))


def fill_masks(spec: CallSpec, bound: dict[str, Any]) -> Any:
    """Fill mask parameters from the masks of the inputs; returns the mask that the outputs' masks follow from.

    It is the one that the call was given by the name ``mask``, else that of the first argument.
    """
    previous = bound.get("mask")
    if spec.first == "mask" or not any(isinstance(leaf, _TENSORS) for leaf in trees.flatten(previous)):
        previous = mask_of(bound.get(spec.first)) if spec.first in bound else None
    for name in spec.mask_names:
        if bound.get(name) is not None:
            continue
        source = spec.first if name == "mask" else name.removesuffix("_mask")
        if source in bound:
            mask = mask_of(bound[source])
            if has_any(mask):
                bound[name] = mask
    return previous if has_any(previous) else None


def split(spec: CallSpec, bound: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
    """Arguments by name as the positional and keyword arguments to call with."""
    kwargs = dict(bound)
    rest = kwargs.pop("*", ())
    if rest:
        # What comes before `*args` goes by position, as do they; the rest keeps its names.
        leading = [kwargs.pop(name) for name in spec.names if name in kwargs]
        return (*leading, *rest), kwargs
    return (), kwargs
