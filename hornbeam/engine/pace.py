"""Runs of a large program on the CPU, one after the other.

XLA takes the memory for a program's intermediate values when a run starts, and gives it back shortly after the results
are there. A run that is launched early starts in between, and takes another block: of ResNet50 with a batch of 8 two
more of 0.9 GB each. (One more remains: glibc cannot use a block again for the same request once small ones lie right
behind it, as an aligned block needs some bytes more than it keeps.)
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Sequence
from typing import Any

from hornbeam.engine import platform

_LONG_S = 0.2
"""Runs of at least this long wait for each other: what they lose by it is less than a hundredth."""
_GIVING_BACK_S = 1e-3
"""For XLA to give memory back once results are there. Its thread needs a core for that: the waiting one's."""


class Pace:
    """Decides whether the next run of a program waits for the last one, by how long the last one took."""

    def __init__(self) -> None:
        self._is_long: bool | None = None if platform.is_cpu() else False
        self._last: tuple[weakref.ref[Any], float] | None = None

    def wait(self) -> None:
        """To be called before a run."""
        last, self._last = self._last, None
        if last is None:
            return
        result, launched = last[0](), last[1]
        try:
            if result is None or result.is_ready():
                return  # nothing is known of how long it took
            result.block_until_ready()
        except RuntimeError:  # it was donated since, or has failed, of which whoever reads it learns
            return
        self._is_long = time.perf_counter() - launched >= _LONG_S
        if self._is_long:
            time.sleep(_GIVING_BACK_S)

    def launched(self, results: Sequence[Any]) -> None:
        """To be called after a run, with its results."""
        if self._is_long is not False and results:
            self._last = weakref.ref(results[0]), time.perf_counter()
