"""The product at the heart of ``Dense``."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from hornbeam.core.door import op


@op
def dense(inputs: jax.Array, kernel: jax.Array, bias: jax.Array | None = None) -> jax.Array:
    """``inputs @ kernel + bias`` over the last axis.

    Args:
        inputs: (batch, ..., features).
        kernel: (features, units).
        bias: (units,) or None.

    Returns:
        (batch, ..., units).
    """
    outputs = jnp.matmul(inputs, kernel)
    return outputs if bias is None else outputs + bias.astype(outputs.dtype)
