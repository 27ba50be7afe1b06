"""``tf.compat.v1.layers``: functions that made a layer and called it, which sharing by name depended on."""

from __future__ import annotations

from typing import Any

from hornbeam.base.errors import NotSupportedError


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise NotSupportedError(
            f"tf.layers.{name} is not offered: variables are not shared by name. Make a layer of "
            "`tf.keras.layers` once, "
            "keep it, and call it."
        )

    return refuse
