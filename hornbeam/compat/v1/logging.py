"""``tf.compat.v1.logging``: levels and functions of TensorFlow's log."""

from __future__ import annotations

import logging as _logging

from hornbeam.tensors.scopes import get_logger

DEBUG, INFO, WARN, ERROR, FATAL = (
    _logging.DEBUG,
    _logging.INFO,
    _logging.WARNING,
    _logging.ERROR,
    _logging.CRITICAL,
)
WARNING = WARN


def get_verbosity() -> int:
    """The lowest level that is logged."""
    return get_logger().getEffectiveLevel()


def set_verbosity(v: int) -> None:
    """Set the lowest level that is logged."""
    get_logger().setLevel(v)


def log(level: int, msg: str, *args: object, **kwargs: object) -> None:
    """Log a text at a level."""
    get_logger().log(level, msg, *args)


def debug(msg: str, *args: object, **kwargs: object) -> None:
    """Log a text for debugging."""
    get_logger().debug(msg, *args)


def info(msg: str, *args: object, **kwargs: object) -> None:
    """Log a text for information."""
    get_logger().info(msg, *args)


def warning(msg: str, *args: object, **kwargs: object) -> None:
    """Log a warning."""
    get_logger().warning(msg, *args)


warn = warning


def error(msg: str, *args: object, **kwargs: object) -> None:
    """Log an error."""
    get_logger().error(msg, *args)


def fatal(msg: str, *args: object, **kwargs: object) -> None:
    """Log a fatal error."""
    get_logger().critical(msg, *args)
