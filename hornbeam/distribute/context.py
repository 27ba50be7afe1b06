"""Which strategy is in force, and which replica runs."""

from __future__ import annotations

import enum
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from hornbeam.core.scopes import override

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
        with override(strategy=strategy.number):
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

    def __init__(self, strategy: Strategy) -> None:
        self.strategy = strategy
        self.num_replicas_in_sync = strategy.num_replicas_in_sync
        self.replica_id_in_sync_group = 0

    @property
    def devices(self) -> tuple[str, ...]:
        """The replica's devices."""
        return self.strategy.devices

    def all_reduce(self, reduce_op: Any, value: Any, options: Any = None) -> Any:
        """The value, summed or averaged over replicas; each of them gets it."""
        ReduceOp.of(reduce_op)
        return value

    def all_gather(self, value: Any, axis: int, options: Any = None) -> Any:
        """The values of all replicas, joined along an axis."""
        return value

    def merge_call(self, merge_fn: Any, args: tuple = (), kwargs: dict[str, Any] | None = None) -> Any:
        """Call a function of the strategy and of all replicas' values."""
        return merge_fn(self.strategy, *args, **(kwargs or {}))

    def __enter__(self) -> ReplicaContext:
        self._before = _state.replica
        _state.replica = self
        return self

    def __exit__(self, *details: Any) -> None:
        _state.replica = self._before


def replica_context() -> ReplicaContext | None:
    """The replica whose code runs; None outside of ``run``."""
    return _state.replica
