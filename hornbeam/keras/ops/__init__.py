"""``keras.ops``: the ops under Keras's names. References: Keras ``keras.ops``."""

from hornbeam import ops as _ops
from hornbeam.ops import *  # noqa: F403 - the list is that of hornbeam.ops

__all__ = list(_ops.__all__)  # pyright: ignore[reportUnsupportedDunderAll]
