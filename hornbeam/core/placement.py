"""On which devices arrays lie: asked of the distribution in force, if there is one.

A distribution (``keras.distribution``) stands above this room; here it is an object that gives layouts:
``get_variable_layout(variable)``, ``get_data_layout(shape)`` and ``get_tensor_layout(path)``.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jax

from hornbeam.engine.jax_compat import Tracer

_current: list[Any] = [None]
_kept: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
"""Distributions of strategies, by their number: what is made in a strategy's scope is spread outside of it, too."""


def current() -> Any:
    """The distribution in force, or None."""
    return _current[0]


def choose(distribution: Any) -> None:
    """Put a distribution in force; None ends it."""
    _current[0] = distribution


@contextmanager
def in_force(distribution: Any) -> Iterator[None]:
    """A ``with`` block in which a distribution is in force."""
    before = _current[0]
    _current[0] = distribution
    try:
        yield
    finally:
        _current[0] = before


def keep(strategy: int, distribution: Any) -> None:
    """Note the distribution of a strategy, as long as somebody has it."""
    _kept[strategy] = distribution


def kept(strategy: int | None) -> Any:
    """The distribution of a strategy, or None."""
    return _kept.get(strategy) if strategy is not None else None


def any_kept() -> bool:
    """Whether some strategy spreads its work over devices."""
    return bool(_kept)


def layout_of(variable: Any) -> Any:
    """The layout that the distribution in force gives a variable; without one, that which it was made with."""
    found = _current[0]
    return vars(variable).get("_layout") if found is None else found.get_variable_layout(variable)


def placed(variable: Any, array: Any) -> Any:
    """A variable's value where its layout wants it, inside a program and outside of it."""
    return _put(array, _sharding(vars(variable).get("_layout")))


def placed_batch(distribution: Any, array: Any) -> Any:
    """A batch, its samples spread over the devices; whole on each if they cannot be shared out."""
    return _put(array, _sharding(distribution.get_data_layout(array.shape))) if array.shape else array


def placed_output(path: str, tensor: Any) -> Any:
    """A layer's output where the distribution in force wants it."""
    layout = _current[0].get_tensor_layout(path)
    return tensor if layout is None else layout.placed(tensor)


def _sharding(layout: Any) -> Any:
    """The ``jax.sharding.Sharding`` that a layout stands for; it may be one itself."""
    return getattr(layout, "backend_layout", layout)


def _put(array: Any, sharding: Any) -> Any:
    if sharding is None:
        return array
    if not _divides(array.shape, sharding):
        sharding = jax.sharding.NamedSharding(sharding.mesh, jax.sharding.PartitionSpec())
    if isinstance(array, Tracer):
        return jax.lax.with_sharding_constraint(array, sharding)
    return jax.device_put(array, sharding)


def _divides(shape: Any, sharding: Any) -> bool:
    try:
        sharding.shard_shape(tuple(shape))
    except ValueError:
        return not isinstance(sharding, jax.sharding.NamedSharding)
    return True
