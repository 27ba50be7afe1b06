"""``tf.train.CheckpointOptions``."""

from __future__ import annotations

from typing import Any

from hornbeam.base.errors import NotSupportedError

__all__ = ["CheckpointOptions"]


class CheckpointOptions:
    """How checkpoints are written.

    Args:
        experimental_io_device: must be None: files are written by this machine.
        experimental_enable_async_checkpoint: must be False: a checkpoint is on the disk when ``save`` returns.
        experimental_write_callbacks: functions called after a checkpoint was written, with its prefix if they take one.
        enable_async: must be False, as above.
        experimental_sharding_callback: must be None: there is one data file.
        experimental_skip_slot_variables: leave the optimizer's slots out when restoring.

    Raises:
        NotSupportedError: an option that is not offered.

    References: TensorFlow ``tf.train.CheckpointOptions``.
    """

    def __init__(
        self,
        experimental_io_device: str | None = None,
        experimental_enable_async_checkpoint: bool = False,
        experimental_write_callbacks: Any = None,
        enable_async: bool = False,
        experimental_skip_slot_variables: bool = False,
        experimental_sharding_callback: Any = None,
    ) -> None:
        refused = {
            "experimental_io_device": experimental_io_device not in (None, "/job:localhost", "/device:CPU:0"),
            "experimental_enable_async_checkpoint": bool(experimental_enable_async_checkpoint),
            "enable_async": bool(enable_async),
            "experimental_sharding_callback": experimental_sharding_callback is not None,
            "experimental_skip_slot_variables": bool(experimental_skip_slot_variables),
        }
        for name, given in refused.items():
            if given:
                raise NotSupportedError(
                    f"CheckpointOptions({name}=...) is not offered: checkpoints are written whole, in one data file, "
                    "before save() returns. Leave the argument out."
                )
        self.experimental_io_device = experimental_io_device
        self.experimental_enable_async_checkpoint = False
        self.enable_async = False
        self.experimental_write_callbacks = list(experimental_write_callbacks or [])
        self.experimental_skip_slot_variables = False
        self.experimental_sharding_callback = None
