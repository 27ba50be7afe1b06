"""Checks of arguments of recurrent layers."""

from __future__ import annotations

from typing import Any

from hornbeam.base.errors import NotSupportedError


def checked_cudnn(use_cudnn: Any, layer: Any) -> Any:
    """``use_cudnn``, if it can be followed.

    Raises:
        ValueError: it is none of "auto", True and False.
        NotSupportedError: it is True: steps run as compiled loops on every device.
    """
    if use_cudnn not in ("auto", True, False):
        raise ValueError(
            f"{type(layer).__name__} '{layer.name}': `use_cudnn` must be 'auto', True or False. Received: {use_cudnn!r}"
        )
    if use_cudnn is True:
        raise NotSupportedError(
            f"{type(layer).__name__} '{layer.name}': `use_cudnn=True` is not offered; the steps run as a "
            "compiled loop, "
            "with the same numbers. Use use_cudnn='auto'."
        )
    return use_cudnn
