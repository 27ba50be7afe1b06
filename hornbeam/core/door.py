"""The door: every op goes through here.

``@op`` wraps a function of arrays. The wrapped function takes tensors, variables, symbolic tensors,
JAX and NumPy arrays, Python numbers and nested lists, and

- on plain tensors unwraps, calls the compiled function and wraps (the fast path, nothing else is asked);
- on symbolic tensors infers the shape and adds a node to the graph of the functional API;
- under a gradient tape that watches an argument, records the call;
- on 64-bit operands runs with JAX's wide types on (``docs/decisions.md``);
- on string tensors calls the op's host function, if it has one.

Results are tensors, unless all array arguments were raw JAX arrays: then the result is raw too.
"""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import jax
import numpy as np

from hornbeam.base import dtypes, names
from hornbeam.core import symbolic
from hornbeam.core.arguments import INT_LIMIT, SCALARS, filled, keywords, resolved, sort_arguments, value_of
from hornbeam.core.backward import execute
from hornbeam.core.node import Node
from hornbeam.core.pure import Pure
from hornbeam.core.scopes import scopes
from hornbeam.core.tensor import Tensor, wrap
from hornbeam.core.variable import Variable
from hornbeam.engine.jax_compat import ArrayImpl, Tracer, wide_types

_WIDE = dtypes.WIDE
_nothing = nullcontext()


class Op:
    """One op: the array function, its compiled form, and what the door must know about its arguments.

    Attributes:
        name: name of the op, also of its nodes in a graph.
        function: function of arrays and static values.
    """

    def __init__(
        self,
        function: Callable,
        static: tuple[str, ...],
        compiled: bool,
        lists: tuple[str, ...],
        adapt: bool,
        host: Callable | None,
        wide: bool,
    ) -> None:
        self.function = function
        self.name = function.__name__
        parameters = inspect.signature(function).parameters.values()
        self.variadic = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), None)
        self.parameter_names = [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.POSITIONAL_ONLY)]
        self.static = frozenset(static)
        self.lists = frozenset(lists)
        self.adapt = adapt
        self.keeps_dtypes = False
        self.host = host
        self.wide = wide
        self.compiled = compiled
        # Leading array parameters, after which only static ones come by position: what the fast path needs.
        self.leading = 0
        for name in self.parameter_names:
            if name in self.static:
                break
            self.leading += 1
        trailing = self.parameter_names[self.leading :]
        special = bool(self.variadic or self.lists or wide or not compiled)
        self.fast = not special and all(name in self.static for name in trailing)
        self.plain = jax.jit(function, static_argnames=static) if compiled else function
        self.door: Callable = function
        self._pure: dict[Any, Pure] = {}

    def pure(self, tree: Any, static: tuple[tuple[str, Any], ...]) -> Pure:
        """The op as a pure function of its array leaves only; ``pure.out_tree`` is known after its first run."""
        made = self._pure.get((tree, static))
        if made is None:
            fixed = dict(static)

            def flat(*leaves: Any) -> list:
                args, kwargs = jax.tree_util.tree_unflatten(tree, leaves)
                outputs = self.call(args, kwargs, fixed)
                flat_outputs, pure.out_tree = jax.tree_util.tree_flatten(outputs)
                return flat_outputs

            pure = made = self._pure[(tree, static)] = Pure(flat, self.compiled)
        return made

    def call(self, args: list, kwargs: dict[str, Any], static: dict[str, Any]) -> Any:
        """Call the array function on sorted arguments."""
        positional = [resolved(arg) for arg in args]
        named = {name: resolved(arg) for name, arg in kwargs.items()}
        return self.function(*filled(positional, static), **named, **keywords(static))


def op(
    function: Callable | None = None,
    *,
    static: tuple[str, ...] = (),
    compiled: bool = True,
    lists: tuple[str, ...] = (),
    adapt: bool = False,
    host: Callable | None = None,
    wide: bool = False,
) -> Any:
    """Make an op from a function of arrays.

    Args:
        function: takes JAX arrays (and static values), returns an array or a nesting of arrays.
        static: parameters that are Python values, part of the program: ``axis``, ``dtype``, ``shape`` ...
            Lists given for them become tuples, tensors become Python values.
        compiled: False for ops whose result shape depends on the values; they run eagerly only.
        lists: array parameters that take a list (or any nesting) of arrays, such as ``concatenate``'s.
        adapt: NumPy arrays and lists beside a tensor take that tensor's dtype where its kind allows (binary ops).
        host: the function to call instead when a string tensor is among the arguments.
        wide: always run with 64-bit dtypes available, because the function makes them inside.
    """
    if function is None:
        return functools.partial(op, static=static, compiled=compiled, lists=lists, adapt=adapt, host=host, wide=wide)
    return _open(Op(function, static, compiled, lists, adapt, host, wide))


def keeping_dtypes(door: Callable) -> Callable:
    """The same op, programs included, to which NumPy arrays and lists bring their own dtypes.

    64-bit ones count as 32-bit beside narrower tensors, if their values allow.

    Args:
        door: a function made by ``op``; one whose operands do not adapt comes back as it is.
    """
    made = getattr(door, "op", None)
    if not isinstance(made, Op) or not made.adapt:
        return door
    own = copy.copy(made)
    own.keeps_dtypes = True
    return _open(own)


def _open(self: Op) -> Callable:
    """The function through which an op is called."""
    leading, plain, fast, static_names = self.leading, self.plain, self.fast, self.static

    @functools.wraps(self.function)
    def door(*args: Any, **kwargs: Any) -> Any:
        if not fast or scopes.tapes:
            return _general(self, args, kwargs)
        values = []
        tensors = False
        for arg in args[:leading]:
            kind = type(arg)
            if kind is Tensor:
                values.append(arg._value)
                tensors = True
            elif kind is float or kind is bool or (kind is int and -INT_LIMIT <= arg < INT_LIMIT):
                values.append(arg)
            else:
                return _general(self, args, kwargs)
        if not tensors:
            return _general(self, args, kwargs)
        for arg in args[leading:]:
            if not _is_simple(arg):
                return _general(self, args, kwargs)
            values.append(arg)
        for name, arg in kwargs.items():
            if name not in static_names or not _is_simple(arg):
                return _general(self, args, kwargs)
        out = plain(*values, **kwargs)
        return Tensor(out) if type(out) is ArrayImpl else wrap_tree(_known(out, plain, values, kwargs))

    door.op = self  # type: ignore[attr-defined]
    self.door = door
    return door


def _is_simple(value: Any) -> bool:
    """True for static values that the compiled function takes as they are: numbers, narrow dtypes, tuples of ints."""
    kind = type(value)
    if kind is tuple:
        return all(type(item) is int for item in value)
    return kind in SCALARS and value not in _WIDE


_FEW = 8


def _known(out: Any, plain: Callable, args: Any, kwargs: dict[str, Any]) -> Any:
    """A few whole numbers computed from known ones stay known inside a trace.

    Sizes such as ``tf.shape(x)[0] * 2`` may then be used as shapes.
    """
    if not isinstance(out, Tracer) or out.dtype.kind not in "iub" or type(out.size) is not int or out.size > _FEW:
        return out
    if any(isinstance(leaf, Tracer) for leaf in jax.tree_util.tree_leaves((args, kwargs))):
        return out
    with jax.ensure_compile_time_eval():
        return plain(*args, **kwargs)


def wrap_tree(out: Any) -> Any:
    """Tensors in place of arrays, in any nesting."""
    if isinstance(out, (jax.Array, np.ndarray)):
        return wrap(out)
    if isinstance(out, (tuple, list)):
        items = [wrap_tree(item) for item in out]
        return type(out)(*items) if hasattr(out, "_fields") else type(out)(items)
    if isinstance(out, dict):
        return {key: wrap_tree(item) for key, item in out.items()}
    return out


def _general(self: Op, args: tuple, kwargs: dict[str, Any]) -> Any:
    """The door for anything but plain tensors."""
    inputs = sort_arguments(self, args, kwargs)
    if inputs.has_symbolic:
        return _symbolic_call(self, args, kwargs)
    if inputs.has_host:
        if self.host is None:
            raise TypeError(
                f"{self.name}() does not take string tensors. Turn the strings into numbers first, e.g. with "
                "StringLookup, TextVectorization or a tf.strings function."
            )
        return self.host(*args, **kwargs)
    wide = inputs.wide or self.wide
    if scopes.tapes and inputs.has_tensor:
        return _taped_call(self, inputs, wide)
    positional, named = inputs.arrays
    with wide_types(True) if wide else _nothing:
        values = [resolved(value_of(leaf)) for leaf in positional]
        named = {name: resolved(value_of(leaf)) for name, leaf in named.items()}
        given = filled(values, inputs.static)
        options = {**named, **keywords(inputs.static)}
        out = _known(self.plain(*given, **options), self.plain, given, options)
    if inputs.has_raw and not inputs.has_tensor:
        return out
    return wrap_tree(out)


def _is_object(item: Any) -> bool:
    return isinstance(item, (Tensor, Variable))


def _taped_call(self: Op, inputs: Any, wide: bool) -> Any:
    leaves, tree = jax.tree_util.tree_flatten(inputs.arrays, is_leaf=_is_object)
    objects = [leaf if _is_object(leaf) else None for leaf in leaves]
    pure = self.pure(tree, tuple(inputs.static.items()))
    values = [value_of(leaf) for leaf in leaves]
    outputs = execute(pure, objects, values, wide)
    if len(outputs) == 1 and isinstance(held := outputs[0]._value, Tracer):
        with wide_types(True) if wide else _nothing:
            known = _known(held, lambda *given: pure.plain(*given)[0], values, {})
        outputs = outputs if known is held else [wrap(known)]
    return jax.tree_util.tree_unflatten(pure.out_tree, outputs)


class OpCall:
    """An op as an operation of the functional graph: what a layer is for a layer call."""

    def __init__(self, function: Callable, name: str | None = None) -> None:
        self.function = function
        self.name = name or names.auto_name(function.op.name)  # type: ignore[attr-defined]
        self._inbound_nodes: list[Node] = []

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the op."""
        return self.function(*args, **kwargs)

    @property
    def output(self) -> Any:
        """Symbolic output of the op's only call."""
        outputs = self._inbound_nodes[0].outputs
        return outputs[0] if len(outputs) == 1 else outputs

    @property
    def input(self) -> Any:
        """Symbolic inputs of the op's only call."""
        inputs = self._inbound_nodes[0].inputs
        return inputs[0] if len(inputs) == 1 else inputs

    def __repr__(self) -> str:
        return f"<Operation name={self.name}>"


def _symbolic_call(self: Op, args: tuple, kwargs: dict[str, Any]) -> Any:
    if (with_values := symbolic.with_values((args, kwargs))) is not None:
        return self.door(*with_values[0], **with_values[1])
    return graph_call(self.door, args, kwargs)


def graph_call(function: Callable, args: tuple, kwargs: dict[str, Any], *, name: str | None = None) -> Any:
    """Call a function on symbolic tensors: infer its outputs, and add the call to the graph.

    Args:
        function: an op, or another function of tensors.
        args: its arguments.
        kwargs: its keyword arguments.
        name: name of the call; needed for functions that are no ops.

    Returns:
        The outputs, symbolic.
    """

    def run(filled_in: Any) -> Any:
        inner_args, inner_kwargs = filled_in
        return function(*inner_args, **inner_kwargs)

    outputs = symbolic.infer(run, (args, kwargs), of_one_op=True)
    Node(OpCall(function, name), args, kwargs, outputs)
    return outputs
