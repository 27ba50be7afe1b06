"""Compiled programs of layer calls.

A built-in layer (``pure``: no Python side effects) runs eagerly as one compiled program; so does a model
made only of such layers, whatever its depth. A program is made once per shapes, dtypes, training flag and
configuration of the layers in it, and keeps count of the configuration to notice changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import attrgetter
from types import BuiltinFunctionType, CellType, FunctionType
from typing import Any

import jax

from hornbeam.core.compiled import CompiledProgram
from hornbeam.core.frame import Program
from hornbeam.core.tensor import Tensor

_versions = attrgetter("_version")


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
        program = Program(call, tensors)
        self._compiled = CompiledProgram(program, tensors)
        self.owners: list[Any] = []
        graph = vars(layer).get("_functional")
        self.exposes_inner = (graph is not None and graph.exposes_inner) or bool(held_tensors(self.layers))
        # The tree has a tensor around each array; outputs come as tensors already, which must stay the same objects.
        example = jax.tree_util.tree_unflatten(program.out_tree, list(range(program.out_tree.num_leaves)))
        self._tree = jax.tree_util.tree_structure(example, is_leaf=lambda node: hasattr(node, "_value"))
        # The common case: one tensor out and nothing else.
        self._single = bool(tensors) and _is_single(program.out_tree)

    def is_current(self) -> bool:
        """False once a layer in it was changed."""
        return sum(map(_versions, self.layers)) == self.version

    def run(self, tensors: list[Any]) -> Any:
        """Run on tensors of the shapes it was made for; returns (outputs, losses)."""
        outputs = self._compiled.run(tensors)
        if self._single:
            return outputs[0], ()
        return jax.tree_util.tree_unflatten(self._tree, outputs)


def _is_single(out_tree: Any) -> bool:
    if out_tree.num_leaves != 1:
        return False
    outputs, extras = jax.tree_util.tree_unflatten(out_tree, [0])
    return not extras and not isinstance(outputs, (list, tuple, dict))


def held_tensors(layers: Iterable[Any]) -> list[Tensor]:
    """Tensors kept as attributes, also in lists and dicts, or read by functions from around them.

    They are constants to a compiled program, but a tape may watch them, as it may a kernel that another network has
    made.
    """
    found: list[Tensor] = []
    for layer in layers:
        for name, value in vars(layer).items():
            found.extend(_tensors_in(name, value))
        found.extend(_tensors_around(type(layer).call))
    return found


def _tensors_around(function: FunctionType) -> list[Tensor]:
    """Tensors that a user's function reads from the functions around it, or from its module."""
    if not isinstance(function, FunctionType) or (function.__module__ or "").startswith(("hornbeam.", "jax.")):
        return []
    cells = [cell.cell_contents for cell in function.__closure__ or () if cell != _EMPTY_CELL]
    known = function.__globals__
    return [
        value
        for value in (*cells, *(known[name] for name in function.__code__.co_names if name in known))
        if isinstance(value, Tensor)
    ]


_EMPTY_CELL = CellType()


def _tensors_in(name: str, value: Any) -> Iterable[Tensor]:
    if isinstance(value, Tensor):
        return (value,)
    if isinstance(value, FunctionType):
        return _tensors_around(value)
    if not isinstance(value, (list, tuple, dict)) or not value or name[0] == "_":  # a layer's own book-keeping
        return ()
    return [held for held in (value.values() if isinstance(value, dict) else value) if isinstance(held, Tensor)]


def is_pure(layer: Any) -> bool:
    """True if the layer and all in it may run compiled: built-in classes with built-in (or jax) functions in them."""
    return all(_is_pure_alone(inner) for inner in layer._flatten_layers())


def _is_pure_alone(layer: Any) -> bool:
    known = layer.__dict__.get("_purity")
    if known is not None and known[0] == layer._version:
        return known[1]
    allowed = vars(layer).get("pure", True) and _class_is_pure(type(layer))
    verdict = allowed and not any(_is_foreign(value) for value in vars(layer).values())
    layer.__dict__["_purity"] = (layer._version, verdict)
    return verdict


def _class_is_pure(kind: type) -> bool:
    """True if ``pure`` was declared by the class that defines ``call``, or below: not where ``call`` is overridden."""
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
