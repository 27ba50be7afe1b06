"""How an epoch is run: how many steps go into one XLA call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

WINDOW_BYTES = 32 << 20
"""Data of one call at most."""
_ASKED_BYTES = 1 << 30
"""The same where the user asked for a number of steps."""


@dataclass(frozen=True)
class Plan:
    """Decisions for one epoch.

    Attributes:
        steps_per_call: steps in one XLA call at most.
        reason: why, for people.
    """

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
    batch_bytes = max(1, feed.nbytes * feed.batch_size // feed.size)
    most = size_class(feed.full_batches)
    if isinstance(steps_per_execution, int) and steps_per_execution > 1:
        return Plan(max(1, min(steps_per_execution, most, _ASKED_BYTES // batch_bytes)), "as asked for")
    if interval == 1:
        return Plan(1, "a callback looks at every batch")
    steps = min(worthwhile, interval or worthwhile, most, WINDOW_BYTES // batch_bytes)
    return Plan(max(1, steps), "estimated from the work in a step")


def size_class(count: int) -> int:
    """The next power of two: programs for a few more or less batches are shared."""
    return 1 << max(0, count - 1).bit_length()
