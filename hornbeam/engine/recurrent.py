"""LSTM and GRU over whole sequences, chosen by platform.

oneDNN has both for inference. Derivatives are those of the loop over the steps, which is what trains; so are other
platforms' results.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax

from hornbeam.engine import onednn, platform
from hornbeam.engine.jax_compat import undifferentiated_primitive

LSTM, GRU = "lstm", "gru"


def takes(cell: str, shape: Sequence[Any], states: Sequence[Sequence[Any]], units: int, dtype: Any) -> bool:
    """True if there is a better way than a loop for all steps of a layer that is not trained.

    Args:
        cell: ``LSTM`` or ``GRU``.
        shape: of the sequences, (batch, steps, features).
        states: shapes of the states before the first step.
        units: size of the states.
        dtype: of all arrays.
    """
    whole = all(tuple(state) == (shape[0], units) for state in states)
    return whole and platform.is_cpu() and onednn.takes_recurrent(cell, (*shape, units), dtype)


def _lstm_loop(x: Array, state: Array, memory: Array, kernel: Array, recurrent_kernel: Array, bias: Array) -> Any:
    def step(held: tuple[Array, Array], inputs: Array) -> tuple[tuple[Array, Array], Array]:
        before, memory = held
        gates = inputs @ kernel + bias + before @ recurrent_kernel
        enter, forget, candidate, leave = jnp.split(gates, 4, axis=-1)
        memory = jax.nn.sigmoid(forget) * memory + jax.nn.sigmoid(enter) * jnp.tanh(candidate)
        after = jax.nn.sigmoid(leave) * jnp.tanh(memory)
        return (after, memory), after

    (state, memory), outputs = lax.scan(step, (state, memory), jnp.swapaxes(x, 0, 1))
    return jnp.swapaxes(outputs, 0, 1), state, memory


def _gru_loop(x: Array, state: Array, kernel: Array, recurrent_kernel: Array, bias: Array) -> Any:
    units = state.shape[-1]

    def step(before: Array, inputs: Array) -> tuple[Array, Array]:
        outer, inner = inputs @ kernel + bias[0], before @ recurrent_kernel + bias[1]
        gates = jax.nn.sigmoid(outer[..., : 2 * units] + inner[..., : 2 * units])
        update, reset = gates[..., :units], gates[..., units:]
        candidate = jnp.tanh(outer[..., 2 * units :] + reset * inner[..., 2 * units :])
        after = update * before + (1 - update) * candidate
        return after, after

    state, outputs = lax.scan(step, state, jnp.swapaxes(x, 0, 1))
    return jnp.swapaxes(outputs, 0, 1), state


def _states(x: Any, *states: Any) -> list[Any]:
    shape = states[0].shape
    return [((*x.shape[:2], shape[-1]), x.dtype), *[(shape, x.dtype)] * len(states)]


def _whole(cell: str, loop: Callable, states: int) -> Callable:
    """An operation of sequences, states, kernels and bias, whose derivative is that of the loop."""

    def on_cpu(x: Array, *operands: Array) -> Any:
        held, (kernel, recurrent_kernel, bias) = operands[:states], operands[states:]
        units = recurrent_kernel.shape[0]
        gates = 4 * units if cell == LSTM else 3 * units
        biases = (gates,) if cell == LSTM else (2, gates)
        shapes = kernel.shape, recurrent_kernel.shape, bias.shape
        # What the kernel reads and writes depends on sizes alone; the loop says what is wrong with others.
        fits = shapes == ((x.shape[-1], gates), (units, gates), biases)
        if fits and takes(cell, x.shape, [state.shape for state in held], units, x.dtype):
            return onednn.recurrent(cell, x, *operands)
        return loop(x, *operands)

    run = jax.custom_jvp(
        undifferentiated_primitive(
            f"hornbeam_{cell}",
            results=lambda x, *others: _states(x, *others[:states]),
            lowerings={None: loop, "cpu": on_cpu},
        )
    )
    run.defjvp(lambda primals, tangents: jax.jvp(lambda *operands: list(loop(*operands)), primals, tangents))
    return run


_run_lstm, _run_gru = _whole(LSTM, _lstm_loop, 2), _whole(GRU, _gru_loop, 1)


def lstm(
    x: Array, state: Array, memory: Array, kernel: Array, recurrent_kernel: Array, bias: Array
) -> tuple[Array, Array, Array]:
    """Outputs of all steps (batch, steps, units), last state and last memory, with tanh and sigmoid.

    Args:
        x: (batch, steps, features).
        state: (batch, units) before the first step.
        memory: the same size.
        kernel: (features, 4 * units); gates in the order input, forget, candidate, output.
        recurrent_kernel: (units, 4 * units).
        bias: (4 * units,).
    """
    outputs, last, memory = _run_lstm(x, state, memory, kernel, recurrent_kernel, bias)
    return outputs, last, memory


def gru(x: Array, state: Array, kernel: Array, recurrent_kernel: Array, bias: Array) -> tuple[Array, Array]:
    """Outputs of all steps (batch, steps, units) and last state, with tanh and sigmoid, reset after the product.

    Args:
        x: (batch, steps, features).
        state: (batch, units) before the first step.
        kernel: (features, 3 * units); gates in the order update, reset, candidate.
        recurrent_kernel: (units, 3 * units).
        bias: (2, 3 * units): of the inputs' product and of the states'.
    """
    outputs, last = _run_gru(x, state, kernel, recurrent_kernel, bias)
    return outputs, last
