"""How an epoch is run: where the data lie, and how many steps go into one XLA call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

RESIDENT_LIMIT_BYTES = 1 << 30
"""Data sets up to this size are put on the device as a whole."""


@dataclass(frozen=True)
class Plan:
    """Decisions for one epoch.

    Attributes:
        resident: the whole data set lies on the device, and steps gather their rows there.
        steps_per_call: steps in one XLA call at most.
        reason: why, for people.
    """

    resident: bool
    steps_per_call: int
    reason: str


def choose(feed: Any, worthwhile: int, *, steps_per_execution: Any = None, interval: int | None = None) -> Plan:
    """Plan for arrays and a captured step.

    Args:
        feed: the arrays.
        worthwhile: steps that are worth running in one call, from an estimate of the work in a step.
        steps_per_execution: what the user asked for: a number, or None/"auto"/1 for our choice.
        interval: batches after which callbacks must be called at the latest; None if it does not matter.
    """
    if feed.nbytes > RESIDENT_LIMIT_BYTES:
        return Plan(False, 1, f"data ({feed.nbytes} bytes) stay on the host")
    if isinstance(steps_per_execution, int) and steps_per_execution > 1:
        return Plan(True, steps_per_execution, "as asked for")
    if interval == 1:
        return Plan(True, 1, "a callback looks at every batch")
    steps = min(worthwhile, interval or worthwhile, size_class(feed.full_batches))
    return Plan(True, max(1, steps), "estimated from the work in a step")


def size_class(count: int) -> int:
    """The next power of two: programs for a few more or less batches are shared."""
    return 1 << max(0, count - 1).bit_length()


def padded_size(rows: int) -> int:
    """Rows to make room for on the device, an eighth more at most: programs are made for each number of rows."""
    grain = 1 << max(0, rows.bit_length() - 4)
    return -(-rows // grain) * grain
