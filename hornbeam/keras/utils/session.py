"""``clear_session``: forget what belongs to no object."""

from __future__ import annotations

import gc

from hornbeam.base import names, registry
from hornbeam.core import random_state

__all__ = ["clear_session"]


def clear_session(free_memory: bool = True) -> None:
    """Start default names, the global seed generator and the global dtype policy afresh.

    Parts that keep further such state provide a function under ``("clear-session", name)`` in the registry.

    Args:
        free_memory: also run Python's garbage collector, which may take a second.

    References: Keras ``keras.utils.clear_session``.
    """
    names.reset()
    random_state.reset()
    for name in registry.names("clear-session"):
        registry.find("clear-session", name)()
    if free_memory:
        gc.collect()
