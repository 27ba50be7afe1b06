"""``assert_cardinality``: a number of elements that the user vouches for."""

from __future__ import annotations

from typing import Any

from hornbeam.data.blocks import Block
from hornbeam.data.plan import Cursor, Node, Scope
from hornbeam.errors import FailedPreconditionError


class AssertSize(Node):
    """Elements whose number is known to be ``expected``."""

    def __init__(self, child: Node, expected: int) -> None:
        super().__init__(child)
        self.expected = expected

    def make_spec(self) -> Any:
        """That of the elements."""
        return self.children[0].spec

    def size(self) -> int:
        """What was said."""
        return self.expected

    def stream(self, scope: Scope) -> Cursor:
        """Elements, counted."""
        return _CountingCursor(self.children[0].open(scope.at(0)), self.expected)


class _CountingCursor(Cursor):
    def __init__(self, child: Cursor, expected: int) -> None:
        self._child, self._expected = child, expected
        self._count = 0

    def block(self, limit: int) -> Block | None:
        """The next elements."""
        found = self._child.block(limit)
        self._count += found.count if found is not None else 0
        if self._expected >= 0 and (self._count > self._expected or (found is None and self._count < self._expected)):
            gave = f"more than {self._expected}" if self._count > self._expected else str(self._count)
            raise FailedPreconditionError(
                None, None, f"assert_cardinality(): {self._expected} elements were promised, the data set gave {gave}."
            )
        return found

    def close(self) -> None:
        """Close the child."""
        self._child.close()
