"""``RNN``: a cell, applied to the steps of a sequence one after another."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.base import trees
from hornbeam.base.errors import BuildError
from hornbeam.base.shapes import TensorShape
from hornbeam.core.scopes import name_scope
from hornbeam.core.variable import Variable
from hornbeam.engine import rnn as engine
from hornbeam.keras.layers.base.call_spec import call_spec
from hornbeam.keras.layers.base.layer import Layer
from hornbeam.keras.layers.rnn import loop, nested
from hornbeam.keras.layers.rnn.cell import RecurrentCell
from hornbeam.keras.layers.rnn.stacked_rnn_cells import StackedRNNCells
from hornbeam.keras.saving.scopes import CustomObjectScope


class RNN(Layer):
    """Applies a cell to each step of a sequence, handing its states on.

    Args:
        cell: layer with ``call(inputs, states) -> (output, new_states)``, ``state_size`` and, where they differ,
            ``output_size``; or a list of such layers, one on top of the other.
        return_sequences: give the outputs of all steps, not only the last.
        return_state: give the last states too.
        go_backwards: from the last step to the first.
        stateful: begin each batch with the states that the last batch ended with.
        unroll: write the steps out instead of compiling a loop.
        zero_output_for_mask: outputs of masked steps are zero, where all outputs are given.
        **kwargs: ``name``, ``dtype``, ``activity_regularizer`` ...

    Call arguments:
        sequences: (batch, steps, ...), or a nesting of such for a cell that takes one.
        initial_state: list of states; zeros by default.
        mask: (batch, steps); false for steps that are passed over.
        training: passed on to the cell.

    Output shape: (batch, output size), with an axis of steps if ``return_sequences``; then the states if
        ``return_state``.

    References: Keras ``layers.RNN``.
    """

    pure = True
    _untracked = frozenset({"states"})

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        **kwargs: Any,
    ) -> None:
        if isinstance(cell, (list, tuple)):
            cell = StackedRNNCells(cell)
        for attribute in ("call", "state_size"):
            if attribute not in dir(cell):
                raise ValueError(f"RNN: a cell must have `{attribute}`. Received: cell={cell!r}")
        super().__init__(**kwargs)
        self.cell: Any = cell
        self.return_sequences, self.return_state = return_sequences, return_state
        self.go_backwards, self.stateful, self.unroll = go_backwards, stateful, unroll
        self.zero_output_for_mask = zero_output_for_mask
        self.supports_masking = True
        self.states: Any = None
        size: Any = cell.state_size
        if not isinstance(size, (list, tuple, int)):
            raise ValueError(f"RNN: `state_size` of a cell must be an integer or a list of them. Received: {size!r}")
        self.single_state = isinstance(size, (int, TensorShape))
        self.state_size: list[Any] = [size] if self.single_state else list(size)  # type: ignore[arg-type]

    # --- shapes ----------------------------------------------------------------------------------
    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        """Shape of the output, and of the states if they are given too."""
        batch, length = nested.first(sequences_shape)[:2]
        size = getattr(self.cell, "output_size", None)
        size = self.state_size[0] if size is None else size
        if not isinstance(size, (int, list, tuple)):
            raise ValueError(f"RNN '{self.name}': `output_size` of the cell must be an integer. Received: {size!r}")
        output = nested.with_batch(size, batch, length) if self.return_sequences else nested.with_batch(size, batch)
        if not self.return_state:
            return output
        states = [nested.with_batch(one, batch) for one in self.state_size]
        return (output, *states)

    def compute_mask(self, _: Any, mask: Any) -> Any:
        """The mask of the steps where all outputs are given."""
        flat = trees.flatten(mask)
        mask = flat[0] if self.return_sequences and flat else None
        return [mask, *[None] * nested.count(self.state_size)] if self.return_state else mask

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        """Build the cell for one step."""
        step_shape = nested.of_step(sequences_shape)
        batch = nested.first(sequences_shape)[0]
        if isinstance(self.cell, Layer) and not self.cell.built:
            with name_scope(self.cell.name):
                self.cell.build(step_shape)
            self.cell.built = True
        if self.stateful and self.states is None:
            if batch is None:
                raise BuildError(
                    f"RNN '{self.name}' is stateful, so the batch size must be known. Received: shape "
                    f"{sequences_shape}. Give it with `batch_shape=` of the Input layer."
                )
            self._create_states(batch)
        self.built = True

    # --- states ----------------------------------------------------------------------------------
    def _create_states(self, batch_size: int) -> None:
        with name_scope(self.name):
            self.states = trees.map_structure(
                lambda value: Variable(value, trainable=False, dtype=self.variable_dtype, name="rnn_state"),
                self.get_initial_state(batch_size),
            )

    def get_initial_state(self, batch_size: Any) -> list[Any]:
        """The states that a sequence begins with: those of the cell, or zeros."""
        function = getattr(self.cell, "get_initial_state", None)
        if function is None:
            dtype = getattr(self.cell, "compute_dtype", self.compute_dtype)
            return [ops.zeros(nested.with_batch(size, batch_size), dtype=dtype) for size in self.state_size]
        made = function(batch_size=batch_size)
        return list(made) if isinstance(made, (list, tuple)) else [made]

    def reset_state(self) -> None:
        """Set the states of a stateful layer to zero."""
        for state in trees.flatten(self.states) if self.states is not None else ():
            state.assign(ops.zeros_like(state))

    reset_states = reset_state

    def _start(self, sequences: Any, initial_state: Any) -> list[Any]:
        batch = trees.flatten(sequences)[0].shape[0]
        if self.stateful and self.states is not None:
            expected = trees.flatten(self.states)[0].shape[0]
            if expected != batch:
                raise ValueError(
                    f"RNN '{self.name}' is stateful: its states are of batches of {expected}, so it cannot take "
                    "a batch "
                    f"of {batch}. Use that batch size throughout (also in `predict`)."
                )
        if initial_state is None:
            initial_state = self.states if self.stateful else self.get_initial_state(batch)
        if not isinstance(initial_state, (list, tuple)):
            initial_state = [initial_state]
        dtype = getattr(self.cell, "compute_dtype", self.compute_dtype)
        return trees.map_structure(lambda state: ops.cast(ops.convert_to_tensor(state), dtype), list(initial_state))

    # --- running ---------------------------------------------------------------------------------
    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: Any = False) -> Any:
        """Outputs of the cell over the steps."""
        states = self._start(sequences, initial_state)
        mask = trees.flatten(mask)[0] if isinstance(mask, (list, tuple)) else mask
        last, outputs, states = self.inner_loop(sequences, states, mask, training)
        if self.stateful:
            for kept, state in zip(trees.flatten(self.states), trees.flatten(states), strict=True):
                kept.assign(ops.cast(state, kept.dtype))
        output = trees.map_structure(
            lambda one: ops.cast(one, self.compute_dtype), outputs if self.return_sequences else last
        )
        if not self.return_state:
            return output
        states = trees.map_structure(lambda state: ops.cast(state, self.compute_dtype), list(states))
        return (output, *states)

    def inner_loop(self, sequences: Any, initial_state: Any, mask: Any, training: Any = False) -> tuple:
        """Last output, all outputs and last states.

        Args:
            sequences: (batch, steps, ...), or a nesting of such.
            initial_state: list of states.
            mask: (batch, steps) or None.
            training: passed on to the cell.
        """
        options: dict[str, Any] = {
            "mask": mask,
            "go_backwards": self.go_backwards,
            "unroll": self.unroll,
            "zero_output_for_mask": self.zero_output_for_mask,
            "all_outputs": self.return_sequences,
        }
        cell = self.cell
        # A user's subclass has a step of its own.
        if isinstance(cell, RecurrentCell) and type(cell).__module__.startswith("hornbeam."):
            first = trees.flatten(initial_state)[0]
            if len(sequences.shape) == 3:
                self._check_states(sequences.shape[0], initial_state)
            input_masks, state_masks = cell._masks(sequences[:, 0], first, training)
            sequences = ops.cast(sequences, cell.compute_dtype)
            # What trains is the loop, whose steps derivatives need.
            if not training and mask is None and not self.unroll and len(sequences.shape) == 3:
                whole = cell.whole(sequences, list(initial_state), self.go_backwards)
                if whole is not None:
                    outputs, states = whole
                    return states[0], outputs if self.return_sequences else None, states
            # A convolution is always better done for all steps at once.
            if len(sequences.shape) > 3 or engine.projects_at_once(sequences.shape[-1]):
                sequences = cell.project(sequences, input_masks)

                def step(x: Any, held: Any) -> tuple[Any, list[Any]]:
                    return cell.advance(x, list(held), state_masks)

            else:

                def step(x: Any, held: Any) -> tuple[Any, list[Any]]:
                    return cell.advance(cell.project(x, input_masks), list(held), state_masks)

            return loop.run(
                step,
                sequences,
                list(initial_state),
                outputs_state=True,
                **options,
            )
        return self._general_loop(sequences, initial_state, training, options)

    def _check_states(self, batch: Any, states: Any) -> None:
        """States of one of the built-in cells, which are not stretched to the batch."""
        for size, state in zip(self.state_size, trees.flatten(states), strict=False):
            if tuple(state.shape) != (batch, size) and None not in (batch, *state.shape):
                raise ValueError(
                    f"{type(self).__name__} '{self.name}': an initial state must have shape {(batch, size)}, one row "
                    f"for each sequence. Received: shape {tuple(state.shape)}."
                )

    def _general_loop(self, sequences: Any, initial_state: Any, training: Any, options: dict[str, Any]) -> tuple:
        """The loop for cells of the user's, and for stacks of cells."""
        cell: Any = self.cell
        one_step: Any = cell if callable(cell) else cell.call
        passed = {"training": training} if isinstance(cell, Layer) and call_spec(cell).has_training else {}
        single = self.single_state
        built_in = _built_in_cells(cell) if training else []
        if built_in:
            _hold_masks(built_in, trees.map_structure(lambda x: x[:, 0], sequences), initial_state)

        def step(x: Any, held: Any) -> tuple[Any, list[Any]]:
            output, made = one_step(x, list(held), **passed)
            new: list[Any] = list(made) if isinstance(made, (list, tuple)) else [made]
            return output, [_like(after, before) for after, before in zip(new, held, strict=True)]

        try:
            return loop.run(
                step, sequences, list(initial_state), outputs_state=single and _gives_state(cell), **options
            )
        finally:
            for inner, _ in built_in:
                inner.hold_masks(None)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> RNN:
        """A layer from its config; ``custom_objects`` holds classes of cells by name."""
        with CustomObjectScope(custom_objects or {}):
            return super().from_config(config)  # type: ignore[return-value]


def _like(after: Any, before: Any) -> Any:
    """New states in the nesting and dtypes of the old ones."""
    if isinstance(before, (list, tuple)):
        return type(before)(_like(a, b) for a, b in zip(after, before, strict=True))
    return ops.cast(after, before.dtype) if after.dtype != before.dtype else after


def _gives_state(cell: Any) -> bool:
    """True for cells known to give their first state as output."""
    return isinstance(cell, RecurrentCell) and type(cell).__module__.startswith("hornbeam.")


def _built_in_cells(cell: Any) -> list[tuple[Any, Any]]:
    """Built-in cells with dropout, with the number of features each gets (None: those of the inputs)."""
    if isinstance(cell, RecurrentCell):
        return [(cell, None)] if cell.dropout or cell.recurrent_dropout else []
    found, width = [], None
    for inner in getattr(cell, "cells", ()):
        if isinstance(inner, RecurrentCell) and (inner.dropout or inner.recurrent_dropout):
            found.append((inner, width))
        width = getattr(inner, "output_size", None)
    return found


def _hold_masks(cells: list[tuple[Any, Any]], inputs: Any, states: Any) -> None:
    """Draw the masks of built-in cells once for the whole sequence."""
    for cell, width in cells:
        like = inputs if width is None else ops.zeros((inputs.shape[0], width), dtype=cell.compute_dtype)
        size = cell.state_size[0] if isinstance(cell.state_size, (list, tuple)) else cell.state_size
        cell.hold_masks(cell.draw_masks(like, ops.zeros((inputs.shape[0], size), dtype=cell.compute_dtype)))


_SHARED = (
    "activation",
    "use_bias",
    "kernel_initializer",
    "recurrent_initializer",
    "bias_initializer",
    "kernel_regularizer",
    "recurrent_regularizer",
    "bias_regularizer",
    "kernel_constraint",
    "recurrent_constraint",
    "bias_constraint",
    "dropout",
    "recurrent_dropout",
    "seed",
)
"""Attributes of a built-in cell that its layer shows too."""


def delegate(kind: type, names: str) -> None:
    """Let a layer show attributes of its cell, those that all built-in cells have among them."""
    for name in (*_SHARED, *names.split()):
        setattr(kind, name, property(lambda self, of=name: getattr(self.cell, of), doc=f"``{name}`` of the cell."))
