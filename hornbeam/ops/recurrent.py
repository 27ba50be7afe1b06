"""Recurrent layers over whole sequences, each one program."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.core.door import op
from hornbeam.engine import recurrent

__all__ = ["gru_sequence", "lstm_sequence"]


@op(static=("go_backwards",))
def lstm_sequence(
    x: Any, state: Any, memory: Any, kernel: Any, recurrent_kernel: Any, bias: Any, go_backwards: bool
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Outputs of all steps of an LSTM with tanh and sigmoid, in the order they are made; last state; last memory.

    Args:
        x: (batch, steps, features).
        state: (batch, units) before the first step.
        memory: the same size.
        kernel: (features, 4 * units).
        recurrent_kernel: (units, 4 * units).
        bias: (4 * units,), or None.
        go_backwards: from the last step to the first.
    """
    bias = jnp.zeros(kernel.shape[-1], x.dtype) if bias is None else bias
    return recurrent.lstm(_in_order(x, go_backwards), state, memory, kernel, recurrent_kernel, bias)


@op(static=("go_backwards",))
def gru_sequence(
    x: Any, state: Any, kernel: Any, recurrent_kernel: Any, bias: Any, go_backwards: bool
) -> tuple[jax.Array, jax.Array]:
    """Outputs of all steps of a GRU whose reset gate comes after the product, in the order they are made; last state.

    Args:
        x: (batch, steps, features).
        state: (batch, units) before the first step.
        kernel: (features, 3 * units).
        recurrent_kernel: (units, 3 * units).
        bias: (2, 3 * units), or None.
        go_backwards: from the last step to the first.
    """
    bias = jnp.zeros((2, kernel.shape[-1]), x.dtype) if bias is None else bias
    return recurrent.gru(_in_order(x, go_backwards), state, kernel, recurrent_kernel, bias)


def _in_order(x: jax.Array, go_backwards: bool) -> jax.Array:
    return jnp.flip(x, 1) if go_backwards else x
