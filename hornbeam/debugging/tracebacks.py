"""``tf.debugging``: whether tracebacks leave out frames of the library; one switch with ``keras.config``."""

from __future__ import annotations

from hornbeam.base import settings

__all__ = ["disable_traceback_filtering", "enable_traceback_filtering", "is_traceback_filtering_enabled"]


def enable_traceback_filtering() -> None:
    """Leave frames of the library out of tracebacks."""
    settings.put("traceback_filtering", True)


def disable_traceback_filtering() -> None:
    """Show every frame of tracebacks."""
    settings.put("traceback_filtering", False)


def is_traceback_filtering_enabled() -> bool:
    """Whether frames of the library are left out of tracebacks."""
    return bool(settings.get("traceback_filtering"))
