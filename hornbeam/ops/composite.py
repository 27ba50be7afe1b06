"""Public functions made of several ops: on symbolic tensors they are one node of the graph, under their own name."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterable
from typing import Any

from hornbeam.core import symbolic
from hornbeam.core.arguments import SCALARS
from hornbeam.core.door import OpCall
from hornbeam.core.node import Node
from hornbeam.core.scopes import scopes
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import Tensor
from hornbeam.core.variable import Variable
from hornbeam.engine.jax_compat import Tracer


class Composite:
    """What ``function.op`` of a composite function holds.

    Attributes:
        name: name of the function, also of its nodes in a graph.
        function: the function that calls the ops.
        door: the public function.
    """

    def __init__(self, function: Callable, rule: Callable | None, instead: Callable | None) -> None:
        self.name = function.__name__
        self.function = function
        self.rule = rule
        self.instead = instead
        self.door: Callable = function


def composite(
    function: Callable | None = None, *, rule: Callable | None = None, instead: Callable | None = None
) -> Any:
    """Make a public function of one that calls ops.

    Args:
        function: takes what its caller gives (nothing is converted), calls ops.
        rule: for symbolic arguments, gives the outputs as symbolic tensors, where running the function with
            stand-in sizes would fail or claim too much; it is called like the function. ``None`` from it means
            that running the function is right after all.
        instead: for symbolic arguments, another function to call, or ``None``; it is called like the function.
    """
    if function is None:
        return functools.partial(composite, rule=rule, instead=instead)
    return _open(Composite(function, rule, instead))


def keeping_dtypes(face: Callable) -> Callable:
    """The same function, to whose ops NumPy arrays and lists bring their own dtypes (``core.door.keeping_dtypes``).

    Args:
        face: a composite function that calls nothing of its caller's.
    """
    own: Composite = copy.copy(face.op)  # type: ignore[attr-defined]
    function = own.function

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        before, scopes.own_dtypes = scopes.own_dtypes, True
        try:
            return function(*args, **kwargs)
        finally:
            scopes.own_dtypes = before

    own.function = call
    return _open(own)


def _open(self: Composite) -> Callable:
    """The function by which a composite function is called."""

    @functools.wraps(self.function)
    def face(*args: Any, **kwargs: Any) -> Any:
        if has_symbolic(args) or (kwargs and has_symbolic(kwargs.values())):
            return _symbolic(self, args, kwargs)
        return self.function(*args, **kwargs)

    face.op = self  # type: ignore[attr-defined]
    self.door = face
    return face


def has_symbolic(items: Iterable) -> bool:
    """True if a symbolic tensor is among the items or in a nesting among them."""
    for item in items:
        kind = type(item)
        if kind is Tensor or kind in SCALARS:
            continue
        if isinstance(item, KerasTensor):
            return True
        if (isinstance(item, (list, tuple)) and has_symbolic(item)) or (
            isinstance(item, dict) and has_symbolic(item.values())
        ):
            return True
    return False


def is_traced(x: Any) -> bool:
    """True for a tensor, variable or array whose values are not known yet, inside a compiled function."""
    if isinstance(x, Variable):
        x = x.read_array()
    return isinstance(x._value if isinstance(x, Tensor) else x, Tracer)


def _symbolic(self: Composite, args: tuple, kwargs: dict[str, Any]) -> Any:
    if (with_values := symbolic.with_values((args, kwargs))) is not None:
        return self.door(*with_values[0], **with_values[1])
    if self.instead is not None and (function := self.instead(*args, **kwargs)) is not None:
        return function(*args, **kwargs)
    by_running = self.rule is None or symbolic.from_sizes(args) or symbolic.from_sizes(kwargs.values())
    outputs = None if self.rule is None or by_running else self.rule(*args, **kwargs)
    if outputs is None:
        outputs = symbolic.infer(lambda given: self.function(*given[0], **given[1]), (args, kwargs), of_one_op=True)
    Node(OpCall(self.door), args, kwargs, outputs)
    return outputs
