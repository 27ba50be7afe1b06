"""``ignore_errors``: elements that cannot be made are left out."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np

from hornbeam.data.blocks import Block
from hornbeam.data.plan import UNKNOWN, Cursor, Indexed, InOrder, Node, Scope

logger = logging.getLogger(__name__)
_MOST_IN_A_ROW = 1000


class IgnoreErrors(Node):
    """``ignore_errors``.

    Args:
        child: elements.
        log: write each error to the log.
    """

    def __init__(self, child: Node, log: bool) -> None:
        super().__init__(child)
        self._log = log

    def make_spec(self) -> Any:
        """That of the elements."""
        return self.children[0].spec

    def size(self) -> int:
        """Not known."""
        return UNKNOWN

    def stream(self, scope: Scope) -> Cursor:
        """Elements that could be made."""
        child = self.children[0]
        rows = child.indexed(scope.at(0))
        return _SurvivingCursor(_OneByOne(rows) if rows is not None else child.open(scope.at(0)), self._log)


class _OneByOne(Cursor):
    """Elements by number, one at a time: an error takes away no other element."""

    def __init__(self, rows: Indexed) -> None:
        self._rows = rows
        self._numbers = InOrder(rows.size)

    def block(self, limit: int) -> Block | None:
        """The next element."""
        places: np.ndarray = self._numbers.next(1)
        return self._rows.rows(places) if len(places) else None


class _SurvivingCursor(Cursor):
    def __init__(self, child: Cursor, log: bool) -> None:
        self._child, self._log = child, log

    def block(self, limit: int) -> Block | None:
        """The next elements that could be made."""
        last: Exception | None = None
        for _ in range(_MOST_IN_A_ROW):
            try:
                return self._child.block(1)
            except Exception as error:
                last = error
                if self._log:
                    logger.warning("An element of the data set was left out: %s: %s", type(error).__name__, error)
        raise RuntimeError(f"ignore_errors(): {_MOST_IN_A_ROW} elements in a row could not be made.") from last

    def close(self) -> None:
        """Close the child."""
        self._child.close()
