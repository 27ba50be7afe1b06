"""``ignore_errors``: elements that cannot be made are left out, and counted."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np

from hornbeam.data.background import Prefetch
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
        self.left_out = 0

    def note(self, error: Exception) -> None:
        """Count an element that is left out."""
        self.left_out += 1
        if self._log:
            logger.warning("An element of the data set was left out: %s: %s", type(error).__name__, error)

    def make_spec(self) -> Any:
        """That of the elements."""
        return self.children[0].spec

    def size(self) -> int:
        """Not known."""
        return UNKNOWN

    def stream(self, scope: Scope) -> Cursor:
        """Elements that could be made."""
        self.left_out = 0
        return self._surviving(self.children[0], scope.at(0))

    def _surviving(self, node: Node, scope: Scope) -> Cursor:
        rows = node.indexed(scope)
        if rows is not None:
            return _SurvivingCursor(_OneByOne(rows), self)
        if isinstance(node, Prefetch):
            # Below the thread: an error that has come through it is the end of its pass.
            return node.ahead_of(self._surviving(node.children[0], scope.at(0)))
        lenient = getattr(node, "lenient", None)
        return _SurvivingCursor(node.open(scope) if lenient is None else lenient(self.note, scope), self)


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
    def __init__(self, child: Cursor, owner: IgnoreErrors) -> None:
        self._child, self._owner = child, owner

    def block(self, limit: int) -> Block | None:
        """The next elements that could be made."""
        last: Exception | None = None
        for _ in range(_MOST_IN_A_ROW):
            try:
                found = self._child.block(1)
            except Exception as error:
                last = error
                self._owner.note(error)
                continue
            if found is None and self._owner.left_out:
                logger.info("%d elements of the data set were left out in this pass.", self._owner.left_out)
            return found
        raise RuntimeError(f"ignore_errors(): {_MOST_IN_A_ROW} elements in a row could not be made.") from last

    def close(self) -> None:
        """Close the child."""
        self._child.close()
