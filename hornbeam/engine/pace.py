"""How far launches of a program may run ahead of the device.

JAX launches without waiting, on the CPU up to 32 runs. So many batches lie in memory then, the progress bar shows what
is to come, and Ctrl-C has to wait for it all; a few runs ahead keep the device as busy.

A program whose runs take long is launched only when the run before has ended. XLA on the CPU takes the memory for a
program's intermediate values when a run starts, and gives it back shortly after the results are there: a run that was
launched early starts in between and takes another block, of ResNet50 with a batch of 8 two more of 0.9 GB each. (One
more remains: glibc cannot use a block again for the same request once small ones lie right behind it, as an aligned
block needs some bytes more than it keeps.)
"""

from __future__ import annotations

import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from hornbeam.engine import platform

AHEAD = 2
"""Runs that may wait for the device."""
_LONG_S = 0.1
"""Runs of at least this long wait for each other: what they lose by it is one or two hundredths, and often less than
a further block of memory costs."""
_GIVING_BACK_S = 1e-3
"""For XLA to give memory back once results are there. Its thread needs a core for that: the waiting one's."""
_HELD_BYTES = 1 << 16
"""Results up to this size are held until they are waited for; larger ones only as long as somebody else does."""
_SAMPLED = 64


class Pace:
    """Decides what the next run of a program waits for.

    Args:
        ahead: runs that may wait for the device; None for any number, of which one in 64 is looked at.
    """

    def __init__(self, ahead: int | None = AHEAD) -> None:
        self._ahead = ahead
        self._can_be_long = platform.is_cpu()
        self._is_long = self._can_be_long  # until it is known
        self._pending: deque[tuple[Callable[[], Any], float]] = deque()
        self._ended = 0.0
        self._launches = 0

    def wait(self) -> None:
        """To be called before a run."""
        while len(self._pending) > (0 if self._is_long else self._ahead or 0):
            try:
                result, launched = self._pending.popleft()
            except IndexError:  # another thread took it
                return
            self._end(result(), launched)

    def _end(self, result: Any, launched: float) -> None:
        try:
            if result is None or result.is_ready():
                return  # nothing is known of how long it took
            result.block_until_ready()
        except RuntimeError:  # it was donated since, or has failed, of which whoever reads it learns
            return
        now = time.perf_counter()
        self._is_long = self._can_be_long and now - max(launched, self._ended) >= _LONG_S
        self._ended = now
        if self._is_long:
            time.sleep(_GIVING_BACK_S)

    def launched(self, results: Sequence[Any], state: Sequence[Any] = ()) -> None:
        """To be called after a run.

        Args:
            results: what it gave.
            state: new arrays of variables, for runs that give nothing else.
        """
        self._launches += 1
        if self._ahead is None and not self._is_long and self._launches % _SAMPLED:
            return
        arrays = results or state
        if not arrays:
            return
        smallest = min(arrays, key=lambda array: array.nbytes) if len(arrays) > 1 else arrays[0]
        # Arrays of variables would be copied before the next run takes their memory if they were held.
        is_held = bool(results) and smallest.nbytes <= _HELD_BYTES
        self._pending.append(((lambda: smallest) if is_held else weakref.ref(smallest), time.perf_counter()))
