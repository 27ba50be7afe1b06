"""``Lambda``: any function as a layer."""

from __future__ import annotations

import builtins
import inspect
import sys
import types
from collections.abc import Callable
from typing import Any

from hornbeam.base import trees
from hornbeam.base.errors import TraceError
from hornbeam.core.symbolic import KerasTensor
from hornbeam.keras.layers.base import calling
from hornbeam.keras.layers.base.layer import Layer
from hornbeam.keras.saving.functions import dump_function, load_function, refuse_lambda
from hornbeam.keras.saving.scopes import in_safe_mode
from hornbeam.keras.saving.serialization import deserialize_keras_object, serialize_keras_object


class Lambda(Layer):
    """Applies a function. It must not use variables: they are neither tracked nor saved.

    Args:
        function: takes the inputs first; ``mask`` and ``training`` if it has arguments of these names.
        output_shape: shape of the outputs without the batch axis, or a function from input shape to output shape;
            found by running ``function`` on abstract inputs if not given.
        mask: mask of the outputs, or a function ``(inputs, mask) -> mask``.
        arguments: further keyword arguments of the function.

    Raises:
        UnsafeFileError: a config with a Python lambda in it is read in safe mode.

    References: Keras ``layers.Lambda``.
    """

    unserialized = frozenset({"function", "output_shape", "mask", "arguments"})

    def __init__(
        self,
        function: Callable,
        output_shape: Any = None,
        mask: Any = None,
        arguments: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.arguments = arguments or {}
        self.function = function
        self.supports_masking = mask is not None
        self.mask = mask
        self._output_shape = output_shape
        taken = inspect.getfullargspec(function).args
        self._takes_training = "training" in taken
        self._takes_mask = "mask" in taken

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Shape of the outputs.

        Raises:
            NotImplementedError: it cannot be found by running the function.
        """
        given = self._output_shape
        if given is None:
            return self._inferred(super().compute_output_shape, input_shape)
        if callable(given):
            return given(input_shape)
        batch = trees.flatten(input_shape)[0]
        return _with_batch(given, batch)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        if self._output_shape is None:
            # Straight from the function: the dtype of its result is then known too.
            return self._inferred(self._outputs_of, args, kwargs)
        return super().compute_output_spec(*args, **kwargs)

    def _outputs_of(self, args: tuple, kwargs: dict[str, Any]) -> Any:
        try:
            return calling.infer_outputs(self, args, kwargs)
        except TraceError:
            # Sizes that depend on values (`tf.where(condition)`) have no abstract run, but a graph knows them as None.
            args, kwargs = trees.map_structure(_apart, (args, kwargs))
            return trees.map_structure(_apart, self.call(*args, **kwargs))

    def _inferred(self, run: Callable, *args: Any) -> Any:
        try:
            return run(*args)
        except Exception as error:
            raise NotImplementedError(
                f"The shape of the outputs of Lambda layer '{self.name}' could not be inferred by running its function "
                f"on abstract inputs ({type(error).__name__}: {error}). Give the `output_shape` argument."
            ) from error

    def call(self, inputs: Any, mask: Any = None, training: Any = None) -> Any:
        """``function(inputs)``."""
        kwargs = dict(self.arguments)
        if self._takes_mask:
            kwargs["mask"] = mask
        if self._takes_training:
            kwargs["training"] = training
        return self.function(inputs, **kwargs)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask given to the constructor, or what its function makes of the inputs' mask."""
        return self.mask(inputs, mask) if callable(self.mask) else self.mask

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "function": _function_config(self.function)}
        if self._output_shape is not None:
            given = self._output_shape
            config["output_shape"] = _function_config(given) if callable(given) else given
        if self.mask is not None:
            config["mask"] = _function_config(self.mask) if callable(self.mask) else serialize_keras_object(self.mask)
        config["arguments"] = serialize_keras_object(self.arguments)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None, safe_mode: bool | None = None) -> Lambda:
        """Make a layer from its config.

        Args:
            config: what ``get_config`` gave.
            custom_objects: name to function, for functions that are not registered.
            safe_mode: False runs Python lambdas that are stored as bytecode; by default the surrounding loading call
                decides, and outside of one they are refused.
        """
        config = dict(config)
        safe = in_safe_mode() if safe_mode is None else safe_mode
        for name in ("function", "output_shape", "mask"):
            if name in config:
                config[name] = _from_function_config(config[name], custom_objects, safe)
        shape = config.get("output_shape")
        if isinstance(shape, list) and all(size is None or isinstance(size, int) for size in shape):
            config["output_shape"] = tuple(shape)
        if "arguments" in config:
            config["arguments"] = deserialize_keras_object(config["arguments"], custom_objects=custom_objects)
        return super().from_config(config)  # type: ignore[return-value]


def _apart(value: Any) -> Any:
    """A symbolic tensor of the same shape that belongs to no graph."""
    return KerasTensor(value.shape, value.dtype) if isinstance(value, KerasTensor) else value


def _with_batch(shape: Any, batch: Any) -> Any:
    if isinstance(shape, dict):
        return {key: _with_batch(one, batch) for key, one in shape.items()}
    if any(isinstance(one, (list, tuple, dict)) for one in shape):
        return type(shape)(_with_batch(one, batch) for one in shape)
    return (batch, *shape)


def _function_config(function: Any) -> Any:
    if isinstance(function, types.LambdaType) and function.__name__ == "<lambda>":
        code, defaults, closure = dump_function(function)
        return {"class_name": "__lambda__", "config": {"code": code, "defaults": defaults, "closure": closure}}
    return serialize_keras_object(function)


def _from_function_config(config: Any, custom_objects: Any, safe_mode: bool) -> Any:
    if callable(config):
        return config
    if isinstance(config, dict) and config.get("class_name") == "__lambda__":
        if safe_mode:
            raise refuse_lambda("The config of a `Lambda` layer")
        inner = config["config"]
        # The caller trusts the file, and the function may use what its program imported (`K.mean(x)`).
        known = {**vars(sys.modules["__main__"]), "__builtins__": builtins}
        return load_function(inner["code"], inner["defaults"], inner["closure"], known)
    return deserialize_keras_object(config, custom_objects=custom_objects)
