"""What layers once wrote on the tensors they made."""

from __future__ import annotations

from typing import Any


def _shape(self: Any) -> tuple[int | None, ...]:
    return tuple(self.shape)


def _set_shape(self: Any, shape: Any) -> None:
    """Nothing to keep: programs wrote what their backend could not infer, and here every shape is known."""


def _learning_phase(self: Any) -> bool:
    return False


def _set_learning_phase(self: Any, value: Any) -> None:
    """Nothing to keep: whether a call trains is an argument of the call."""


TENSOR: dict[str, Any] = {
    "_keras_shape": property(_shape, _set_shape),
    "_uses_learning_phase": property(_learning_phase, _set_learning_phase),
}
