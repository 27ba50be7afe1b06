"""``LSTM`` and its cell."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.engine.recurrent import LSTM as LSTM_CELL
from hornbeam.engine.recurrent import takes
from hornbeam.keras.layers.base.input_spec import InputSpec
from hornbeam.keras.layers.rnn.cell import RecurrentCell, times
from hornbeam.keras.layers.rnn.rnn import RNN, delegate
from hornbeam.keras.layers.rnn.settings import checked_cudnn
from hornbeam.ops.recurrent import lstm_sequence


class LSTMCell(RecurrentCell):
    """One step of an ``LSTM``.

    Args:
        units: size of state and output.
        activation: function of the new state.
        recurrent_activation: function of the gates.
        use_bias: add a bias.
        kernel_initializer: initializer of the inputs' weights.
        recurrent_initializer: initializer of the states' weights.
        bias_initializer: initializer of the bias.
        unit_forget_bias: let the bias of the forget gate begin at 1.
        kernel_regularizer: penalty on the inputs' weights.
        recurrent_regularizer: penalty on the states' weights.
        bias_regularizer: penalty on the bias.
        kernel_constraint: projection of the inputs' weights after each update.
        recurrent_constraint: projection of the states' weights.
        bias_constraint: projection of the bias.
        dropout: share of the inputs that is dropped while training, the same in all steps.
        recurrent_dropout: share of the states that is dropped while training.
        seed: seed of the dropout.
        implementation: 1 for one dropout mask per gate, 2 for one for all.
        **kwargs: ``name``, ``dtype`` ...

    Call arguments:
        inputs: (batch, features).
        states: list of states.
        training: whether to drop.

    References: Keras ``layers.LSTMCell``.
    """

    gates = 4
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
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
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
                "unit_forget_bias": unit_forget_bias,
                "kernel_regularizer": kernel_regularizer,
                "recurrent_regularizer": recurrent_regularizer,
                "bias_regularizer": bias_regularizer,
                "kernel_constraint": kernel_constraint,
                "recurrent_constraint": recurrent_constraint,
                "bias_constraint": bias_constraint,
                "dropout": dropout,
                "recurrent_dropout": recurrent_dropout,
                "seed": seed,
            }
        )
        self._configure_units(units, implementation)
        self.state_size: Any = [self.units, self.units]
        self.output_size = self.units

    def build(self, input_shape: Any) -> None:
        """Create the weights, gates in the order input, forget, candidate, output."""
        units = self.units
        start = self._forget_bias_initializer(units) if self.unit_forget_bias else self.bias_initializer
        self._add_weights((input_shape[-1], units * 4), (units, units * 4), (units * 4,), start)
        self.built = True

    unit_forget_bias: bool

    def project(self, inputs: Any, masks: Any) -> Any:
        """``inputs @ kernel + bias``."""
        out = times(inputs, self.kernel, masks, 4)
        return out if self.bias is None else ops.add(out, self.bias)

    def advance(self, projected: Any, states: list[Any], masks: Any) -> tuple[Any, list[Any]]:
        """Gates, new memory and new output."""
        before, memory = states
        gates = projected + times(before, self.recurrent_kernel, masks, 4)
        enter, forget, candidate, leave = ops.split(gates, 4, axis=-1)
        kept = self.recurrent_activation(forget) * memory
        memory = kept + self.recurrent_activation(enter) * self.activation(candidate)
        output = self.recurrent_activation(leave) * self.activation(memory)
        return output, [output, memory]

    def whole(self, sequences: Any, states: list[Any], go_backwards: bool) -> tuple[Any, list[Any]] | None:
        """All steps at once, where the platform has a kernel for that."""
        shapes = [state.shape for state in states]
        if not self._has_usual_activations() or not takes(
            LSTM_CELL, sequences.shape, shapes, self.units, self.compute_dtype
        ):
            return None
        outputs, *last = lstm_sequence(sequences, *states, self.kernel, self.recurrent_kernel, self.bias, go_backwards)
        return outputs, last


class LSTM(RNN):
    """Long short-term memory (Hochreiter and Schmidhuber, 1997): a memory beside the output, with three gates.

    Args:
        units: size of state and output.
        activation: function of the new state.
        recurrent_activation: function of the gates.
        use_bias: add a bias.
        kernel_initializer: initializer of the inputs' weights.
        recurrent_initializer: initializer of the states' weights.
        bias_initializer: initializer of the bias.
        unit_forget_bias: let the bias of the forget gate begin at 1.
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
        use_cudnn: "auto" or False; True is refused where cuDNN is not used.
        **kwargs: ``name``, ``dtype``, ``zero_output_for_mask`` ...

    Call arguments:
        sequences: (batch, steps, features).
        initial_state: list of states; zeros by default.
        mask: (batch, steps); false for steps that are passed over.
        training: whether to drop.

    Output shape: (batch, units), with an axis of steps if ``return_sequences``; then the states if ``return_state``.

    References: Keras ``layers.LSTM``.
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
        unit_forget_bias: bool = True,
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
        use_cudnn: Any = "auto",
        **kwargs: Any,
    ) -> None:
        cell = LSTMCell(
            units,
            activation=activation,
            recurrent_activation=recurrent_activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            unit_forget_bias=unit_forget_bias,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            seed=seed,
            dtype=kwargs.get("dtype"),
            trainable=kwargs.get("trainable", True),
            name="lstm_cell",
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


delegate(LSTM, "units recurrent_activation unit_forget_bias")
