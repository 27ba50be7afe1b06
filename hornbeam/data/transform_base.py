"""What the methods of data sets share."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.core.tensor import Tensor
from hornbeam.data.plan import Node
from hornbeam.data.structure import host_leaf


def number(value: Any, name: str, where: str) -> int:
    """A whole number from an int, NumPy number or tensor.

    Raises:
        TypeError: it is none.
    """
    if isinstance(value, bool) or value is None:
        raise TypeError(f"Dataset.{where}(): `{name}` must be an integer. Received: {name}={value!r}")
    if isinstance(value, int):
        return value
    found = np.asarray(host_leaf(value) if isinstance(value, Tensor) else value)
    if found.ndim or found.dtype.kind not in "iu":
        raise TypeError(f"Dataset.{where}(): `{name}` must be an integer. Received: {name}={value!r}")
    return int(found)


class TransformBase:
    """What transformations need of the data set."""

    _node: Node

    def _with(self, node: Node) -> Any:
        raise NotImplementedError("provided by Dataset")

    def _tensor(self, value: Any) -> Any:
        raise NotImplementedError("provided by Dataset")
