"""Compiled functions as methods of objects, and for tensors of given specs."""

from __future__ import annotations

import copy
import inspect
import types
from typing import TYPE_CHECKING, Any

import numpy as np

from hornbeam.base import trees
from hornbeam.core import symbolic
from hornbeam.core.spec import TensorSpec
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import Tensor, from_host
from hornbeam.core.variable import Variable

if TYPE_CHECKING:
    from hornbeam.core.function import Function


class BoundFunction:
    """A compiled function as a method of an object."""

    __slots__ = ("__func__", "__self__", "__weakref__")

    def __init__(self, function: Function, owner: Any) -> None:
        self.__func__, self.__self__ = function, owner

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the function on the object and the arguments."""
        return self.__func__(self.__self__, *args, **kwargs)

    def get_concrete_function(self, *args: Any, **kwargs: Any) -> ConcreteFunction:
        """See ``Function.get_concrete_function``."""
        return self.__func__._made_concrete((self.__self__,), args, kwargs)

    @property
    def __signature__(self) -> inspect.Signature:
        return inspect.signature(types.MethodType(self.__func__.python_function, self.__self__))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            # Python asks for those of an object that is just being made, too.
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self.__func__, name)

    def __deepcopy__(self, memo: dict) -> BoundFunction:
        return BoundFunction(self.__func__, copy.deepcopy(self.__self__, memo))

    def __reduce__(self) -> tuple[Any, ...]:
        return getattr, (self.__self__, self.__func__.python_function.__name__)

    def __eq__(self, other: object) -> bool:
        same = isinstance(other, BoundFunction)
        return same and self.__func__ is other.__func__ and self.__self__ is other.__self__

    def __hash__(self) -> int:
        return hash((id(self.__func__), id(self.__self__)))

    def __repr__(self) -> str:
        return f"<bound {self.__func__.name} of {self.__self__!r}>"


class ConcreteFunction:
    """A function for tensors of given specs.

    Args:
        function: the function.
        owner: the object it is a method of, alone in a tuple, or nothing.
        args: arguments by position; specs stand for tensors.
        kwargs: arguments by name.
    """

    def __init__(self, function: Function, owner: tuple, args: tuple, kwargs: dict[str, Any]) -> None:
        self._owner = function
        self.bound_to = owner
        self.structured_input_signature = (args, kwargs)
        self.name = function.name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run it on tensors, by position or by name, or on a value in the place of each argument."""
        specs, named = self.structured_input_signature
        places = [place for place, spec in enumerate(specs) if _has_tensors(spec)]
        if len(args) == len(specs):
            places = list(range(len(specs)))
        filled = list(specs)
        for place, value in zip(places, args, strict=False):
            if not _has_tensors(specs[place]) and value != specs[place]:
                raise TypeError(
                    f"{self.name}() was traced with {specs[place]!r} at position {place}; it cannot take {value!r}. "
                    "Trace it with that value by `get_concrete_function`."
                )
            filled[place] = trees.map_up_to(specs[place], fit, specs[place], value)
        if len(args) > len(places):
            raise TypeError(f"{self.name}() takes {len(places)} tensors, but {len(args)} arguments were given.")
        names = self._names()
        for place in places[len(args) :]:
            name = names[place] if place < len(names) else None
            if name not in kwargs:
                raise TypeError(f"{self.name}() takes {len(places)} tensors; the one at position {place} is missing.")
            filled[place] = trees.map_up_to(specs[place], fit, specs[place], kwargs.pop(name))
        options = {
            name: trees.map_up_to(spec, fit, spec, kwargs.pop(name)) if name in kwargs else spec
            for name, spec in named.items()
        }
        if missing := [name for name, value in options.items() if _has_tensors(value)]:
            raise TypeError(f"{self.name}() was traced with the tensors {missing}, which were not given.")
        if kwargs:
            raise TypeError(f"{self.name}() was not traced with arguments {sorted(kwargs)}.")
        return self._owner(*self.bound_to, *filled, **options)

    def _names(self) -> list[str]:
        own = self._owner._signature
        return [] if own is None else list(own.parameters)[len(self.bound_to) :]

    @property
    def inputs(self) -> list[TensorSpec]:
        """Specs of the tensors."""
        return [leaf for leaf in trees.flatten(self.structured_input_signature) if isinstance(leaf, TensorSpec)]

    @property
    def structured_outputs(self) -> Any:
        """Specs of what it returns, in the form the function returns it; unknown sizes stand as None."""
        symbols = trees.map_structure(
            lambda leaf: KerasTensor(leaf.shape, leaf.dtype) if isinstance(leaf, TensorSpec) else leaf,
            self.structured_input_signature,
        )
        run = self._owner.python_function
        # An abstract run, in which variables keep their values.
        made = symbolic.infer(lambda given: run(*self.bound_to, *given[0], **given[1]), symbols)
        return trees.map_structure(
            lambda leaf: TensorSpec(leaf.shape, leaf.dtype) if isinstance(leaf, KerasTensor) else leaf, made
        )

    @property
    def graph(self) -> Any:
        """What ``tf.summary.graph`` draws."""
        return self._owner


def spec_of(leaf: Any) -> Any:
    """The spec in a tensor's place; other values as they are."""
    if isinstance(leaf, (Tensor, np.ndarray)):
        return TensorSpec(leaf.shape, leaf.dtype)
    return leaf


def _has_tensors(value: Any) -> bool:
    return any(isinstance(leaf, TensorSpec) for leaf in trees.flatten(value))


def fit(spec: Any, value: Any) -> Any:
    """A value as a tensor of a spec; beside anything but a spec, the value as it is.

    Raises:
        TypeError: shape or dtype differs.
    """
    if not isinstance(spec, TensorSpec):
        return value
    if not isinstance(value, (Tensor, KerasTensor)):
        array = np.asarray(value.read_array() if isinstance(value, Variable) else value)
        value = (
            from_host(array.astype(spec.dtype.as_numpy_dtype))
            if not isinstance(value, Variable)
            else value.read_value()
        )
    if not spec.is_compatible_with(value):
        raise TypeError(
            f"Python inputs incompatible with input_signature: expected {spec}, received a tensor of shape "
            f"{tuple(value.shape)} and dtype {value.dtype.name}."
        )
    return value
