"""Models as programs for other systems. References: Keras ``keras.export``."""

from __future__ import annotations

from typing import Any

from hornbeam.base import registry

__all__ = ["ExportArchive"]


def __getattr__(name: str) -> Any:
    if name == "ExportArchive":
        return registry.find("keras", "export archive")
    raise registry.missing("hornbeam.keras.export", name, __all__)
