"""Where reading a data set stands between two passes, as plain data."""

from __future__ import annotations

from typing import Any

from hornbeam.data.iterators import Elements
from hornbeam.data.plan import Node, Run

__all__ = ["beginning_of", "passes_of", "place_of", "run_at", "set_passes"]


def beginning_of(elements: Elements) -> dict[str, Any]:
    """What makes the same pass again from its beginning; draws no seed that the pass itself did not need."""
    run = elements._run
    return {"entropy": run._entropy, "passes": dict(run._first), "position": 0}


def place_of(run: Run) -> dict[str, Any]:
    """What makes the passes of a run that are still to come."""
    return {"entropy": run._entropy, "passes": dict(run._first), "next": dict(run._next)}


def run_at(place: dict[str, Any]) -> Run:
    """A run that goes on where another one stood when its place was asked."""
    run = Run(place)
    run._next = dict(place["next"])
    return run


def passes_of(node: Node) -> list[int]:
    """How many passes each node of a plan has made over all iterators, the node itself first."""
    return [node.passes, *(count for child in node.children for count in passes_of(child))]


def set_passes(node: Node, passes: list[int]) -> None:
    """Let the nodes of a plan count on from what ``passes_of`` gave."""
    rest = iter(passes)

    def visit(one: Node) -> None:
        one.passes = next(rest, one.passes)
        for child in one.children:
            visit(child)

    visit(node)
