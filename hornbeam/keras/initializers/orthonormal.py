"""``Orthogonal``: random matrices with orthogonal columns or rows."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.core.tensor import wrap
from hornbeam.engine.jax_compat import Tracer, wide_types
from hornbeam.keras.initializers import draws
from hornbeam.keras.initializers.base import placed
from hornbeam.keras.initializers.random import RandomInitializer, sizes

__all__ = ["Orthogonal"]


class Orthogonal(RandomInitializer):
    """A random matrix with orthogonal columns, or rows if it has more columns than rows.

    Shapes of more than two axes are filled as the matrix ``(product of all but the last, last)``.

    Args:
        gain: factor.
        seed: int, ``SeedGenerator`` or ``None``; see ``RandomInitializer``.

    Raises:
        ValueError: the shape asked for has less than two axes.

    References: Saxe et al. 2014. Keras ``keras.initializers.Orthogonal``.
    """

    def __init__(self, gain: float = 1.0, seed: Any = None) -> None:
        self.gain = gain
        super().__init__(seed=seed)

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        shape = sizes(shape)
        if len(shape) < 2:
            raise ValueError(
                f"The Orthogonal initializer takes a `shape` of two or more axes. Received: shape={shape} "
                f"({len(shape)} axes)."
            )
        rows, columns = math.prod(shape[:-1]), shape[-1]
        start = draws.normal(self.key(), (max(rows, columns), min(rows, columns)), 0.0, 1.0, dtype)._value
        kind, wide = start.dtype, start.dtype.itemsize == 8
        if kind.itemsize < 4:
            start = start.astype("float32")  # the decomposition has no form for half precision
        if isinstance(start, Tracer):
            with wide_types(wide):
                q, r = jnp.linalg.qr(start)
                return wrap(self._finish(q, r, rows < columns, shape, jnp).astype(kind))
        with jax.ensure_compile_time_eval(), wide_types(wide):
            q, r = jnp.linalg.qr(start)
        # The rest on the host, where it costs no compilation per shape.
        return placed(self._finish(np.asarray(q), np.asarray(r), rows < columns, shape, np).astype(kind))

    def _finish(self, q: Any, r: Any, transposed: bool, shape: tuple[int, ...], xp: Any) -> Any:
        # Without the signs the matrices would not be spread evenly over all orthogonal ones.
        q = q * xp.sign(xp.diagonal(r))
        q = q.T if transposed else q
        return xp.reshape(q, shape) * xp.asarray(self.gain, q.dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "gain": self.gain}
