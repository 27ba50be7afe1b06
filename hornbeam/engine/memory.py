"""Memory of the host: blocks that XLA uses in place, and how the C library keeps large ones.

XLA takes and gives back blocks of many megabytes in every step on the CPU. By default glibc hands them back to the
system at once, and each step faults in every page again: a fifth of the processor time of large networks. Kept blocks
cost resident memory, which stays at its highest mark.
"""

from __future__ import annotations

import ctypes
import math
import os
import sys
from typing import Any

import numpy as np

SWITCH = "HORNBEAM_MALLOC"
SENT_AT_ONCE_BYTES = 1 << 16
"""Arrays up to this size are with the device when a call of JAX returns; it reads larger ones later (measured from
100 KB on)."""
ALIGNMENT = 64
"""Bytes; XLA on the CPU uses memory of this alignment in place, and copies any other."""
# Numbers of glibc's mallopt(3): one arena (others cannot hold large blocks), no blocks outside of it, no trimming.
_ARENA_MAX, _MMAP_MAX, _TRIM_THRESHOLD, _TOP_PAD = -8, -4, -1, -2
# A threshold of -1 means never: any number is too small for a network whose step takes more than 2 GB.
_SETTINGS = ((_ARENA_MAX, 1), (_MMAP_MAX, 0), (_TRIM_THRESHOLD, -1), (_TOP_PAD, 64 << 20))


def keep_large_blocks() -> bool:
    """Have glibc keep large blocks for reuse; True if it was told so.

    Nothing is changed on other systems, with ``HORNBEAM_MALLOC=0`` in the environment, or where the user has set
    ``MALLOC_...`` or ``GLIBC_TUNABLES`` there.
    """
    chosen = os.environ.get(SWITCH, "").lower() in ("0", "off", "false", "no")
    tuned = any(name.startswith("MALLOC_") or name == "GLIBC_TUNABLES" for name in os.environ)
    if chosen or tuned or not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library
        return False
    return all(mallopt(*setting) == 1 for setting in _SETTINGS)


def aligned_empty(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """An array to fill, which ``jax.device_put`` need not copy on the CPU."""
    dtype = np.dtype(dtype)
    nbytes = dtype.itemsize * math.prod(shape)
    block = np.empty(nbytes + ALIGNMENT, np.uint8)
    start = -block.ctypes.data % ALIGNMENT
    return block[start : start + nbytes].view(dtype).reshape(shape)


def aligned_copy(array: np.ndarray) -> np.ndarray:
    """A copy of an array that ``jax.device_put`` need not copy again on the CPU."""
    copy = aligned_empty(array.shape, array.dtype)
    copy[...] = array
    return copy


def own_copy(array: np.ndarray) -> np.ndarray:
    """A copy of an array for the device, which reads large ones later than it was asked to."""
    return aligned_copy(array) if array.nbytes > SENT_AT_ONCE_BYTES else np.array(array, order="C")


def is_aligned(array: np.ndarray) -> bool:
    """Whether XLA on the CPU uses the memory of an array in place, without a copy."""
    return array.ctypes.data % ALIGNMENT == 0
