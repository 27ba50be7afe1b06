"""Checks for NaN, and questions about tensors."""

from __future__ import annotations

from typing import Any

import jax

from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import Tensor
from hornbeam.core.variable import Variable
from hornbeam.debugging.values import assert_all_finite

__all__ = [
    "check_numerics",
    "disable_check_numerics",
    "enable_check_numerics",
    "get_log_device_placement",
    "is_numeric_tensor",
    "set_log_device_placement",
]

_settings = {"log_device_placement": False}


def check_numerics(tensor: Any, message: str, name: str | None = None) -> Any:
    """The tensor itself; raise if it holds NaN or infinity.

    Raises:
        tf.errors.InvalidArgumentError: it does; the text begins with ``message``.
    """
    return assert_all_finite(tensor, message)


def enable_check_numerics(stack_height_limit: int = 30, path_length_limit: int = 50) -> None:
    """Raise ``FloatingPointError`` at the first operation that makes a NaN.

    Programs run slower. The limits shorten TensorFlow's report; Python's own traceback needs none.
    """
    jax.config.update("jax_debug_nans", True)


def disable_check_numerics() -> None:
    """Stop looking for NaN after each operation."""
    jax.config.update("jax_debug_nans", False)


def is_numeric_tensor(tensor: Any) -> bool:
    """True for tensors and variables of numbers."""
    kinds = (Tensor, Variable, KerasTensor, jax.Array)
    return isinstance(tensor, kinds) and tensor.dtype not in ("string", "bool", "variant", "resource")


def set_log_device_placement(enabled: bool) -> None:
    """Have JAX log each program that it compiles, with the devices it is for."""
    _settings["log_device_placement"] = bool(enabled)
    jax.config.update("jax_log_compiles", bool(enabled))


def get_log_device_placement() -> bool:
    """Whether programs are logged when they are compiled."""
    return _settings["log_device_placement"]
