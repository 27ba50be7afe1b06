"""Models that Keras 2 offered ready-made: ``LinearModel``, ``WideDeepModel``, ``SharpnessAwareMinimization``."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.base import check, trees
from hornbeam.base.errors import explain
from hornbeam.core.tape import GradientTape
from hornbeam.keras import activations, initializers, optimizers, regularizers
from hornbeam.keras.layers import Dense
from hornbeam.keras.models import Model
from hornbeam.keras.saving import serialization
from hornbeam.keras.saving.registration import register_keras_serializable
from hornbeam.keras.utils.data_tuples import unpack_x_y_sample_weight


@register_keras_serializable("hornbeam")
class LinearModel(Model):
    """``activation(sum of inputs @ kernels + bias)``, with a kernel for each input.

    Args:
        units: size of the last output axis.
        activation: function applied to the sum; none by default.
        use_bias: whether to add a bias.
        kernel_initializer: initial values of the kernels.
        bias_initializer: initial values of the bias.
        kernel_regularizer: penalty on each kernel.
        bias_regularizer: penalty on the bias.
        **kwargs: as for ``Model``.

    Input shape: ``(batch, features)``, or a list or dict of such.
    Output shape: ``(batch, units)``.

    References: Keras 2 ``keras.experimental.LinearModel``.
    """

    def __init__(
        self,
        units: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "zeros",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.units = check.positive_int("units", units, owner=self)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.dense_layers: list[Dense] = []
        self.bias: Any = None

    def build(self, input_shape: Any = None) -> None:
        """Create a kernel for each input, and the bias."""
        if isinstance(input_shape, dict):
            named = sorted(input_shape.items())
        elif isinstance(input_shape, (list, tuple)) and input_shape and isinstance(input_shape[0], (list, tuple)):
            named = [(None, shape) for shape in input_shape]
        else:
            named = [(None, input_shape)]
        made = []
        for name, shape in named:
            layer = Dense(
                self.units,
                use_bias=False,
                kernel_initializer=self.kernel_initializer,
                kernel_regularizer=self.kernel_regularizer,
                dtype=self.dtype_policy,
                name=name,
            )
            layer.build(tuple(shape))
            made.append(layer)
        self.dense_layers = made
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(self.units,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
            )
        self._note_built({"inputs": input_shape})

    @property
    def weights(self) -> list[Any]:
        """The kernels, then the bias."""
        found = super().weights
        return [one for one in found if one is not self.bias] + [one for one in found if one is self.bias]

    def call(self, inputs: Any) -> Any:
        """The sum over all inputs."""
        if isinstance(inputs, dict):
            names = [layer.name for layer in self.dense_layers]
            if missing := sorted(set(names) - set(inputs)):
                raise ValueError(
                    explain(
                        f"LinearModel '{self.name}' did not get all its inputs.",
                        expected=f"a dict with the keys {names}",
                        received=f"the keys {sorted(inputs)}",
                        fix=f"add {missing}",
                    )
                )
            inputs = [inputs[name] for name in names]
        elif not isinstance(inputs, (list, tuple)):
            inputs = [inputs]
        result = self.dense_layers[0](inputs[0])
        for layer, one in zip(self.dense_layers[1:], inputs[1:], strict=True):
            result = ops.add(result, layer(one))
        if self.bias is not None:
            result = ops.add(result, self.bias)
        return result if self.activation is None else self.activation(result)

    def get_config(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": serialization.serialize_keras_object(self.dtype_policy),
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> LinearModel:
        return cls(**config)


@register_keras_serializable("hornbeam")
class WideDeepModel(Model):
    """``activation(linear_model(a) + dnn_model(b))`` for inputs ``[a, b]``, or for one input that both get.

    Args:
        linear_model: a ``LinearModel``, or any model with the outputs of the other one.
        dnn_model: a model.
        activation: function applied to the sum; none by default.
        **kwargs: as for ``Model``.

    References: Keras 2 ``keras.experimental.WideDeepModel``.
    """

    def __init__(self, linear_model: Any, dnn_model: Any, activation: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.linear_model = linear_model
        self.dnn_model = dnn_model
        self.activation = activations.get(activation)

    def call(self, inputs: Any, training: Any = None) -> Any:
        """The sum of both models' outputs."""
        first, second = inputs if isinstance(inputs, (list, tuple)) and len(inputs) == 2 else (inputs, inputs)
        outputs = trees.map_structure(ops.add, self.linear_model(first), self.dnn_model(second))
        return outputs if self.activation is None else trees.map_structure(self.activation, outputs)

    def compile(self, optimizer: Any = "rmsprop", *args: Any, **kwargs: Any) -> None:
        """Configure the model for training; see ``Model.compile``.

        Args:
            optimizer: name or object, or a pair of them: one for the linear model, one for the other.
            *args: as for ``Model.compile``.
            **kwargs: as for ``Model.compile``.
        """
        self._optimizer_pair = None
        if isinstance(optimizer, (list, tuple)):
            if len(optimizer) != 2:
                raise ValueError(
                    "WideDeepModel.compile(): `optimizer` takes one optimizer, or two: for the linear model and for "
                    f"the other. Received: {len(optimizer)}"
                )
            wide, deep = (optimizers.get(one) for one in optimizer)
            self._optimizer_pair = (wide, deep)
            optimizer = optimizers.MultiOptimizer(
                lambda variable: wide if any(variable is one for one in self.linear_model.variables) else deep
            )
        super().compile(optimizer, *args, **kwargs)

    def get_compile_config(self) -> dict[str, Any] | None:
        """Arguments of ``compile``; a pair of optimizers stays one."""
        if self._optimizer_pair is None:
            return super().get_compile_config()
        pair = [serialization.serialize_keras_object(one) for one in self._optimizer_pair]
        names = {name: value for name, value in self._training.arguments.items() if name != "optimizer"}
        return {
            **{name: serialization.serialize_keras_object(value) for name, value in names.items()},
            "optimizer": pair,
        }

    def get_config(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": serialization.serialize_keras_object(self.dtype_policy),
            "linear_model": serialization.serialize_keras_object(self.linear_model),
            "dnn_model": serialization.serialize_keras_object(self.dnn_model),
            "activation": activations.serialize(self.activation),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> WideDeepModel:
        config = dict(config)
        for name in ("linear_model", "dnn_model"):
            config[name] = serialization.deserialize_keras_object(config[name], custom_objects=custom_objects)
        return cls(**config)


@register_keras_serializable("hornbeam")
class SharpnessAwareMinimization(Model):
    """Trains a model where the loss is flat: gradients are taken at the worst point nearby.

    Each step climbs by ``rho * g / |g|`` along the gradient ``g``, takes the gradient there, goes back and applies it.

    Args:
        model: the model to train; a call of this one calls it.
        rho: how far to climb.
        num_batch_splits: parts that a batch is cut into, each with a climb of its own; None leaves it whole.
        name: name.

    References: Foret et al., 2020, https://arxiv.org/abs/2010.01412. Keras 2
        ``keras.models.experimental.SharpnessAwareMinimization``.
    """

    def __init__(
        self, model: Any, rho: float = 0.05, num_batch_splits: int | None = None, name: str | None = None
    ) -> None:
        super().__init__(name=name)
        self.model = model
        self.rho = rho
        self.num_batch_splits = num_batch_splits

    def call(self, inputs: Any, training: Any = None) -> Any:
        """Outputs of the model."""
        return self.model(inputs)

    def train_step(self, data: Any) -> Any:
        """Climb, take gradients, go back, and apply them."""
        parts = self.num_batch_splits or 1
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        cut = [_split(one, parts) for one in (x, y, sample_weight)]
        summed: list[Any] = []
        predictions = []
        for x_part, y_part, weight_part in zip(*cut, strict=True):
            with GradientTape() as tape:
                predicted = self(x_part)
                loss: Any = self.compiled_loss(y_part, predicted, weight_part)
            predictions.append(predicted)
            variables = self.model.trainable_variables
            climbs = self._climbs(tape.gradient(loss, variables))
            for variable, climb in zip(variables, climbs, strict=True):
                if climb is not None:
                    variable.assign_add(climb)
            with GradientTape() as tape:
                loss = self.compiled_loss(y_part, self(x_part, training=True), weight_part)
            gradients = tape.gradient(loss, variables)
            for variable, climb in zip(variables, climbs, strict=True):
                if climb is not None:
                    variable.assign_sub(climb)
            summed = [_added(*pair) for pair in zip(summed, gradients, strict=True)] if summed else list(gradients)
        self.optimizer.apply_gradients(zip(summed, self.model.trainable_variables, strict=True))
        joined = trees.map_structure(lambda *leaves: ops.concatenate(leaves, axis=0), *predictions)
        return self.compute_metrics(x, y, joined, sample_weight=sample_weight)

    def _climbs(self, gradients: list[Any]) -> list[Any]:
        squares = [ops.sum(ops.square(one)) for one in gradients if one is not None]
        total = squares[0]
        for one in squares[1:]:
            total = ops.add(total, one)
        scale = self.rho / (ops.sqrt(total) + 1e-12)
        return [None if one is None else ops.multiply(one, scale) for one in gradients]

    def get_config(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "model": serialization.serialize_keras_object(self.model),
            "rho": self.rho,
            "num_batch_splits": self.num_batch_splits,
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> SharpnessAwareMinimization:
        known = {name: value for name, value in config.items() if name in ("rho", "num_batch_splits", "name")}
        return cls(serialization.deserialize_keras_object(config["model"], custom_objects=custom_objects), **known)


def _split(structure: Any, parts: int) -> list[Any]:
    """A nesting of batches as that many nestings of their parts."""
    if structure is None or parts == 1:
        return [structure] * parts
    leaves = [ops.split(leaf, parts) for leaf in trees.flatten(structure)]
    return [trees.pack(structure, [leaf[part] for leaf in leaves]) for part in range(parts)]


def _added(first: Any, second: Any) -> Any:
    if first is None or second is None:
        return second if first is None else first
    return ops.add(first, second)
