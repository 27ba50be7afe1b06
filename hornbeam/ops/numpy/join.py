"""Joining tensors and splitting them: ``concatenate``, ``stack``, ``split``, ``rearrange`` ..."""

from __future__ import annotations

import math
import re
from typing import Any

import jax.numpy as jnp

from hornbeam.base.errors import ShapeError, explain
from hornbeam.core.arguments import static_value
from hornbeam.core.door import op
from hornbeam.core.symbolic import KerasTensor
from hornbeam.ops.casting import convert_to_tensor
from hornbeam.ops.composite import composite
from hornbeam.ops.numpy.shape import reshape, transpose
from hornbeam.ops.promotion import promote

__all__ = [
    "append",
    "array_split",
    "concatenate",
    "dsplit",
    "dstack",
    "hsplit",
    "hstack",
    "rearrange",
    "split",
    "stack",
    "vsplit",
    "vstack",
]


# --- joining -----------------------------------------------------------------------------------------
@op(static=("axis",), lists=("xs",), adapt=True)
def _concatenate(xs: Any, axis: int) -> Any:
    return jnp.concatenate(promote(*xs), axis=axis)


@op(static=("axis",), lists=("xs",), adapt=True)
def _stack(xs: Any, axis: int) -> Any:
    return jnp.stack(promote(*xs), axis=axis)


@op(static=("rank",), lists=("xs",), adapt=True)
def _stack_at(xs: Any, rank: int) -> Any:
    return (jnp.vstack, jnp.hstack, jnp.dstack)[rank - 1](promote(*xs))


def _parts(xs: Any) -> Any:
    """Lists of numbers in the list as tensors: to the door all nesting below a list parameter is structure."""
    if not isinstance(xs, (list, tuple)):
        return xs
    return [convert_to_tensor(x) if isinstance(x, (list, tuple)) else x for x in xs]


@composite
def concatenate(xs: Any, axis: int = 0) -> Any:
    """Tensors joined along an axis they have, in their common dtype.

    References: Keras `ops.concatenate`.
    """
    return _concatenate(_parts(xs), axis)


@composite
def stack(x: Any, axis: int = 0) -> Any:
    """Tensors of one shape joined along a new axis, in their common dtype.

    References: Keras `ops.stack`.
    """
    return _stack(_parts(x), axis)


@composite
def vstack(xs: Any) -> Any:
    """Tensors joined along axis 0; vectors become rows.

    References: Keras `ops.vstack`.
    """
    return _stack_at(_parts(xs), 1)


@composite
def hstack(xs: Any) -> Any:
    """Tensors joined along axis 1; vectors along axis 0.

    References: Keras `ops.hstack`.
    """
    return _stack_at(_parts(xs), 2)


@composite
def dstack(xs: Any) -> Any:
    """Tensors joined along axis 2; vectors and matrices get the axes they lack.

    References: Keras `ops.dstack`.
    """
    return _stack_at(_parts(xs), 3)


@op(static=("axis",), adapt=True)
def append(x1: Any, x2: Any, axis: int | None = None) -> Any:
    """``x2`` joined to the end of ``x1``.

    Args:
        axis: ``None`` joins the flattened tensors.

    References: Keras `ops.append`.
    """
    return jnp.append(*promote(x1, x2), axis=axis)


# --- splitting ---------------------------------------------------------------------------------------
@op(static=("indices_or_sections", "axis"))
def _split(x: Any, indices_or_sections: Any, axis: int) -> list:
    return list(jnp.split(promote(x)[0], indices_or_sections, axis=axis))


@op(static=("sections", "axis"))
def _array_split(x: Any, sections: int, axis: int) -> list:
    return list(jnp.array_split(promote(x)[0], sections, axis=axis))


def _split_rule(x: KerasTensor, indices_or_sections: Any, axis: int = 0) -> list | None:
    """Of an axis of unknown size, only parts between two given indices have a known size."""
    where = static_value(indices_or_sections, "indices_or_sections")
    if x.shape[axis] is not None:
        return None
    sizes: list = [None] * where if isinstance(where, int) else _between(where)
    shapes = [list(x.shape) for _ in sizes]
    for shape, size in zip(shapes, sizes, strict=True):
        shape[axis] = size
    return [KerasTensor(shape, x.dtype) for shape in shapes]


def _between(indices: tuple[int, ...]) -> list[int | None]:
    starts = (0, *indices)
    return [*(stop - start for start, stop in zip(starts, indices, strict=False)), None]


@composite(rule=_split_rule)
def split(x: Any, indices_or_sections: Any, axis: int = 0) -> list:
    """List of consecutive parts along an axis.

    Args:
        indices_or_sections: the number of equal parts, or the indices at which parts begin.

    References: Keras `ops.split`.
    """
    return _split(x, indices_or_sections, axis)


def _at_least(x: Any, rank: int, name: str) -> None:
    if len(x.shape) < rank:
        raise ShapeError(
            explain(
                f"{name}() needs at least {rank} axes.", expected=f"{rank} axes", received=f"shape {tuple(x.shape)}"
            )
        )


@composite(rule=lambda x, indices_or_sections: _along(x, indices_or_sections, 0, 2, "vsplit", _split_rule))
def vsplit(x: Any, indices_or_sections: Any) -> list:
    """Parts along axis 0.

    References: Keras `ops.vsplit`.
    """
    return _along(x, indices_or_sections, 0, 2, "vsplit", _split)


@composite(rule=lambda x, indices_or_sections: _along(x, indices_or_sections, None, 1, "hsplit", _split_rule))
def hsplit(x: Any, indices_or_sections: Any) -> list:
    """Parts along axis 1; of a vector along axis 0.

    References: Keras `ops.hsplit`.
    """
    return _along(x, indices_or_sections, None, 1, "hsplit", _split)


@composite(rule=lambda x, indices_or_sections: _along(x, indices_or_sections, 2, 3, "dsplit", _split_rule))
def dsplit(x: Any, indices_or_sections: Any) -> list:
    """Parts along axis 2.

    References: Keras `ops.dsplit`.
    """
    return _along(x, indices_or_sections, 2, 3, "dsplit", _split)


def _along(x: Any, where: Any, axis: int | None, rank: int, name: str, run: Any) -> Any:
    if not hasattr(x, "shape"):
        x = convert_to_tensor(x)
    _at_least(x, rank, name)
    return run(x, where, min(1, len(x.shape) - 1) if axis is None else axis)


def _array_split_rule(x: KerasTensor, indices_or_sections: int, axis: int = 0) -> list | None:
    _check_sections(indices_or_sections, axis)
    return None if x.shape[axis] is not None else [KerasTensor(x.shape, x.dtype) for _ in range(indices_or_sections)]


def _check_sections(sections: Any, axis: Any) -> None:
    if not isinstance(sections, int):
        raise TypeError(f"array_split(): `indices_or_sections` is a number of parts, an int. Received: {sections!r}")
    if sections <= 0:
        raise ValueError(f"array_split(): `indices_or_sections` is a number of parts, 1 at least. Received: {sections}")
    if not isinstance(axis, int):
        raise TypeError(f"array_split(): `axis` is the number of one axis, an int. Received: {axis!r}")


@composite(rule=_array_split_rule)
def array_split(x: Any, indices_or_sections: int, axis: int = 0) -> list:
    """Parts along an axis, as equal in size as possible, the larger ones first.

    References: Keras `ops.array_split`.
    """
    _check_sections(indices_or_sections, axis)
    return _array_split(x, indices_or_sections, axis)


# --- rearrange ---------------------------------------------------------------------------------------
_TOKEN = re.compile(r"\(([^()]*)\)|([A-Za-z_]\w*)|(\S)")


def _groups(side: str, pattern: str) -> list[list[str]]:
    """One list of axis names for each axis: ``"b (h w)"`` is ``[["b"], ["h", "w"]]``."""
    groups = []
    for inner, name, other in _TOKEN.findall(side):
        if other:
            raise ValueError(
                explain("rearrange(): pattern not understood.", expected="names and (groups)", received=pattern)
            )
        groups.append([name] if name else inner.split())
    return groups


def _sizes(groups: list[list[str]], shape: tuple, lengths: dict[str, int], pattern: str) -> dict[str, int]:
    """Size of every named axis; one unknown size is -1."""
    if len(groups) != len(shape):
        raise ShapeError(
            explain("rearrange(): pattern does not fit.", expected=f"{len(shape)} axes in {shape}", received=pattern)
        )
    sizes = {}
    for group, size in zip(groups, shape, strict=True):
        missing = [name for name in group if name not in lengths]
        known = math.prod(lengths[name] for name in group if name in lengths)
        if len(missing) > 1:
            raise ValueError(
                explain(f"rearrange({pattern!r}) lacks sizes.", expected=f"all but one of {missing} as keywords")
            )
        whole = -1 if size is None else (size // known if known else 0)
        if size is not None and (whole * known != size or (not missing and known != size)):
            raise ShapeError(
                explain(f"rearrange({pattern!r}): sizes do not fit.", expected=f"{size} for {group}", received=lengths)
            )
        sizes.update({name: whole if name in missing else lengths[name] for name in group})
    return sizes


def _rearrange_rule(tensor: KerasTensor, pattern: str, **axes_lengths: int) -> KerasTensor:
    left, right = _sides(pattern)
    sizes = _sizes(left, tuple(tensor.shape), axes_lengths, pattern)
    shape = [[sizes[name] for name in group] for group in right]
    return KerasTensor([None if -1 in group else math.prod(group) for group in shape], tensor.dtype)


def _sides(pattern: str) -> tuple[list[list[str]], list[list[str]]]:
    sides = pattern.split("->")
    if len(sides) != 2:
        raise ValueError(explain("rearrange(): pattern not understood.", expected="left -> right", received=pattern))
    left, right = (_groups(side, pattern) for side in sides)
    names = [[name for group in groups for name in group] for groups in (left, right)]
    if sorted(names[0]) != sorted(names[1]) or len(set(names[0])) != len(names[0]):
        raise ValueError(explain("rearrange(): both sides must name the same axes, each once.", received=pattern))
    return left, right


@composite(rule=_rearrange_rule)
def rearrange(tensor: Any, pattern: str, **axes_lengths: int) -> Any:
    """Axes split, reordered and merged as a pattern in the style of einops says.

    Args:
        pattern: names of the axes before and after, groups in brackets, e.g. ``"b (h p) c -> b h (p c)"``.
        **axes_lengths: sizes of named axes; one per group may be left out.

    References: Keras `ops.rearrange`.
    """
    left, right = _sides(pattern)
    sizes = _sizes(left, tuple(tensor.shape), axes_lengths, pattern)
    order = [name for group in left for name in group]
    split_up = reshape(tensor, [sizes[name] for name in order])
    moved = transpose(split_up, [order.index(name) for group in right for name in group])
    return reshape(moved, [math.prod(sizes[name] for name in group) for group in right])
