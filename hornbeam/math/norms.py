"""Norms of tensors, and tensors clipped or divided by them."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from hornbeam import ops
from hornbeam.base import trees
from hornbeam.core.arguments import static_value
from hornbeam.core.door import op
from hornbeam.ops.promotion import as_float
from hornbeam.tensors.face import face, tensor

__all__ = ["clip_by_global_norm", "clip_by_norm", "global_norm", "l2_normalize"]


@op(static=("axis",))
def _l2_normalize(x: Any, epsilon: Any, axis: Any) -> Any:
    x = as_float(x)
    square = jnp.sum(jnp.square(jnp.abs(x)) if jnp.iscomplexobj(x) else jnp.square(x), axis=axis, keepdims=True)
    return x * jax.lax.rsqrt(jnp.maximum(square, jnp.asarray(epsilon, square.dtype))).astype(x.dtype)


@face
def l2_normalize(x: Any, axis: Any = None, epsilon: float = 1e-12, name: str | None = None, dim: Any = None) -> Any:
    """Divided by the Euclidean norm along axes (of the whole tensor by default).

    Args:
        x: tensor.
        axis: axis or axes of the norm.
        epsilon: what the squared norm counts as at least.
        dim: former name of ``axis``.
    """
    return _l2_normalize(tensor(x), epsilon, axis=static_value(dim if axis is None else axis, "axis"))


@op(static=("axes",))
def _clip_by_norm(t: Any, clip_norm: Any, axes: Any) -> Any:
    t = as_float(t)
    square = jnp.sum(t * t, axis=axes, keepdims=True)
    # The derivative of the square root is infinite at 0.
    norm = jnp.where(square > 0, jnp.sqrt(jnp.where(square > 0, square, 1)), square)
    clip_norm = jnp.asarray(clip_norm, t.dtype)
    return t * clip_norm / jnp.maximum(norm, clip_norm)


@face
def clip_by_norm(t: Any, clip_norm: Any, axes: Any = None, name: str | None = None) -> Any:
    """Scaled down to a Euclidean norm along ``axes`` (of the whole tensor by default) of ``clip_norm`` at most."""
    return _clip_by_norm(tensor(t), clip_norm, axes=static_value(axes, "axes"))


@face
def global_norm(t_list: Any, name: str | None = None) -> Any:
    """Square root of the sum of squares of all elements of a list of tensors; None entries are left out.

    Raises:
        TypeError: not a list.
    """
    if not isinstance(t_list, (list, tuple)):
        raise TypeError(f"tf.linalg.global_norm: expected a list of tensors, received {type(t_list).__name__}.")
    squares = [ops.sum(ops.square(tensor(t))) for t in trees.flatten(list(t_list)) if t is not None]
    total = squares[0] if squares else ops.zeros(())
    for square in squares[1:]:
        total = ops.add(total, square)
    return ops.sqrt(total)


@op
def _global_scale(norm: Any, clip_norm: Any) -> Any:
    clip_norm = jnp.asarray(clip_norm, norm.dtype)
    # A norm that is infinite or nan makes all results nan, as in TensorFlow.
    return clip_norm * jnp.minimum(1 / norm, 1 / clip_norm) + (norm - norm)


def clip_by_global_norm(t_list: Any, clip_norm: Any, use_norm: Any = None, name: str | None = None) -> tuple[list, Any]:
    """A list of tensors scaled down so that their global norm is ``clip_norm`` at most.

    Args:
        t_list: tensors; None entries stay None.
        clip_norm: bound.
        use_norm: the global norm, if it has been computed already.

    Returns:
        The clipped list, and the global norm before.
    """
    norm = global_norm(t_list) if use_norm is None else tensor(use_norm)
    scale = _global_scale(norm, clip_norm)
    return [None if t is None else ops.multiply(tensor(t), ops.cast(scale, tensor(t).dtype)) for t in t_list], norm
