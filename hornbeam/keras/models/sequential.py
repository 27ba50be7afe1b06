"""``Sequential``: layers one after another."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hornbeam.base import trees
from hornbeam.base.errors import BuildError
from hornbeam.core.scopes import name_scope, override, scopes
from hornbeam.core.symbolic import KerasTensor
from hornbeam.keras.dtype_policies import deserialize as policy_from
from hornbeam.keras.layers.base.building import build_lock
from hornbeam.keras.layers.base.layer import Layer
from hornbeam.keras.layers.core.input_layer import InputLayer
from hornbeam.keras.models.functional import run_graph
from hornbeam.keras.models.graph import Graph
from hornbeam.keras.models.model import Model
from hornbeam.keras.saving import serialization
from hornbeam.keras.trainers.trainer import Trainer


class Sequential(Model):
    """A model that runs its layers one after another.

    With a known input shape (an ``Input`` first, or ``input_shape=`` on the first layer) the model is built as
    layers are added; otherwise on its first call, ``build`` or ``fit``.

    Args:
        layers: layers to add.
        trainable: whether its weights are trained.
        name: name of the model.

    References: Keras ``Sequential``.
    """

    pure = True
    _untracked = frozenset({"_input_layer", "_input_layers"})

    def __init__(self, layers: Any = None, trainable: bool = True, name: str | None = None, **kwargs: Any) -> None:
        Trainer.__init__(self)
        Layer.__init__(self, trainable=trainable, name=name, **kwargs)
        self._stack: list[Layer] = []
        self._input_layer: Any = None
        self._made_up = False
        self._input_layers: tuple[InputLayer, ...] = ()  # of a first model that has several inputs
        self._steps: list[Any] = []
        if layers is not None and not isinstance(layers, Iterable):
            raise TypeError(
                f"Sequential(): expected a list of layers. Received: layers={layers!r}. "
                "Put the layers in brackets: `Sequential([first, second])`."
            )
        for layer in layers or ():
            self._append(layer)
        self._rebuild()

    # --- list of layers --------------------------------------------------------------------------
    @property
    def layers(self) -> list[Layer]:
        """Layers in order, without the input layer."""
        return list(self._stack)

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Append a layer.

        Raises:
            ValueError: not a layer, a second input, or a name that is taken.
        """
        self._append(layer)
        if rebuild:
            self._rebuild()

    def _append(self, layer: Any) -> None:
        if isinstance(layer, KerasTensor) and layer.node is not None and layer.node.is_input:
            layer = layer._keras_history.operation
        if isinstance(layer, InputLayer):
            if self._input_layer is not None or self._stack:
                raise ValueError(
                    f"Sequential '{self.name}': expected one input, and at its start. Received: another Input behind "
                    f"{self._input_layer.batch_shape if self._input_layer else 'the first layer'}. Leave it out."
                )
            self._input_layer = layer
            return
        if not isinstance(layer, Layer) and callable(layer) and not isinstance(layer, type):
            raise ValueError(
                f"Sequential '{self.name}': expected a keras.Layer. Received: {layer}, of type {type(layer).__name__}. "
                "Wrap a function in `keras.layers.Lambda`."
            )
        if not isinstance(layer, Layer):
            hint = f" Did you mean `{layer.__name__}()`?" if isinstance(layer, type) else ""
            raise ValueError(
                f"Sequential '{self.name}': expected a keras.Layer. Received: {layer}, of type "
                f"{type(layer).__name__}.{hint}"
            )
        if any(layer.name == other.name and layer is not other for other in self._stack):
            raise ValueError(
                f"Sequential '{self.name}': two layers cannot share the name '{layer.name}'; names must be unique.\n"
                "  fix:      give the new layer another `name`"
            )
        if not self._stack and self._input_layer is None:
            if isinstance(layer, Model) and vars(layer).get("_functional") is not None:
                if len(layer.inputs) > 1:
                    self._input_layers = tuple(one._keras_history.operation for one in layer.inputs)
                else:
                    first = layer.inputs[0]
                    self._input_layer = InputLayer(batch_shape=tuple(first.shape), dtype=str(first.dtype))
            elif (shape := getattr(layer, "_input_shape_arg", None)) is not None:
                dtype = getattr(layer, "input_dtype_hint", "float32")
                self._input_layer = InputLayer(batch_shape=shape, dtype=dtype, name=f"{layer.name}_input")
        self._stack.append(layer)

    def pop(self, rebuild: bool = True) -> Layer:
        """Remove the last layer and return it."""
        if not self._stack:
            raise TypeError("There are no layers in the model.")
        layer = self._stack.pop()
        self._steps = self._steps[: len(self._stack)]
        self._changed()
        if rebuild:
            self._finish_graph()
        return layer

    # --- building --------------------------------------------------------------------------------
    def _rebuild(self) -> None:
        self._changed()
        first = self._first_tensors()
        if first is None:
            vars(self).pop("_functional", None)
            self.built = False
            return
        tensor = self._steps[-1] if self._steps else first
        with name_scope(self.name):
            for layer in self._stack[len(self._steps) :]:
                tensor = self._through(layer, tensor)
                self._steps.append(tensor)
        self._finish_graph()

    def _first_tensors(self) -> Any:
        """The symbolic input, or a list of them; None if there is none yet."""
        if self._input_layers:
            return [layer.output for layer in self._input_layers]
        return None if self._input_layer is None else self._input_layer.output

    def _through(self, layer: Layer, tensor: Any) -> Any:
        out = layer(tensor)
        if len(trees.flatten(out)) != 1 or isinstance(out, (list, tuple, dict)):
            raise ValueError(
                f"Layer '{layer.name}' returned {len(trees.flatten(out))} outputs, and in a Sequential model one "
                "tensor goes from layer to layer. Use the functional API: `keras.Model(inputs, outputs)`."
            )
        return out

    def _finish_graph(self) -> None:
        first = self._first_tensors()
        if first is None or not self._steps:
            vars(self).pop("_functional", None)
            self.built = False
            return
        vars(self)["_functional"] = Graph(first, self._steps[-1])
        self._build_shapes = {"input_shape": self.input_shape}
        for layer in self._stack:
            vars(layer).setdefault("_path", f"{self.name}/{layer.name}")
        self.built = True

    def build(self, input_shape: Any = None) -> None:
        """Create the weights for inputs of a shape (with the batch axis)."""
        if not self._stack:
            raise ValueError(
                f"Sequential '{self.name}' has no layers, so there is nothing to build. Use `model.add(layer)`."
            )
        if input_shape is None:
            if self._input_layer is None:
                raise ValueError("You must provide an `input_shape` argument.")
            self._rebuild()
            return
        if vars(self).get("_functional") is not None:
            return
        self._input_layer = InputLayer(batch_shape=tuple(input_shape), dtype=self._guess_dtype())
        self._steps = []
        try:
            self._rebuild()
        except BaseException:
            self._input_layer, self._steps = None, []
            raise

    def _guess_dtype(self) -> str:
        return getattr(self._stack[0], "input_dtype_hint", self.compute_dtype)

    def _build_for(self, shapes_by_name: dict[str, Any]) -> None:
        shape = next(iter(shapes_by_name.values()))
        if vars(self).get("_functional") is None and isinstance(shape, tuple):
            # The caller has opened this model's name scope; building opens it too.
            with build_lock, override(names=scopes.names[:-1]):
                self.build((None, *shape[1:]))
            self._made_up = bool(scopes.symbolic)

    def _loosen(self, shape: tuple[Any, ...]) -> None:
        """Free the axes of the input that turn out to vary, if the shape it was built for came from inference.

        Inside a layer of the user's, the first shape met has made-up sizes in place of the unknown ones.
        """
        held: Any = self._input_layer
        if held is None:
            return
        known = held.batch_shape
        if len(known) != len(shape) or all(a is None or a == b for a, b in zip(known[1:], shape[1:], strict=True)):
            return
        loose = (None, *(a if a == b else None for a, b in zip(known[1:], shape[1:], strict=True)))
        steps = self._steps
        self._input_layer, self._steps = InputLayer(batch_shape=loose, dtype=held.dtype), []
        try:
            with build_lock, override(names=scopes.names[:-1]):
                self._rebuild()
        except (TypeError, ValueError):
            # A layer needs the size: the shape does not fit, which the check of the inputs says best.
            self._input_layer, self._steps = held, steps
            self._finish_graph()

    # --- running ---------------------------------------------------------------------------------
    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """Run the layers in order."""
        if vars(self).get("_functional") is not None:
            if self._made_up and hasattr(inputs, "shape"):
                self._loosen(tuple(inputs.shape))
            return run_graph(self, inputs, training, mask)
        outputs = inputs
        if mask is not None:
            outputs._keras_mask = mask
        for layer in self._stack:
            outputs = layer(outputs, training=training)
        return outputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Output shape for an input shape."""
        if vars(self).get("_functional") is not None:
            return Layer.compute_output_shape(self, input_shape)
        shape = input_shape
        for layer in self._stack:
            shape = layer.compute_output_shape(shape)
        return shape

    compute_output_shape.is_default = True  # type: ignore[attr-defined]

    @property
    def input_shape(self) -> Any:
        """Shape of the input, with the batch axis; a list of them for several inputs."""
        self._need_graph("input shape")
        if self._input_layers:
            return [tuple(layer.batch_shape) for layer in self._input_layers]
        return tuple(self._input_layer.batch_shape)  # type: ignore[union-attr]

    @property
    def output_shape(self) -> Any:
        """Shape of the output, with the batch axis."""
        self._need_graph("output shape")
        return tuple(self._steps[-1].shape)

    def _need_graph(self, what: str) -> None:
        if vars(self).get("_functional") is None:
            raise AttributeError(
                f"Sequential '{self.name}' has no {what} before it is built: call it, or begin it with a keras.Input."
            )

    @property
    def weights(self) -> list[Any]:
        """Variables of all layers.

        Raises:
            ValueError: the model is not built.
        """
        found = super().weights
        if not found and not self.built and self._stack and not any(layer.built for layer in self._stack):
            raise BuildError(
                f"Model '{self.name}' has no weights yet: the shape of its input is unknown. Begin with `keras.Input`, "
                "call the model on data, or call `build(input_shape)`."
            )
        return found

    def get_config(self) -> dict[str, Any]:
        """Name, dtype policy and the configs of the layers."""
        layers = ([self._input_layer] if self._input_layer is not None else []) + self._stack
        config: dict[str, Any] = {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": serialization.serialize_keras_object(self._dtype_policy),
            "layers": [serialization.serialize_keras_object(layer) for layer in layers],
        }
        if vars(self).get("_functional") is not None and self._input_layer is not None:
            config["build_input_shape"] = tuple(self._input_layer.batch_shape)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Sequential:
        """A model from its config."""
        dtype = config.get("dtype")
        model = cls(name=config.get("name"), dtype=policy_from(dtype) if isinstance(dtype, dict) else dtype)
        for stored in config["layers"]:
            model.add(serialization.deserialize_keras_object(stored, custom_objects=custom_objects), rebuild=False)
        model._rebuild()
        if not model.built and config.get("build_input_shape") and model._stack:
            shape = config["build_input_shape"]
            if isinstance(shape, (list, tuple)):
                model.build(tuple(shape))
        if not config.get("trainable", True):
            model.trainable = False
        return model
