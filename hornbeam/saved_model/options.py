"""Options of ``tf.saved_model``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from hornbeam.base.errors import NotSupportedError

__all__ = ["Asset", "LoadOptions", "SaveOptions"]


class SaveOptions:
    """How a SavedModel is written.

    Args:
        namespace_whitelist: operations of other packages are not written; both forms of the list mean the same.
        save_debug_info: must be False: no source lines are written.
        function_aliases: must be None or empty.
        experimental_debug_stripper: operations for debugging are never written.
        experimental_io_device: must be None: files are written by this machine.
        experimental_variable_policy: must be None or ``"none"``: variables are written once.
        extra_tags: must be None or empty.

    Raises:
        NotSupportedError: an option that is not offered.

    References: TensorFlow ``tf.saved_model.SaveOptions``.
    """

    def __init__(
        self,
        namespace_whitelist: Sequence[str] | None = None,
        save_debug_info: bool = False,
        function_aliases: dict[str, Any] | None = None,
        experimental_debug_stripper: bool = False,
        experimental_io_device: str | None = None,
        experimental_variable_policy: Any = None,
        experimental_custom_gradients: bool = True,
        experimental_image_format: bool = False,
        experimental_skip_saver: bool = False,
        experimental_sharding_callback: Any = None,
        extra_tags: Sequence[str] | None = None,
    ) -> None:
        refused = {
            "save_debug_info": save_debug_info,
            "function_aliases": function_aliases,
            "experimental_variable_policy": experimental_variable_policy not in (None, "none"),
            "experimental_image_format": experimental_image_format,
            "experimental_skip_saver": experimental_skip_saver,
            "experimental_sharding_callback": experimental_sharding_callback,
            "extra_tags": extra_tags,
        }
        _refuse("SaveOptions", refused)
        self.namespace_whitelist = list(namespace_whitelist or [])
        self.save_debug_info = False
        self.function_aliases: dict[str, Any] = {}
        self.experimental_debug_stripper = experimental_debug_stripper
        self.experimental_io_device = _local(experimental_io_device, "SaveOptions")
        self.experimental_variable_policy = experimental_variable_policy
        # Gradients are those of the compiled programs, so the switch has nothing to change.
        self.experimental_custom_gradients = experimental_custom_gradients


class LoadOptions:
    """How a SavedModel is read.

    Args:
        allow_partial_checkpoint: must be False: every variable needs its value.
        experimental_io_device: must be None or this machine.
        experimental_skip_checkpoint: must be False.
        experimental_variable_policy: must be None or ``"none"``.
        experimental_load_function_aliases: must be False.

    Raises:
        NotSupportedError: an option that is not offered.

    References: TensorFlow ``tf.saved_model.LoadOptions``.
    """

    def __init__(
        self,
        allow_partial_checkpoint: bool = False,
        experimental_io_device: str | None = None,
        experimental_skip_checkpoint: bool = False,
        experimental_variable_policy: Any = None,
        experimental_load_function_aliases: bool = False,
    ) -> None:
        refused = {
            "allow_partial_checkpoint": allow_partial_checkpoint,
            "experimental_skip_checkpoint": experimental_skip_checkpoint,
            "experimental_variable_policy": experimental_variable_policy not in (None, "none"),
            "experimental_load_function_aliases": experimental_load_function_aliases,
        }
        _refuse("LoadOptions", refused)
        self.allow_partial_checkpoint = False
        self.experimental_io_device = _local(experimental_io_device, "LoadOptions")
        self.experimental_skip_checkpoint = False
        self.experimental_variable_policy = experimental_variable_policy
        self.experimental_load_function_aliases = False


def _refuse(owner: str, options: dict[str, Any]) -> None:
    for name, given in options.items():
        if given:
            raise NotSupportedError(f"{owner}({name}=...) is not offered; leave the argument out.")


def _local(device: str | None, owner: str) -> str | None:
    if device not in (None, "/job:localhost", "/device:CPU:0", "CPU:0", "/CPU:0"):
        raise NotSupportedError(
            f"{owner}(experimental_io_device={device!r}) is not offered: files are read and written by this machine."
        )
    return device


class Asset:
    """A file that belongs to a program.

    Args:
        path: the file.

    References: TensorFlow ``tf.saved_model.Asset``.
    """

    def __init__(self, path: Any) -> None:
        self._path = os.fspath(path)

    @property
    def asset_path(self) -> str:
        """The file's path."""
        return self._path
