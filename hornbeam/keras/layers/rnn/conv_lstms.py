"""``ConvLSTM1D``, ``ConvLSTM2D`` and ``ConvLSTM3D``."""

from __future__ import annotations

from typing import Any

from hornbeam.keras.layers.rnn.conv_lstm import ConvLSTM


class ConvLSTM1D(ConvLSTM):
    """An LSTM over sequences of pictures with one spatial axis: its products are convolutions.

    Args:
        filters: channels of state and output.
        kernel_size: size of the window, an integer or one per spatial axis.
        strides: steps of the inputs' convolution.
        padding: ``valid`` or ``same``, of the inputs' convolution; that of the states is always ``same``.
        data_format: ``channels_last`` or ``channels_first``.
        dilation_rate: gaps within the window of the inputs' convolution.
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
        return_state: give the last states too.
        go_backwards: from the last step to the first.
        stateful: begin each batch with the states that the last batch ended with.
        **kwargs: ``name``, ``dtype``, ``unroll`` ...

    Input shape: (batch, steps, length, channels).
    Output shape: (batch, length, filters), with an axis of steps if ``return_sequences``.

    References: Shi et al. 2015. Keras ``layers.ConvLSTM1D``.
    """

    pure = True

    def __init__(
        self,
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
        super().__init__(
            1,
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
            activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            seed=seed,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            **kwargs,
        )


class ConvLSTM2D(ConvLSTM):
    """An LSTM over sequences of pictures with two spatial axes: its products are convolutions.

    Args:
        filters: channels of state and output.
        kernel_size: size of the window, an integer or one per spatial axis.
        strides: steps of the inputs' convolution.
        padding: ``valid`` or ``same``, of the inputs' convolution; that of the states is always ``same``.
        data_format: ``channels_last`` or ``channels_first``.
        dilation_rate: gaps within the window of the inputs' convolution.
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
        return_state: give the last states too.
        go_backwards: from the last step to the first.
        stateful: begin each batch with the states that the last batch ended with.
        **kwargs: ``name``, ``dtype``, ``unroll`` ...

    Input shape: (batch, steps, height, width, channels).
    Output shape: (batch, height, width, filters), with an axis of steps if ``return_sequences``.

    References: Shi et al. 2015. Keras ``layers.ConvLSTM2D``.
    """

    pure = True

    def __init__(
        self,
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
        super().__init__(
            2,
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
            activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            seed=seed,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            **kwargs,
        )


class ConvLSTM3D(ConvLSTM):
    """An LSTM over sequences of pictures with three spatial axes: its products are convolutions.

    Args:
        filters: channels of state and output.
        kernel_size: size of the window, an integer or one per spatial axis.
        strides: steps of the inputs' convolution.
        padding: ``valid`` or ``same``, of the inputs' convolution; that of the states is always ``same``.
        data_format: ``channels_last`` or ``channels_first``.
        dilation_rate: gaps within the window of the inputs' convolution.
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
        return_state: give the last states too.
        go_backwards: from the last step to the first.
        stateful: begin each batch with the states that the last batch ended with.
        **kwargs: ``name``, ``dtype``, ``unroll`` ...

    Input shape: (batch, steps, depth, height, width, channels).
    Output shape: (batch, depth, height, width, filters), with an axis of steps if ``return_sequences``.

    References: Shi et al. 2015. Keras ``layers.ConvLSTM3D``.
    """

    pure = True

    def __init__(
        self,
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
        super().__init__(
            3,
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
            activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            seed=seed,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            **kwargs,
        )
