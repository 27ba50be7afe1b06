"""Old methods and attributes of layers: places in the graph, short names of weights, initial weights."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from hornbeam import ops
from hornbeam.base import trees
from hornbeam.compat.loading import load
from hornbeam.compat.methods.gone import gone
from hornbeam.compat.notes import note
from hornbeam.core.variable import Variable


# --- places in the graph -------------------------------------------------------------------------
def _node(self: Any, node_index: int) -> Any:
    nodes = self._inbound_nodes
    if not -len(nodes) <= node_index < len(nodes):
        raise ValueError(
            f"Layer {self.name} has been called {len(nodes)} time(s) on symbolic tensors. Received: "
            f"node_index={node_index}. Use an index from 0 to {len(nodes) - 1}."
        )
    return nodes[node_index]


def _one_or_all(tensors: list[Any]) -> Any:
    return tensors[0] if len(tensors) == 1 else tensors


def get_input_at(self: Any, node_index: int) -> Any:
    """Symbolic input of one call of the layer."""
    return _one_or_all(_node(self, node_index).inputs)


def get_output_at(self: Any, node_index: int) -> Any:
    """Symbolic output of one call of the layer."""
    return _one_or_all(_node(self, node_index).outputs)


def get_input_shape_at(self: Any, node_index: int) -> Any:
    """Shape of the input of one call."""
    return _one_or_all([tuple(tensor.shape) for tensor in _node(self, node_index).inputs])


def get_output_shape_at(self: Any, node_index: int) -> Any:
    """Shape of the output of one call."""
    return _one_or_all([tuple(tensor.shape) for tensor in _node(self, node_index).outputs])


def get_input_mask_at(self: Any, node_index: int) -> Any:
    """Mask of the input of one call."""
    return _one_or_all([getattr(tensor, "_keras_mask", None) for tensor in _node(self, node_index).inputs])


def get_output_mask_at(self: Any, node_index: int) -> Any:
    """Mask of the output of one call."""
    return _one_or_all([getattr(tensor, "_keras_mask", None) for tensor in _node(self, node_index).outputs])


# --- methods -------------------------------------------------------------------------------------
def add_update(self: Any, updates: Any, inputs: Any = None) -> None:
    """Run updates given as functions; values that were assigned in ``call`` are stored already."""
    note("Layer.add_update: assign to variables in `call`; nothing else is needed.")
    for update in updates if isinstance(updates, (list, tuple)) else [updates]:
        if isinstance(update, tuple) and len(update) == 2 and isinstance(update[0], Variable):
            update[0].assign(update[1])
        elif callable(update) and not isinstance(update, Variable):
            update()


def apply(self: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
    """Call the layer."""
    note("Layer.apply: call the layer.")
    return self(inputs, *args, **kwargs)


def get_output_shape_for(self: Any, input_shape: Any) -> Any:
    """Shape of the outputs for a shape of the inputs."""
    note("Layer.get_output_shape_for: `compute_output_shape` is its name now.")
    return self.compute_output_shape(input_shape)


def get_losses_for(self: Any, inputs: Any) -> list[Any]:
    """Losses of the layer; they are not kept by input."""
    return self.losses


def get_updates_for(self: Any, inputs: Any) -> list[Any]:
    """Nothing: layers update their state when they are called."""
    return []


def finalize_state(self: Any) -> None:
    """Nothing to do: state is kept as it is set."""


def _regularizers(self: Any) -> list[Any]:
    return [weight.regularizer for weight in self.weights if getattr(weight, "regularizer", None) is not None]


def _constraints(self: Any) -> dict[Any, Any]:
    return {weight.path: weight.constraint for weight in self.weights if getattr(weight, "constraint", None)}


def _setter(attribute: str, doc: str, get: Callable[[Any], Any]) -> property:
    """A property that a subclass's constructor may set to something of its own, as old layers did."""

    def read(self: Any) -> Any:
        return vars(self)[attribute] if attribute in vars(self) else get(self)

    def write(self: Any, value: Any) -> None:
        vars(self)[attribute] = value

    return property(read, write, doc=doc)


def _set_name(self: Any, value: Any) -> None:
    if isinstance(value, str):
        self.name = value
    else:
        vars(self)["_name"] = value


NAME = property(
    lambda self: vars(self).get("_name", self.name), _set_name, doc="The name, which old programs changed here."
)


def track_trackable(self: Any, trackable: Any, name: str, overwrite: bool = False) -> Any:
    """The object itself: what a layer holds as an attribute is tracked."""
    return trackable


LAYER: dict[str, Any] = {
    "_compute_dtype": property(lambda self: self.compute_dtype, doc="Dtype of the computation."),
    "_compute_dtype_object": property(lambda self: load(":as_dtype")(self.compute_dtype), doc="Dtype of it."),
    "_name": NAME,
    "_track_trackable": track_trackable,
    "get_input_at": get_input_at,
    "get_output_at": get_output_at,
    "get_input_shape_at": get_input_shape_at,
    "get_output_shape_at": get_output_shape_at,
    "get_input_mask_at": get_input_mask_at,
    "get_output_mask_at": get_output_mask_at,
    "inbound_nodes": property(lambda self: self._inbound_nodes, doc="Calls of the layer on symbolic tensors."),
    "outbound_nodes": gone("Layer.outbound_nodes", "look through `inbound_nodes` of the model's other layers"),
    "add_update": add_update,
    "apply": apply,
    "finalize_state": finalize_state,
    "get_output_shape_for": get_output_shape_for,
    "get_losses_for": get_losses_for,
    "get_updates_for": get_updates_for,
    "updates": _setter("updates", "Nothing: layers update their state when called.", lambda self: []),
    "regularizers": _setter("regularizers", "Regularizers of the weights.", _regularizers),
    "constraints": _setter("constraints", "Constraints by path of the weight.", _constraints),
    "stateful": _setter("stateful", "Whether the layer keeps state from batch to batch.", lambda self: False),
    "dynamic": property(lambda self: False, doc="False: every layer may run as Python code."),
    "uses_learning_phase": property(lambda self: True, doc="True: a call takes `training`."),
    "create_input_layer": gone("Layer.create_input_layer", "call the layer on `keras.Input(...)`"),
    "add_inbound_node": gone("Layer.add_inbound_node", "call the layer on symbolic tensors"),
}


def _also(attribute: str) -> property:
    return property(lambda self: getattr(self, attribute), doc=f"Old name of `{attribute}`.")


def _forget_masks(self: Any) -> None:
    """Nothing to do: dropout draws its masks anew in every call."""


RNN: dict[str, Any] = {
    "implementation": property(lambda self: 2, doc="2: the gates of a step are one matrix product."),
    "reset_dropout_mask": _forget_masks,
    "reset_recurrent_dropout_mask": _forget_masks,
}
DENSE: dict[str, Any] = {"W": _also("kernel"), "b": _also("bias"), "output_dim": _also("units")}
CONVOLUTION: dict[str, Any] = {
    "W": _also("kernel"),
    "b": _also("bias"),
    "nb_filter": _also("filters"),
    "border_mode": _also("padding"),
    "subsample": _also("strides"),
    "atrous_rate": _also("dilation_rate"),
}
EMBEDDING: dict[str, Any] = {"W": _also("embeddings")}


# --- initial weights -----------------------------------------------------------------------------
def _taking_weights(constructor: Callable) -> Callable:
    """Give the constructor the arguments ``weights`` (initial values), ``dynamic`` and ``input_dtype``."""

    @functools.wraps(constructor)
    def constructed(self: Any, *args: Any, **kwargs: Any) -> None:
        weights = kwargs.pop("weights", None)
        if kwargs.pop("dynamic", None):
            note("Layer: argument `dynamic` has no effect: every layer may run as Python code.")
        if (dtype := kwargs.pop("input_dtype", None)) is not None:
            note(f"Layer: argument `input_dtype` has no effect: give `keras.Input(..., dtype={dtype!r})`.")
        name = kwargs.get("name")
        # Published networks have such names ("fire2/squeeze1x1"), and so have the files of their weights.
        if isinstance(name, str) and "/" in name:
            constructor(self, *args, **{**kwargs, "name": name.replace("/", "_")})
            self.name = name
        else:
            constructor(self, *args, **kwargs)
        if weights is not None:
            vars(self)["_first_weights"] = list(weights)

    return constructed


def _setting_weights(build: Callable) -> Callable:
    """Set the values that the constructor was given, once there are weights."""

    @functools.wraps(build)
    def built(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = build(self, *args, **kwargs)
        first = vars(self).pop("_first_weights", None)
        if first is not None:
            self.set_weights(first)
        return result

    return built


def _settable(weights: property) -> property:
    """Let ``self.trainable_weights = [...]`` in a layer's ``build`` say which variables are trained."""

    def write(self: Any, value: Any) -> None:
        for variable in value:
            if not any(variable is known for known in self._weights):
                self._weights.append(variable)
            variable._made_trainable = True
            variable.trainable = True

    return property(weights.fget, write, doc=weights.__doc__)


def _states_for(method: Callable) -> Callable:
    """Let the states be asked for with the sequences themselves, or with ``inputs``, ``batch_size`` and ``dtype``."""

    @functools.wraps(method)
    def states(self: Any, inputs: Any = None, batch_size: Any = None, dtype: Any = None) -> Any:
        first = inputs if batch_size is None else batch_size
        rank = len(getattr(first, "shape", ()))
        found = method(self, first.shape[0] if rank > 0 else first)
        return found if dtype is None else trees.map_structure(lambda state: ops.cast(state, dtype), found)

    return states


def _to_states(reset: Callable) -> Callable:
    """Let the states be set to given ones instead of zero."""

    @functools.wraps(reset)
    def reset_states(self: Any, states: Any = None) -> None:
        if states is None:
            return reset(self)
        kept, given = trees.flatten(self.states), trees.flatten(states)
        if self.states is None or len(kept) != len(given):
            raise ValueError(
                f"Layer {self.name} has {0 if self.states is None else len(kept)} states to set. Received: "
                f"{len(given)}. Give one array per state of a stateful layer that has been built."
            )
        for variable, value in zip(kept, given, strict=True):
            variable.assign(value)
        return None

    return reset_states


AROUND_STATES: dict[str, Callable] = {"reset_states": _to_states}
AROUND_CELL: dict[str, Callable] = {"get_initial_state": _states_for}
AROUND_RNN: dict[str, Callable] = AROUND_CELL | AROUND_STATES
AROUND_LAYER: dict[str, Callable] = {"__init__": _taking_weights}
AROUND_BUILDING: dict[str, Callable] = {"_build_for": _setting_weights}
AROUND_STATE: dict[str, Callable] = {"trainable_weights": _settable}
