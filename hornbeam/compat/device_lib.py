"""``tensorflow.python.client.device_lib``: the list of devices that many programs print."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hornbeam.config.devices import list_logical_devices


@dataclass(frozen=True)
class DeviceAttributes:
    """One device.

    Attributes:
        name: such as ``"/device:GPU:0"``.
        device_type: ``"CPU"``, ``"GPU"`` or ``"TPU"``.
        memory_limit: bytes that may be used; 0 where nothing limits them.
        incarnation: number of the start of the device.
        physical_device_desc: the device in words; empty for the CPU.
    """

    name: str
    device_type: str
    memory_limit: int = 0
    incarnation: int = 1
    physical_device_desc: str = ""


def list_local_devices(session_config: Any = None) -> list[DeviceAttributes]:
    """The devices of this machine; options of sessions have no effect."""
    return [_attributes(device) for device in list_logical_devices()]


def _attributes(device: Any) -> DeviceAttributes:
    kind, number = device.device_type, device.name.rpartition(":")[2]
    words = "" if kind == "CPU" else f"device: {number}, name: {device.name}"
    return DeviceAttributes(f"/device:{kind}:{number}", kind, physical_device_desc=words)
