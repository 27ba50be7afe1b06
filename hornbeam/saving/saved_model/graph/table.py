"""The table of operations, and what their implementations are handed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.base.errors import UnsupportedFileError
from hornbeam.saving.protos import Message
from hornbeam.saving.saved_model.structure import shape_of
from hornbeam.saving.tf_checkpoint.kinds import numpy_dtype

__all__ = ["OPS", "Node", "Operation", "is_known", "op", "static"]


class Operation(NamedTuple):
    """How an operation is run.

    Attributes:
        run: ``(node, *inputs)`` gives the output, or a list of outputs.
        outputs: names of its outputs, where there are several under names of their own.
        foldable: computed beforehand if all inputs are known.
    """

    run: Callable
    outputs: tuple[str, ...]
    foldable: bool


OPS: dict[str, Operation] = {}
"""Operations by name. Nothing else in a file is ever run."""


def op(*names: str, outputs: tuple[str, ...] = (), foldable: bool = True) -> Callable:
    """Put a function into the table under the names of operations."""

    def register(run: Callable) -> Callable:
        for name in names:
            OPS[name] = Operation(run, outputs, foldable)
        return run

    return register


def is_known(name: str) -> bool:
    """Whether an operation is in the table."""
    return name in OPS


class Node:
    """A node of a graph, with its attributes as Python values.

    Args:
        proto: the node.
        machine: the interpreter, for operations that run functions.
    """

    __slots__ = ("_proto", "machine", "name", "op", "xp")

    def __init__(self, proto: Message, machine: Any) -> None:
        self._proto = proto
        self.name = proto.name
        self.op = proto.op
        self.machine = machine
        self.xp: Any = jnp

    def _attr(self, name: str) -> Message | None:
        return self._proto.attr.get(name)

    def number(self, name: str, default: Any = 0) -> Any:
        """An integer, float or truth value."""
        value = self._attr(name)
        kind = value.which() if value is not None else None
        return default if kind is None else getattr(value, kind)

    def text(self, name: str, default: str = "") -> str:
        """A string."""
        value = self._attr(name)
        return default if value is None else value.s.decode("utf-8", "replace")

    def raw(self, name: str) -> bytes:
        """A string of bytes."""
        value = self._attr(name)
        return b"" if value is None else value.s

    def numbers(self, name: str, default: tuple = ()) -> list[Any]:
        """A list of integers or floats."""
        value = self._attr(name)
        if value is None:
            return list(default)
        return list(value.list.i or value.list.f)

    def texts(self, name: str) -> list[str]:
        """A list of strings."""
        value = self._attr(name)
        return [] if value is None else [item.decode("utf-8", "replace") for item in value.list.s]

    def flags(self, name: str) -> list[bool]:
        """A list of truth values."""
        value = self._attr(name)
        return [] if value is None else list(value.list.b)

    def dtype(self, name: str, default: str | None = None) -> np.dtype:
        """A dtype, narrowed to what programs here work with."""
        value = self._attr(name)
        if value is None:
            if default is None:
                raise UnsupportedFileError(f"Node {self.name!r} ({self.op}) has no attribute {name!r}.")
            found = np.dtype(default)
        else:
            found = numpy_dtype(value.type)
        return found if self.xp is np else np.dtype(jax.dtypes.canonicalize_dtype(found))

    def dtypes(self, name: str) -> list[int]:
        """Numbers of a list of dtypes."""
        value = self._attr(name)
        return [] if value is None else list(value.list.type)

    def shape(self, name: str) -> tuple[int | None, ...] | None:
        """A shape."""
        value = self._attr(name)
        return None if value is None else shape_of(value.shape)

    def shapes(self, name: str) -> list[Any]:
        """A list of shapes."""
        value = self._attr(name)
        return [] if value is None else [shape_of(shape) for shape in value.list.shape]

    def tensor(self, name: str) -> Message:
        """A constant."""
        value = self._attr(name)
        if value is None:
            raise UnsupportedFileError(f"Node {self.name!r} ({self.op}) has no attribute {name!r}.")
        return value.tensor

    def function(self, name: str) -> str:
        """Name of a function."""
        value = self._attr(name)
        return "" if value is None else value.func.name

    def functions(self, name: str) -> list[str]:
        """Names of a list of functions."""
        value = self._attr(name)
        return [] if value is None else [item.name for item in value.list.func]


def static(node: Node, value: Any, what: str) -> np.ndarray:
    """An input that must be known when the program is made, such as a shape or an axis.

    Raises:
        UnsupportedFileError: it depends on the data.
    """
    if isinstance(value, np.ndarray):
        return value
    if isinstance(value, (int, float, np.generic)):
        return np.asarray(value)
    raise UnsupportedFileError(
        f"Node {node.name!r} ({node.op}): its {what} depends on the values of the data, so the program has no fixed "
        "shapes, which XLA needs."
    )
