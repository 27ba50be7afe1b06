"""Compiled programs of layer calls.

A built-in layer (``pure``: no Python side effects) runs eagerly as one compiled program; so does a model
made only of such layers, whatever its depth. A program is made once per shapes, dtypes, training flag and
configuration of the layers in it, and keeps count of the configuration to notice changes.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from operator import attrgetter
from types import BuiltinFunctionType, FunctionType
from typing import Any

import jax

from hornbeam.base import dtypes
from hornbeam.core.backward import execute
from hornbeam.core.frame import Program
from hornbeam.core.pure import Pure
from hornbeam.core.scopes import scopes
from hornbeam.core.tensor import wrap
from hornbeam.core.variable import commit_all, commit_lock, read_all
from hornbeam.engine.jax_compat import wide_types

_versions = attrgetter("_version")
_nothing = nullcontext()


class Plan:
    """One compiled layer call.

    Args:
        layer: the layer.
        call: function ``(*tensors) -> (outputs, losses)`` that runs the layer's call on input tensors.
        tensors: example inputs.
    """

    def __init__(self, layer: Any, call: Callable, tensors: list[Any]) -> None:
        self.layers = layer._flatten_layers()
        self.version = sum(map(_versions, self.layers))
        self.program = Program(call, tensors)
        program = self.program
        n_reads, n_consts = len(program.reads), len(program.consts)
        self.n_outputs = program.n_outputs
        self.reads, self.writes, self.consts = program.reads, program.writes, program.consts
        self.owners: list[Any] = []
        self.wide = any(dtypes.is_wide(array.dtype.name) for array in (*read_all(self.reads), *self.consts)) or any(
            dtypes.is_wide(tensor.dtype) for tensor in tensors
        )

        def flat(*values: Any) -> list[Any]:
            outputs, written = program.pure(
                values[:n_reads], values[n_reads : n_reads + n_consts], values[n_reads + n_consts :]
            )
            return [*outputs, *written]

        self.pure = Pure(flat)
        # The common case: one tensor out and nothing else.
        self.single = self.n_outputs == 1 and not self.writes and bool(tensors) and _is_single(program.out_tree)

    def is_current(self) -> bool:
        """False once a layer in it was changed."""
        return sum(map(_versions, self.layers)) == self.version

    def run(self, tensors: list[Any]) -> Any:
        """Run on tensors of the shapes it was made for; returns (outputs, losses)."""
        arrays = [tensor._value for tensor in tensors]
        if scopes.tapes:
            with commit_lock:
                values = [*read_all(self.reads), *self.consts, *arrays]
            objects = [*self.reads, *([None] * len(self.consts)), *tensors]
            results = execute(self.pure, objects, values, self.wide)
            if self.writes:
                commit_all(self.writes, [result._value for result in results[self.n_outputs :]])
            results = results[: self.n_outputs]
            # The tree has a tensor around each array; put the recorded tensors themselves in.
            return jax.tree_util.tree_unflatten(_tensor_leaves(self.program), results)
        with wide_types(True) if self.wide else _nothing, commit_lock:
            results = self.pure.plain(*read_all(self.reads), *self.consts, *arrays)
            if self.writes:
                commit_all(self.writes, results[self.n_outputs :])
        if self.single:
            return wrap(results[0]), ()
        return self.program.unflatten(results[: self.n_outputs])


def _is_single(out_tree: Any) -> bool:
    if out_tree.num_leaves != 1:
        return False
    outputs, extras = jax.tree_util.tree_unflatten(out_tree, [0])
    return not extras and not isinstance(outputs, (list, tuple, dict))


def _tensor_leaves(program: Program) -> Any:
    """The output tree with tensors, not the arrays inside them, as leaves."""
    known = program.__dict__.get("tensor_tree")
    if known is None:
        example = jax.tree_util.tree_unflatten(program.out_tree, list(range(program.out_tree.num_leaves)))
        known = jax.tree_util.tree_structure(example, is_leaf=lambda node: hasattr(node, "_value"))
        program.__dict__["tensor_tree"] = known
    return known


def is_pure(layer: Any) -> bool:
    """True if the layer and all in it may run compiled: built-in classes with built-in (or jax) functions in them."""
    return all(_is_pure_alone(inner) for inner in layer._flatten_layers())


def _is_pure_alone(layer: Any) -> bool:
    known = layer.__dict__.get("_purity")
    if known is not None and known[0] == layer._version:
        return known[1]
    verdict = _class_is_pure(type(layer)) and not any(_is_foreign(value) for value in vars(layer).values())
    layer.__dict__["_purity"] = (layer._version, verdict)
    return verdict


def _class_is_pure(kind: type) -> bool:
    """True if ``pure`` was declared by the class that defines ``call``, or below it: not by a class whose call "
    "is overridden.
    """
    if kind.pure is not True:  # type: ignore[attr-defined]
        return False
    declared = next(i for i, base in enumerate(kind.__mro__) if "pure" in vars(base))
    defined = next(i for i, base in enumerate(kind.__mro__) if "call" in vars(base))
    return declared <= defined


def _is_foreign(value: Any) -> bool:
    if isinstance(value, (FunctionType, BuiltinFunctionType)):
        module = getattr(value, "__module__", None) or ""
        return not module.startswith(("hornbeam.", "jax.", "jax", "builtins")) or module == "__main__"
    kind = type(value)
    return (
        callable(value)
        and not isinstance(value, type)
        and not kind.__module__.startswith(("hornbeam.", "jax", "numpy", "builtins", "collections", "threading"))
    )
