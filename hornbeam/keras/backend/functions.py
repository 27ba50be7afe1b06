"""Functions and gradients of symbolic tensors."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.base import trees
from hornbeam.base.errors import NotSupportedError, explain
from hornbeam.core.symbolic import KerasTensor, symbol_of, value_now
from hornbeam.core.tape import GradientTape
from hornbeam.core.variable import Variable
from hornbeam.keras.backend.control import Phase
from hornbeam.keras.backend.variables import Assignment, get_value
from hornbeam.keras.layers import Layer
from hornbeam.keras.models import Model
from hornbeam.keras.utils import get_source_inputs
from hornbeam.tensors import printing


class Function:
    """Symbolic outputs as a function of symbolic inputs: arrays in, NumPy arrays out.

    Args:
        inputs: symbolic tensors; ``learning_phase()`` among them takes the training flag.
        outputs: symbolic tensors or variables; a single one, a list or a nesting.
        updates: what to do after each call: pairs (variable, symbolic tensor), and what ``update`` and an optimizer's
            ``get_updates`` give for symbolic tensors. Layers update their state when they are called in training.
    """

    def __init__(self, inputs: Any, outputs: Any, updates: Any = None, name: str | None = None) -> None:
        self.inputs = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
        self.outputs = outputs
        self.name = name
        wrong = [one for one in self.inputs if not isinstance(one, (KerasTensor, Phase))]
        if wrong:
            raise ValueError(f"K.function takes symbolic tensors as inputs. Received: {wrong[0]!r}.")
        self._fed = [one for one in self.inputs if isinstance(one, KerasTensor)]
        self._wanted = [one for one in trees.flatten(outputs) if isinstance(one, KerasTensor)]
        self.updates = [_as_update(one) for one in updates or ()]
        self._wanted += [tensor for one in self.updates for tensor in one.tensors]
        self._model = Model(self._fed, self._wanted) if self._wanted else None

    def __call__(self, inputs: Any = ()) -> Any:
        """Values of the outputs for values of the inputs, in their order."""
        values = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
        if len(values) != len(self.inputs):
            raise ValueError(f"This function takes {len(self.inputs)} inputs. Received: {len(values)}.")
        training, fed = False, []
        for symbol, value in zip(self.inputs, values, strict=True):
            if isinstance(symbol, Phase):
                training = bool(np.asarray(value))
            else:
                fed.append(ops.convert_to_tensor(value, dtype=symbol.dtype))
        found: Any = []
        if self._model is not None:
            found = self._model(fed[0] if len(fed) == 1 else fed, training=training)
            found = found if isinstance(found, (list, tuple)) else [found]
        rest = iter(found)
        shown = trees.map_structure(
            lambda one: _as_array(next(rest)) if isinstance(one, KerasTensor) else get_value(one), self.outputs
        )
        for one in self.updates:
            one.make([next(rest) for _ in one.tensors])
        return shown


def _as_array(value: Any) -> np.ndarray:
    """A copy, as callers write into what a function gives them."""
    return value.numpy() if hasattr(value, "numpy") else np.array(value)


def _as_update(given: Any) -> Any:
    if isinstance(given, (list, tuple)) and len(given) == 2 and isinstance(given[1], KerasTensor):
        given = Assignment(*given)
    if not hasattr(given, "make"):
        raise NotSupportedError(
            explain(
                "K.function: this update is not offered.",
                expected="(variable, symbolic tensor), or the updates of an optimizer for a symbolic loss",
                received=repr(given),
                fix="assign to the variable after the call: its new value was computed already, once",
            )
        )
    return given


def function(inputs: Any, outputs: Any, updates: Any = None, name: str | None = None, **kwargs: Any) -> Function:
    """Symbolic outputs as a function of symbolic inputs.

    Args:
        inputs: list of symbolic tensors; ``learning_phase()`` among them takes the training flag (0 or 1).
        outputs: list of symbolic tensors, or a single one.
        updates: what to do after each call; see ``Function``.
        name: name.
        **kwargs: nothing; options of sessions are refused.

    Returns:
        A function from a list of arrays to NumPy arrays in the structure of ``outputs``.

    References: Keras 2 ``backend.function``.
    """
    if any(value is not None for value in kwargs.values()):
        raise NotSupportedError(f"K.function: arguments {sorted(kwargs)} belong to sessions, which are not offered.")
    return Function(inputs, outputs, updates, name)


class Gradients(Layer):
    """Gradients of a symbolic scalar (or of a sum) with respect to symbolic tensors and variables.

    Args:
        loss: symbolic tensor.
        variables: symbolic tensors that the loss depends on, or variables.
        sources: symbolic inputs that the loss is computed from.
    """

    def __init__(self, loss: KerasTensor, variables: Sequence[Any], sources: Sequence[KerasTensor]) -> None:
        super().__init__()
        self.asked = list(variables)
        sources = list(sources)
        # Tensors inside the graph are computed first, and the rest of the graph from them; inputs are at hand.
        self.inner = [one for one in variables if isinstance(one, KerasTensor) and _place(one, sources) is None]
        self.places = [_place(one, sources) for one in variables]
        self.front = Model(sources, self.inner) if self.inner else None
        self.back = Model([*self.inner, *sources], loss)

    def call(self, inputs: Any, training: Any = None) -> Any:
        """The gradients, in the order asked for."""
        values = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
        inner: list[Any] = []
        if self.front is not None:
            found = self.front(values[0] if len(values) == 1 else values, training=training)
            inner = list(found) if isinstance(found, (list, tuple)) else [found]
        rest = iter(inner)
        targets = [
            values[place] if place is not None else one if isinstance(one, Variable) else next(rest)
            for one, place in zip(self.asked, self.places, strict=True)
        ]
        with GradientTape() as tape:
            for target in targets:
                tape.watch(target)
            fed = [*inner, *values]
            loss = self.back(fed[0] if len(fed) == 1 else fed, training=training)
        return tape.gradient(loss, targets, unconnected_gradients="zero")


def _place(tensor: Any, tensors: Sequence[Any]) -> int | None:
    return next((index for index, one in enumerate(tensors) if one is tensor), None)


def gradients(loss: Any, variables: Any) -> list[Any]:
    """Symbolic gradients of a symbolic loss, to be used in ``function``.

    Args:
        loss: symbolic tensor; of a tensor with several elements, their sum counts.
        variables: symbolic tensors that the loss was computed from (inputs, or outputs of layers), or variables.

    Returns:
        A list of symbolic tensors.

    Raises:
        NotSupportedError: the loss has a value already, and how it was computed is not known.

    References: Keras ``backend.gradients``.
    """
    asked = list(variables) if isinstance(variables, (list, tuple)) else [variables]
    if not isinstance(loss, KerasTensor):
        found = _gradients_of_values(loss, asked)
        if found is not None:
            return found
        raise NotSupportedError(
            explain(
                "K.gradients() works on symbolic tensors.",
                expected="a loss computed from `model.input` or another symbolic tensor; in a loss function, the "
                "output that it was given, by symbolic tensors of the model",
                received=f"{type(loss).__name__} with a value",
                fix="compute the loss under `with tf.GradientTape() as tape:` and call `tape.gradient(...)`",
            )
        )
    sources = list(get_source_inputs(loss))
    found = Gradients(loss, asked, sources)(sources[0] if len(sources) == 1 else sources)
    return list(found) if isinstance(found, (list, tuple)) else [found]


def _gradients_of_values(loss: Any, asked: list[Any]) -> list[Any] | None:
    """Gradients of an output of the running graph by its inner tensors; None if how it was computed is not known.

    The part of the graph between them is computed again under a tape.
    """
    made_by = symbol_of(loss)
    values = [value_now(one) if isinstance(one, KerasTensor) else None for one in asked]
    if made_by is None or any(value is None for value in values):
        return None
    symbol, training = made_by
    between = Model(asked, symbol)
    state = [(variable, variable.value) for variable in between.non_trainable_variables]
    with GradientTape() as tape:
        for value in values:
            tape.watch(value)
        found = between(values[0] if len(values) == 1 else values, training=training)
    for variable, value in state:
        # Moving averages have seen this batch already.
        variable.assign(value)
    return tape.gradient(found, values, unconnected_gradients="zero")


class _Shown(Layer):
    """Prints the tensors that pass through it."""

    def __init__(self, message: str, summarize: int) -> None:
        super().__init__()
        self.message = message
        self.summarize = summarize

    def call(self, inputs: Any) -> Any:
        """The inputs."""
        printing.print(self.message, inputs, output_stream=sys.stdout, summarize=self.summarize)
        return inputs


def print_tensor(x: Any, message: str = "", summarize: int = 3) -> Any:
    """Print a tensor's value when it is computed, and give the tensor back.

    Args:
        x: tensor; a symbolic one is printed whenever the returned tensor is computed.
        message: text before the value.
        summarize: elements shown at each end of each axis.
    """
    if isinstance(x, KerasTensor):
        return _Shown(message, summarize)(x)
    printing.print(message, x, output_stream=sys.stdout, summarize=summarize)
    return x
