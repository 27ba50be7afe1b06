"""What is in force: name scopes, devices, eager or compiled; and the logger."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from typing import Any

import jax

from hornbeam.config.devices import find_device
from hornbeam.core import scopes as scopes_module
from hornbeam.core.scopes import scopes
from hornbeam.engine.jax_compat import is_tracing

__all__ = ["device", "executing_eagerly", "get_logger", "init_scope", "inside_function", "name_scope"]


class name_scope:
    """A ``with`` block that puts a name in front of the names of variables made in it.

    Args:
        name: name of the scope; a slash at its end starts anew from the outermost scope.

    References: TensorFlow `tf.name_scope`.
    """

    def __init__(self, name: str) -> None:
        if not isinstance(name, str):
            raise ValueError("name for name_scope must be a string.")
        self._name = name
        self._before: list[tuple] = []

    @property
    def name(self) -> str:
        """Name of the scope."""
        return self._name

    def __enter__(self) -> str:
        self._before.append(scopes.names)
        if not self._name or self._name.endswith("/"):
            scopes.names = tuple(part for part in self._name.split("/") if part)
        else:
            scopes.names = (*scopes.names, *self._name.split("/"))
        return "/".join(scopes.names) + "/" if scopes.names else ""

    def __exit__(self, *details: object) -> None:
        scopes.names = self._before.pop()


@contextlib.contextmanager
def device(device_name: Any) -> Iterator[None]:
    """A ``with`` block whose new tensors and variables are placed on a device.

    Args:
        device_name: ``"/CPU:0"``, ``"/GPU:1"``, ``"/device:GPU:0"`` in any case, a logical device, or None for the
            default one. A device that is not there is replaced, unless soft placement has been switched off.

    Raises:
        RuntimeError: the device is not there, and soft placement is off.

    References: TensorFlow `tf.device`.
    """
    chosen = find_device(device_name)
    with jax.default_device(chosen), scopes_module.override(device=chosen):
        yield


def executing_eagerly() -> bool:
    """True outside of compiled functions."""
    return scopes.frame is None and not scopes.symbolic and not is_tracing()


def inside_function() -> bool:
    """True inside compiled functions."""
    return not executing_eagerly()


@contextlib.contextmanager
def init_scope() -> Iterator[None]:
    """A ``with`` block that is left out of the compiled function around it: what it computes is computed now.

    Traced values cannot be used in it.
    """
    with jax.ensure_compile_time_eval(), scopes_module.override(frame=None, tapes=(), names=scopes.names):
        yield


def get_logger() -> logging.Logger:
    """The logger of Hornbeam."""
    return logging.getLogger("hornbeam")
