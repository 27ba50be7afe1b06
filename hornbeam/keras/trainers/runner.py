"""Runs the batches of an epoch: compiled in chunks, compiled one by one, or eagerly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np

from hornbeam.base import trees
from hornbeam.core.tensor import Tensor, from_host, wrap
from hornbeam.keras.trainers import plan as plans
from hornbeam.keras.trainers.feeds.arrays import ArrayFeed
from hornbeam.keras.trainers.interrupts import SafeInterrupt
from hornbeam.keras.trainers.program import StepProgram


class Runner:
    """Executes one kind of step (train, test, predict) over feeds.

    Args:
        step: function ``(data) -> outputs`` on tensors.
        compiled: run it compiled.
        donate: the step changes the model's state, whose memory may be reused.
        version: what the step depends on beside the shapes of its batch; a program is made for each value.
    """

    def __init__(self, step: Callable, compiled: bool, donate: bool, version: Callable[[], Any] = lambda: None) -> None:
        self.step = step
        self.compiled = compiled
        self._version = version
        self._donate = donate
        self._programs: dict[Any, StepProgram] = {}

    def program_for(self, batch: Any) -> StepProgram:
        """The captured step for batches of these shapes."""
        leaves, tree = jax.tree_util.tree_flatten(batch)
        key = (tree, self._version(), tuple((leaf.shape, np.dtype(leaf.dtype)) for leaf in leaves))
        program = self._programs.get(key)
        if program is None:
            program = self._programs[key] = StepProgram(self.step, batch, self._donate)
        return program

    def run_batch(self, batch: Any, guard: SafeInterrupt) -> Any:
        """One step on one batch of host or device arrays."""
        if not self.compiled:
            return self.step(as_tensors(batch))
        program = self.program_for(batch)
        with guard.step():
            return program.run(batch)

    def epoch(
        self,
        feed: Any,
        guard: SafeInterrupt,
        *,
        steps_per_execution: Any = None,
        wants_batches: bool = False,
        limit: int | None = None,
        before: Callable[[int], None] | None = None,
    ) -> Iterator[tuple[int, Any]]:
        """Run batches; yields (number of the last batch run, its outputs) after every XLA call.

        Args:
            feed: batches.
            guard: keeps Ctrl-C out of steps.
            steps_per_execution: what the user asked for.
            wants_batches: a callback must see every batch.
            limit: batches to run at most.
            before: called with the number of the next batch before it runs.
        """
        if self.compiled and isinstance(feed, ArrayFeed) and not any(is_text(leaf) for leaf in feed.leaves):
            yield from self._array_epoch(feed, guard, steps_per_execution, wants_batches, limit, before)
            return
        for number, batch in enumerate(feed):
            if limit is not None and number >= limit:
                return
            if before is not None:
                before(number)
            yield number, self.run_batch(batch, guard)
            if limit is not None and number + 1 >= limit:
                return

    def _array_epoch(
        self, feed: ArrayFeed, guard: SafeInterrupt, steps_per_execution: Any, wants_batches: bool, limit: Any, before: Any
    ) -> Iterator[tuple[int, Any]]:
        order = feed.order()
        total = feed.num_batches if limit is None else min(limit, feed.num_batches)
        whole = min(total, feed.full_batches)
        done = 0
        if whole:
            program = self.program_for(feed.first())
            plan = plans.choose(
                feed, program.program.closed, steps_per_execution=steps_per_execution, wants_batches=wants_batches
            )
            if plan.resident and plan.steps_per_call > 1:
                data = resident(feed)
                rows = order[: whole * feed.batch_size].reshape(whole, feed.batch_size)
                while done < whole:
                    count = min(plan.steps_per_call, whole - done)
                    if before is not None:
                        before(done)
                    chunk = _padded(rows[done : done + count], plan.steps_per_call)
                    with guard.step():
                        outputs = program.run_rows(data, chunk, count)
                    done += count
                    yield done - 1, outputs
        while done < total:
            if before is not None:
                before(done)
            start = done * feed.batch_size
            rows_now: Any = order[start : start + feed.batch_size]
            if not feed.shuffle:
                rows_now = slice(start, start + feed.batch_size)
            outputs = self.run_batch(feed.batch(rows_now), guard)
            done += 1
            yield done - 1, outputs


def _padded(rows: np.ndarray, count: int) -> np.ndarray:
    if len(rows) == count:
        return rows
    return np.concatenate([rows, np.zeros((count - len(rows), rows.shape[1]), rows.dtype)])


def resident(feed: ArrayFeed) -> list[Any]:
    """The feed's arrays on the device, put there once."""
    known = feed.__dict__.get("_resident")
    if known is None:
        leaves = jax.tree_util.tree_leaves(feed.arrays)
        known = feed.__dict__["_resident"] = [jax.device_put(leaf) for leaf in leaves]
    return known


def is_text(leaf: Any) -> bool:
    """True for arrays of strings."""
    return getattr(leaf.dtype, "kind", "f") in "OSUT"


def as_tensors(batch: Any) -> Any:
    """Host arrays of a batch as tensors."""

    def convert(leaf: Any) -> Any:
        if leaf is None or isinstance(leaf, Tensor):
            return leaf
        return wrap(leaf) if isinstance(leaf, jax.Array) else from_host(np.asarray(leaf))

    return trees.map_structure(convert, batch)
