"""Matrix products on the CPU, done by oneDNN where it is installed.

XLA's own reach half of what the processor gives, gradients of kernels a third (``benchmarks/onednn_products.py``). The
operation itself is compiled differently, in eager work, gradients, loops and whole programs alike: a product of two
matrices, or of arrays whose axes fall into those that are summed and those that stay, without moving data.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
from jax import Array, lax

from hornbeam.engine import jax_compat, onednn


@dataclass(frozen=True)
class _Matrices:
    """A product's operands as matrices.

    Attributes:
        turned: whether each is the other way round in memory: (inner, rows) and (columns, inner).
        rows: sizes of the axes that stay of the first.
        inner: number of elements in a sum.
        columns: sizes of the axes that stay of the second.
    """

    turned: tuple[bool, bool]
    rows: tuple[int, ...]
    inner: int
    columns: tuple[int, ...]

    @property
    def is_kernel_gradient(self) -> bool:
        """True for the form of gradients of kernels.

        JAX has the operands of these the other way round and turns the result, which is free in XLA's own products. So
        they are multiplied the other way round here, and turned too: two turns of one array are free.
        """
        return self.turned == (True, False)

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Rows, elements in a sum, and columns of the product that is done."""
        rows, columns = math.prod(self.rows), math.prod(self.columns)
        return (columns, self.inner, rows) if self.is_kernel_gradient else (rows, self.inner, columns)


def _as_matrices(left: Sequence[Any], right: Sequence[Any], dimension_numbers: Any) -> _Matrices | None:
    """The operands as matrices, if that takes reshaping only."""
    (left_summed, right_summed), (batch, _) = dimension_numbers
    if batch or not all(isinstance(size, int) and size > 0 for size in (*left, *right)):
        return None
    count, summed = len(left_summed), [tuple(left_summed), tuple(right_summed)]
    if count == 0:
        return None
    first = tuple(range(count))
    last = [tuple(range(len(shape) - count, len(shape))) for shape in (left, right)]
    if (summed[0] != last[0] and summed[0] != first) or (summed[1] != last[1] and summed[1] != first):
        return None
    rows = tuple(left[axis] for axis in range(len(left)) if axis not in left_summed)
    columns = tuple(right[axis] for axis in range(len(right)) if axis not in right_summed)
    turned = (summed[0] != last[0], summed[1] != first)
    return _Matrices(turned, rows, math.prod(left[axis] for axis in left_summed), columns)


def _applies(avals: Sequence[Any], params: dict[str, Any]) -> bool:
    left, right = avals
    wanted = params.get("preferred_element_type")
    precision = params.get("precision")
    if left.dtype != right.dtype or (wanted is not None and wanted != left.dtype):
        return False
    if params.get("out_sharding") is not None:
        return False
    if not (precision is None or isinstance(precision, lax.Precision) or type(precision) is tuple):
        return False  # an algorithm that someone chose; their descriptions are tuples of a class of their own
    found = _as_matrices(left.shape, right.shape, params["dimension_numbers"])
    if found is None or not onednn.takes_product(*found.sizes, found.turned, left.dtype):
        return False
    return jax.device_count("cpu") == 1  # last: there may be no such device where programs are only made for it


def _multiply(left: Array, right: Array, **params: Any) -> Array:
    found = _as_matrices(left.shape, right.shape, params["dimension_numbers"])
    assert found is not None
    rows, columns = math.prod(found.rows), math.prod(found.columns)
    a = left.reshape((found.inner, rows) if found.turned[0] else (rows, found.inner))
    b = right.reshape((columns, found.inner) if found.turned[1] else (found.inner, columns))
    if found.is_kernel_gradient:
        out = onednn.multiply(b, a, found.turned).reshape(found.columns + found.rows)
        count = len(found.columns)
        return lax.transpose(out, [*range(count, out.ndim), *range(count)])
    return onednn.multiply(a, b, found.turned).reshape(found.rows + found.columns)


def use_onednn() -> bool:
    """Have JAX compile such products so from now on; False if this version of JAX cannot be told."""
    return jax_compat.lower_instead(lax.dot_general_p, "cpu", _applies, _multiply)
