"""Symbolic tensors and shape inference.

Shapes are inferred by running the function abstractly with concrete sizes in place of the unknown ones,
twice, with different sizes: output axes that differ between the two runs are unknown. This needs no
hand-written rule per op and never meets an undecidable comparison of symbols.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from typing import Any

import jax
import numpy as np

from hornbeam.base import dtypes, names, shapes, trees
from hornbeam.base.callers import library_of
from hornbeam.base.errors import SymbolicError, TraceError, explain
from hornbeam.core import scopes as scopes_module
from hornbeam.core import sizes
from hornbeam.core.frame import Frame
from hornbeam.core.tensor import Reference, Tensor, wrap
from hornbeam.engine.jax_compat import Tracer, wide_types


def _jax_function() -> str | None:
    """Name of the public function of ``jnp`` or ``jax.nn`` that the user called, if there is one on the stack."""
    frame: Any = sys._getframe(1)
    found = None
    while frame is not None:
        code = frame.f_code
        if library_of(frame) == "jax":
            if hasattr(jax.numpy, code.co_name) or hasattr(jax.nn, code.co_name):
                found = code.co_name
        elif found is not None:
            break
        frame = frame.f_back
    return found


class KerasTensor:
    """A tensor without a value: shape (``None`` for unknown sizes), dtype, and the call that made it.

    Args:
        shape: sizes, ``None`` for unknown ones.
        dtype: element type.
        sparse: True for a sparse tensor.
        name: name; a default one is made up.
    """

    def __init__(
        self,
        shape: Any,
        dtype: Any = "float32",
        sparse: bool = False,
        ragged: bool = False,
        name: str | None = None,
        record_history: bool = True,
    ) -> None:
        self._shape = shapes.TensorShape(shapes.standardize(shape))
        self._dtype = dtypes.as_dtype(dtype)
        self.sparse = bool(sparse)
        self.ragged = bool(ragged)
        self.name = name or names.auto_name("KerasTensor")
        self.record_history = record_history
        self._keras_history: Any = None
        self._keras_mask: Any = None
        self._from_sizes = False  # made of sizes of other tensors alone
        self._uncast: KerasTensor | None = None  # what a layer was given and cast for itself

    @property
    def shape(self) -> shapes.TensorShape:
        """Sizes of the axes, ``None`` for unknown ones."""
        return self._shape

    @property
    def dtype(self) -> dtypes.DType:
        """Element type."""
        return self._dtype

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self._shape)

    @property
    def node(self) -> Any:
        """The call that made this tensor, or None."""
        history = self._keras_history
        return None if history is None else history.operation._inbound_nodes[history.node_index]

    def get_shape(self) -> shapes.TensorShape:
        """Same as ``shape``."""
        return self._shape

    def set_shape(self, shape: Any) -> None:
        """Narrow the shape to what it and ``shape`` both allow."""
        self._shape = self._shape.merge_with(shape)

    def ref(self) -> Reference:
        """Hashable reference."""
        return Reference(self)

    def _refuse(self, what: str) -> TraceError:
        return TraceError(
            f"A symbolic tensor has no value, so it cannot be {what}.\n"
            f"  received: {self!r}\n"
            "  fix:      use layers or keras.ops / tf functions on it, or put the code into a Layer's `call`"
        )

    def numpy(self) -> Any:
        """Raise: there is no value."""
        raise self._refuse("turned into NumPy")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        raise self._refuse("turned into NumPy")

    @property
    def __jax_array__(self) -> Any:
        # JAX asks whether this is there before it complains in words of its own; it would wrap a TypeError in these.
        name = _jax_function()
        use = f"`keras.ops.{name}`" if name else "the function of `keras.ops` of that name"
        who = f"`{name}` of JAX" if name else "A jax or jnp function"
        raise SymbolicError(
            explain(
                f"{who} was given a symbolic tensor, which has no value.",
                expected="an array, or a tensor with a value",
                received=repr(self),
                fix=f"use {use}, which becomes a part of the model; or put the code into the `call` of a Layer",
            )
        )

    def __bool__(self) -> bool:
        raise self._refuse("used as a Python bool")

    def __int__(self) -> int:
        raise self._refuse("turned into an int")

    def __float__(self) -> float:
        raise self._refuse("turned into a float")

    def __iter__(self) -> Any:
        size = self._shape[0] if self._shape else None
        if size is None:
            raise TypeError("Iterating over a symbolic KerasTensor whose first size is unknown is not possible.")
        return (self[i] for i in range(size))  # type: ignore[index]

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        sparse = ", sparse=True" if self.sparse else ""
        return f"<KerasTensor shape={tuple(self._shape)}, dtype={self._dtype.name}{sparse}, name={self.name}>"


def is_symbolic(structure: Any) -> bool:
    """True if any leaf is a symbolic tensor."""
    return any(isinstance(leaf, KerasTensor) for leaf in trees.flatten(structure))


_MANY = 20_000_000  # numbers that may be computed with to learn a shape


def _struct(tensor: KerasTensor, shape: tuple[int, ...]) -> jax.ShapeDtypeStruct:
    """Shape and dtype with concrete sizes put in."""
    return jax.ShapeDtypeStruct(shape, np.dtype(tensor.dtype.as_numpy_dtype))


def infer(function: Callable, structure: Any, *, of_one_op: bool = False) -> Any:
    """Output of ``function(structure)`` as symbolic tensors, without computing anything.

    Args:
        function: takes the structure with tensors in place of symbolic ones.
        structure: any nesting with symbolic tensors as leaves.
        of_one_op: the function is a single op, so that more ways to fill unknown sizes may be tried.

    Returns:
        The outputs with every array replaced by a ``KerasTensor``.
    """
    given = trees.flatten(structure)
    leaves = _sources([leaf for leaf in given if isinstance(leaf, KerasTensor)])
    unknown = [tuple(leaf.shape) for leaf in leaves]

    def run(pair: sizes.Pair, filled: list[tuple[int, ...]]) -> Any:
        return _abstract_run(function, structure, leaves, pair, filled)

    if not any(None in shape for shape in unknown):
        return trees.map_structure(_as_symbolic, run(sizes.FIRST[0], sizes.plain(unknown, sizes.FIRST[0])))
    try:
        runs = [run(pair, sizes.plain(unknown, pair)) for pair in sizes.FIRST]
    except (TypeError, ValueError) as error:
        beside = [tuple(leaf.shape) for leaf in given if isinstance(leaf, (Tensor, jax.Array, np.ndarray))]
        for pairs, fill, broadcasts in sizes.other_ways(unknown, beside, error, of_one_op):
            try:
                runs = [run(pair, fill(pair)) for pair in pairs]
                if not broadcasts or _is_broadcast(runs[0], [*fill(pairs[0]), *beside]):
                    break
            except (TypeError, ValueError):
                continue
        else:
            raise error from None
    return trees.map_structure(_as_symbolic, *runs)


def _is_broadcast(outputs: Any, shapes: list[tuple[int, ...]]) -> bool:
    """Whether all outputs are of the shape to which these broadcast."""
    expected = np.broadcast_shapes(*shapes)
    return all(tuple(getattr(leaf, "shape", ())) == expected for leaf in trees.flatten(outputs))


def from_sizes(items: Iterable) -> bool:
    """True if a symbolic tensor that is made of sizes alone is among the items or in a list among them."""
    for item in items:
        kind = type(item)
        if kind is KerasTensor:
            if item._from_sizes:
                return True
        elif (kind is list or kind is tuple) and from_sizes(item):
            return True
    return False


def _sources(leaves: list[KerasTensor]) -> list[KerasTensor]:
    """The tensors, with those whose sizes they are made of in place of tensors made of sizes."""
    found: dict[int, KerasTensor] = {}
    for leaf in leaves:
        sources = _sources(leaf.node.inputs) if leaf._from_sizes else [leaf]
        found.update((id(source), source) for source in sources)
    return list(found.values())


def _abstract_run(
    function: Callable, structure: Any, leaves: list[KerasTensor], pair: sizes.Pair, filled: list[tuple[int, ...]]
) -> Any:
    result: list[Any] = []

    def run(arrays: list) -> list:
        by_id = {id(leaf): wrap(array) for leaf, array in zip(leaves, arrays, strict=True)}

        def fill(leaf: Any) -> Any:
            if isinstance(leaf, KerasTensor) and leaf._from_sizes:
                return _computed(leaf, by_id)  # a known number, since all sizes are numbers here
            return by_id.get(id(leaf), leaf)

        filled = trees.map_structure(fill, structure)
        # Writes to variables go into this frame and end with it: nothing may change while shapes are inferred.
        with Frame(parent=scopes_module.scopes.frame):
            output = function(filled)
        flat = trees.flatten(output)
        result[:] = [output]
        return [leaf._value for leaf in flat if isinstance(leaf, Tensor)] + [
            leaf for leaf in flat if isinstance(leaf, jax.Array)
        ]

    structs = [_struct(leaf, shape) for leaf, shape in zip(leaves, filled, strict=True)]
    wide = any(leaf.dtype in dtypes.WIDE for leaf in leaves)
    with scopes_module.override(symbolic=True, tapes=(), sizes=pair), wide_types(True) if wide else nullcontext():
        try:
            jax.eval_shape(run, structs)
        except jax.errors.ConcretizationTypeError as error:
            # Python code asks for a value (`if x > 0:`). Some value is enough to learn the shapes.
            if sum(math.prod(struct.shape) for struct in structs) > _MANY:
                raise TraceError(
                    "Code that builds a model asks for the value of a symbolic tensor, as `if x > 0:` does. Use "
                    "tf.cond, tf.where or keras.ops.cond, or build the model on inputs of known, smaller shapes."
                ) from error
            run([jax.numpy.zeros(struct.shape, struct.dtype) for struct in structs])
    return trees.map_structure(_spec, result[0])


def with_values(structure: Any) -> Any:
    """The structure with values in place of symbolic tensors, or None where these are to stay symbolic.

    A function that runs on values may refer to symbolic tensors of the program around it (a loss that uses the code
    of an autoencoder, say). They have values while their graph runs; while shapes are inferred, any will do.

    Raises:
        TypeError: symbolic tensors without values beside values of a running program.
    """
    leaves = trees.flatten(structure)
    if not any(isinstance(leaf, (Tensor, jax.Array)) for leaf in leaves):
        return None
    running = any(isinstance(getattr(leaf, "_value", leaf), Tracer) for leaf in leaves)
    if not running and scopes_module.scopes.known is None:
        return None
    found = {id(leaf): value_now(leaf) for leaf in leaves if isinstance(leaf, KerasTensor)}
    if any(value is None for value in found.values()):
        if not running:
            return None
        unknown = next(leaf for leaf in leaves if found.get(id(leaf), leaf) is None)
        raise TypeError(str(unknown._refuse("used in a computation on values")))
    return trees.map_structure(lambda leaf: found.get(id(leaf), leaf), structure)


def value_now(tensor: KerasTensor) -> Any:
    """Value of a symbolic tensor in the graph that runs, computed if need be; None if it has none."""
    known = scopes_module.scopes.known
    while known is not None:
        values, known = known
        value = _computed(tensor, values)
        if value is not None and not isinstance(value, KerasTensor):
            return value
    if scopes_module.scopes.symbolic:
        struct = _struct(tensor, *sizes.plain([tuple(tensor.shape)], scopes_module.scopes.sizes))
        return wrap(jax.numpy.zeros(struct.shape, struct.dtype))
    return None


OUTPUTS = "outputs"
"""Key, beside values of symbolic tensors, of triples (symbolic output, value, training flag) of the graph that ran."""


def symbol_of(value: Any) -> tuple[KerasTensor, Any] | None:
    """The symbolic output of the graph that ran whose value this very tensor is, and the run's training flag."""
    known, array = scopes_module.scopes.known, getattr(value, "_value", value)
    while known is not None:
        values, known = known
        for symbol, found, training in values.get(OUTPUTS, ()):
            if found is value or getattr(found, "_value", found) is array:
                return symbol, training
    return None


def _computed(tensor: KerasTensor, values: dict[int, Any]) -> Any:
    """Value of a tensor from the values of those it was made of; None if these are not known."""
    if id(tensor) in values:
        return values[id(tensor)]
    node = tensor.node
    if node is None or not node.inputs or any(_computed(one, values) is None for one in node.inputs):
        return None
    args, kwargs = node.arguments(values)
    for output, value in zip(node.outputs, trees.flatten(node.operation(*args, **kwargs)), strict=True):
        values[id(output)] = value
    return values[id(tensor)]


def _spec(leaf: Any) -> Any:
    if isinstance(leaf, Tensor):
        return jax.ShapeDtypeStruct(leaf._value.shape, leaf._value.dtype)
    if isinstance(leaf, jax.Array):
        return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype)
    return leaf


def _as_symbolic(first: Any, second: Any = None) -> Any:
    if not isinstance(first, jax.ShapeDtypeStruct):
        return first
    if second is None:
        shape: tuple = first.shape
    else:
        shape = tuple(a if a == b else None for a, b in zip(first.shape, second.shape, strict=True))
    return KerasTensor(shape, first.dtype.name)
