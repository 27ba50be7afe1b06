"""The tuples ``(x, y, sample_weight)`` that training steps receive."""

from __future__ import annotations

from typing import Any

__all__ = ["pack_x_y_sample_weight", "unpack_x_y_sample_weight"]


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """Features, targets and sample weights of a batch, ``None`` for what it does not have.

    Args:
        data: ``x``, ``(x,)``, ``(x, y)`` or ``(x, y, sample_weight)``.

    Raises:
        ValueError: a tuple of another length.

    References: Keras ``keras.utils.unpack_x_y_sample_weight``.
    """
    if not isinstance(data, (list, tuple)):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise ValueError(
            f"A batch is `x` alone, or a tuple `(x,)`, `(x, y)`, `(x, y, sample_weight)`. Received: {data}"
        )
    x, y, sample_weight = (*data, None, None)[:3]
    return x, y, sample_weight


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """The batch in its shortest form: ``x`` alone (a list or tuple as ``(x,)``), ``(x, y)`` or all three.

    References: Keras ``keras.utils.pack_x_y_sample_weight``.
    """
    if y is None:
        return (x,) if isinstance(x, (tuple, list)) else x
    return (x, y) if sample_weight is None else (x, y, sample_weight)
