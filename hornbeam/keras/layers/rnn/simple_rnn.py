"""``SimpleRNN`` and its cell."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.keras.layers.base.input_spec import InputSpec
from hornbeam.keras.layers.rnn.cell import RecurrentCell, times
from hornbeam.keras.layers.rnn.rnn import RNN, delegate


class SimpleRNNCell(RecurrentCell):
    """One step of a ``SimpleRNN``: ``activation(inputs @ kernel + state @ recurrent_kernel + bias)``.

    Args:
        units: size of state and output.
        activation: function of the new state.
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
        **kwargs: ``name``, ``dtype`` ...

    Call arguments:
        inputs: (batch, features).
        states: list of states.
        training: whether to drop.

    References: Keras ``layers.SimpleRNNCell``.
    """

    gates = 1

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
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
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._configure(
            {
                "activation": activation,
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
                "seed": seed,
            }
        )
        self._configure_units(units)
        self.state_size: Any = self.units
        self.output_size = self.units

    def build(self, input_shape: Any) -> None:
        """Create the weights."""
        units = self.units
        self._add_weights((input_shape[-1], units), (units, units), (units,), self.bias_initializer)
        self.built = True

    def project(self, inputs: Any, masks: Any) -> Any:
        """``inputs @ kernel + bias``."""
        out = times(inputs, self.kernel, masks, 1)
        return out if self.bias is None else ops.add(out, self.bias)

    def advance(self, projected: Any, states: list[Any], masks: Any) -> tuple[Any, list[Any]]:
        """``activation(projected + state @ recurrent_kernel)``."""
        output = projected + times(states[0], self.recurrent_kernel, masks, 1)
        output = output if self.activation is None else self.activation(output)
        return output, [output]


class SimpleRNN(RNN):
    """A recurrent layer whose output is fed back: ``activation(x @ kernel + h @ recurrent_kernel + bias)``.

    Args:
        units: size of state and output.
        activation: function of the new state.
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
        **kwargs: ``name``, ``dtype``, ``zero_output_for_mask`` ...

    Call arguments:
        sequences: (batch, steps, features).
        initial_state: list of states; zeros by default.
        mask: (batch, steps); false for steps that are passed over.
        training: whether to drop.

    Output shape: (batch, units), with an axis of steps if ``return_sequences``; then the states if ``return_state``.

    References: Keras ``layers.SimpleRNN``.
    """

    pure = True
    unserialized = frozenset({"seed"})

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
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
        **kwargs: Any,
    ) -> None:
        cell = SimpleRNNCell(
            units,
            activation=activation,
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
            seed=seed,
            dtype=kwargs.get("dtype"),
            trainable=kwargs.get("trainable", True),
            name="simple_rnn_cell",
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

    def get_config(self) -> dict[str, Any]:
        """Arguments."""
        return {**super().get_config(), "zero_output_for_mask": self.zero_output_for_mask}


delegate(SimpleRNN, "units")
