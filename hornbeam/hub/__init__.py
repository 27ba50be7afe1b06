"""Saved models as layers, under the names of the ``tensorflow_hub`` package.

References: TensorFlow Hub.
"""

from __future__ import annotations

from typing import Any

from hornbeam.base import registry

__all__ = ["KerasLayer", "load", "resolve"]


def load(handle: Any, tags: Any = None, options: Any = None) -> Any:
    """Read a SavedModel folder as an object; see ``tf.saved_model.load``."""
    return registry.find("saving", "load saved model")(resolve(handle), tags, options)


def resolve(handle: Any) -> str:
    """Path of the folder that a handle means.

    Raises:
        NotSupportedError: the handle is an address on the net.
    """
    return registry.find("saving", "local folder")(handle)


def __getattr__(name: str) -> Any:
    if name == "KerasLayer":
        return registry.find("keras", "hub layer")
    raise registry.missing("hornbeam.hub", name, __all__)
