"""Which strategy is in force, and which replica runs."""

from __future__ import annotations

import enum
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import jax

from hornbeam.base import trees
from hornbeam.base.errors import NotSupportedError, explain
from hornbeam.core import placement
from hornbeam.core.conversion import as_array
from hornbeam.core.scopes import override, scopes
from hornbeam.core.tensor import wrap

if TYPE_CHECKING:
    from hornbeam.distribute.strategy import Strategy


class ReduceOp(enum.Enum):
    """How values of replicas are brought together."""

    SUM = "SUM"
    MEAN = "MEAN"

    @staticmethod
    def of(value: Any) -> ReduceOp:
        """A member from itself or from its name in any case.

        Raises:
            ValueError: another name.
        """
        if isinstance(value, ReduceOp):
            return value
        name = str(getattr(value, "name", value)).upper()
        if name not in ReduceOp.__members__:
            raise ValueError(f"A reduction is 'SUM' or 'MEAN'. Received: {value!r}")
        return ReduceOp[name]


class _State(threading.local):
    strategies: tuple[Any, ...] = ()
    replica: Any = None


_state = _State()
_chosen: list[Any] = []


def current() -> Strategy | None:
    """The innermost strategy whose scope is open, else the one that was set for the process, else None."""
    if _state.strategies:
        return _state.strategies[-1]
    return _chosen[0] if _chosen else None


def choose(strategy: Strategy | None) -> None:
    """Set the strategy of the process, outside of scopes."""
    _chosen[:] = [] if strategy is None else [strategy]


@contextmanager
def entered(strategy: Strategy) -> Iterator[Strategy]:
    """Open the scope of a strategy.

    Raises:
        RuntimeError: the scope of another strategy is open.
    """
    if _state.strategies and _state.strategies[-1] is not strategy:
        raise RuntimeError(
            f"The scope of {type(strategy).__name__} cannot be opened inside the scope of "
            f"{type(_state.strategies[-1]).__name__}. Leave that one first."
        )
    before = _state.strategies
    _state.strategies = (*before, strategy)
    try:
        count = strategy.num_replicas_in_sync
        spread = nullcontext() if strategy.distribution is None else placement.in_force(strategy.distribution)
        with override(strategy=strategy.number, replica_count=count), spread:
            yield strategy
    finally:
        _state.strategies = before


class ReplicaContext:
    """What code inside ``strategy.run`` knows about its replica.

    Attributes:
        strategy: the strategy.
        num_replicas_in_sync: number of replicas.
        replica_id_in_sync_group: number of this one.

    References: TensorFlow ``tf.distribute.ReplicaContext``.
    """

    def __init__(self, strategy: Strategy, number: Any = 0) -> None:
        self.strategy = strategy
        self.num_replicas_in_sync = strategy.num_replicas_in_sync
        self.replica_id_in_sync_group = number

    @property
    def devices(self) -> tuple[str, ...]:
        """The replica's devices."""
        return self.strategy.devices

    def all_reduce(self, reduce_op: Any, value: Any, options: Any = None) -> Any:
        """The value, summed or averaged over replicas; each of them gets it."""
        mean = ReduceOp.of(reduce_op) is ReduceOp.MEAN
        axis = scopes.replica_axis
        if axis is None:
            return value
        together = jax.lax.pmean if mean else jax.lax.psum
        return _on_arrays(lambda array: together(array, axis), value)

    def all_gather(self, value: Any, axis: int, options: Any = None) -> Any:
        """The values of all replicas, joined along an axis."""
        name = scopes.replica_axis
        if name is None:
            return value
        return _on_arrays(lambda array: jax.lax.all_gather(array, name, axis=axis, tiled=True), value)

    def merge_call(self, merge_fn: Any, args: tuple = (), kwargs: dict[str, Any] | None = None) -> Any:
        """Call a function of the strategy and of all replicas' values.

        Raises:
            NotSupportedError: there are several replicas.
        """
        if scopes.replica_axis is not None:
            raise NotSupportedError(
                explain(
                    "ReplicaContext.merge_call() works with one replica.",
                    expected="one replica",
                    received=f"{self.num_replicas_in_sync} replicas, whose code runs as one program",
                    fix="bring values together with `context.all_reduce`, or with `strategy.reduce` after `run`",
                )
            )
        return merge_fn(self.strategy, *args, **(kwargs or {}))

    def __enter__(self) -> ReplicaContext:
        self._before = _state.replica
        _state.replica = self
        return self

    def __exit__(self, *details: Any) -> None:
        _state.replica = self._before


def _on_arrays(function: Any, value: Any) -> Any:
    return trees.map_structure(lambda leaf: wrap(function(as_array(leaf, None))), value)


def replica_context() -> ReplicaContext | None:
    """The replica whose code runs; None outside of ``run``."""
    return _state.replica
