"""``ConvLSTM``: an LSTM whose products are convolutions, and its cell."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.base.errors import BuildError
from hornbeam.keras.layers.base.input_spec import InputSpec
from hornbeam.keras.layers.base.layer import default_data_format
from hornbeam.keras.layers.convolution.shapes import padding_name, window_sizes, with_space
from hornbeam.keras.layers.reshaping.arguments import int_tuple
from hornbeam.keras.layers.rnn.cell import RecurrentCell, over_time
from hornbeam.keras.layers.rnn.rnn import RNN, delegate


class ConvLSTMCell(RecurrentCell):
    """One step of a ``ConvLSTM``; arguments as those of ``ConvLSTM2D``, with the number of spatial axes in front."""

    gates = 4
    implementation = 1

    def __init__(
        self,
        rank: int,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
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
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not 1 <= rank <= 3:
            raise ValueError(f"ConvLSTMCell: `rank` must be 1, 2 or 3. Received: rank={rank}")
        self.rank, self.filters = rank, filters
        self.kernel_size = int_tuple(kernel_size, rank, "kernel_size", least=1)
        self.strides = int_tuple(strides, rank, "strides", least=1)
        self.padding = padding_name(padding)
        self.data_format = default_data_format(data_format)
        self.dilation_rate = int_tuple(dilation_rate, rank, "dilation_rate", least=1)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                "ConvLSTMCell: `strides` and `dilation_rate` cannot both be larger than 1. Received: strides="
                f"{self.strides}, dilation_rate={self.dilation_rate}"
            )
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
        self.input_spec = InputSpec(ndim=rank + 2)
        self.state_size: Any = -1

    unit_forget_bias: bool

    @property
    def _channel_axis(self) -> int:
        return 1 if self.data_format == "channels_first" else -1

    def build(self, inputs_shape: Any, states_shape: Any = None) -> None:
        """Create the weights, gates in the order input, forget, candidate, output."""
        shape = tuple(inputs_shape)
        self.spatial_dims = shape[2:] if self._channel_axis == 1 else shape[1:-1]
        if None in self.spatial_dims:
            raise BuildError(f"ConvLSTM: the sizes of the spatial axes must be known. Received: shape {shape}")
        channels = shape[self._channel_axis]
        if channels is None:
            raise BuildError(f"ConvLSTM: the number of channels must be known. Received: shape {shape}")
        self.input_dim = channels
        gates = self.filters * 4
        start = self._forget_bias_initializer(self.filters) if self.unit_forget_bias else self.bias_initializer
        self._add_weights(
            (*self.kernel_size, channels, gates), (*self.kernel_size, self.filters, gates), (gates,), start
        )
        self.built = True

    def compute_output_shape(self, inputs_shape: Any, states_shape: Any = None) -> Any:
        """Shapes of output and states."""
        shape = tuple(inputs_shape)
        sizes = window_sizes(
            shape, self.kernel_size, self.strides, self.padding, self.data_format, self.dilation_rate, owner=self
        )
        found = with_space(shape, sizes, self.filters, self.data_format)
        return found, [found, found]

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """Zeros."""
        axes = [self.input_dim, *self.spatial_dims] if self._channel_axis == 1 else [*self.spatial_dims, self.input_dim]
        shape = self.compute_output_shape((batch_size, *axes))[0]
        return [ops.zeros(shape, dtype=self.compute_dtype) for _ in range(2)]

    def _conv(self, x: Any, kernel: Any, masks: Any, **options: Any) -> Any:
        """A convolution, the inputs masked with one mask per gate if there are any."""
        if masks is None:
            return ops.conv(x, kernel, data_format=self.data_format, **options)
        parts = ops.split(kernel, 4, axis=-1)
        found = [
            ops.conv(x * mask, part, data_format=self.data_format, **options)
            for mask, part in zip(masks, parts, strict=True)
        ]
        return ops.concatenate(found, axis=self._channel_axis)

    def project(self, inputs: Any, masks: Any) -> Any:
        """The inputs' convolution and the bias, for one step or for all steps at once."""
        shape = tuple(inputs.shape)
        folded = len(shape) > self.rank + 2
        if masks is not None and folded:
            # One mask for all steps.
            masks = [ops.broadcast_to(over_time(mask, inputs, self.rank + 2), shape) for mask in masks]
        if folded:
            inputs = ops.reshape(inputs, (shape[0] * shape[1], *shape[2:]))
            masks = None if masks is None else [ops.reshape(mask, tuple(inputs.shape)) for mask in masks]
        out = self._conv(
            inputs, self.kernel, masks, strides=self.strides, padding=self.padding, dilation_rate=self.dilation_rate
        )
        if self.bias is not None:
            last = self._channel_axis == -1
            axes = (1,) * (self.rank + 1) + (-1,) if last else (1, -1) + (1,) * self.rank
            out = out + ops.reshape(self.bias, axes)
        return ops.reshape(out, (shape[0], shape[1], *tuple(out.shape)[1:])) if folded else out

    def advance(self, projected: Any, states: list[Any], masks: Any) -> tuple[Any, list[Any]]:
        """Gates, new memory and new output."""
        before, memory = states
        gates = projected + self._conv(before, self.recurrent_kernel, masks, strides=1, padding="same")
        enter, forget, candidate, leave = ops.split(gates, 4, axis=self._channel_axis)
        kept = self.recurrent_activation(forget) * memory
        memory = kept + self.recurrent_activation(enter) * self.activation(candidate)
        output = self.recurrent_activation(leave) * self.activation(memory)
        return output, [output, memory]


class ConvLSTM(RNN):
    """Base of ``ConvLSTM1D``, ``ConvLSTM2D`` and ``ConvLSTM3D``."""

    pure = True

    def __init__(
        self,
        rank: int,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
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
        **kwargs: Any,
    ) -> None:
        cell = ConvLSTMCell(
            rank,
            filters,
            kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
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
            name="conv_lstm_cell",
            dtype=kwargs.get("dtype"),
        )
        super().__init__(
            cell,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            activity_regularizer=activity_regularizer,
            **kwargs,
        )
        self.input_spec = InputSpec(ndim=rank + 3)

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        """Shape of the output, and of the states if they are given too."""
        batch, steps = sequences_shape[0], sequences_shape[1]
        state = self.cell.compute_output_shape((batch, *tuple(sequences_shape)[2:]))[0]
        output = (batch, steps, *state[1:]) if self.return_sequences else tuple(state)
        return (output, tuple(state), tuple(state)) if self.return_state else output

    def compute_mask(self, _: Any, mask: Any) -> Any:
        """The mask of the steps where all outputs are given."""
        mask = mask[0] if isinstance(mask, (list, tuple)) else mask
        mask = mask if self.return_sequences else None
        return [mask, None, None] if self.return_state else mask

    def get_config(self) -> dict[str, Any]:
        """Arguments."""
        config = super().get_config()
        for name in ("rank", "cell"):
            config.pop(name, None)
        return {**config, "unroll": self.unroll, "zero_output_for_mask": self.zero_output_for_mask}


delegate(
    ConvLSTM, "rank filters kernel_size strides padding data_format dilation_rate recurrent_activation unit_forget_bias"
)
