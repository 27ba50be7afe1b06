"""``Operation``, a computation without state that can be part of a graph, and ``Function``, a graph as a function."""

from __future__ import annotations

import inspect
from abc import ABCMeta
from typing import Any

from hornbeam.base import names, trees
from hornbeam.core import symbolic
from hornbeam.core.node import Node
from hornbeam.core.symbolic import KerasTensor
from hornbeam.keras.layers.base.layer import Layer
from hornbeam.keras.models.graph import Graph

__all__ = ["Function", "Operation"]


class Operation(metaclass=ABCMeta):
    """Base of operations: subclasses compute in ``call``. Layers count as operations, too.

    Args:
        name: name; made from the class name if not given.

    Raises:
        ValueError: the name is no string, or holds a slash.

    References: Keras ``Operation``.
    """

    _arguments: dict[str, Any]
    _inbound_nodes: list[Any]

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """Note the constructor's arguments, of which ``get_config`` is made."""
        made = super().__new__(cls)
        given = inspect.signature(cls.__init__).bind(made, *args, **kwargs).arguments
        named = {name: value for name, value in list(given.items())[1:] if name != "kwargs"}
        made._arguments = {**named, **given.get("kwargs", {})}
        made._inbound_nodes = []
        return made

    def __init__(self, name: str | None = None) -> None:
        name = names.auto_name(type(self).__name__) if name is None else name
        if not isinstance(name, str) or "/" in name:
            raise ValueError(f"The `name` of an operation must be a string without '/'. Received: name={name!r}")
        self.name = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Compute, or (for symbolic tensors) add a call to the graph."""
        if symbolic.is_symbolic((args, kwargs)):
            return self.symbolic_call(*args, **kwargs)
        return self.call(*args, **kwargs)

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Outputs for symbolic inputs, with a node added to the graph."""
        outputs = self.compute_output_spec(*args, **kwargs)
        Node(self, args, kwargs, outputs)
        return outputs

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """The computation; subclasses define it."""
        raise NotImplementedError(f"{type(self).__name__} does not define `call`.")

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Symbolic outputs for symbolic inputs; found by running ``call`` abstractly unless overridden."""
        return symbolic.infer(lambda filled: self.call(*filled[0], **filled[1]), (args, kwargs))

    @property
    def input(self) -> Any:
        """Symbolic input of the first call (a list if there are several)."""
        return self._of_first_call("inputs")

    @property
    def output(self) -> Any:
        """Symbolic output of the first call (a list if there are several)."""
        return self._of_first_call("outputs")

    def _of_first_call(self, what: str) -> Any:
        if not self._inbound_nodes:
            raise AttributeError(f"Operation {self.name} was not called on symbolic tensors and has no {what}.")
        found = getattr(self._inbound_nodes[0], what)
        return found[0] if len(found) == 1 else found

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"name": self.name, **self._arguments}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """An operation from its config."""
        return cls(**config)


Operation.register(Layer)


class Function(Operation):
    """The computation from symbolic inputs to symbolic outputs, as a function of values.

    Args:
        inputs: symbolic tensor or nesting of them.
        outputs: symbolic tensor or nesting of them.
        name: name.

    Raises:
        ValueError: there are no inputs or outputs, or the outputs do not depend on the inputs alone.

    References: Keras ``Function``.
    """

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None) -> None:
        super().__init__(name=name)
        if not trees.flatten(inputs) or not trees.flatten(outputs):
            raise ValueError("Function: `inputs` and `outputs` must hold at least one symbolic tensor each.")
        self._graph = Graph(inputs, outputs)

    @property
    def operations(self) -> list[Any]:
        """Layers and operations of the graph."""
        return list(self._graph.operations)

    @property
    def inputs(self) -> list[KerasTensor]:
        """Symbolic inputs, as a list."""
        return list(self._graph.inputs)

    @property
    def outputs(self) -> list[KerasTensor]:
        """Symbolic outputs, as a list."""
        return list(self._graph.outputs)

    def call(self, inputs: Any) -> Any:
        """Outputs for values of the inputs, in their structure."""
        values = trees.flatten(inputs)
        if len(values) != len(self._graph.inputs):
            raise ValueError(f"Function '{self.name}' takes {len(self._graph.inputs)} inputs. Received: {len(values)}")
        return self._graph.run(values)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Shapes of the outputs for shapes of the inputs."""
        several = len(self._graph.inputs) > 1
        shapes = list(input_shape) if several else [input_shape]
        pairs = zip(shapes, self._graph.inputs, strict=True)
        filled = [KerasTensor(tuple(shape), str(tensor.dtype)) for shape, tensor in pairs]
        outputs = symbolic.infer(self._graph.run, filled)
        return trees.map_structure(lambda tensor: tuple(tensor.shape), outputs)

    def get_config(self) -> dict[str, Any]:
        """Not possible: a graph of calls is stored as a model.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(
            f"Function '{self.name}' has no config. Make a keras.Model from the same inputs and outputs to store it."
        )
