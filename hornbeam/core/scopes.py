"""What is in force right now, per thread: frame, tapes, training flag, autocast, names, device.

One object holds all of it, so that there is one place to look, and a new thread starts clean.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class _Scopes(threading.local):
    frame: Any = None
    """Pure program being traced, or None (core.frame)."""
    tapes: tuple = ()
    """Recording gradient tapes, outermost first (core.tape)."""
    call: Any = None
    """Layer call in progress: training flag, added losses (keras.layers.base.call_context)."""
    autocast: str | None = None
    """Float dtype to which reads of autocast variables are cast."""
    names: tuple = ()
    """Open name scopes, outermost first."""
    device: Any = None
    """Device on which new arrays are placed, or None."""
    symbolic: bool = False
    """True while shapes are being inferred: no side effect may happen."""
    eager_functions: bool = False
    """True while ``tf.function`` bodies run uncompiled."""
    defer_values: bool = False
    """True while a model is rebuilt from a file: variables get no values before the file's own are read."""
    remat: Any = None
    """Rematerialisation scope (keras.RematScope)."""
    stateless: Any = None
    """Innermost keras.StatelessScope."""
    watched: Any = None
    """Programs of functions that run, by identity, while somebody wants to know them (tf.summary.trace_on)."""
    inspect: Any = None
    """Called with every layer, its inputs and outputs after its call, while somebody looks for NaN; layers then run
    operation by operation."""
    known: Any = None
    """Values of symbolic tensors, by identity, while their graph runs; and the same of the graph around."""
    sizes: tuple[int, int] = (48, 96)
    """Sizes in place of unknown ones while shapes are being inferred."""
    own_dtypes: bool = False
    """True while NumPy operands of ops keep their own dtypes, as in ``keras.ops``."""
    pipeline: bool = False
    """True while a function of a data set's elements runs."""
    strategy: int | None = None
    """Number of the distribution strategy whose scope is open."""
    replica_count: int = 1
    """Number of replicas of that strategy."""
    replica_axis: str | None = None
    """JAX's name of the axis along which the replicas of a strategy lie, while code runs on several of them at once."""


scopes = _Scopes()


@contextmanager
def override(**values: Any) -> Iterator[None]:
    """Set some of the scopes for the length of a ``with`` block."""
    before = {name: getattr(scopes, name) for name in values}
    for name, value in values.items():
        setattr(scopes, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(scopes, name, value)


def current_path() -> str:
    """Open name scopes joined by slashes."""
    return "/".join(scopes.names)


@contextmanager
def name_scope(name: str) -> Iterator[str]:
    """Open a name scope; yields its full path."""
    before = scopes.names
    scopes.names = (*before, name)
    try:
        yield "/".join(scopes.names)
    finally:
        scopes.names = before
