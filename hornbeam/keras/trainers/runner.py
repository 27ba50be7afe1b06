"""Runs the batches of an epoch: compiled in chunks, compiled one by one, or eagerly."""

from __future__ import annotations

import warnings
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import jax
import numpy as np

from hornbeam.base import trees
from hornbeam.base.callers import user_line
from hornbeam.base.errors import TraceError
from hornbeam.core.tensor import Tensor, from_host, wrap
from hornbeam.core.variable import commit_all, read_all
from hornbeam.engine.pace import AHEAD
from hornbeam.keras.trainers import plan as plans
from hornbeam.keras.trainers.feeds.arrays import ArrayFeed
from hornbeam.keras.trainers.feeds.iterables import standard_batch
from hornbeam.keras.trainers.feeds.stream import Stream
from hornbeam.keras.trainers.feeds.windows import Windows
from hornbeam.keras.trainers.host_head import holds_text, prepared
from hornbeam.keras.trainers.host_steps import step_program
from hornbeam.keras.trainers.interrupts import SafeInterrupt
from hornbeam.keras.trainers.program import StepProgram
from hornbeam.keras.trainers.rollback import Rollback
from hornbeam.keras.utils.data_tuples import pack_x_y_sample_weight

KEPT_PROGRAMS = 32
"""Captured steps kept per kind; data of ever new shapes must not fill the memory."""
_WARN_AT = 12


class Runner:
    """Executes one kind of step (train, test, predict).

    Args:
        model: the model, for building it safely and for its locks.
        kind: ``"train"``, ``"test"`` or ``"predict"``.
        step: function ``(data) -> outputs`` on tensors.
        compiled: run it compiled.
        version: what the step depends on beside the shapes of its batch; a program is made for each value.
        check: looks at each batch on the host before it runs; raises if it must not.
    """

    def __init__(
        self,
        model: Any,
        kind: str,
        step: Callable,
        compiled: bool,
        version: Callable[[], Any] = lambda: None,
        check: Callable[[Any], None] | None = None,
    ) -> None:
        self.model, self.kind, self.step, self.compiled = model, kind, step, compiled
        self._version = version
        self._check = check
        self.watch: Any = None  # runs the steps instead, see `numerics`
        self._programs: OrderedDict[Any, StepProgram] = OrderedDict()
        self._made = 0

    # --- capturing -------------------------------------------------------------------------------
    def program_for(self, batch: Any) -> StepProgram | None:
        """The captured step for batches of these shapes; None if the step runs eagerly."""
        batch = prepared(self.model, batch)
        if not self.can_compile(batch):
            return None
        key = self._key(batch)
        program = self._programs.get(key)
        if program is not None:
            with suppress(KeyError):  # another thread may have dropped it
                self._programs.move_to_end(key)
            return program
        with self.model._training.programs_lock:
            # Another thread may have built the model, and with it changed the key.
            key = self._key(batch)
            program = self._programs.get(key)
            return self._capture(batch, key) if program is None else program

    def _capture(self, batch: Any, key: tuple) -> StepProgram | None:
        try:
            with Rollback(self.model):
                program = step_program(self.step, batch, donate=self.kind != "predict")
        except NEEDS_VALUE as error:
            line = user_line(error)
            if line is None:
                raise
            self.compiled = False
            self.model._training.eager_kinds.add(self.kind)
            warnings.warn(
                f"The {self.kind} step of model '{self.model.name}' needs the value of a tensor in Python ({line}), "
                "which a compiled program does not have; it runs eagerly from now on, which is slower. "
                "Use tf.cond, tf.where or tf.while_loop (keras.ops.cond ...) to keep it compiled.",
                stacklevel=2,
            )
            return None
        # Tracing may have built the optimizer, and with it changed what the step depends on.
        self._keep((key[0], self._version(), key[2]), program)
        return program

    def programs(self) -> list[StepProgram]:
        """Captured steps, the one used last at the end."""
        return list(self._programs.values())

    def knows(self, batch: Any) -> bool:
        """Whether the step has been captured for batches of these shapes."""
        return self._key(prepared(self.model, batch)) in self._programs

    def _key(self, batch: Any) -> tuple:
        leaves, tree = jax.tree_util.tree_flatten(batch)
        return (tree, self._version(), tuple((leaf.shape, leaf.dtype) for leaf in leaves))

    def _keep(self, key: Any, program: StepProgram) -> None:
        self._programs[key] = program
        self._made += 1
        if len(self._programs) > KEPT_PROGRAMS:
            self._programs.popitem(last=False)
        if self._made == _WARN_AT:
            shapes = [one[2][0][0] for one in list(self._programs)[-4:] if one[2]]
            warnings.warn(
                f"The {self.kind} step of model '{self.model.name}' was compiled for {self._made} different "
                "batches, the last "
                f"ones with inputs of shape {', '.join(map(str, shapes))}. Each new shape costs a compilation: pad the "
                "data to a few sizes.",
                stacklevel=2,
            )

    def __call__(self, iterator: Any) -> Any:
        """Run the step on the next batch of an iterator, as code does with what ``make_train_function`` returns."""
        x, y, sample_weight = standard_batch(next(iterator))
        return self.run_batch(pack_x_y_sample_weight(x, y, sample_weight), SafeInterrupt())

    # --- running ---------------------------------------------------------------------------------
    def can_compile(self, batch: Any) -> bool:
        """False for text that no layer at the model's inputs turns into numbers: it never reaches the device."""
        return self.compiled and not holds_text(self.model, prepared(self.model, batch))

    def run_batch(self, batch: Any, guard: SafeInterrupt, checked: bool = False) -> Any:
        """One step on one batch of host or device arrays.

        Args:
            batch: in the form that steps receive.
            guard: keeps Ctrl-C out of the step.
            checked: the data were looked at before.
        """
        batch = prepared(self.model, batch)
        program = self.program_for(batch)
        if self._check is not None and not checked:
            self._check(batch)
        if self.watch is not None:
            return self.watch.run(lambda: self._run(program, batch, guard), batch)
        return self._run(program, batch, guard)

    def _run(self, program: StepProgram | None, batch: Any, guard: SafeInterrupt) -> Any:
        if program is None:
            return self._run_eagerly(batch)
        program.wait()
        with guard.step():
            return program.run(batch)

    def _run_eagerly(self, batch: Any) -> Any:
        model = self.model
        optimizer = model.optimizer
        known = model.variables if model.built else []
        before, steps = read_all(known), _steps_made(optimizer)
        try:
            with Rollback(model):
                return self.step(as_tensors(batch))
        except BaseException:
            # Half a step (moving averages, but no update) is no state to stop in.
            if _steps_made(optimizer) is steps:
                commit_all(known, before)
            raise

    def epoch(
        self,
        stream: Stream,
        guard: SafeInterrupt,
        *,
        steps_per_execution: Any = None,
        interval: int | None = None,
        before: Callable[[int], None] = lambda number: None,
        done: int = 0,
    ) -> Iterator[tuple[int, Any]]:
        """Run the next epoch of a stream; yields (number of the last batch run, its outputs) after every call.

        Args:
            stream: where batches come from.
            guard: keeps Ctrl-C out of steps.
            steps_per_execution: what the user asked for.
            interval: batches after which a callback must be called at the latest; None if it does not matter.
            before: called with the number of the next batch before it runs.
            done: batches of the epoch that have been run already.
        """
        if stream.is_array:
            yield from self._array_epoch(stream, guard, steps_per_execution, interval, before)
            return
        together = steps_per_execution if isinstance(steps_per_execution, int) else 1
        number, outputs = done - 1, None
        for number, batch in enumerate(stream.batches(done), done):
            if number % together == 0:
                before(number)
            outputs = self.run_batch(batch, guard)
            if (number + 1) % together == 0:
                yield number, outputs
        if (number + 1) % together and number >= done:
            yield number, outputs

    def _array_epoch(
        self, stream: Stream, guard: SafeInterrupt, steps_per_execution: Any, interval: int | None, before: Callable
    ) -> Iterator[tuple[int, Any]]:
        feed, share = stream.feed, stream.share()
        done, whole = share.start + share.done, min(share.stop, feed.full_batches)
        first = feed.first()
        program = self.program_for(first) if whole > done else None
        if program is not None and self.watch is None and prepared(self.model, first) is first:
            steps = program.steps_per_call
            plan = plans.choose(feed, steps, steps_per_execution=steps_per_execution, interval=interval)
            if plan.steps_per_call > 1:
                yield from self._chunks(program, plan.steps_per_call, feed, share, guard, before)
                done = whole
        while done < share.stop:
            before(done - share.start)
            outputs = self.run_batch(feed.batch(done, share.order), guard, checked=True)
            done += 1
            yield done - 1 - share.start, outputs

    def _chunks(
        self, program: StepProgram, size: int, feed: ArrayFeed, share: Any, guard: SafeInterrupt, before: Callable
    ) -> Iterator[tuple[int, Any]]:
        """The full batches of a share, several in one call."""
        windows = Windows(feed, size)
        whole = min(share.stop, feed.full_batches)
        order = np.arange(whole * feed.batch_size, dtype=np.int32) if share.order is None else share.order
        rows = order[: whole * feed.batch_size].reshape(whole, feed.batch_size)
        waiting: deque[Any] = deque()
        done = share.start + share.done
        while done < whole:
            count = min(size, whole - done)
            before(done - share.start)
            window = windows.take(rows[done : done + count])
            with guard.step():
                outputs = program.run_window(window, count)
            done += count
            found = jax.tree_util.tree_leaves(outputs)[:1]
            if not found:
                # The next call takes the memory of the state, so there is nothing that can be waited for later.
                jax.block_until_ready(read_all(program.state[:1]))
            waiting.append(found)
            if len(waiting) > AHEAD:
                jax.block_until_ready(waiting.popleft())
            yield done - 1 - share.start, outputs


NEEDS_VALUE = (
    jax.errors.ConcretizationTypeError,
    jax.errors.NonConcreteBooleanIndexError,
    jax.errors.TracerArrayConversionError,
    TraceError,
)
"""What is raised when Python asks a traced value for its content."""


def _steps_made(optimizer: Any) -> Any:
    """The array that counts the steps; another one after each step."""
    counter = getattr(optimizer, "_iterations", None)
    return None if counter is None else counter._array


def as_tensors(batch: Any) -> Any:
    """Host arrays of a batch as tensors."""

    def convert(leaf: Any) -> Any:
        if leaf is None or isinstance(leaf, Tensor):
            return leaf
        return wrap(leaf) if isinstance(leaf, jax.Array) else from_host(np.asarray(leaf))

    return trees.map_structure(convert, batch)
