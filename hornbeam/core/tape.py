"""``GradientTape``: reverse-mode differentiation of what ran eagerly.

A node of the tape is one call of a ``Pure`` function (``core.pure``): an op, a whole built-in layer, a whole model.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.base import trees
from hornbeam.base.errors import TapeError
from hornbeam.core import scopes as scopes_module
from hornbeam.core.backward import Node, PlainSteps, TapedSteps, stack_taped
from hornbeam.core.pure import is_inexact
from hornbeam.core.scopes import scopes
from hornbeam.core.tensor import HostTensor, Tensor, wrap
from hornbeam.core.variable import Variable

__all__ = ["GradientTape"]

logger = logging.getLogger(__name__)
_ones_like = jax.jit(jnp.ones_like)
_zeros_like = jax.jit(jnp.zeros_like)


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
        self._nodes: list[Node] = []
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
                raise ValueError(
                    f"GradientTape.watch: only tensors and variables can be watched, received {leaf!r} "
                    f"(a {type(leaf).__name__}). Make a tensor of it, with tf.constant."
                )
            if isinstance(leaf, HostTensor) or not (leaf.dtype.is_floating or leaf.dtype.is_complex):
                logger.warning(
                    "GradientTape.watch: a tensor of dtype %r has no gradient; cast it to a float first", leaf.dtype
                )
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

    def _record(self, node: Node) -> None:
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
                found = self._walk(targets, weights, TapedSteps())
        else:
            found = self._walk(targets, weights, PlainSteps())
        leaves = [self._result(found, source, zero) for source in trees.flatten(sources)]
        if not self._persistent:
            self._nodes, self._live = [], {}
        return trees.pack(sources, leaves) if trees.is_nested(sources) else leaves[0]

    def _claim(self) -> None:
        if self._used and not self._persistent:
            raise RuntimeError(
                "A non-persistent GradientTape gives gradients once and forgets its record; this one has given them. "
                "Create it with persistent=True to call it again."
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
                logger.warning(
                    "GradientTape: a target of dtype %s has no gradient; it counts as unconnected", value.dtype
                )
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
        value = _value_of(target)
        basis = jnp.eye(value.size, dtype=value.dtype).reshape((value.size, *shape))
        keys = [self._source_of(source) for source in flat_sources]

        if outer:
            rows = []
            with scopes_module.override(tapes=outer):
                for row in range(value.size):
                    found = self._walk([target], [wrap(basis[row])], TapedSteps())
                    rows.append([found.get(key) for key in keys])
            results = [stack_taped([row[i] for row in rows], shape) for i in range(len(keys))]
        else:

            def one_row(cotangent: Any) -> list:
                found = self._walk([target], [cotangent], PlainSteps(inside_trace=True))
                return [found.get(key) for key in keys]

            if not experimental_use_pfor:
                parallel_iterations = 1
            if parallel_iterations is None or parallel_iterations >= value.size:
                stacked = jax.vmap(one_row)(basis)
            else:
                stacked = jax.lax.map(one_row, basis, batch_size=parallel_iterations)
            results = [None if rows is None else wrap(rows.reshape(shape + rows.shape[1:])) for rows in stacked]
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
        batch = target.shape[0]
        if tuple(source.shape)[:1] != (batch,):
            raise ValueError(
                "batch_jacobian: target and source have the same samples on axis 0. "
                f"Received: target {tuple(target.shape)}, source {tuple(source.shape)}"
            )
        self._claim()
        self._used = False
        inner = tuple(target.shape)[1:]
        width = 1
        for size in inner:
            width *= size
        value = _value_of(target)
        basis = jnp.eye(width, dtype=value.dtype).reshape((width, 1, *inner))
        key = self._source_of(source)

        def one_entry(cotangent: Any) -> Any:
            found = self._walk([target], [jnp.broadcast_to(cotangent, value.shape)], PlainSteps(inside_trace=True))
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


def _value_of(item: Any) -> Any:
    if isinstance(item, Variable):
        return item.read_array()
    return item._value if isinstance(item, Tensor) else item


def _wants_zero(unconnected_gradients: Any) -> bool:
    name = getattr(unconnected_gradients, "value", unconnected_gradients)
    if name not in ("none", "zero"):
        raise ValueError(
            f"Unknown value for unconnected_gradients: {unconnected_gradients!r}; expected 'none' or 'zero'."
        )
    return name == "zero"
