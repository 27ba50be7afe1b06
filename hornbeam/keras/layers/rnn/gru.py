"""``GRU`` and its cell."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.engine.recurrent import GRU as GRU_CELL
from hornbeam.engine.recurrent import takes
from hornbeam.keras.layers.base.input_spec import InputSpec
from hornbeam.keras.layers.rnn.cell import RecurrentCell, times
from hornbeam.keras.layers.rnn.rnn import RNN, delegate
from hornbeam.keras.layers.rnn.settings import checked_cudnn
from hornbeam.ops.recurrent import gru_sequence


class GRUCell(RecurrentCell):
    """One step of a ``GRU``.

    Args:
        units: size of state and output.
        activation: function of the new state.
        recurrent_activation: function of the gates.
        use_bias: add a bias.
        kernel_initializer: initializer of the inputs' weights.
        recurrent_initializer: initializer of the states' weights.
        bias_initializer: initializer of the bias.
        kernel_regularizer: penalty on the inputs' weights.
        recurrent_regularizer: penalty on the states' weights.
        bias_regularizer: penalty on the bias.
        kernel_constraint: projection of the inputs' weights after each update.
        recurrent_constraint: projection of the states' weights.
        bias_constraint: projection of the bias.
        dropout: share of the inputs that is dropped while training, the same in all steps.
        recurrent_dropout: share of the states that is dropped while training.
        seed: seed of the dropout.
        reset_after: apply the reset gate after the product with the states (as cuDNN does), not before.
        implementation: 1 for one dropout mask per gate, 2 for one for all.
        **kwargs: ``name``, ``dtype`` ...

    Call arguments:
        inputs: (batch, features).
        states: list of states.
        training: whether to drop.

    References: Keras ``layers.GRUCell``.
    """

    gates = 3
    unserialized = frozenset({"implementation"})

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        reset_after: bool = True,
        seed: int | None = None,
        implementation: int = 2,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._configure(
            {
                "activation": activation,
                "recurrent_activation": recurrent_activation,
                "use_bias": use_bias,
                "kernel_initializer": kernel_initializer,
                "recurrent_initializer": recurrent_initializer,
                "bias_initializer": bias_initializer,
                "kernel_regularizer": kernel_regularizer,
                "recurrent_regularizer": recurrent_regularizer,
                "bias_regularizer": bias_regularizer,
                "kernel_constraint": kernel_constraint,
                "recurrent_constraint": recurrent_constraint,
                "bias_constraint": bias_constraint,
                "dropout": dropout,
                "recurrent_dropout": recurrent_dropout,
                "reset_after": reset_after,
                "seed": seed,
            }
        )
        self._configure_units(units, implementation)
        self.state_size: Any = self.units
        self.output_size = self.units

    def build(self, input_shape: Any) -> None:
        """Create the weights, gates in the order update, reset, candidate."""
        units = self.units
        bias = (2, 3 * units) if self.reset_after else (3 * units,)
        self._add_weights((input_shape[-1], units * 3), (units, units * 3), bias, self.bias_initializer)
        self.built = True

    reset_after: bool

    def project(self, inputs: Any, masks: Any) -> Any:
        """``inputs @ kernel + bias``."""
        out = times(inputs, self.kernel, masks, 3)
        if self.bias is None:
            return out
        return ops.add(out, self.bias[0] if self.reset_after else self.bias)

    def advance(self, projected: Any, states: list[Any], masks: Any) -> tuple[Any, list[Any]]:
        """Gates and new state."""
        before, units, kernel = states[0], self.units, self.recurrent_kernel
        if self.reset_after:
            inner = times(before, kernel, masks, 3)
            inner = inner if self.bias is None else ops.add(inner, self.bias[1])
            update, reset = self._gates(projected, inner)
            candidate = projected[..., 2 * units :] + reset * inner[..., 2 * units :]
        else:
            gates = masks[:2] if masks is not None and len(masks) > 1 else masks
            inner = times(before, kernel[:, : 2 * units], gates, 2)
            update, reset = self._gates(projected, inner)
            masked = before if masks is None else before * masks[-1]
            candidate = projected[..., 2 * units :] + ops.matmul(reset * masked, kernel[:, 2 * units :])
        output = update * before + (1 - update) * self.activation(candidate)
        return output, [output]

    def whole(self, sequences: Any, states: list[Any], go_backwards: bool) -> tuple[Any, list[Any]] | None:
        """All steps at once, where the platform has a kernel for that."""
        usual, shapes = self.reset_after and self._has_usual_activations(), [state.shape for state in states]
        if not usual or not takes(GRU_CELL, sequences.shape, shapes, self.units, self.compute_dtype):
            return None
        outputs, *last = gru_sequence(sequences, *states, self.kernel, self.recurrent_kernel, self.bias, go_backwards)
        return outputs, last

    def _gates(self, projected: Any, inner: Any) -> tuple[Any, Any]:
        both = self.recurrent_activation(projected[..., : 2 * self.units] + inner[..., : 2 * self.units])
        return both[..., : self.units], both[..., self.units :]


class GRU(RNN):
    """Gated recurrent unit (Cho et al., 2014): one state, with two gates.

    Args:
        units: size of state and output.
        activation: function of the new state.
        recurrent_activation: function of the gates.
        use_bias: add a bias.
        kernel_initializer: initializer of the inputs' weights.
        recurrent_initializer: initializer of the states' weights.
        bias_initializer: initializer of the bias.
        kernel_regularizer: penalty on the inputs' weights.
        recurrent_regularizer: penalty on the states' weights.
        bias_regularizer: penalty on the bias.
        activity_regularizer: penalty on the outputs.
        kernel_constraint: projection of the inputs' weights after each update.
        recurrent_constraint: projection of the states' weights.
        bias_constraint: projection of the bias.
        dropout: share of the inputs that is dropped while training, the same in all steps.
        recurrent_dropout: share of the states that is dropped while training.
        seed: seed of the dropout.
        return_sequences: give the outputs of all steps, not only the last.
        return_state: give the last state too.
        go_backwards: from the last step to the first.
        stateful: begin each batch with the states that the last batch ended with.
        unroll: write the steps out instead of compiling a loop.
        reset_after: apply the reset gate after the product with the states (as cuDNN does), not before.
        use_cudnn: "auto" or False; True is refused where cuDNN is not used.
        **kwargs: ``name``, ``dtype``, ``zero_output_for_mask`` ...

    Call arguments:
        sequences: (batch, steps, features).
        initial_state: list of states; zeros by default.
        mask: (batch, steps); false for steps that are passed over.
        training: whether to drop.

    Output shape: (batch, units), with an axis of steps if ``return_sequences``; then the states if ``return_state``.

    References: Keras ``layers.GRU``.
    """

    pure = True
    unserialized = frozenset({"use_cudnn", "implementation"})

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        reset_after: bool = True,
        use_cudnn: Any = "auto",
        **kwargs: Any,
    ) -> None:
        cell = GRUCell(
            units,
            activation=activation,
            recurrent_activation=recurrent_activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            reset_after=reset_after,
            seed=seed,
            dtype=kwargs.get("dtype"),
            trainable=kwargs.get("trainable", True),
            name="gru_cell",
            implementation=kwargs.pop("implementation", 2),
        )
        super().__init__(
            cell,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            unroll=unroll,
            activity_regularizer=activity_regularizer,
            **kwargs,
        )
        self.input_spec = InputSpec(ndim=3)
        self.use_cudnn = checked_cudnn(use_cudnn, self)

    def get_config(self) -> dict[str, Any]:
        """Arguments."""
        return {**super().get_config(), "zero_output_for_mask": self.zero_output_for_mask}


delegate(GRU, "units recurrent_activation reset_after")
