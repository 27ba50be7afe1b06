"""Iterators over data sets, which can tell and take up their position."""

from __future__ import annotations

import json
import threading
import weakref
from typing import Any

import numpy as np

from hornbeam.base import trees
from hornbeam.base.errors import NotSupportedError, TraceError, explain
from hornbeam.core.scopes import scopes
from hornbeam.core.variable import Variable
from hornbeam.data.blocks import Block
from hornbeam.data.plan import Carry, Node, Run, Scope
from hornbeam.data.structure import to_tensors
from hornbeam.errors import InvalidArgumentError, OutOfRangeError

_AT_ONCE = 256
_STATE_BYTES = 4096


class Elements:
    """One pass over a plan, element by element, on the host.

    Args:
        node: the plan.
        state: where to begin: what ``get_state`` gave, here or in another process with the same plan.
    """

    def __init__(self, node: Node, state: dict[str, Any] | None = None) -> None:
        self._node = node
        self._lock = threading.Lock()
        self._finalizer: Any = None
        self._begin(state)

    def _begin(self, state: dict[str, Any] | None) -> None:
        self._run = Run(state)
        cursor = self._node.open(Scope(self._run))
        if self._finalizer is not None:
            self._finalizer()
        self._finalizer = weakref.finalize(self, cursor.close)
        self._carry = Carry(cursor, _AT_ONCE)
        self._position = 0
        if state and state["position"]:
            self._position = self._carry.skip(state["position"])

    def next(self) -> tuple[Any, list[Any]] | None:
        """Skeleton and leaves of the next element; None at the end."""
        with self._lock:
            found = self._carry.element()
            if found is None:
                self._finalizer()
            else:
                self._position += 1
            return found

    def next_block(self, limit: int) -> Block | None:
        """Some elements at once."""
        with self._lock:
            found = self._carry.next(limit)
            if found is None:
                self._finalizer()
            else:
                self._position += found.count
            return found

    def get_state(self) -> dict[str, Any]:
        """Position and seeds, as plain Python values."""
        with self._lock:
            return {**self._run.state(), "position": self._position}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go to the position of a state."""
        if not isinstance(state, dict) or not {"entropy", "passes", "position"} <= set(state):
            raise ValueError(
                explain(
                    "This is no state of a data set's iterator.",
                    expected="what get_state() gave: a dict with 'entropy', 'passes' and 'position'",
                    received=repr(state)[:200],
                )
            )
        with self._lock:
            self._begin(state)

    def close(self) -> None:
        """Stop threads, close files."""
        self._finalizer()


class Iterator:
    """Elements of a data set, as tensors.

    Exact resume: ``state = iterator.get_state()`` (a small dict of numbers, fit for JSON) and later, also in another
    process with the same pipeline, ``iterator.set_state(state)``. The elements that follow are those that would have
    followed.

    References: TensorFlow `tf.data.Iterator`.
    """

    def __init__(self, dataset: Any) -> None:
        self._dataset = dataset
        self._elements = Elements(dataset._node)
        self._stored: Variable | None = None
        self._written: Any = None

    def __iter__(self) -> Iterator:
        return self

    def __next__(self) -> Any:
        found = self._next()
        if found is None:
            raise StopIteration
        return trees.pack(found[0], to_tensors(found[1]))

    def _next(self) -> tuple[Any, list[Any]] | None:
        if scopes.frame is not None and not scopes.pipeline:
            # A program that is captured would keep this element for all of its runs.
            raise TraceError(
                explain(
                    "Elements of a data set cannot be taken inside a compiled function.",
                    expected="the elements as its arguments",
                    received=f"an iterator of {self._dataset!r}",
                    fix="run the loop over the data set in Python, and compile the function that it calls",
                )
            )
        if self._stored is not None and self._stored._array is not self._written:
            self._take_up()
        return self._elements.next()

    # --- tf.train.Checkpoint ---------------------------------------------------------------------
    def _checkpoint_children(self) -> list[tuple[str, Any]]:
        """The state as a variable of bytes. A checkpoint that was read into it counts from the next element on."""
        if self._stored is None:
            self._stored = Variable(np.zeros(_STATE_BYTES, np.uint8), trainable=False, name="state")
        elif self._stored._array is not self._written:
            self._take_up()
        text = json.dumps(self._elements.get_state()).encode()
        if len(text) > _STATE_BYTES:
            raise NotSupportedError(
                f"The state of this iterator takes {len(text)} bytes, a checkpoint holds {_STATE_BYTES}: the data set "
                "has too many steps. Store `iterator.get_state()` yourself."
            )
        self._stored.assign(np.frombuffer(text.ljust(_STATE_BYTES), np.uint8))
        self._written = self._stored._array
        return [("state", self._stored)]

    def _take_up(self) -> None:
        """Go where the checkpoint says that was read."""
        stored = self._stored
        if stored is not None:
            self._written = stored._array
            self._elements.set_state(json.loads(bytes(stored.numpy())))

    def next(self) -> Any:
        """Same as ``next(iterator)``."""
        return self.__next__()

    def get_next(self, name: str | None = None) -> Any:
        """The next element.

        Raises:
            OutOfRangeError: there is none.
        """
        found = self._next()
        if found is None:
            raise OutOfRangeError(None, None, "End of sequence: the data set has no more elements.")
        return trees.pack(found[0], to_tensors(found[1]))

    def get_next_as_optional(self) -> Optional:
        """The next element, or an ``Optional`` without value."""
        found = self._next()
        if found is None:
            return Optional.empty(self.element_spec)
        return Optional.from_value(trees.pack(found[0], to_tensors(found[1])))

    @property
    def element_spec(self) -> Any:
        """Specs of an element."""
        return self._dataset.element_spec

    @property
    def initializer(self) -> None:
        """Nothing to run: iterators begin by themselves."""
        return None

    def get_state(self) -> dict[str, Any]:
        """Position and seeds, as plain Python values."""
        return self._elements.get_state()

    def set_state(self, state: dict[str, Any]) -> None:
        """Go to the position of a state.

        Args:
            state: what ``get_state`` gave.
        """
        self._elements.set_state(state)

    def close(self) -> None:
        """Stop threads, close files. Happens by itself at the end, and when the iterator is dropped."""
        self._elements.close()


class NumpyIterator:
    """Elements of a data set, as NumPy arrays, scalars and ``bytes``."""

    def __init__(self, dataset: Any) -> None:
        self._elements = Elements(dataset._node)

    def __iter__(self) -> NumpyIterator:
        return self

    def __next__(self) -> Any:
        found = self._elements.next()
        if found is None:
            raise StopIteration
        skeleton, leaves = found
        return leaves[0] if skeleton == 0 else trees.pack(skeleton, leaves)

    def next(self) -> Any:
        """Same as ``next(iterator)``."""
        return self.__next__()

    def get_state(self) -> dict[str, Any]:
        """Position and seeds, as plain Python values."""
        return self._elements.get_state()

    def set_state(self, state: dict[str, Any]) -> None:
        """Go to the position of a state."""
        self._elements.set_state(state)


class Optional:
    """An element, or none.

    References: TensorFlow `tf.experimental.Optional`.
    """

    def __init__(self, value: Any, has: bool, spec: Any) -> None:
        self._value, self._has, self._spec = value, has, spec

    @staticmethod
    def empty(element_spec: Any) -> Optional:
        """No element."""
        return Optional(None, False, element_spec)

    @staticmethod
    def from_value(value: Any) -> Optional:
        """An element."""
        return Optional(value, True, None)

    def has_value(self, name: str | None = None) -> bool:
        """Whether there is one."""
        return self._has

    def get_value(self, name: str | None = None) -> Any:
        """The element.

        Raises:
            InvalidArgumentError: there is none.
        """
        if not self._has:
            raise InvalidArgumentError(None, None, "This Optional has no value: ask has_value() first.")
        return self._value

    @property
    def element_spec(self) -> Any:
        """Spec of the element."""
        return self._spec
