"""Reading and writing by index: ``take``, ``where``, ``slice``, ``scatter`` ... (``x[key]`` is in ``item.py``).

Negative indices count from the end. Indices out of range: ``take`` and ``take_along_axis`` give NaN (for
integers the smallest value), ``slice`` moves the window inside, the scatter functions leave the update out.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.base.errors import ShapeError, TraceError, explain
from hornbeam.core.arguments import static_value
from hornbeam.core.door import op
from hornbeam.core.symbolic import KerasTensor
from hornbeam.ops.composite import composite, is_traced
from hornbeam.ops.promotion import promote, to_dtype

__all__ = [
    "isin",
    "nonzero",
    "scatter",
    "scatter_update",
    "select",
    "slice",
    "slice_update",
    "take",
    "take_along_axis",
    "where",
]


# --- reading -----------------------------------------------------------------------------------------
@op(static=("axis",))
def take(x: Any, indices: Any, axis: int | None = None) -> Any:
    """Elements (or slices along an axis) at the given integer indices.

    Args:
        indices: tensor of any shape, which takes the place of the axis in the result.
        axis: ``None`` takes from the flattened tensor.

    References: Keras `ops.take`.
    """
    return jnp.take(promote(x)[0], promote(indices)[0], axis=axis)


@op(static=("axis",))
def take_along_axis(x: Any, indices: Any, axis: int | None = None) -> Any:
    """For each place of ``indices`` the element of ``x`` whose index along the axis stands there.

    Args:
        indices: integers, of the rank of ``x``; its other axes broadcast with those of ``x``.
        axis: ``None`` for flattened tensors.

    References: Keras `ops.take_along_axis`.
    """
    return jnp.take_along_axis(promote(x)[0], promote(indices)[0], axis=axis)


@op(static=("assume_unique", "invert"), adapt=True)
def isin(x1: Any, x2: Any, assume_unique: bool = False, invert: bool = False) -> Any:
    """For each element of ``x1``, whether it is one of the elements of ``x2`` (with ``invert``, whether it is none).

    References: Keras `ops.isin`.
    """
    return jnp.isin(*promote(x1, x2), assume_unique=assume_unique, invert=invert)


# --- choosing ----------------------------------------------------------------------------------------
@op(adapt=True)
def _choose(x1: Any, x2: Any, condition: Any) -> Any:
    return jnp.where(promote(condition)[0] != 0, *promote(x1, x2))


@op(compiled=False)
def _places(x: Any) -> tuple:
    return tuple(to_dtype(part, "int32") for part in jnp.nonzero(jnp.atleast_1d(promote(x)[0])))


def _nonzero_rule(x: KerasTensor) -> tuple:
    return tuple(KerasTensor((None,), "int32") for _ in x.shape)


@composite(rule=_nonzero_rule)
def nonzero(x: Any) -> tuple:
    """Indices (int32) of the elements that are not 0, one vector for each axis.

    Raises:
        TraceError: inside a compiled function, where their number is not known.

    References: Keras `ops.nonzero`.
    """
    if is_traced(x):
        raise TraceError(
            explain(
                "nonzero() was called inside a compiled function, where the number of results is not known.",
                fix="use where(condition, x1, x2), which keeps the shape, or compute it eagerly",
            )
        )
    return _places(x)


def _where_rule(condition: Any, x1: Any = None, x2: Any = None) -> tuple | None:
    return _nonzero_rule(condition) if x1 is None and x2 is None else None


@composite(rule=_where_rule)
def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    """``x1`` where the condition holds, ``x2`` elsewhere, in their common dtype; all three broadcast.

    Without ``x1`` and ``x2`` the same as ``nonzero(condition)``.

    References: Keras `ops.where`.
    """
    if (x1 is None) != (x2 is None):
        missing = "x1" if x1 is None else "x2"
        raise ValueError(
            f"where(): `{missing}` is missing. Give `x1` and `x2` to choose between them, or neither for the places "
            "where the condition holds."
        )
    if x1 is None:
        return nonzero(condition)
    if isinstance(condition, (np.ndarray, list, tuple)) and not hasattr(condition, "_value"):
        condition = _as_condition(condition)
    return _choose(x1, x2, condition)


def _as_condition(condition: Any) -> Any:
    """NumPy conditions as bools, before they are adapted to the dtype of the values; lists with tensors as given."""
    array = condition if isinstance(condition, np.ndarray) else None
    if array is None and all(isinstance(item, (bool, int, float, list, np.ndarray, np.generic)) for item in condition):
        try:
            array = np.asarray(condition)
        except (TypeError, ValueError):
            return condition
    return condition if array is None or array.dtype.kind not in "biufc" else array != 0


@op(lists=("condlist", "choicelist"))
def _selected(condlist: Any, choicelist: Any, default: Any) -> Any:
    *choices, default = promote(*choicelist, default)
    return jnp.select([promote(condition)[0] != 0 for condition in condlist], choices, default)


@composite
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    """For each element the choice that belongs to the first condition that holds, or ``default``.

    Args:
        condlist: list of conditions.
        choicelist: list of as many tensors.

    References: Keras `ops.select`.
    """
    for name, value in (("condlist", condlist), ("choicelist", choicelist)):
        if not isinstance(value, (list, tuple)) or not value:
            raise ValueError(f"select(): `{name}` must be a list that is not empty. Received: {value!r}")
    if len(condlist) != len(choicelist):
        raise ValueError(
            explain("select(): lists differ in length.", expected=f"{len(condlist)}", received=f"{len(choicelist)}")
        )
    return _selected(list(condlist), list(choicelist), default)


# --- windows -----------------------------------------------------------------------------------------
def _starts(start_indices: Any) -> list[jax.Array]:
    start = to_dtype(start_indices, "int32") if not isinstance(start_indices, jax.Array) else start_indices
    return [start[axis] for axis in range(start.shape[0])]


@op(static=("shape", "known"))
def _window(inputs: Any, start_indices: Any, shape: tuple, known: tuple | None) -> Any:
    inputs = promote(inputs)[0]
    if known is not None:
        shape = tuple(
            size - start if wanted == -1 else wanted
            for size, start, wanted in zip(inputs.shape, known, shape, strict=True)
        )
    return jax.lax.dynamic_slice(inputs, _starts(start_indices), shape)


def _slice_arguments(inputs: Any, start_indices: Any, shape: Any) -> tuple[tuple, tuple | None]:
    """Sizes of the window, and the start indices as numbers if a size depends on them."""
    sizes = static_value(shape, "shape")
    sizes = sizes if isinstance(sizes, tuple) else (sizes,)
    rank = len(inputs.shape) if hasattr(inputs, "shape") else np.ndim(inputs)
    if len(sizes) != rank:
        raise ShapeError(
            explain("slice(): `shape` must have one size for each axis.", expected=f"{rank} sizes", received=sizes)
        )
    return sizes, static_value(start_indices, "start_indices") if -1 in sizes else None


def _slice_rule(inputs: KerasTensor, start_indices: Any, shape: Any) -> KerasTensor | None:
    if not isinstance(inputs, KerasTensor):
        return None
    sizes, known = _slice_arguments(inputs, start_indices, shape)
    if known is not None:
        sizes = tuple(
            wanted if wanted != -1 else (None if size is None else size - start)
            for size, start, wanted in zip(inputs.shape, known, sizes, strict=True)
        )
    return KerasTensor(sizes, inputs.dtype)


@composite(rule=_slice_rule)
def slice(inputs: Any, start_indices: Any, shape: Any) -> Any:
    """Window of a tensor.

    Args:
        start_indices: where it begins along each axis; may be a tensor whose values are not known yet.
        shape: its size along each axis; -1 for all that follows the start (which must be known then).

    References: Keras `ops.slice`.
    """
    return _window(inputs, start_indices, *_slice_arguments(inputs, start_indices, shape))


@op
def _window_set(inputs: Any, start_indices: Any, updates: Any) -> Any:
    inputs = promote(inputs)[0]
    return jax.lax.dynamic_update_slice(inputs, to_dtype(updates, inputs.dtype.name), _starts(start_indices))


@composite
def slice_update(inputs: Any, start_indices: Any, updates: Any) -> Any:
    """The tensor with a window replaced.

    Args:
        start_indices: where the window begins along each axis.
        updates: its new contents, of the rank of ``inputs``.

    References: Keras `ops.slice_update`.
    """
    return _window_set(inputs, start_indices, updates)


# --- scattering --------------------------------------------------------------------------------------
@op(static=("shape",))
def scatter(indices: Any, values: Any, shape: Any) -> Any:
    """Zeros to which values are added at the given indices.

    Args:
        indices: integers of shape ``(..., n)``: the first ``n`` indices of each value's place.
        values: ``(..., *shape[n:])``.
        shape: shape of the result.

    References: Keras `ops.scatter`.
    """
    values = promote(values)[0]
    place = tuple(jnp.moveaxis(promote(indices)[0], -1, 0))
    return jnp.zeros(shape, values.dtype).at[place].add(values)


_REDUCTIONS = {None: "set", "add": "add", "max": "max", "min": "min", "mul": "multiply"}


@op(static=("reduction",))
def _scattered(inputs: Any, indices: Any, updates: Any, reduction: str | None) -> Any:
    inputs = promote(inputs)[0]
    place = inputs.at[tuple(jnp.transpose(promote(indices)[0]))]
    return getattr(place, _REDUCTIONS[reduction])(to_dtype(updates, inputs.dtype.name))


@composite
def scatter_update(inputs: Any, indices: Any, updates: Any, reduction: str | None = None) -> Any:
    """The tensor with new values at the given indices.

    Args:
        indices: integers of shape ``(count, n)``: the first ``n`` indices of each update's place.
        updates: ``(count, *inputs.shape[n:])``.
        reduction: ``None`` replaces; ``"add"``, ``"max"``, ``"min"``, ``"mul"`` combine with what stands there.

    References: Keras `ops.scatter_update`.
    """
    kind = None if reduction is None else str(reduction).lower()
    if kind not in _REDUCTIONS:
        raise ValueError(
            f"scatter_update(): Invalid reduction {reduction!r}. "
            "Choose 'add', 'max', 'min' or 'mul', or None to replace what stands there."
        )
    return _scattered(inputs, indices, updates, kind)
