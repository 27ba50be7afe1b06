"""The machine's devices under the names that PlaidML would give them."""

from __future__ import annotations

import re

from hornbeam.config.devices import get_device_details, list_physical_devices

CPU = "llvm_cpu.0"


def device_names() -> list[str]:
    """Names of all devices, the CPU first."""
    found = [CPU]
    others = [device for device in list_physical_devices() if device.device_type != "CPU"]
    for number, device in enumerate(others):
        kind = get_device_details(device).get("device_name") or device.device_type
        found.append(f"cuda_{re.sub(r'[^a-z0-9]+', '_', str(kind).lower()).strip('_')}.{number}")
    return found
