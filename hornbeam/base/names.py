"""Names: snake case, unique default names for layers and metrics, checks of names given by users."""

from __future__ import annotations

import re
import threading
from collections import defaultdict

_lock = threading.Lock()
_counts: defaultdict[str, int] = defaultdict(int)


def to_snake_case(name: str) -> str:
    """``"Conv2DTranspose"`` to ``"conv2d_transpose"``, as Keras names layers."""
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def auto_name(prefix: str) -> str:
    """Default name of an object of class ``prefix``: ``dense``, then ``dense_1``, ``dense_2`` ..."""
    return unique_name(to_snake_case(prefix))


def unique_name(name: str) -> str:
    """``name`` the first time it is asked for, then ``name_1``, ``name_2`` ..."""
    with _lock:
        used = _counts[name]
        _counts[name] += 1
    return f"{name}_{used}" if used else name


def uid(prefix: str = "") -> int:
    """Next number for ``prefix``, counted from 1."""
    with _lock:
        _counts[prefix] += 1
        return _counts[prefix]


def reset() -> None:
    """Forget all counts (``clear_session``)."""
    with _lock:
        _counts.clear()
