"""``GradientTape``: reverse-mode differentiation of what ran eagerly.

A node of the tape is one call of a ``Pure`` function: an op, a whole built-in layer, a whole model.
Its forward pass is one compiled program that also returns the pullback (which JAX makes a pytree, so it
crosses ``jit``); its backward pass is another. Nothing is traced twice for equal shapes.

When a gradient is taken while another tape records (second derivatives), the backward pass of a node
runs as a taped call of its own, "recompute, then pull back", which the other tape can differentiate.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.base import trees
from hornbeam.base.errors import TapeError
from hornbeam.core import scopes as scopes_module
from hornbeam.core.scopes import scopes
from hornbeam.core.tensor import HostTensor, Tensor, wrap
from hornbeam.core.variable import Variable
from hornbeam.engine.jax_compat import Tracer, wide_types

logger = logging.getLogger(__name__)


class Pure:
    """A pure function of arrays with its compiled forms: plain, with residuals, and backward.

    Args:
        function: takes arrays, returns a list of arrays.
        compiled: False if the function must not be compiled (user code that runs as written).
    """

    __slots__ = ("_backward", "_compiled", "_forward", "function", "out_tree", "plain")

    def __init__(self, function: Callable[..., list], compiled: bool = True) -> None:
        self.function = function
        self.out_tree: Any = None
        self._compiled = compiled
        self.plain = jax.jit(function) if compiled else function
        self._forward: dict[tuple, Callable] = {}
        self._backward: dict[tuple, Pure] = {}

    def forward(self, wrt: tuple[int, ...], traced: bool) -> Callable:
        """Function ``(*args) -> (outputs, pullback)`` that differentiates the arguments at ``wrt``."""
        made = self._forward.get((wrt, traced))
        if made is None:
            function = self.function

            def with_pullback(*args: Any) -> tuple[list, Any]:
                def of_wrt(*chosen: Any) -> tuple[list, list]:
                    filled = list(args)
                    for position, value in zip(wrt, chosen, strict=True):
                        filled[position] = value
                    outputs = function(*filled)
                    inexact = [is_inexact(out) for out in outputs]
                    return (
                        [out for out, keep in zip(outputs, inexact, strict=True) if keep],
                        [out for out, keep in zip(outputs, inexact, strict=True) if not keep] + [inexact_marks(inexact)],
                    )

                floats, pullback, rest = jax.vjp(of_wrt, *(args[i] for i in wrt), has_aux=True)
                marks = rest.pop()
                floats, rest = iter(floats), iter(rest)
                return [next(floats) if keep else next(rest) for keep in marks.flags], pullback

            made = with_pullback if traced or not self._compiled else jax.jit(with_pullback)
            self._forward[(wrt, traced)] = made
        return made

    def backward(self, wrt: tuple[int, ...], present: tuple[bool, ...]) -> Pure:
        """The pure function ``(*args, *cotangents) -> gradients`` at ``wrt``, for second derivatives."""
        made = self._backward.get((wrt, present))
        if made is None:
            n_cotangents = sum(present)

            def recompute_and_pull(*values: Any) -> list:
                args = values[: len(values) - n_cotangents]
                given = iter(values[len(values) - n_cotangents :])
                outputs, pullback = self.forward(wrt, True)(*args)
                floats = [out for out in outputs if is_inexact(out)]
                cotangents = [next(given) if has else jnp.zeros_like(out) for out, has in zip(floats, present, strict=True)]
                return list(pullback(cotangents))

            made = self._backward[(wrt, present)] = Pure(recompute_and_pull, self._compiled)
        return made


class inexact_marks:  # noqa: N801 - a static pytree node, used like a function
    """Which outputs are floating; travels through a trace as structure, not as data."""

    def __init__(self, flags: Sequence[bool]) -> None:
        self.flags = tuple(flags)


jax.tree_util.register_pytree_node(
    inexact_marks, lambda marks: ((), marks.flags), lambda flags, _: inexact_marks(flags)
)


def is_inexact(array: Any) -> bool:
    """True for arrays that carry gradients: float and complex ones."""
    return jnp.issubdtype(array.dtype, jnp.inexact)


class _Node:
    """One recorded call."""

    __slots__ = ("args", "inputs", "outputs", "pullback", "pure", "traced", "wrt")

    def __init__(self, pure: Pure, args: Sequence, inputs: list, wrt: tuple, outputs: list, pullback: Any, traced: bool):
        self.pure, self.args, self.inputs, self.wrt = pure, args, inputs, wrt
        self.outputs, self.pullback, self.traced = outputs, pullback, traced


def execute(pure: Pure, objects: Sequence[Any], values: Sequence[Any], wide: bool = False) -> list[Any]:
    """Run a pure function on values, recording it on every tape that watches one of the objects.

    Args:
        pure: the function.
        objects: for each argument the Tensor or Variable it came from, or None.
        values: the arrays themselves.
        wide: run with 64-bit dtypes kept.

    Returns:
        Output tensors.
    """
    tapes = scopes.tapes
    seen = tuple(
        i
        for i, item in enumerate(objects)
        if item is not None and any(tape._sees(item) for tape in tapes) and is_inexact(values[i])
    )
    if not seen:
        with wide_types(True) if wide else _nothing:
            return [wrap(out) for out in pure.plain(*values)]
    traced = any(isinstance(value, Tracer) for value in values)
    if traced:
        # Outside ``jit`` Python numbers stay what they are; functions expect weak-typed arrays.
        values = [jnp.asarray(value) if type(value) in (int, float, complex) else value for value in values]
    with wide_types(True) if wide else _nothing:
        arrays, pullback = pure.forward(seen, traced)(*values)
    outputs = [wrap(out) for out in arrays]
    node = _Node(pure, values, [objects[i] for i in seen], seen, outputs, pullback, traced)
    for tape in tapes:
        if any(tape._sees(item) for item in node.inputs):
            tape._record(node)
    return outputs


class _Nothing:
    def __enter__(self) -> None:
        return None

    def __exit__(self, *details: object) -> None:
        return None


_nothing = _Nothing()


@jax.jit
def _pull(pullback: Any, cotangents: list, outputs: list) -> Any:
    filled = [jnp.zeros_like(out) if ct is None else ct for ct, out in zip(cotangents, outputs, strict=True)]
    return pullback(filled)


_ones_like = jax.jit(jnp.ones_like)
_zeros_like = jax.jit(jnp.zeros_like)
_sum_two = Pure(lambda a, b: [a + b])


class GradientTape:
    """Records operations on watched tensors and variables, and differentiates them.

    Args:
        persistent: allow several calls of ``gradient`` (resources are held until the tape is deleted).
        watch_accessed_variables: watch trainable variables as soon as they are read.

    References: TensorFlow ``tf.GradientTape``.
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        self._persistent = persistent
        self._auto = watch_accessed_variables
        self._live: dict[int, Any] = {}
        self._variables: dict[int, Variable] = {}
        self._aliases: dict[int, Variable] = {}
        self._nodes: list[_Node] = []
        self._used = False
        self._entered = False

    # --- recording -------------------------------------------------------------------------------
    def __enter__(self) -> GradientTape:
        if self._entered:
            raise ValueError("Tape is still recording; it can't be entered a second time inside itself.")
        self._entered = True
        scopes.tapes = (*scopes.tapes, self)
        return self

    def __exit__(self, *details: Any) -> None:
        self._entered = False
        scopes.tapes = tuple(tape for tape in scopes.tapes if tape is not self)

    def watch(self, tensor: Any) -> None:
        """Watch tensors or variables (any nesting of them)."""
        for leaf in trees.flatten(tensor):
            if not isinstance(leaf, (Tensor, Variable)):
                raise ValueError(f"Passed in object {leaf!r} of type {type(leaf).__name__}, not tf.Tensor or tf.Variable.")
            if isinstance(leaf, HostTensor) or not (leaf.dtype.is_floating or leaf.dtype.is_complex):
                logger.warning("The dtype of the watched tensor must be floating (e.g. tf.float32), got %r", leaf.dtype)
            self._live[id(leaf)] = leaf
            if isinstance(leaf, Variable):
                self._variables[id(leaf)] = leaf

    def _sees(self, item: Any) -> bool:
        if id(item) in self._live:
            return True
        if self._auto and isinstance(item, Variable) and item._trainable:
            self._live[id(item)] = item
            self._variables[id(item)] = item
            return True
        return False

    def _watches(self, tensor: Tensor) -> bool:
        return id(tensor) in self._live

    def _alias(self, variable: Variable, tensor: Tensor) -> None:
        if self._sees(variable):
            self._live[id(tensor)] = tensor
            self._aliases[id(tensor)] = variable

    def _record(self, node: _Node) -> None:
        self._nodes.append(node)
        for output in node.outputs:
            if is_inexact(output._value):
                self._live[id(output)] = output

    @contextmanager
    def stop_recording(self) -> Any:
        """Operations inside this ``with`` block are not recorded."""
        if not self._entered:
            raise ValueError("Tape is not recording.")
        before = scopes.tapes
        scopes.tapes = tuple(tape for tape in before if tape is not self)
        try:
            yield
        finally:
            scopes.tapes = before

    def reset(self) -> None:
        """Forget everything recorded and watched so far."""
        self._live, self._variables, self._aliases, self._nodes, self._used = {}, {}, {}, [], False

    def watched_variables(self) -> tuple[Variable, ...]:
        """Variables watched, in the order of their first use."""
        return tuple(self._variables.values())

    # --- differentiating -------------------------------------------------------------------------
    def gradient(
        self,
        target: Any,
        sources: Any,
        output_gradients: Any = None,
        unconnected_gradients: Any = "none",
    ) -> Any:
        """Gradient of the sum of ``target`` with respect to ``sources``.

        Args:
            target: tensor or nesting of tensors.
            sources: tensor, variable, or nesting of them.
            output_gradients: one weight tensor per target; default ones.
            unconnected_gradients: ``"none"`` gives None for sources that do not matter, ``"zero"`` zeros.

        Returns:
            Gradients in the structure of ``sources``.

        Raises:
            RuntimeError: a tape that is not persistent was used twice.
        """
        self._claim()
        zero = _wants_zero(unconnected_gradients)
        targets = [item for item in trees.flatten(target) if item is not None]
        weights = trees.flatten(output_gradients) if output_gradients is not None else [None] * len(targets)
        outer = tuple(tape for tape in scopes.tapes if tape is not self or self._persistent)
        if outer:
            with scopes_module.override(tapes=outer):
                found = self._walk(targets, weights, _TapedSteps())
        else:
            found = self._walk(targets, weights, _PlainSteps())
        leaves = [self._result(found, source, zero) for source in trees.flatten(sources)]
        if not self._persistent:
            self._nodes, self._live = [], {}
        return trees.pack(sources, leaves) if trees.is_nested(sources) else leaves[0]

    def _claim(self) -> None:
        if self._used and not self._persistent:
            raise RuntimeError(
                "A non-persistent GradientTape can only be used to compute one set of gradients (or jacobians). "
                "Create it with persistent=True to use it again."
            )
        self._used = True
        if self._entered and not self._persistent:
            self.__exit__()

    def _source_of(self, item: Any) -> int:
        alias = self._aliases.get(id(item))
        return id(alias) if alias is not None else id(item)

    def _result(self, found: dict[int, Any], source: Any, zero: bool) -> Any:
        if not isinstance(source, (Tensor, Variable)):
            raise ValueError(f"Passed in source {source!r} of type {type(source).__name__}, not a tensor or variable.")
        gradient = found.get(self._source_of(source), found.get(id(source)))
        if gradient is None:
            if not zero:
                return None
            return wrap(_zeros_like(source.read_array() if isinstance(source, Variable) else source._value))
        return gradient if isinstance(gradient, Tensor) else wrap(gradient)

    def _walk(self, targets: list, weights: list, steps: Any) -> dict[int, Any]:
        """Pull cotangents through the recorded nodes, last first; returns cotangents by id of the source."""
        found: dict[int, Any] = {}
        for target, weight in zip(targets, weights, strict=True):
            if not isinstance(target, (Tensor, Variable)):
                raise TapeError(f"The target of a gradient must be a tensor, received {type(target).__name__}.")
            value = target.read_array() if isinstance(target, Variable) else target._value
            if not is_inexact(value):
                logger.warning("The dtype of the target tensor must be floating when calling gradient, got %s", value.dtype)
                continue
            if weight is None:
                seed = steps.lift(_ones_like(value))
            else:
                seed = steps.lift(jnp.broadcast_to(jnp.asarray(_value_of(weight), value.dtype), value.shape), weight)
            steps.add(found, self._source_of(target), seed)
        for node in reversed(self._nodes):
            cotangents = [found.get(self._source_of(out)) for out in node.outputs if is_inexact(out._value)]
            if all(ct is None for ct in cotangents):
                continue
            for item, gradient in zip(node.inputs, steps.pull(node, cotangents), strict=True):
                steps.add(found, self._source_of(item), gradient)
        return found

    def jacobian(
        self,
        target: Any,
        sources: Any,
        unconnected_gradients: Any = "none",
        parallel_iterations: int | None = None,
        experimental_use_pfor: bool = True,
    ) -> Any:
        """Jacobian: for each source an array of shape ``target.shape + source.shape``.

        ``parallel_iterations`` bounds the rows that are computed at once (default: all, vectorised);
        ``experimental_use_pfor=False`` computes them one by one.
        """
        self._claim()
        zero = _wants_zero(unconnected_gradients)
        flat_sources = trees.flatten(sources)
        shape = tuple(target.shape)
        outer = tuple(tape for tape in scopes.tapes if tape is not self)
        value = target._value
        basis = jnp.eye(value.size, dtype=value.dtype).reshape((value.size, *shape))
        keys = [self._source_of(source) for source in flat_sources]

        if outer:
            rows = []
            with scopes_module.override(tapes=outer):
                for row in range(value.size):
                    found = self._walk([target], [wrap(basis[row])], _TapedSteps())
                    rows.append([found.get(key) for key in keys])
            results = [_stack_taped([row[i] for row in rows], shape) for i in range(len(keys))]
        else:

            def one_row(cotangent: Any) -> list:
                found = self._walk([target], [cotangent], _PlainSteps(inside_trace=True))
                return [found.get(key) for key in keys]

            if not experimental_use_pfor:
                parallel_iterations = 1
            if parallel_iterations is None or parallel_iterations >= value.size:
                stacked = jax.vmap(one_row)(basis)
            else:
                stacked = jax.lax.map(one_row, basis, batch_size=parallel_iterations)
            results = [
                None if rows is None else wrap(rows.reshape(shape + rows.shape[1:])) for rows in stacked
            ]
        leaves = []
        for source, result in zip(flat_sources, results, strict=True):
            if result is None and zero:
                result = wrap(jnp.zeros(shape + tuple(source.shape), _value_of(source).dtype))
            leaves.append(result)
        if not self._persistent:
            self._nodes, self._live = [], {}
        return trees.pack(sources, leaves) if trees.is_nested(sources) else leaves[0]

    def batch_jacobian(
        self,
        target: Tensor,
        source: Any,
        unconnected_gradients: Any = "none",
        parallel_iterations: int | None = None,
        experimental_use_pfor: bool = True,
    ) -> Any:
        """Jacobian of each row of ``target`` with respect to the same row of ``source`` only.

        Shape ``(batch, *target.shape[1:], *source.shape[1:])``; rows must not depend on each other.
        """
        batch = tuple(target.shape)[0]
        if tuple(source.shape)[:1] != (batch,):
            raise ValueError(
                f"Need first dimension of target shape ({target.shape}) and source shape ({source.shape}) to match."
            )
        self._claim()
        self._used = False
        inner = tuple(target.shape)[1:]
        width = 1
        for size in inner:
            width *= size
        value = target._value
        basis = jnp.eye(width, dtype=value.dtype).reshape((width, 1, *inner))
        key = self._source_of(source)

        def one_entry(cotangent: Any) -> Any:
            found = self._walk([target], [jnp.broadcast_to(cotangent, value.shape)], _PlainSteps(inside_trace=True))
            return found.get(key)

        sequential = not experimental_use_pfor or (parallel_iterations or width) < width
        rows = (
            jax.lax.map(one_entry, basis, batch_size=1 if not experimental_use_pfor else parallel_iterations)
            if sequential
            else jax.vmap(one_entry)(basis)
        )
        self._claim()
        if not self._persistent:
            self._nodes, self._live = [], {}
        if rows is None:
            if not _wants_zero(unconnected_gradients):
                return None
            rows = jnp.zeros((width, *source.shape), value.dtype)
        moved = jnp.moveaxis(rows, 0, 1)
        return wrap(moved.reshape((batch, *inner, *tuple(source.shape)[1:])))


class _PlainSteps:
    """Backward steps on arrays, for when no other tape is recording."""

    def __init__(self, inside_trace: bool = False) -> None:
        self._inside_trace = inside_trace

    def lift(self, seed: Any, weight: Any = None) -> Any:
        return seed

    def add(self, found: dict[int, Any], key: int, gradient: Any) -> None:
        before = found.get(key)
        found[key] = gradient if before is None else _sum_two.plain(before, gradient)[0]

    def pull(self, node: _Node, cotangents: list) -> Any:
        outputs = [out._value for out in node.outputs if is_inexact(out._value)]
        wide = any(array.dtype.itemsize == 8 for array in outputs)
        with wide_types(True) if wide else _nothing:
            if node.traced or self._inside_trace or not node.pure._compiled:
                filled = [jnp.zeros_like(o) if ct is None else ct for ct, o in zip(cotangents, outputs, strict=True)]
                return node.pullback(filled)
            return _pull(node.pullback, cotangents, outputs)


class _TapedSteps:
    """Backward steps on tensors, recorded by the tapes that are still open."""

    def lift(self, seed: Any, weight: Any = None) -> Tensor:
        if isinstance(weight, Tensor) and tuple(weight.shape) == tuple(seed.shape):
            return weight
        return wrap(seed)

    def add(self, found: dict[int, Any], key: int, gradient: Tensor) -> None:
        before = found.get(key)
        if before is not None:
            gradient = execute(_sum_two, [before, gradient], [before._value, gradient._value])[0]
        found[key] = gradient

    def pull(self, node: _Node, cotangents: list) -> list[Tensor]:
        present = tuple(ct is not None for ct in cotangents)
        given = [ct for ct in cotangents if ct is not None]
        objects: list[Any] = [None] * len(node.args)
        for position, item in zip(node.wrt, node.inputs, strict=True):
            objects[position] = item
        values = [*node.args, *(ct._value for ct in given)]
        wide = any(getattr(value, "dtype", None) is not None and value.dtype.itemsize == 8 for value in values)
        return execute(node.pure.backward(node.wrt, present), [*objects, *given], values, wide)


def _stack_taped(rows: list, shape: tuple[int, ...]) -> Any:
    if any(row is None for row in rows):
        return None
    pure = Pure(lambda *parts: [jnp.stack(parts).reshape(shape + parts[0].shape)])
    return execute(pure, rows, [row._value for row in rows])[0]


def _value_of(item: Any) -> Any:
    if isinstance(item, Variable):
        return item.read_array()
    return item._value if isinstance(item, Tensor) else item


def _wants_zero(unconnected_gradients: Any) -> bool:
    name = getattr(unconnected_gradients, "value", unconnected_gradients)
    if name not in ("none", "zero"):
        raise ValueError(f"Unknown value for unconnected_gradients: {unconnected_gradients!r}; expected 'none' or 'zero'.")
    return name == "zero"
