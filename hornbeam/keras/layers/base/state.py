"""The state side of a layer: weights, trainability, dtypes, reading and writing of values."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.base import settings
from hornbeam.core.conversion import as_array
from hornbeam.core.variable import Variable, commit_all
from hornbeam.keras import dtype_policies
from hornbeam.keras.layers.base import tracking
from hornbeam.keras.random.seed_generator import SeedGenerator


class LayerState:
    """Variables and dtypes of a layer; mixed into ``Layer``."""

    name: str
    built: bool
    _weights: list[Variable]
    _trainable: bool
    _dtype_policy: Any
    _inbound_nodes: list[Any]

    # --- sublayers -------------------------------------------------------------------------------
    @property
    def _layers(self) -> list[Any]:
        return tracking.members(self, LayerState)

    def _flatten_layers(self, include_self: bool = True, recursive: bool = True) -> list[Any]:
        found: dict[int, Any] = {id(self): self}
        if recursive:
            _gather_layers(self, found)
        else:
            for inner in self._layers:
                found.setdefault(id(inner), inner)
        return list(found.values())[0 if include_self else 1 :]

    # --- variables -------------------------------------------------------------------------------
    @property
    def variables(self) -> list[Variable]:
        """All state of the layer and its sublayers, random seeds included, metrics not."""
        return tracking.gathered(self, _own_state)

    @property
    def weights(self) -> list[Variable]:
        """Variables made by the layer and its sublayers, without random seeds."""
        return tracking.gathered(self, tracking.own_variables)

    @property
    def trainable_variables(self) -> list[Variable]:
        """Variables that training changes."""
        return self.trainable_weights

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """All other state, random seeds included."""
        if not self._trainable:
            return self.variables
        return [variable for variable in self.variables if not variable.trainable]

    @property
    def trainable_weights(self) -> list[Variable]:
        """Weights that training changes."""
        if not self._trainable:
            return []
        return [weight for weight in self.weights if weight._trainable]

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """Weights that training leaves alone."""
        if not self._trainable:
            return self.weights
        return [weight for weight in self.weights if not weight.trainable]

    @property
    def trainable(self) -> bool:
        """Whether the layer's trainable weights take part in training; setting it sets all sublayers too."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        value = bool(value)
        self._trainable = value
        for variable in tracking.own_variables(self):
            if variable._made_trainable:
                variable.trainable = value
        for layer in self._layers:
            layer.trainable = value

    def count_params(self) -> int:
        """Number of numbers in the weights.

        Raises:
            ValueError: the layer is not built.
        """
        if not self.built:
            raise ValueError(
                f"`count_params`: layer '{self.name}' has no weights yet, it is not built.\n"
                "  fix:      call it on data, or call `layer.build(input_shape)`, first"
            )
        return sum(int(np.prod(tuple(weight.shape), dtype=np.int64)) for weight in self.weights)

    def get_weights(self) -> list[np.ndarray]:
        """Values of the weights as NumPy arrays."""
        return [weight.numpy() if weight.shape else np.asarray(weight) for weight in self.weights]

    def set_weights(self, weights: Any) -> None:
        """Set the values of all weights; either all or none are changed.

        Raises:
            ValueError: the number of arrays or a shape differs.
        """
        own = self.weights
        weights = list(weights)
        if len(weights) != len(own):
            raise ValueError(
                f"`set_weights` of layer '{self.name}': expected {len(own)} weights, received {len(weights)}."
            )
        for variable, value in zip(own, weights, strict=True):
            if tuple(np.shape(value)) != tuple(variable.shape):
                raise ValueError(
                    f"`set_weights` of layer '{self.name}': a value of shape {tuple(np.shape(value))} is not "
                    f"compatible with weight '{variable.name}' of shape {tuple(variable.shape)}."
                )
        commit_all(own, [as_array(value, variable._dtype) for variable, value in zip(own, weights, strict=True)])

    # --- dtypes ----------------------------------------------------------------------------------
    @property
    def dtype_policy(self) -> Any:
        """Policy that gives the compute and variable dtypes."""
        policy = self._dtype_policy
        if isinstance(policy, dtype_policies.DTypePolicyMap):
            return policy[self.path]
        return policy

    @dtype_policy.setter
    def dtype_policy(self, value: Any) -> None:
        self._dtype_policy = dtype_policies.get(value)
        mode = self.quantization_mode
        if mode is not None and self.built and not getattr(self, "_is_quantized", False):
            self.quantize(mode)  # type: ignore[attr-defined]

    @property
    def path(self) -> str:
        """Names of the layers around and of this one, joined by slashes."""
        return vars(self).get("_path") or self.name

    @property
    def dtype(self) -> str:
        """Dtype of the weights."""
        return self.variable_dtype

    @property
    def compute_dtype(self) -> str:
        """Dtype of the computations."""
        return self.dtype_policy.compute_dtype or settings.floatx()

    @property
    def variable_dtype(self) -> str:
        """Dtype of the weights."""
        return self.dtype_policy.variable_dtype or settings.floatx()

    @property
    def input_dtype(self) -> str:
        """Dtype that inputs are cast to."""
        return self.compute_dtype

    @property
    def quantization_mode(self) -> str | None:
        """How the layer is quantised: "int8", "int4", "float8"; None if it is not."""
        return self.dtype_policy.quantization_mode

    # --- place in a graph ------------------------------------------------------------------------
    @property
    def input(self) -> Any:
        """Symbolic input of the layer's first call (a list if there are several)."""
        return self._of_call("input", [node.inputs for node in self._inbound_nodes])

    @property
    def output(self) -> Any:
        """Symbolic output of the layer's first call (a list if there are several)."""
        return self._of_call("output", [node.outputs for node in self._inbound_nodes])

    def _of_call(self, what: str, tensors: list[list[Any]]) -> Any:
        if not tensors:
            raise AttributeError(
                f"Layer '{self.name}' has no {what} before its first call: call it on a tensor or a keras.Input."
            )
        found = tensors[0]
        return found[0] if len(found) == 1 else found

    @property
    def input_shape(self) -> Any:
        """Shape of the input of the first call."""
        found = self.input
        return tuple(found.shape) if not isinstance(found, list) else [tuple(one.shape) for one in found]

    @property
    def output_shape(self) -> Any:
        """Shape of the output of the first call."""
        found = self.output
        return tuple(found.shape) if not isinstance(found, list) else [tuple(one.shape) for one in found]

    @property
    def input_mask(self) -> Any:
        """Mask of the input of the first call."""
        found = self.input
        return getattr(found, "_keras_mask", None) if not isinstance(found, list) else [t._keras_mask for t in found]

    @property
    def output_mask(self) -> Any:
        """Mask of the output of the first call."""
        found = self.output
        return getattr(found, "_keras_mask", None) if not isinstance(found, list) else [t._keras_mask for t in found]

    # --- files -----------------------------------------------------------------------------------
    def save_own_variables(self, store: Any) -> None:
        """Put the layer's own variables into a mapping, numbered in order."""
        for index, variable in enumerate(tracking.own_variables(self)):
            store[str(index)] = np.asarray(variable)

    def load_own_variables(self, store: Any) -> None:
        """Take the layer's own variables from a mapping.

        Raises:
            ValueError: their number differs.
        """
        own = tracking.own_variables(self)
        if len(store) != len(own):
            if not store and own:
                reason = f"Layer '{self.name}' has {len(own)} variables, but what is loaded holds no variables for it."
            else:
                reason = (
                    f"Layer '{self.name}' has {len(own)} variables, {[variable.name for variable in own]}, but what is "
                    f"loaded holds {len(store)} variables for it."
                )
            raise ValueError(reason)
        for index, variable in enumerate(own):
            variable.assign(np.asarray(store[str(index)]))


def _own_state(layer: Any) -> list[Variable]:
    generators = tracking.members(layer, SeedGenerator)
    return [*tracking.own_variables(layer), *(generator.state for generator in generators)]


def _gather_layers(layer: Any, found: dict[int, Any]) -> None:
    """Add the layers in a layer, at any depth, each before those in it."""
    for inner in layer._layers:
        if id(inner) not in found:
            found[id(inner)] = inner
            _gather_layers(inner, found)
