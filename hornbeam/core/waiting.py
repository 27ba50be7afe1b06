"""Calls of a compiled program that were asked for and are not launched yet.

Launching a program costs as much as a step of a small network takes, so a loop of one's own hands in several calls
before they run together (``core.series``). Nobody can tell: whoever reads or writes a variable of theirs launches
them first, by ``settle``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

commit_lock = threading.RLock()
"""Held while a program that donates its inputs is launched and its results are committed."""


class Waiting:
    """What waits, in the order it was asked for; all calls are of one program.

    Attributes:
        calls: arguments of each call, a list of arrays.
        variables: those that the program reads or writes.
        launch: runs all calls and empties the list.
    """

    __slots__ = ("_launching", "calls", "launch", "variables")

    def __init__(self) -> None:
        self.calls: list[list[Any]] = []
        self.variables: frozenset[Any] = frozenset()
        self.launch: Callable[[], None] | None = None
        self._launching = False

    def concerns(self, variables: Iterable[Any]) -> bool:
        """Whether a call that waits reads or writes one of these."""
        return bool(self.calls) and not self.variables.isdisjoint(variables)

    def settle(self) -> None:
        """Launch what waits. Calls are forgotten if launching fails, as their variables' old values may be gone."""
        with commit_lock:
            if not self.calls or self.launch is None or self._launching:
                return
            self._launching = True
            try:
                self.launch()
            except Exception:
                self.calls.clear()
                raise
            finally:
                self._launching = False
                if not self.calls:
                    self.variables, self.launch = frozenset(), None


waiting = Waiting()
