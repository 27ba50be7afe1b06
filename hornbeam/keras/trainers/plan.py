"""How an epoch is run: where the data lies, and how many steps go into one XLA call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hornbeam.engine import loops

RESIDENT_LIMIT_BYTES = 1 << 30
"""Data sets up to this size are put on the device as a whole."""


@dataclass(frozen=True)
class Plan:
    """Decisions for one run of ``fit`` or ``evaluate``.

    Attributes:
        resident: the whole data set lies on the device, and steps gather their rows there.
        steps_per_call: steps in one XLA call.
        reason: why, for people.
    """

    resident: bool
    steps_per_call: int
    reason: str


def choose(
    feed: Any, closed_step: Any, *, steps_per_execution: Any, wants_batches: bool, platform: str | None = None
) -> Plan:
    """Plan for a feed and a captured step.

    Args:
        feed: where batches come from.
        closed_step: the captured step (its jaxpr), for an estimate of its work.
        steps_per_execution: what the user asked for: a number, or None/"auto"/1 for our choice.
        wants_batches: a callback must see every batch.
    """
    random_access = hasattr(feed, "order")
    if not random_access:
        return Plan(False, 1, "batches come one by one")
    resident = feed.nbytes <= RESIDENT_LIMIT_BYTES
    if not resident:
        return Plan(False, 1, f"data ({feed.nbytes} bytes) stays on the host")
    if wants_batches and steps_per_execution in (None, 1, "auto"):
        return Plan(True, 1, "a callback looks at every batch")
    if isinstance(steps_per_execution, int) and steps_per_execution > 1:
        return Plan(True, steps_per_execution, "as asked for")
    steps = loops.steps_per_call(closed_step, platform)
    return Plan(True, max(1, min(steps, feed.full_batches)), "estimated from the work in a step")
