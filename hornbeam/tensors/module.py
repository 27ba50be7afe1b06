"""``tf.Module``: an object that finds the variables in its attributes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

from hornbeam.base import trees
from hornbeam.core.variable import Variable
from hornbeam.tensors.scopes import name_scope

__all__ = ["Module"]


def _snake(name: str) -> str:
    """``MyDenseNet`` as ``my_dense_net``; an abbreviation stays one word."""
    words = ""
    for place, letter in enumerate(name):
        before, after = name[place - 1 : place], name[place + 1 : place + 2]
        starts = letter.isupper() and place and (before.islower() or before.isdigit() or after.islower())
        words += ("_" if starts else "") + letter.lower()
    return words


def _is_layer(item: Any) -> bool:
    """Objects that are no modules but hold variables all the same, such as layers."""
    return (
        not isinstance(item, (Module, Variable)) and hasattr(item, "trainable_variables") and hasattr(item, "variables")
    )


class Module:
    """Base class of objects with variables, modules and layers in their attributes.

    Args:
        name: a Python identifier; by default the name of the class, in lower case with underscores.

    Example:
        >>> class Dense(tf.Module):
        ...     def __init__(self, width, units, name=None):
        ...         super().__init__(name)
        ...         self.w = tf.Variable(tf.zeros((width, units)), name="w")
        >>> Dense(3, 2).trainable_variables[0].shape
        TensorShape([3, 2])

    References: TensorFlow `tf.Module`.
    """

    _TF_MODULE_IGNORED_PROPERTIES: frozenset[str] = frozenset()

    def __init__(self, name: str | None = None) -> None:
        name = _snake(type(self).__name__) if name is None else name
        if not name.isidentifier():
            raise ValueError(
                f"tf.Module: a name is a Python identifier (letters, digits, '_'). Received: name={name!r}"
            )
        self._name = name

    @property
    def name(self) -> str:
        """Name of the module."""
        return self._name

    @property
    def name_scope(self) -> name_scope:
        """Name scope of the module, for a ``with`` statement."""
        return name_scope(self._name)

    @property
    def variables(self) -> tuple[Variable, ...]:
        """Variables of the module and of all below it, in the order of attribute names."""
        return tuple(self._variables_where(lambda variable: True))

    @property
    def trainable_variables(self) -> tuple[Variable, ...]:
        """Those of the variables that are trainable."""
        return tuple(self._variables_where(lambda variable: variable.trainable))

    @property
    def non_trainable_variables(self) -> tuple[Variable, ...]:
        """Those of the variables that are not trainable."""
        return tuple(self._variables_where(lambda variable: not variable.trainable))

    @property
    def submodules(self) -> tuple[Any, ...]:
        """Modules and layers below this one."""
        found = []
        for item in _walk(self, {id(self)}):
            if isinstance(item, Module):
                found.append(item)
            elif _is_layer(item):
                inner = item._flatten_layers() if hasattr(item, "_flatten_layers") else [item]
                found += [layer for layer in inner if all(layer is not known for known in found)]
        return tuple(found)

    def _variables_where(self, predicate: Callable[[Any], bool]) -> Iterator[Variable]:
        given: set[int] = set()
        for item in _walk(self, {id(self)}):
            for variable in [item] if isinstance(item, Variable) else item.variables if _is_layer(item) else []:
                if id(variable) not in given and predicate(variable):
                    given.add(id(variable))
                    yield variable

    @classmethod
    def with_name_scope(cls, method: Callable) -> Callable:
        """Make a method run inside the module's name scope."""

        @functools.wraps(method)
        def scoped(self: Module, *args: Any, **kwargs: Any) -> Any:
            with self.name_scope:
                return method(self, *args, **kwargs)

        return scoped


def _walk(module: Module, seen: set[int]) -> Iterator[Any]:
    """Variables, modules and layers below a module, each once: own ones first, in the order of attribute names."""
    below = []
    for name in sorted(vars(module)):
        if name in module._TF_MODULE_IGNORED_PROPERTIES:
            continue
        for leaf in trees.flatten(vars(module)[name]):
            if id(leaf) in seen or not (isinstance(leaf, (Variable, Module)) or _is_layer(leaf)):
                continue
            seen.add(id(leaf))
            yield leaf
            if isinstance(leaf, Module):
                below.append(leaf)
    for inner in below:
        yield from _walk(inner, seen)
