"""``rejection_resample``: classes as often as wanted, by leaving out elements at random."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam.base import dtypes
from hornbeam.core.spec import TensorSpec
from hornbeam.data.blocks import Block, must_stack
from hornbeam.data.functions import ElementFunction
from hornbeam.data.plan import INFINITE, UNKNOWN, Cursor, Node, Scope, mix

_PRIOR = 1.0
"""Elements of each class that are taken as seen before the first."""
_AT_ONCE = 64
"""Elements whose classes are found at once."""


def resampled(
    child: Node, class_func: Callable, target: np.ndarray, initial: np.ndarray | None, seed: int | None
) -> Node:
    """The node for ``rejection_resample``.

    Raises:
        ValueError: the distributions do not fit.
    """
    if target.ndim != 1 or (target < 0).any() or target.sum() <= 0:
        raise ValueError(f"rejection_resample(): `target_dist` must be a list of probabilities. Received: {target}")
    if initial is not None and (initial.shape != target.shape or ((initial <= 0) & (target > 0)).any()):
        raise ValueError(
            "rejection_resample(): `initial_dist` must give each class that is wanted a probability above 0. "
            f"Received: {initial} for target {target}"
        )
    return Resample(child, ElementFunction(class_func, "rejection_resample()"), target, initial, seed)


class Resample(Node):
    """Pairs of class and element."""

    def __init__(
        self, child: Node, function: ElementFunction, target: np.ndarray, initial: np.ndarray | None, seed: int | None
    ) -> None:
        super().__init__(child)
        self.function, self.seed = function, seed
        self.target = target / target.sum()
        self.initial = None if initial is None else initial / initial.sum()

    def make_spec(self) -> Any:
        """A class beside the element."""
        return (TensorSpec((), dtypes.int32), self.children[0].spec)

    def size(self) -> int:
        """Not known."""
        return INFINITE if self.children[0].size() == INFINITE else UNKNOWN

    def stream(self, scope: Scope) -> Cursor:
        """Pairs that stay."""
        number = scope.number(self)
        seed = mix(self.seed, number) if self.seed is not None else scope.seed(number)
        return _ResampleCursor(self, self.children[0].open(scope.at(0)), seed)


class _ResampleCursor(Cursor):
    def __init__(self, node: Resample, child: Cursor, seed: int) -> None:
        self._node, self._child, self._seed = node, child, seed
        self._generator = np.random.default_rng(seed)
        self._seen = np.full(len(node.target), _PRIOR)
        self._first = 0
        self._rest: Block | None = None

    def block(self, limit: int) -> Block | None:
        """The next pairs."""
        found = self._rest or self._drawn()
        if found is None:
            return None
        cut = min(limit, found.count)
        self._rest = found.cut(cut, found.count) if cut < found.count else None
        return found.cut(0, cut)

    def _drawn(self) -> Block | None:
        """Those of the next elements that stay."""
        node = self._node
        while (block := self._child.block(_AT_ONCE)) is not None:
            ordinals = np.arange(self._first, self._first + block.count)
            self._first += block.count
            found = node.function.apply(block, self._seed, ordinals)
            classes = must_stack(found.columns[0], "rejection_resample").reshape(block.count)
            stay = [place for place, label in enumerate(classes.tolist()) if self._stays(label)]
            if stay:
                places = np.array(stay)
                chosen = block.take(places)
                columns = [classes[places].astype(np.int32), *chosen.columns]
                return Block((0, block.skeleton), columns, len(stay))
        return None

    def _stays(self, label: int) -> bool:
        node = self._node
        odds = node.initial
        if odds is None:
            self._seen[label] += 1
            odds = self._seen / self._seen.sum()
        ratios = node.target / np.maximum(odds, np.finfo(np.float64).tiny)
        return bool(self._generator.random() < ratios[label] / ratios.max())

    def close(self) -> None:
        """Close the child."""
        self._child.close()
