"""Devices: which there are, which are used, and how they are named.

A device is named as in TensorFlow, ``"/physical_device:GPU:0"`` or ``"/device:GPU:0"``. What must be decided before
JAX starts (memory growth, number of CPU devices, hidden GPUs) is put where JAX reads it; when JAX has started
already, it is refused or, where that does no harm, a warning says so.
"""

from __future__ import annotations

import importlib.util
import os
import re
import warnings
from typing import Any

import jax

from hornbeam.base.errors import NotSupportedError
from hornbeam.engine.jax_compat import backend_started

__all__ = [
    "LogicalDevice",
    "LogicalDeviceConfiguration",
    "PhysicalDevice",
    "find_device",
    "get_device_details",
    "get_logical_device_configuration",
    "get_memory_growth",
    "get_memory_info",
    "get_soft_device_placement",
    "get_visible_devices",
    "list_logical_devices",
    "list_physical_devices",
    "reset_memory_stats",
    "set_logical_device_configuration",
    "set_memory_growth",
    "set_soft_device_placement",
    "set_visible_devices",
]

_KINDS = {"cpu": "CPU", "tpu": "TPU", "gpu": "GPU", "cuda": "GPU", "rocm": "GPU"}


class _Choices:
    soft_placement = True
    visible: dict[str, list[PhysicalDevice]] = {}
    logical: dict[str, list[LogicalDeviceConfiguration]] = {}


class PhysicalDevice:
    """A device of this machine.

    Attributes:
        name: such as ``"/physical_device:GPU:0"``.
        device_type: ``"CPU"``, ``"GPU"`` or ``"TPU"``.
    """

    __slots__ = ("device_type", "name")

    def __init__(self, name: str, device_type: str) -> None:
        self.name, self.device_type = name, device_type

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and (self.name, self.device_type) == (other.name, other.device_type)

    def __hash__(self) -> int:
        return hash((self.name, self.device_type))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r}, device_type={self.device_type!r})"


class LogicalDevice(PhysicalDevice):
    """A device as programs use it, named such as ``"/device:GPU:0"``."""

    __slots__ = ()


class LogicalDeviceConfiguration:
    """One of the logical devices that a physical one is divided into.

    Args:
        memory_limit: megabytes; not enforced, see ``set_logical_device_configuration``.
        experimental_priority: must be None.
        experimental_device_ordinal: must be None.
    """

    def __init__(
        self,
        memory_limit: float | None = None,
        experimental_priority: int | None = None,
        experimental_device_ordinal: int | None = None,
    ) -> None:
        if experimental_priority is not None or experimental_device_ordinal is not None:
            raise NotSupportedError(
                "LogicalDeviceConfiguration: priorities and ordinals are not offered; leave them out."
            )
        self.memory_limit = memory_limit

    def __repr__(self) -> str:
        return f"LogicalDeviceConfiguration(memory_limit={self.memory_limit})"


# --- listing -------------------------------------------------------------------------------------
def _all_devices() -> list[Any]:
    """JAX's devices: those of the default platform, and the CPU."""
    found = list(jax.local_devices())
    if all(device.platform != "cpu" for device in found):
        try:
            found = [*jax.local_devices(backend="cpu"), *found]
        except RuntimeError:
            # JAX_PLATFORMS leaves the CPU out.
            return found
    return found


def _type_of(device: Any) -> str:
    return _KINDS.get(device.platform) or str(device.platform).upper()


def _numbered(kind: type, pattern: str, device_type: str | None) -> list[Any]:
    counts: dict[str, int] = {}
    listed = []
    for device in _all_devices():
        name = _type_of(device)
        number = counts[name] = counts.get(name, -1) + 1
        if device_type is None or device_type.upper() == name:
            listed.append(kind(pattern.format(name, number), name))
    return listed


def list_physical_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """Devices of this machine, all or those of a type: ``"CPU"``, ``"GPU"``, ``"TPU"``.

    Where it can be told without it, JAX is not started, so that memory growth and the like can still be set.
    """
    gpus = None if backend_started() else _count_gpus()
    if gpus is None:
        listed = _numbered(PhysicalDevice, "/physical_device:{}:{}", device_type)
        # CPU devices that were asked for by `set_logical_device_configuration` are parts of one.
        return [device for device in listed if device.device_type != "CPU" or device.name.endswith(":0")]
    listed = [PhysicalDevice("/physical_device:CPU:0", "CPU")]
    listed += [PhysicalDevice(f"/physical_device:GPU:{number}", "GPU") for number in range(gpus)]
    return [device for device in listed if device_type is None or device.device_type == device_type.upper()]


_DRIVER = "/proc/driver/nvidia/gpus"


def _count_gpus() -> int | None:
    """Number of GPUs that JAX will find, or None if only starting JAX can tell."""
    platforms = os.environ.get("JAX_PLATFORMS", "") or getattr(jax.config, "jax_platforms", None) or ""
    if platforms:
        names = set(platforms.split(","))
        if names <= {"cpu"}:
            return 0
        if not names <= {"cpu", "cuda", "gpu"}:
            return None
    has_plugin = any(importlib.util.find_spec(name) for name in ("jax_cuda12_plugin", "jax_cuda13_plugin"))
    if not has_plugin:
        others = ("libtpu", "jax_rocm60_plugin", "jax_rocm7_plugin")
        return None if any(importlib.util.find_spec(name) for name in others) else 0
    try:
        there = len(os.listdir(_DRIVER))
    except OSError:
        return None
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return there
    numbers = [part.strip() for part in visible.split(",")]
    # A number that is not valid hides itself and all after it.
    stop = next((place for place, part in enumerate(numbers) if not part or part.startswith("-")), len(numbers))
    return min(there, stop)


def list_logical_devices(device_type: str | None = None) -> list[LogicalDevice]:
    """Devices that programs use: the visible ones, divided as configured."""
    listed = _numbered(LogicalDevice, "/device:{}:{}", device_type)
    for name, visible in _Choices.visible.items():
        kept = {device.name.removeprefix("/physical_device:") for device in visible}
        if name == "CPU" and visible:
            continue
        listed = [d for d in listed if d.device_type != name or d.name.removeprefix("/device:") in kept]
    return listed


def get_visible_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """Physical devices that are used."""
    return [
        device
        for device in list_physical_devices(device_type)
        if device.device_type not in _Choices.visible or device in _Choices.visible[device.device_type]
    ]


def set_visible_devices(devices: Any, device_type: str | None = None) -> None:
    """Use some of the physical devices only.

    Without GPUs everything runs on the CPU from now on; tensors that exist stay where they are.

    Args:
        devices: list of devices, one device, or an empty list for none.
        device_type: the type that the list is about; all types by default.

    Raises:
        ValueError: a device is of another type, or not there.
    """
    chosen = list(devices) if isinstance(devices, (list, tuple)) else [devices]
    there = list_physical_devices(device_type)
    for device in chosen:
        if device not in there:
            raise ValueError(f"set_visible_devices: {device!r} is not one of the devices {there}.")
    for kind in [device_type.upper()] if device_type else sorted({device.device_type for device in there}):
        _Choices.visible[kind] = [device for device in chosen if device.device_type == kind]
    order = [device for kind in ("TPU", "GPU", "CPU") for device in get_visible_devices(kind)]
    if not order:
        raise ValueError("set_visible_devices: at least one device must remain.")
    if not backend_started() and order[0].device_type == "CPU":
        # The GPU is not even started, so that it keeps its memory for others.
        jax.config.update("jax_platforms", "cpu")
    elif not backend_started() and order[0].device_type == "GPU":
        numbers = [device.name.rsplit(":", 1)[1] for device in get_visible_devices("GPU")]
        if len(numbers) < len(list_physical_devices("GPU")):
            jax.config.update("jax_cuda_visible_devices", ",".join(numbers))
            _Choices.visible.pop("GPU")
    else:
        number = int(order[0].name.rsplit(":", 1)[1])
        jax.config.update("jax_default_device", _jax_device(order[0].device_type, number))


def get_device_details(device: PhysicalDevice) -> dict[str, Any]:
    """What is known about a device: its ``"device_name"``, and ``"compute_capability"`` of GPUs."""
    found = _jax_device(device.device_type, int(device.name.rsplit(":", 1)[1]))
    if device.device_type == "CPU":
        return {}
    details: dict[str, Any] = {"device_name": found.device_kind}
    capability = getattr(found, "compute_capability", None)
    if capability is not None:
        details["compute_capability"] = tuple(int(part) for part in str(capability).split("."))
    return details


# --- finding -------------------------------------------------------------------------------------
_NAME = re.compile(r"(?:^|.*[/:])(cpu|gpu|tpu|xla_gpu)(?::(\d+|\*))?$", re.IGNORECASE)


def _jax_device(kind: str, number: int) -> Any:
    same = [device for device in _all_devices() if _type_of(device) == kind]
    return same[number] if number < len(same) else None


def find_device(name: Any) -> Any:
    """JAX's device of a TensorFlow name; None stands for the default one.

    Raises:
        ValueError: it is no name of a device.
        RuntimeError: it is not there, and soft placement is off.
    """
    if name is None or name == "":
        return None
    if not isinstance(name, str):
        name = getattr(name, "name", name)
    match = _NAME.match(str(name))
    if match is None:
        raise ValueError(f"Failed to parse device name: {name!r}; expected a name such as '/CPU:0' or '/GPU:0'.")
    kind = match[1].upper().removeprefix("XLA_")
    number = 0 if match[2] in (None, "*") else int(match[2])
    found = _jax_device(kind, number)
    if found is None:
        if not _Choices.soft_placement:
            there = [device.name for device in list_logical_devices()]
            raise RuntimeError(f"Could not satisfy device specification {name!r}. All available devices {there}.")
        found = _jax_device(kind, 0) or _jax_device("CPU", 0)
    return found


def set_soft_device_placement(enabled: bool) -> None:
    """Whether ``tf.device`` takes another device when the one asked for is not there; True from the start."""
    _Choices.soft_placement = bool(enabled)


def get_soft_device_placement() -> bool:
    """Whether ``tf.device`` takes another device when the one asked for is not there."""
    return _Choices.soft_placement


# --- memory and division -------------------------------------------------------------------------
def set_memory_growth(device: PhysicalDevice, enable: bool) -> None:
    """Take the memory of a GPU as it is needed (True), or most of it at once (False).

    It is the same for all GPUs, and must be decided before JAX starts, which the first computation, and already the
    listing of devices, does: set ``XLA_PYTHON_CLIENT_PREALLOCATE=false`` to be sure. Later calls warn.
    """
    wanted = "false" if enable else "true"
    if device is not None and getattr(device, "device_type", "GPU") == "CPU":
        raise ValueError(f"set_memory_growth: only the memory of GPUs grows. Received: {device!r}")
    if os.environ.get("XLA_PYTHON_CLIENT_PREALLOCATE", "true").lower() == wanted:
        return
    if backend_started():
        warnings.warn(
            "set_memory_growth comes too late: JAX has taken the memory of the GPU already. Set the environment "
            f"variable XLA_PYTHON_CLIENT_PREALLOCATE={wanted} before the program starts.",
            stacklevel=2,
        )
    os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] = wanted


def get_memory_growth(device: PhysicalDevice) -> bool:
    """Whether the memory of GPUs is taken as it is needed."""
    return os.environ.get("XLA_PYTHON_CLIENT_PREALLOCATE", "true").lower() in ("false", "0")


def get_memory_info(device: str) -> dict[str, int]:
    """Bytes in use on a device now (``"current"``) and at most so far (``"peak"``).

    Raises:
        ValueError: the device keeps no account, as CPUs do not.
    """
    found = find_device(device)
    stats = None if found is None else found.memory_stats()
    if not stats:
        raise ValueError(f"get_memory_info: device {device!r} keeps no account of its memory.")
    return {"current": int(stats["bytes_in_use"]), "peak": int(stats["peak_bytes_in_use"])}


def reset_memory_stats(device: str) -> None:
    """Raise: the peak cannot be reset.

    Raises:
        NotSupportedError: always.
    """
    raise NotSupportedError("reset_memory_stats: JAX cannot reset the peak; take differences of get_memory_info.")


def set_logical_device_configuration(device: PhysicalDevice, logical_devices: Any) -> None:
    """Divide a CPU into several devices, before JAX starts.

    A GPU stays one device; a memory limit for it is not enforced, and a warning says how to set one.

    Raises:
        RuntimeError: JAX has started already.
        NotSupportedError: a GPU in several parts.
    """
    parts = list(logical_devices)
    if device.device_type != "CPU":
        if len(parts) > 1:
            raise NotSupportedError(
                "set_logical_device_configuration: a GPU cannot be divided; divide the CPU to test."
            )
        if parts and parts[0].memory_limit:
            warnings.warn(
                f"memory_limit={parts[0].memory_limit} is not enforced. Set the environment variable "
                "XLA_PYTHON_CLIENT_MEM_FRACTION to a share of the GPU's memory before the program starts.",
                stacklevel=2,
            )
        _Choices.logical[device.name] = parts
        return
    if backend_started() and len(parts) != len(jax.local_devices(backend="cpu")):
        raise RuntimeError(
            f"Too late to split the CPU into {len(parts)} virtual devices: JAX has started.\n"
            f'  fix:      call jax.config.update("jax_num_cpu_devices", {len(parts)}) first thing in the program'
        )
    if not backend_started():
        jax.config.update("jax_num_cpu_devices", len(parts))
    _Choices.logical[device.name] = parts


def get_logical_device_configuration(device: PhysicalDevice) -> list[LogicalDeviceConfiguration] | None:
    """What ``set_logical_device_configuration`` set for a device, or None."""
    return _Choices.logical.get(device.name)
