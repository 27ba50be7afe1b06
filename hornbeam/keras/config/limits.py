"""Caps on the length of any training run, for trying a script out quickly.

They start from the environment variables ``KERAS_MAX_EPOCHS`` and ``KERAS_MAX_STEPS_PER_EPOCH``.
"""

from __future__ import annotations

import os

from hornbeam.base import settings

__all__ = ["max_epochs", "max_steps_per_epoch", "set_max_epochs", "set_max_steps_per_epoch"]


def max_epochs() -> int | None:
    """Largest number of epochs of any call to ``fit``, ``None`` for no cap.

    References: Keras ``keras.config.max_epochs``.
    """
    return settings.get("max_epochs")


def set_max_epochs(max_epochs: int | None) -> None:
    """Cap the number of epochs of every call to ``fit``; ``None`` takes the cap away.

    References: Keras ``keras.config.set_max_epochs``.
    """
    settings.put("max_epochs", max_epochs)


def max_steps_per_epoch() -> int | None:
    """Largest number of batches of any epoch, ``evaluate`` or ``predict``, ``None`` for no cap.

    References: Keras ``keras.config.max_steps_per_epoch``.
    """
    return settings.get("max_steps_per_epoch")


def set_max_steps_per_epoch(max_steps_per_epoch: int | None) -> None:
    """Cap the number of batches of every epoch, ``evaluate`` and ``predict``; ``None`` takes the cap away.

    References: Keras ``keras.config.set_max_steps_per_epoch``.
    """
    settings.put("max_steps_per_epoch", max_steps_per_epoch)


for _setting in ("max_epochs", "max_steps_per_epoch"):
    _value = os.environ.get(f"KERAS_{_setting.upper()}")
    if _value and settings.get(_setting) is None:
        settings.put(_setting, int(_value))
