"""Compiled steps: one step, or many in one XLA call, with all state as donated inputs and outputs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.base import dtypes
from hornbeam.core import placement
from hornbeam.core.frame import Program
from hornbeam.core.tensor import wrap
from hornbeam.core.variable import commit_all, commit_lock, read_all, reclaim
from hornbeam.engine import cache, compiler, loops
from hornbeam.engine.jax_compat import is_constant, wide_types
from hornbeam.engine.memory import SENT_AT_ONCE_BYTES, aligned_copy, is_aligned
from hornbeam.engine.pace import Pace

_nothing = nullcontext()


class Logs(dict):
    """A dict whose order survives a compiled program (JAX sorts the keys of plain dicts)."""


jax.tree_util.register_pytree_node(
    Logs, lambda logs: (tuple(logs.values()), tuple(logs)), lambda keys, values: Logs(zip(keys, values, strict=True))
)


class StepProgram:
    """One captured step on batches of given shapes.

    Args:
        step: function ``(data) -> outputs`` on tensors; reads and writes variables.
        batch: one batch (any nesting of arrays); its shapes and dtypes are what counts.
        donate: give the memory of the old state to the new one. The step then owns the variables while it runs.
    """

    def __init__(self, step: Callable, batch: Any, donate: bool) -> None:
        cache.enable()
        leaves, self.tree = jax.tree_util.tree_flatten(batch)
        structs = [jax.ShapeDtypeStruct(leaf.shape, leaf.dtype) for leaf in leaves]

        def on_leaves(*arrays: Any) -> Any:
            return step(jax.tree_util.tree_unflatten(self.tree, [wrap(array) for array in arrays]))

        self.wide = any(dtypes.is_wide(struct.dtype.name) for struct in structs)
        with wide_types(True) if self.wide else _nothing:
            self.program = Program(on_leaves, structs)
        program = self.program
        written = set(map(id, program.writes))
        self.fixed = [variable for variable in program.reads if id(variable) not in written]
        self.state = program.writes
        self.wide = self.wide or any(dtypes.is_wide(v._dtype) for v in (*program.reads, *program.writes))
        self._donate = donate
        # Where each read of the captured program comes from: the state or the fixed variables.
        in_state = {id(variable): position for position, variable in enumerate(self.state)}
        in_fixed = {id(variable): position for position, variable in enumerate(self.fixed)}
        self._sources = [
            (True, in_state[id(variable)]) if id(variable) in in_state else (False, in_fixed[id(variable)])
            for variable in program.reads
        ]
        self._steps_per_call: int | None = None
        self._pace = Pace()
        self._distribution = placement.current()
        donated = (0,) if donate else ()
        options = compiler.options(program.closed)
        self._one = jax.jit(self._run_one, donate_argnums=donated, compiler_options=options)
        self._many = jax.jit(self._run_many, donate_argnums=donated, compiler_options=options)
        self._map = jax.jit(self._run_map, compiler_options=options)

    @property
    def steps_per_call(self) -> int:
        """Steps worth running in one call."""
        if self._steps_per_call is None:
            self._steps_per_call = loops.steps_per_call(self.program.closed)
        return self._steps_per_call

    @property
    def outputs(self) -> list[Any]:
        """Shapes and dtypes of the step's outputs."""
        return list(self.program.closed.out_avals[: self.program.n_outputs])

    # --- pure forms ------------------------------------------------------------------------------
    def _run_one(self, state: list, fixed: list, consts: list, leaves: list) -> tuple[list, list]:
        if self._distribution is not None:
            state = [placement.placed(*pair) for pair in zip(self.state, state, strict=True)]
            leaves = [placement.placed_batch(self._distribution, leaf) for leaf in leaves]
        reads = [state[i] if from_state else fixed[i] for from_state, i in self._sources]
        outputs, written = self.program.pure(reads, consts, leaves, outermost=True)
        if self._distribution is not None:
            written = [placement.placed(*pair) for pair in zip(self.state, written, strict=True)]
        return written, outputs

    def _run_many(self, state: list, fixed: list, consts: list, window: list, count: Any) -> tuple[list, list]:
        """``count`` steps; step ``i`` takes the batch ``window[i]``. Outputs are those of the last step."""

        def step(i: Any, carry: tuple[list, list]) -> tuple[list, list]:
            return self._run_one(carry[0], fixed, consts, [batches[i] for batches in window])

        shapes = jax.eval_shape(lambda: self._run_one(state, fixed, consts, [batches[0] for batches in window])[1])
        empty = [jnp.zeros(struct.shape, struct.dtype) for struct in shapes]
        return jax.lax.fori_loop(0, count, step, (state, empty))

    def _run_map(self, state: list, fixed: list, consts: list, window: list, count: Any) -> list:
        """Outputs of the first ``count`` batches of a window, stacked; the state stays as it is."""

        def outputs_of(i: Any) -> list:
            return self._run_one(state, fixed, consts, [batches[i] for batches in window])[1]

        def step(i: Any, found: list) -> list:
            return [
                jax.lax.dynamic_update_index_in_dim(all_rows, one, i, 0)
                for all_rows, one in zip(found, outputs_of(i), strict=True)
            ]

        shapes = jax.eval_shape(outputs_of, 0)
        empty = [jnp.zeros((window[0].shape[0], *struct.shape), struct.dtype) for struct in shapes]
        return jax.lax.fori_loop(0, count, step, empty)

    # --- running ---------------------------------------------------------------------------------
    def _launch(self, function: Callable, *rest: Any) -> Any:
        """Run and commit. The lock keeps other threads from using arrays that are about to be donated."""
        with commit_lock:
            if self._donate:
                reclaim(self.state)
            with wide_types(True) if self.wide else _nothing:
                state, outputs = function(read_all(self.state), read_all(self.fixed), self.program.consts, *rest)
            commit_all(self.state, state)
        return outputs

    def _spread(self, leaves: list) -> list:
        """Arrays that somebody has put on a device of his choice, on those of the distribution."""
        if self._distribution is None:
            return leaves
        with wide_types(True) if self.wide else _nothing:
            return [
                placement.placed_batch(self._distribution, leaf) if getattr(leaf, "committed", False) else leaf
                for leaf in leaves
            ]

    def wait(self) -> None:
        """Let runs that were launched before end first, but for a few; see ``engine.pace``."""
        self._pace.wait()

    def run(self, batch: Any) -> Any:
        """One step on a batch; returns the step's outputs."""
        leaves = self._spread([_settled(leaf) for leaf in jax.tree_util.tree_leaves(batch)])
        outputs = self._launch(self._one, leaves)
        self._pace.launched(outputs, () if outputs else read_all(self.state))
        return self.program.unflatten(outputs)

    def run_window(self, window: list, count: int) -> Any:
        """A step on each of the first ``count`` batches of a window; returns the last step's outputs."""
        return self.program.unflatten(self._launch(self._many, self._spread(window), count))

    def run_map(self, window: list, count: int) -> Any:
        """Outputs of the first ``count`` batches of a window, stacked along a new first axis."""
        with commit_lock, wide_types(True) if self.wide else _nothing:
            state, fixed = read_all(self.state), read_all(self.fixed)
            outputs = self._map(state, fixed, self.program.consts, self._spread(window), count)
        return self.program.unflatten(outputs)


def _settled(leaf: Any) -> Any:
    """An array that nobody changes while a step reads it, which is later: at large arrays, and in aligned memory."""
    if not isinstance(leaf, np.ndarray) or is_constant(leaf):
        return leaf
    return aligned_copy(leaf) if leaf.nbytes > SENT_AT_ONCE_BYTES or is_aligned(leaf) else leaf
