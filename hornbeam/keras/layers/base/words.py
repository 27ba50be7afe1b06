"""Outputs of a layer's ``call`` on texts: they are worked on where their values are known, so it runs on empty ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam.base import trees
from hornbeam.core import symbolic
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import HostTensor, Tensor, from_host

_SIZES = (2, 3)
"""Put in for unknown sizes, one after the other: an output's size that differs is unknown, too."""


def infer_with_words(function: Callable, structure: Any) -> Any:
    """Like ``symbolic.infer``; functions of texts are run on empty texts, as an abstract run has none."""
    leaves = [leaf for leaf in trees.flatten(structure) if isinstance(leaf, KerasTensor)]
    if not any(leaf.dtype == "string" for leaf in leaves):
        return symbolic.infer(function, structure)
    runs = [function(_filled(structure, size)) for size in _SIZES]
    return trees.map_structure(_as_symbolic, *runs)


def _filled(structure: Any, size: int) -> Any:
    def fill(leaf: Any) -> Any:
        if not isinstance(leaf, KerasTensor):
            return leaf
        shape = tuple(size if known is None else known for known in leaf.shape)
        is_text = leaf.dtype == "string"
        return HostTensor(np.full(shape, b"", object)) if is_text else from_host(np.zeros(shape, leaf.dtype))

    return trees.map_structure(fill, structure)


def _as_symbolic(first: Any, second: Any) -> Any:
    if not isinstance(first, Tensor):
        return first
    shape = tuple(a if a == b else None for a, b in zip(first.shape, second.shape, strict=True))
    return KerasTensor(shape, first.dtype)
