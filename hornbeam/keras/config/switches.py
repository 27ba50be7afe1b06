"""Switches of the whole process: flash attention, logging, tracebacks, and those that have one position only."""

from __future__ import annotations

from hornbeam.base import settings
from hornbeam.base.errors import NotSupportedError, explain

__all__ = [
    "backend",
    "disable_flash_attention",
    "disable_interactive_logging",
    "disable_traceback_filtering",
    "enable_flash_attention",
    "enable_interactive_logging",
    "enable_traceback_filtering",
    "enable_unsafe_deserialization",
    "is_flash_attention_enabled",
    "is_interactive_logging_enabled",
    "is_nnx_enabled",
    "is_traceback_filtering_enabled",
    "set_backend",
]


def backend() -> str:
    """Always ``"jax"``.

    References: Keras ``keras.config.backend``.
    """
    return "jax"


def set_backend(backend: str) -> None:
    """Accept ``"jax"``, the only backend there is.

    Raises:
        NotSupportedError: any other name.

    References: Keras ``keras.config.set_backend``.
    """
    if backend != "jax":
        raise NotSupportedError(
            explain(
                "There is one backend, and it cannot be exchanged.",
                expected="'jax'",
                received=repr(backend),
                fix="drop the call; scripts written for other backends run as they are",
            )
        )


def is_nnx_enabled() -> bool:
    """Always False: variables are no Flax variables.

    References: Keras ``keras.config.is_nnx_enabled``.
    """
    return False


def enable_flash_attention() -> None:
    """Let attention use the fused kernel where it can.

    References: Keras ``keras.config.enable_flash_attention``.
    """
    settings.put("flash_attention", None)


def disable_flash_attention() -> None:
    """Keep attention from using the fused kernel.

    References: Keras ``keras.config.disable_flash_attention``.
    """
    settings.put("flash_attention", False)


def is_flash_attention_enabled() -> bool | None:
    """False if disabled, else ``None``: the fused kernel is used where it can be.

    References: Keras ``keras.config.is_flash_attention_enabled``.
    """
    return settings.get("flash_attention")


def enable_interactive_logging() -> None:
    """Print progress to standard output.

    References: Keras ``keras.config.enable_interactive_logging``.
    """
    settings.put("interactive_logging", True)


def disable_interactive_logging() -> None:
    """Send progress to the log instead of standard output.

    References: Keras ``keras.config.disable_interactive_logging``.
    """
    settings.put("interactive_logging", False)


def is_interactive_logging_enabled() -> bool:
    """True if progress is printed to standard output.

    References: Keras ``keras.config.is_interactive_logging_enabled``.
    """
    return settings.interactive_logging()


def enable_traceback_filtering() -> None:
    """Leave Hornbeam's own frames out of error tracebacks.

    References: Keras ``keras.config.enable_traceback_filtering``.
    """
    settings.put("traceback_filtering", True)


def disable_traceback_filtering() -> None:
    """Show error tracebacks in full.

    References: Keras ``keras.config.disable_traceback_filtering``.
    """
    settings.put("traceback_filtering", False)


def is_traceback_filtering_enabled() -> bool:
    """True if Hornbeam's own frames are left out of error tracebacks.

    References: Keras ``keras.config.is_traceback_filtering_enabled``.
    """
    return bool(settings.get("traceback_filtering"))


def enable_unsafe_deserialization() -> None:
    """Refuse: safe mode is switched off for one call at a time, never for the process.

    Raises:
        NotSupportedError: always.

    References: Keras ``keras.config.enable_unsafe_deserialization``.
    """
    raise NotSupportedError(
        explain(
            "Safe mode cannot be switched off for the whole process: one forgotten call would open every later file.",
            fix="pass `safe_mode=False` to the one call that loads a file you trust, "
            "e.g. keras.models.load_model(path, safe_mode=False)",
        )
    )
