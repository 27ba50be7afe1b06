"""Losses and metrics that use symbolic tensors of the model besides their arguments.

An old program computes the loss of an autoencoder from the targets, the outputs, and from inner tensors that the
function finds among the variables of the program. Each such tensor is tapped: every run of the model's graph leaves its
value where the function, when its turn comes, looks for it.
"""

from __future__ import annotations

import functools
import types
from collections import deque
from collections.abc import Iterator
from typing import Any

from hornbeam.base import trees
from hornbeam.core.scopes import override, scopes
from hornbeam.core.symbolic import OUTPUTS, KerasTensor, value_now
from hornbeam.keras.layers.base import call_context

_FUNCTIONS = (types.FunctionType, types.MethodType, functools.partial)


class ValueTap:
    """Keeps the value of a symbolic tensor of each run, beside the losses that layers add.

    Args:
        tensor: the tensor.
    """

    def __init__(self, tensor: KerasTensor) -> None:
        self.tensor = tensor
        self.training: Any = None
        self._losses: deque[Any] = deque(maxlen=1)

    def __call__(self, value: Any) -> None:
        """Take the value of this run."""
        context = call_context.current()
        if context is not None:
            self.training = context.training
            context.losses.append((self, value))

    def value(self) -> Any:
        """Value in the last run."""
        found = call_context.added_losses(self)
        return found[-1] if found else None


class WithValues:
    """A function of targets and outputs that finds values in place of outer symbolic tensors.

    Args:
        function: the loss or metric.
        taps: one per symbolic tensor that it uses.
        output: the symbolic output whose value the function gets, if known.
    """

    def __init__(self, function: Any, taps: list[ValueTap], output: KerasTensor | None) -> None:
        functools.update_wrapper(self, function)
        self._function, self._taps, self._output = function, taps, output

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function."""
        values: dict[Any, Any] = {id(tap.tensor): value for tap in self._taps if (value := tap.value()) is not None}
        if self._output is not None and len(args) > 1:
            values[OUTPUTS] = [(self._output, args[1], self._taps[0].training)]
        with override(known=(values, scopes.known)):
            result = self._function(*args, **kwargs)
            return value_now(result) if isinstance(result, KerasTensor) else result


def filled_in(model: Any, functions: Any) -> Any:
    """Losses or metrics with every function that uses outer symbolic tensors of the model made able to."""
    graph = vars(model).get("_functional")
    if functions is None or graph is None:
        return functions
    if isinstance(functions, dict):
        outputs = {tensor._keras_history.operation.name: tensor for tensor in graph.outputs}
        return type(functions)(
            (name, trees.map_structure(lambda one, name=name: _with_values(graph, one, outputs.get(name)), part))
            for name, part in functions.items()
        )
    if len(graph.outputs) > 1 and isinstance(functions, (list, tuple)) and len(functions) == len(graph.outputs):
        return type(functions)(
            trees.map_structure(lambda one, output=output: _with_values(graph, one, output), part)
            for part, output in zip(functions, graph.outputs, strict=True)
        )
    only = graph.outputs[0] if len(graph.outputs) == 1 else None
    return trees.map_structure(lambda one: _with_values(graph, one, only), functions)


def _with_values(graph: Any, function: Any, output: KerasTensor | None) -> Any:
    if not isinstance(function, _FUNCTIONS):
        return function
    tensors = {id(tensor): tensor for tensor in _symbolic_within(function)}
    taps = [ValueTap(tensor) for tensor in tensors.values()]
    for tap in taps:
        try:
            graph.tap(tap.tensor, tap)
        except ValueError:  # a tensor of another model: the function alone can say what it is for
            return function
    return WithValues(function, taps, output) if taps else function


def _symbolic_within(function: Any, seen: set[int] | None = None) -> Iterator[KerasTensor]:
    """Symbolic tensors that a function may use: bound arguments, outer variables, and those of functions among them."""
    seen = set() if seen is None else seen
    if id(function) in seen:
        return
    seen.add(id(function))
    if isinstance(function, functools.partial):
        found = [*function.args, *function.keywords.values(), function.func]
    elif isinstance(function, types.MethodType):
        found = [*getattr(function.__self__, "__dict__", {}).values(), function.__func__]
    else:
        names = set(_names(function.__code__))
        found = [value for name, value in function.__globals__.items() if name in names]
        found += [cell.cell_contents for cell in function.__closure__ or () if _is_filled(cell)]
        found += list(function.__defaults__ or ()) + list((function.__kwdefaults__ or {}).values())
    for value in found:
        if isinstance(value, KerasTensor):
            yield value
        elif isinstance(value, (list, tuple, dict)):
            yield from (leaf for leaf in trees.flatten(value) if isinstance(leaf, KerasTensor))
        elif isinstance(value, _FUNCTIONS) and not getattr(value, "__module__", "").startswith("hornbeam"):
            yield from _symbolic_within(value, seen)


def _names(code: types.CodeType) -> Iterator[str]:
    """Global names in a function and in the functions inside it."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)


def _is_filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True


def around_compile(compile_method: Any) -> Any:
    """Give ``compile`` losses and metrics that use symbolic tensors of the model."""

    @functools.wraps(compile_method)
    def compiled(self: Any, *args: Any, **kwargs: Any) -> None:
        args = tuple(filled_in(self, one) if place > 0 else one for place, one in enumerate(args))
        for name in ("loss", "metrics", "weighted_metrics"):
            if name in kwargs:
                kwargs[name] = filled_in(self, kwargs[name])
        compile_method(self, *args, **kwargs)

    return compiled


AROUND_COMPILATION = {"compile": around_compile}
