"""Which devices a strategy takes."""

from __future__ import annotations

from typing import Any

from hornbeam.base.errors import NotSupportedError, explain
from hornbeam.config.devices import list_logical_devices

__all__ = ["first_device", "mirrored_devices", "one_device"]


def first_device() -> str:
    """Name of the first accelerator, else of the CPU."""
    found = [device.name for device in list_logical_devices()]
    accelerators = [name for name in found if "CPU" not in name.upper()]
    return (accelerators or found)[0]


def mirrored_devices(kind: str, devices: Any) -> tuple[str, ...]:
    """Names of the devices of a strategy for several: those that are given, else all accelerators, else the CPU.

    Raises:
        ValueError: one is not there, or named twice.
    """
    found = [device.name for device in list_logical_devices()]
    if devices is None:
        accelerators = [name for name in found if "CPU" not in name.upper()]
        return tuple(accelerators or found)
    given = [devices] if isinstance(devices, str) else list(devices)
    names = []
    for device in given:
        # "/gpu:1", "GPU:1", "/job:localhost/replica:0/task:0/device:GPU:1"
        kind_and_number = str(getattr(device, "name", device)).rpartition("/")[2].upper().removeprefix("DEVICE:")
        name = f"/device:{kind_and_number if ':' in kind_and_number else kind_and_number + ':0'}"
        if name not in found or name in names:
            raise ValueError(
                explain(
                    f"{kind}: a device is not there, or named twice.",
                    expected=f"some of {found}",
                    received=f"devices={[str(getattr(one, 'name', one)) for one in given]}",
                    fix="name devices of `tf.config.list_logical_devices()`, or none to take them all",
                )
            )
        names.append(name)
    if not names:
        raise ValueError(f"{kind}: `devices` names none. Leave it out to take all there are: {found}.")
    return tuple(names)


def one_device(kind: str, devices: Any) -> tuple[str, ...]:
    """The name of the device of a strategy for one.

    Raises:
        NotSupportedError: several are given.
    """
    if devices is None:
        return (first_device(),)
    names = tuple(
        str(getattr(device, "name", device)) for device in ([devices] if isinstance(devices, str) else devices)
    )
    if len(names) != 1:
        raise NotSupportedError(
            explain(
                f"{kind} works on one device.",
                expected="one device, or none to take the first accelerator",
                received=f"devices={list(names)}",
                fix="name one device, or take `MirroredStrategy` for several",
            )
        )
    return names
