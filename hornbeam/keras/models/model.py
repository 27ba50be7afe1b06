"""``Model``: a layer that can be trained, evaluated, saved and described."""

from __future__ import annotations

import copy
import inspect
from typing import Any

from hornbeam.base import registry, trees
from hornbeam.base.check import closest
from hornbeam.core.scopes import name_scope
from hornbeam.core.symbolic import KerasTensor
from hornbeam.keras.layers.base import calling
from hornbeam.keras.layers.base.building import as_shape
from hornbeam.keras.layers.base.call_spec import call_spec
from hornbeam.keras.layers.base.layer import Layer
from hornbeam.keras.models.quantizing import Quantizing
from hornbeam.keras.trainers.trainer import Trainer


class Model(Trainer, Quantizing, Layer):
    """A layer with training, evaluation, prediction and saving.

    Three ways to make one:

    - functional: ``Model(inputs, outputs)`` from symbolic tensors;
    - a subclass with layers as attributes and a ``call`` method;
    - both: a subclass that passes ``inputs`` and ``outputs`` to ``super().__init__``.

    Args:
        inputs: symbolic tensor or nesting of them (functional form).
        outputs: symbolic tensor or nesting of them (functional form).
        name: name of the model.

    References: Keras ``Model``.
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """Make a ``Functional`` when inputs and outputs are given."""
        if cls is Model and _is_functional(args, kwargs):
            from_functional = registry.find("keras", "functional model")
            return from_functional.__new__(from_functional, *args, **kwargs)
        return super().__new__(cls, *args, **kwargs)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        Trainer.__init__(self)
        if _is_functional(args, kwargs):
            inputs, outputs, rest = _functional_arguments(args, kwargs)
            Layer.__init__(self, **rest)
            self._attach(inputs, outputs)
        else:
            # `super().__init__(self)` is a harmless slip of many published programs.
            if args and not (len(args) == 1 and args[0] is self):
                raise TypeError(f"Model() takes symbolic inputs and outputs, or keyword arguments. Received: {args}")
            Layer.__init__(self, **kwargs)

    _graph_layers: list[Layer]

    def _attach(self, inputs: Any, outputs: Any) -> None:
        """Make this model run a functional graph."""
        registry.find("keras", "attach graph")(self, inputs, outputs)

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """Outputs for inputs; overridden by subclasses, given by the graph of functional models."""
        graph = vars(self).get("_functional")
        if graph is None:
            raise NotImplementedError(
                f"Model {type(self).__name__} has no `call()` method; define `call(self, inputs)`, or make the model "
                "from symbolic `inputs` and `outputs`."
            )
        return registry.find("keras", "run graph")(self, inputs, training, mask)

    # --- layers ----------------------------------------------------------------------------------
    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Symbolic outputs; those of graphs that take texts call by call, as texts have no place in an abstract run."""
        graph = vars(self).get("_functional")
        inputs = args[0] if args else kwargs.get("inputs")
        if graph is None or not graph.takes_texts or any(leaf is None for leaf in trees.flatten(inputs)):
            return super().compute_output_spec(*args, **kwargs)
        values = registry.find("keras", "graph inputs")(self, graph, inputs)
        return graph.run(values, lambda operation, given, named: operation.compute_output_spec(*given, **named))

    @property
    def layers(self) -> list[Layer]:
        """Layers of the model, in a fresh list."""
        graph = vars(self).get("_functional")
        if graph is not None:
            own = [operation for operation in graph.operations if isinstance(operation, Layer)]
            return own + [layer for layer in self._layers if not any(layer is one for one in own)]
        return [layer for layer in self._layers if isinstance(layer, Layer)]

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """A layer by name or by position in ``layers``.

        Raises:
            ValueError: there is none.
        """
        if index is not None and name is not None:
            raise ValueError(f"get_layer(): expected `name` or `index`, not both. Received: {index} and {name!r}")
        layers = self.layers
        if index is not None:
            if not -len(layers) <= index < len(layers):
                raise ValueError(f"get_layer(): model '{self.name}' has {len(layers)} layers. Received: index={index}")
            return layers[index]
        if name is not None:
            for layer in layers:
                if layer.name == name:
                    return layer
            raise ValueError(_no_such_layer(self, name))
        raise ValueError("get_layer(): expected `name` or `index`. Received: neither.")

    # --- functional faces ------------------------------------------------------------------------
    @property
    def operations(self) -> list[Any]:
        """Layers and ops of the graph."""
        graph = vars(self).get("_functional")
        return list(graph.operations) if graph is not None else list(self.layers)

    @property
    def inputs(self) -> list[KerasTensor]:
        """Symbolic inputs, as a list."""
        graph = vars(self).get("_functional")
        if graph is None:
            raise AttributeError(f"Model {self.name} has no defined inputs: it was not built from symbolic tensors.")
        return list(graph.inputs)

    @property
    def outputs(self) -> list[KerasTensor]:
        """Symbolic outputs, as a list."""
        graph = vars(self).get("_functional")
        if graph is None:
            raise AttributeError(f"Model {self.name} has no defined outputs: it was not built from symbolic tensors.")
        return list(graph.outputs)

    @property
    def input(self) -> Any:
        """Symbolic input: a tensor, or the structure the model was made with."""
        graph = vars(self).get("_functional")
        return super().input if graph is None else graph.input_structure

    @property
    def output(self) -> Any:
        """Symbolic output: a tensor, or the structure the model was made with."""
        graph = vars(self).get("_functional")
        return super().output if graph is None else graph.output_structure

    @property
    def input_shape(self) -> Any:
        """Shape of the input; a list of shapes for several inputs."""
        found = [tuple(tensor.shape) for tensor in self.inputs]
        return found[0] if len(found) == 1 else found

    @property
    def output_shape(self) -> Any:
        """Shape of the output; a list of shapes for several outputs."""
        found = [tuple(tensor.shape) for tensor in self.outputs]
        return found[0] if len(found) == 1 else found

    @property
    def output_names(self) -> list[str]:
        """Names of the outputs."""
        return registry.find("keras", "output names")(self)

    @property
    def input_names(self) -> list[str]:
        """Names of the inputs."""
        return [tensor._keras_history.operation.name for tensor in self.inputs]

    # --- building --------------------------------------------------------------------------------
    def build(self, input_shape: Any = None) -> None:
        """Create the weights by running ``call`` abstractly on inputs of a shape.

        Args:
            input_shape: shape with the batch axis, or a list or dict of shapes.
        """
        if self.built or input_shape is None:
            self.built = True
            return
        spec = call_spec(self)
        if isinstance(input_shape, dict) and not set(input_shape) <= set(spec.names):
            structure: Any = {key: KerasTensor(shape, self.compute_dtype) for key, shape in input_shape.items()}
        elif isinstance(input_shape, (list, tuple)) and input_shape and isinstance(input_shape[0], (list, tuple)):
            structure = [KerasTensor(shape, self.compute_dtype) for shape in input_shape]
        elif isinstance(input_shape, dict):
            named = {key: KerasTensor(shape, self.compute_dtype) for key, shape in input_shape.items()}
            with name_scope(self.name):
                calling.infer_outputs(self, (), named)
            self._note_built({key: tuple(shape) for key, shape in input_shape.items()})
            return
        else:
            structure = KerasTensor(tuple(input_shape), self.compute_dtype)
        if len(spec.names) > 1 and isinstance(structure, list) and _required(spec) == len(structure) > 1:
            with name_scope(self.name):
                calling.infer_outputs(self, tuple(structure), {})
        else:
            with name_scope(self.name):
                self._build_outputs = calling.infer_outputs(self, (structure,), {})
        self._note_built({spec.first or "inputs": input_shape})

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build from what ``get_build_config`` gave: by ``call``, unless the class has a ``build`` of its own."""
        if not config or self.built or vars(self).get("_functional") is not None:
            return
        if type(self).build is not Model.build:
            super().build_from_config(config)
            return
        stored = config.get("shapes_dict", config)
        found = {name.removesuffix("_shape"): as_shape(shape) for name, shape in stored.items()}
        self.build(found if len(found) > 1 else next(iter(found.values())))

    def _note_built(self, shapes_by_name: dict[str, Any]) -> None:
        self._build_shapes = shapes_by_name
        self.built = True

    def _build_for(self, shapes_by_name: dict[str, Any]) -> None:
        # Subclasses with a build of their own get the shape; all others build their layers as `call` reaches them.
        self._build_shapes = shapes_by_name
        if type(self).build is not Model.build and vars(self).get("_functional") is None:
            super()._build_for(shapes_by_name)

    # --- description -----------------------------------------------------------------------------
    def summary(
        self,
        line_length: int | None = None,
        positions: Any = None,
        print_fn: Any = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Any = None,
    ) -> None:
        """Print a table of the layers with output shapes and parameter counts.

        Args:
            line_length: width of the table in columns.
            positions: relative or absolute ends of the columns.
            print_fn: called with the text instead of printing it.
            expand_nested: list the layers of nested models too.
            show_trainable: add a column that says whether each layer is trained.
            layer_range: names (or patterns) of the first and last layer to show.

        Raises:
            ValueError: the model is not built.
        """
        if not self.built:
            raise ValueError(
                f"summary(): model '{self.name}' is not built yet, as the size of its input is not known. Call it on "
                "a batch, or `build(input_shape)`; or begin with `keras.Input`."
            )
        registry.find("keras", "summary")(
            self,
            line_length=line_length,
            positions=positions,
            print_fn=print_fn,
            expand_nested=expand_nested,
            show_trainable=show_trainable,
            layer_range=layer_range,
        )

    def get_config(self) -> dict[str, Any]:
        """Config of the graph, or the constructor arguments of a subclass."""
        if vars(self).get("_functional") is not None and not _has_own_arguments(type(self)):
            return registry.find("keras", "functional config")(self)
        return Layer.get_config(self)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """A model from its config."""
        if {"layers", "input_layers", "output_layers"} <= set(config):
            return registry.find("keras", "functional from config")(cls, config, custom_objects)
        return super().from_config(config)

    def to_json(self, **kwargs: Any) -> str:
        """The architecture as JSON text; ``kwargs`` go to ``json.dumps``."""
        return registry.find("saving", "model_to_json")(self, **kwargs)

    def to_yaml(self, **kwargs: Any) -> str:
        """The architecture as YAML text (extra ``yaml``); ``kwargs`` go to PyYAML."""
        return registry.find("saving", "model_to_yaml")(self, **kwargs)

    def __repr__(self) -> str:
        unsafe = " (loaded with safe_mode=False)" if vars(self).get("_loaded_without_safe_mode") else ""
        return f"{super().__repr__()}{unsafe}"

    # --- copies ----------------------------------------------------------------------------------
    def __reduce__(self) -> Any:
        """For ``pickle``: the model as the bytes of a ``.keras`` file, or its state if it has no config."""
        return registry.find("saving", "reduce model")(self) or super().__reduce__()

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        rebuild, arguments, state = super().__reduce__()
        memo[id(self)] = twin = rebuild(*arguments)
        twin.__setstate__(copy.deepcopy(state, memo))
        return twin

    # --- files -----------------------------------------------------------------------------------
    def save(self, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any) -> None:
        """Write the model (architecture, weights, compile information, optimizer state) to a file.

        Args:
            filepath: where; the ending chooses the format: ``.keras``, ``.h5``, or none for a SavedModel folder.
            overwrite: replace an existing file without asking.
            zipped: False writes the members of a ``.keras`` file into a folder.
            **kwargs: ``include_optimizer``, ``save_format``; see ``keras.saving.save_model``.
        """
        registry.find("saving", "save_model")(self, filepath, overwrite=overwrite, zipped=zipped, **kwargs)

    def save_weights(self, filepath: Any, overwrite: bool = True, **kwargs: Any) -> None:
        """Write the weights to a file: ``.weights.h5``, ``.h5``, ...; see ``keras.saving.save_weights``."""
        registry.find("saving", "save_weights")(self, filepath, overwrite=overwrite, **kwargs)

    def load_weights(self, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> Any:
        """Read weights from a file, also ``by_name=True``; see ``keras.saving.load_weights``."""
        return registry.find("saving", "load_weights")(self, filepath, skip_mismatch=skip_mismatch, **kwargs)

    def export(self, filepath: Any, format: str = "tf_saved_model", verbose: Any = None, **kwargs: Any) -> None:
        """Write the model for inference elsewhere, as a SavedModel with the endpoint ``serve``.

        Args:
            filepath: the folder.
            format: ``"tf_saved_model"``.
            verbose: say where it was written; default yes.
            **kwargs: ``input_signature``: specs of the inputs, where the model does not know them.
        """
        registry.find("saving", "export model")(self, filepath, format=format, verbose=verbose, **kwargs)


def _required(spec: Any) -> int:
    return sum(
        1
        for name in spec.names
        if name != "training"
        and name not in spec.mask_names
        and spec.signature.parameters[name].default is inspect.Parameter.empty
    )


def _has_own_arguments(kind: type) -> bool:
    """True for a user's subclass whose constructor takes something else than inputs and outputs."""
    if kind.__module__.startswith("hornbeam."):
        return False
    names = [p for p in inspect.signature(kind.__init__).parameters if p != "self"]
    return names[:2] != ["inputs", "outputs"] and names != ["args", "kwargs"]


def _is_functional(args: tuple, kwargs: dict[str, Any]) -> bool:
    return len(args) == 2 or (len(args) == 1 and "outputs" in kwargs) or {"inputs", "outputs"} <= set(kwargs)


def _functional_arguments(args: tuple, kwargs: dict[str, Any]) -> tuple[Any, Any, dict[str, Any]]:
    rest = dict(kwargs)
    inputs = args[0] if args else rest.pop("inputs")
    outputs = args[1] if len(args) == 2 else rest.pop("outputs")
    return inputs, outputs, rest


def _no_such_layer(model: Model, name: Any) -> str:
    names = [layer.name for layer in model.layers]
    return f"get_layer(): model '{model.name}' has no layer '{name}'{closest(name, names)}. Its layers: {names}"
