"""What the built-in cells share: weights of input, state and bias, and dropout masks that last for a sequence."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.base import check
from hornbeam.core.random_state import SeedGenerator
from hornbeam.keras import activations, constraints, initializers, regularizers
from hornbeam.keras.layers.base.layer import Layer
from hornbeam.keras.random.random import dropout as random_dropout

_DRAWN = "_drawn_masks"


class RecurrentCell(Layer):
    """Base of the built-in cells.

    A cell's step has two parts: ``project`` (what depends on the inputs alone, so that it can be done for all steps at
    once) and ``advance`` (what depends on the states).

    Attributes:
        gates: parts that the kernels consist of.
    """

    pure = True
    gates = 1
    implementation = 2
    input_axes = 2
    """Axes of the inputs of one step."""

    def _configure(self, options: dict[str, Any]) -> None:
        """Keep the constructor's arguments."""
        for name, value in options.items():
            if name.endswith("_initializer"):
                value = initializers.get(value)
            elif name.endswith("_regularizer"):
                value = regularizers.get(value)
            elif name.endswith("_constraint"):
                value = constraints.get(value)
            elif name.endswith("activation"):
                value = activations.get(value)
            elif name.endswith("dropout"):
                value = min(1.0, max(0.0, value))
            setattr(self, name, value)
        self.seed_generator = SeedGenerator(self.seed)

    def _configure_units(self, units: int, implementation: int = 2) -> None:
        self.units = check.positive_int("units", units, owner=self)
        if implementation not in (1, 2):
            raise ValueError(f"{type(self).__name__}: `implementation` must be 1 or 2. Received: {implementation!r}")
        # One mask per gate for the states takes one product per gate.
        self.implementation = 1 if self.recurrent_dropout else implementation

    seed: Any
    units: int
    dropout: float
    recurrent_dropout: float
    state_size: Any
    output_size: Any
    activation: Any
    recurrent_activation: Any
    use_bias: bool
    kernel: Any
    recurrent_kernel: Any
    bias: Any
    kernel_initializer: Any
    recurrent_initializer: Any
    bias_initializer: Any

    def _add_weights(self, kernel: tuple, recurrent: tuple, bias: tuple, bias_initializer: Any) -> None:
        for name, shape, initializer, prefix in (
            ("kernel", kernel, self.kernel_initializer, "kernel"),
            ("recurrent_kernel", recurrent, self.recurrent_initializer, "recurrent"),
            ("bias", bias, bias_initializer, "bias"),
        ):
            weight = None
            if name != "bias" or self.use_bias:
                weight = self.add_weight(
                    name=name,
                    shape=shape,
                    initializer=initializer,
                    regularizer=getattr(self, f"{prefix}_regularizer"),
                    constraint=getattr(self, f"{prefix}_constraint"),
                )
            setattr(self, name, weight)

    def _forget_bias_initializer(self, units: int) -> Any:
        """Bias that is 1 for the forget gate, so that states last at first."""
        start = self.bias_initializer

        def initializer(shape: Any, dtype: Any = None) -> Any:
            first, last = start((units,), dtype=dtype), start((units * 2,), dtype=dtype)
            return ops.concatenate([first, ops.ones((units,), dtype=dtype), last])

        return initializer

    # --- dropout ---------------------------------------------------------------------------------
    @property
    def _masks_per_draw(self) -> int:
        return self.gates if self.implementation == 1 else 1

    def draw_masks(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """Dropout masks for inputs and states, which stay the same for a whole sequence; None where none is needed."""
        found = []
        for like, rate in ((inputs, self.dropout), (state, self.recurrent_dropout)):
            drawn = None
            if 0.0 < rate < 1.0:
                ones = ops.ones_like(like)
                drawn = [random_dropout(ones, rate, seed=self.seed_generator) for _ in range(self._masks_per_draw)]
            found.append(drawn)
        return found[0], found[1]

    def hold_masks(self, masks: Any) -> None:
        """Use these masks in calls until told otherwise (None: each call draws its own)."""
        # Past ``__setattr__``, as this changes nothing about what the layer computes.
        vars(self)[_DRAWN] = masks

    def get_dropout_mask(self, step_input: Any) -> Any:
        """Dropout mask for the inputs, drawn once and kept until ``reset_dropout_mask``; None without dropout.

        Args:
            step_input: inputs of one step.

        References: Keras ``layers.LSTMCell.get_dropout_mask``.
        """
        return self._kept_mask("_dropout_mask", step_input, self.dropout)

    def get_recurrent_dropout_mask(self, step_input: Any) -> Any:
        """Dropout mask for the states, drawn once and kept until ``reset_recurrent_dropout_mask``.

        Args:
            step_input: states before one step.
        """
        return self._kept_mask("_recurrent_dropout_mask", step_input, self.recurrent_dropout)

    def reset_dropout_mask(self) -> None:
        """Forget the mask that ``get_dropout_mask`` drew."""
        vars(self)["_dropout_mask"] = None

    def reset_recurrent_dropout_mask(self) -> None:
        """Forget the mask that ``get_recurrent_dropout_mask`` drew."""
        vars(self)["_recurrent_dropout_mask"] = None

    def _kept_mask(self, name: str, like: Any, rate: float) -> Any:
        state = vars(self)
        if state.get(name) is None and rate > 0:
            ones = ops.ones_like(like)
            drawn = [random_dropout(ones, rate, seed=self.seed_generator) for _ in range(self._masks_per_draw)]
            state[name] = drawn if self._masks_per_draw > 1 else drawn[0]
        return state.get(name)

    def _masks(self, inputs: Any, state: Any, training: Any) -> tuple[Any, Any]:
        if not training or not (self.dropout or self.recurrent_dropout):
            return None, None
        held = vars(self).get(_DRAWN)
        return held if held is not None else self.draw_masks(inputs, state)

    # --- the two parts of a step -----------------------------------------------------------------
    def project(self, inputs: Any, masks: Any) -> Any:
        """The inputs' share of a step, for one step or (with an axis of time) for many."""
        raise NotImplementedError

    def advance(self, projected: Any, states: list[Any], masks: Any) -> tuple[Any, list[Any]]:
        """Output and new states, from the inputs' share and the old states."""
        raise NotImplementedError

    def whole(self, sequences: Any, states: list[Any], go_backwards: bool) -> tuple[Any, list[Any]] | None:
        """Outputs of all steps, in the order they are made, and last states, by one call without masks.

        None if there is no such call for this cell, or a loop is as quick.
        """
        return None

    def _has_usual_activations(self) -> bool:
        return self.activation is activations.tanh and self.recurrent_activation is activations.sigmoid

    def call(self, inputs: Any, states: Any, training: Any = False) -> tuple[Any, Any]:
        """Output and new states of one step."""
        nested = isinstance(states, (list, tuple))
        held = list(states) if nested else [states]
        input_masks, state_masks = self._masks(inputs, held[0], training)
        output, new = self.advance(self.project(inputs, input_masks), held, state_masks)
        return output, new if nested else new[0]

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """Zeros."""
        sizes = self.state_size if isinstance(self.state_size, (list, tuple)) else [self.state_size]
        return [ops.zeros((batch_size, size), dtype=self.compute_dtype) for size in sizes]

    def compute_output_shape(self, inputs_shape: Any, states_shape: Any = None) -> Any:
        """Shapes of output and states."""
        batch = inputs_shape[0]
        sizes = self.state_size if isinstance(self.state_size, (list, tuple)) else [self.state_size]
        return (batch, self.output_size), [(batch, size) for size in sizes]


def over_time(mask: Any, inputs: Any, step_axes: int) -> Any:
    """A mask for one step, with an axis of time where the inputs have one."""
    return ops.expand_dims(mask, 1) if len(inputs.shape) > step_axes else mask


def times(inputs: Any, kernel: Any, masks: Any, gates: int, step_axes: int = 2) -> Any:
    """``inputs @ kernel``, the inputs masked: with one mask, or with one for each of the kernel's gates."""
    if masks is None:
        return ops.matmul(inputs, kernel)
    if len(masks) == 1:
        return ops.matmul(inputs * over_time(masks[0], inputs, step_axes), kernel)
    parts = ops.split(kernel, gates, axis=-1)
    products = [
        ops.matmul(inputs * over_time(mask, inputs, step_axes), part) for mask, part in zip(masks, parts, strict=True)
    ]
    return ops.concatenate(products, axis=-1)
