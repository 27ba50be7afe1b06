"""``tf.config.optimizer``: switches of TensorFlow's graph optimizer, kept for scripts that set and read them.

Every compiled function and training step goes through XLA here, whatever ``set_jit`` says.
"""

from __future__ import annotations

from typing import Any

__all__ = ["get_experimental_options", "get_jit", "set_experimental_options", "set_jit"]

_jit = ""
_options: dict[str, Any] = {}


def set_jit(enabled: bool | str) -> None:
    """Note whether functions should be compiled by XLA; they always are.

    Args:
        enabled: True, False or ``"autoclustering"``.

    Raises:
        ValueError: another text.

    References: TensorFlow `tf.config.optimizer.set_jit`.
    """
    global _jit
    if enabled not in (True, False, "autoclustering"):
        raise ValueError(f"`enabled` is True, False or 'autoclustering'. Received: {enabled!r}")
    _jit = "autoclustering" if enabled else ""


def get_jit() -> str:
    """What ``set_jit`` was told: ``"autoclustering"`` or an empty text.

    References: TensorFlow `tf.config.optimizer.get_jit`.
    """
    return _jit


def set_experimental_options(options: dict[str, Any]) -> None:
    """Note options of TensorFlow's graph optimizer; XLA has passes of its own, which these do not change.

    References: TensorFlow `tf.config.optimizer.set_experimental_options`.
    """
    _options.update(options)


def get_experimental_options() -> dict[str, Any]:
    """The options noted so far.

    References: TensorFlow `tf.config.optimizer.get_experimental_options`.
    """
    return dict(_options)
