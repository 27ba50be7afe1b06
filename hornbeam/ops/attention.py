"""Dot-product attention."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.base import settings
from hornbeam.base.errors import NotSupportedError, explain
from hornbeam.core.door import op
from hornbeam.ops.composite import composite
from hornbeam.ops.promotion import promote, to_dtype

__all__ = ["dot_product_attention"]


@composite
def dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    bias: Any = None,
    mask: Any = None,
    scale: Any = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> Any:
    """Attention: ``softmax(query @ key * scale + bias) @ value``, per head.

    Args:
        query: (batch, target length, heads, depth).
        key: (batch, source length, key heads, depth); ``heads`` is a multiple of ``key heads``.
        value: (batch, source length, key heads, depth).
        bias: added to the logits; broadcasts to (batch, heads, target length, source length).
        mask: True where attention is allowed; broadcasts likewise.
        scale: factor of the logits, ``1 / sqrt(depth)`` by default.
        is_causal: allow each target position only the source positions up to its own.
        flash_attention: True insists on the fused kernel (cuDNN, 16-bit floats), False forbids it; by default it is
            used where it can be.
        attn_logits_soft_cap: only None.

    Returns:
        Tensor (batch, target length, heads, depth) in the common dtype of query, key and value.

    Raises:
        ValueError: an input has not four axes, or ``attn_logits_soft_cap`` is given.
        NotSupportedError: ``flash_attention=True`` where there is no fused kernel for these inputs.
    """
    if attn_logits_soft_cap is not None:
        raise ValueError(
            "dot_product_attention(): no kernel here caps the logits. Leave `attn_logits_soft_cap` None, or write the "
            "attention out, with `cap * tanh(logits / cap)` before the softmax. "
            f"Received: {attn_logits_soft_cap!r}"
        )
    if flash_attention is None:
        flash_attention = settings.get("flash_attention")
    fixed = scale is None or isinstance(scale, (int, float))
    return _attention(
        query,
        key,
        value,
        bias,
        mask,
        None if fixed else scale,
        scale=scale if fixed else None,
        is_causal=bool(is_causal),
        flash=flash_attention,
    )


@op(static=("scale", "is_causal", "flash"))
def _attention(
    query: Any, key: Any, value: Any, bias: Any, mask: Any, factor: Any, scale: Any, is_causal: bool, flash: bool | None
) -> jax.Array:
    shapes = [tuple(jnp.shape(part)) for part in (query, key, value)]
    if any(len(shape) != 4 for shape in shapes):
        raise ValueError(
            "dot_product_attention(): query, key and value have four axes each, (batch, length, heads, depth). "
            f"Received shapes: query {shapes[0]}, key {shapes[1]}, value {shapes[2]}."
        )
    query, key, value = promote(query, key, value, at_least=float)
    options = {
        "bias": None if bias is None else to_dtype(bias, query.dtype),
        "mask": None if mask is None else to_dtype(mask, "bool"),
        "scale": scale if factor is None else factor,
        "is_causal": is_causal,
    }
    if flash is not False:
        fused = _fused(query, key, value, options, insist=bool(flash))
        if fused is not None:
            return fused
    dtype = query.dtype
    if dtype == jnp.float16 and jax.default_backend() == "cpu":
        # XLA has no product of float16 matrices with a float32 result there; so all of it is done in float32.
        query, key, value = (part.astype(jnp.float32) for part in (query, key, value))
        options["bias"] = None if bias is None else options["bias"].astype(jnp.float32)
    return jax.nn.dot_product_attention(query, key, value, implementation="xla", **options).astype(dtype)


def _fused(query: jax.Array, key: jax.Array, value: jax.Array, options: dict[str, Any], insist: bool) -> Any:
    """Attention by cuDNN's fused kernel, or None where it does not take these inputs."""
    reason: Exception | str = f"the device is {jax.default_backend()!r}, not a GPU with cuDNN"
    if jax.default_backend() == "gpu":
        try:
            return jax.nn.dot_product_attention(query, key, value, implementation="cudnn", **options)
        except (ValueError, NotImplementedError, RuntimeError, TypeError) as error:
            reason = error
    if not insist:
        return None
    raise NotSupportedError(
        explain(
            f"flash_attention=True: the fused kernel cannot be used here ({reason}).",
            expected="float16 or bfloat16 inputs with a depth the kernel takes, on a GPU with cuDNN",
            received=f"query {query.dtype}{list(query.shape)}",
            fix="leave `flash_attention` out: it is then used wherever it can be",
        )
    )
