"""``tf.config.experimental``: memory of devices, operations that give equal results in each run, older spellings."""

from __future__ import annotations

import os
import warnings

import jax

from hornbeam.config.devices import (
    LogicalDeviceConfiguration as VirtualDeviceConfiguration,
)
from hornbeam.config.devices import (
    get_device_details,
    get_memory_growth,
    get_memory_info,
    get_visible_devices,
    list_logical_devices,
    list_physical_devices,
    reset_memory_stats,
    set_memory_growth,
    set_visible_devices,
)
from hornbeam.config.devices import (
    get_logical_device_configuration as get_virtual_device_configuration,
)
from hornbeam.config.devices import (
    set_logical_device_configuration as set_virtual_device_configuration,
)
from hornbeam.engine.jax_compat import backend_started

__all__ = [
    "VirtualDeviceConfiguration",
    "enable_op_determinism",
    "enable_tensor_float_32_execution",
    "get_device_details",
    "get_memory_growth",
    "get_memory_info",
    "get_virtual_device_configuration",
    "get_visible_devices",
    "list_logical_devices",
    "list_physical_devices",
    "reset_memory_stats",
    "set_memory_growth",
    "set_virtual_device_configuration",
    "set_visible_devices",
    "tensor_float_32_execution_enabled",
]

_DETERMINISTIC = "--xla_gpu_deterministic_ops=true"


def enable_op_determinism() -> None:
    """Make operations give bit for bit the same results in each run on one machine.

    On CPUs they do anyway; on GPUs the flag must be set before JAX starts, and a later call warns.
    """
    flags = os.environ.get("XLA_FLAGS", "")
    if _DETERMINISTIC in flags:
        return
    if backend_started() and jax.default_backend() != "cpu":
        warnings.warn(
            f"enable_op_determinism comes too late: set XLA_FLAGS={_DETERMINISTIC} before the program starts.",
            stacklevel=2,
        )
    os.environ["XLA_FLAGS"] = f"{flags} {_DETERMINISTIC}".strip()


def enable_tensor_float_32_execution(enabled: bool) -> None:
    """Whether float32 matrix products on GPUs may round their operands to 10 bits (True), or keep all 23 (False)."""
    jax.config.update("jax_default_matmul_precision", "tensorfloat32" if enabled else "float32")


def tensor_float_32_execution_enabled() -> bool:
    """Whether float32 matrix products on GPUs may round their operands to 10 bits."""
    return getattr(jax.config, "jax_default_matmul_precision", None) in (None, "default", "tensorfloat32")
