"""``x.at[key].set(values)`` and its kin: copies with some entries changed."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.base import shapes
from hornbeam.core.door import op
from hornbeam.ops.numpy.create import arange
from hornbeam.ops.numpy.item import get_item
from hornbeam.ops.numpy.shape import reshape
from hornbeam.ops.promotion import to_dtype

__all__ = ["update_at"]


@op(static=("how",))
def _put(x: jax.Array, positions: jax.Array, values: jax.Array, how: str) -> jax.Array:
    flat = jnp.reshape(x, (-1,))
    new = jnp.broadcast_to(to_dtype(values, x.dtype.name), positions.shape)
    return getattr(flat.at[positions], how)(new).reshape(x.shape)


def update_at(x: Any, values: Any, key: Any, how: str = "set") -> Any:
    """Copy of ``x`` with ``x[key]`` set to, increased by, multiplied with or bounded by ``values``.

    Args:
        x: tensor.
        values: tensor that broadcasts to the shape of ``x[key]``.
        key: any key that ``x[key]`` takes.
        how: ``"set"``, ``"add"``, ``"multiply"``, ``"min"`` or ``"max"``.
    """
    shape = tuple(x.shape)
    positions = get_item(reshape(arange(shapes.count(shape), dtype="int32"), shape), key)
    return _put(x, positions, values, how)
