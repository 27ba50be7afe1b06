"""Sums of half-precision arrays on the CPU, added up in float32.

XLA on the CPU adds bfloat16 and float16 in their own dtype when more than one axis goes: a bfloat16 sum of 262,144
ones is 2,048 there, because one more no longer changes it. And it is slow: 16 ms for (8, 56, 56, 256), where a sum in
float32 takes 0.4. ``jnp.sum`` knows better, but derivatives sum without it: the gradient of every bias, and of every
other operand that was stretched. So the operation itself is compiled differently, in eager gradients, loops and whole
programs alike.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.engine import jax_compat


def is_half(aval: Any) -> bool:
    """True for real floats of 16 bits or fewer."""
    return jnp.issubdtype(aval.dtype, jnp.floating) and aval.dtype.itemsize <= 2


def _sum(array: jax.Array, **params: Any) -> jax.Array:
    return jax.lax.reduce_sum_p.bind(array.astype(jnp.float32), **params).astype(array.dtype)


def add_in_float32() -> bool:
    """Have JAX compile such sums so from now on; False if this version of JAX cannot be told."""
    return jax_compat.lower_instead(jax.lax.reduce_sum_p, "cpu", lambda operands, params: is_half(operands[0]), _sum)
