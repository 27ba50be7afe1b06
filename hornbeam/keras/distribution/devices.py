"""Devices, and the processes that share them."""

from __future__ import annotations

import os
from typing import Any

import jax

from hornbeam.base.errors import ArgumentError
from hornbeam.core.random_state import get_random_seed, set_random_seed

__all__ = ["device_named", "get_device_count", "initialize", "list_devices"]


def list_devices(device_type: str | None = None) -> list[str]:
    """Names of all devices, such as "cpu:0"; those of other processes too.

    Args:
        device_type: "cpu", "gpu" or "tpu"; the fastest kind there is by default.

    References: Keras ``distribution.list_devices``.
    """
    return [f"{device.platform}:{device.id}" for device in jax.devices(device_type and device_type.lower())]


def get_device_count(device_type: str | None = None) -> int:
    """Number of devices; see ``list_devices``.

    References: Keras ``distribution.get_device_count``.
    """
    return jax.device_count(device_type and device_type.lower())


def device_named(name: object) -> Any:  # `jax.Device` is a variable to type checkers
    """The `jax.Device` of a name such as "cpu:0"; a device is taken as it is.

    Raises:
        ValueError: there is none of that name.
    """
    if isinstance(name, jax.Device):
        return name
    kind, _, number = str(name).lower().partition(":")
    for device in jax.devices(kind):
        if device.id == int(number or 0):
            return device
    raise ValueError(f"There is no device {name!r}. There are {', '.join(list_devices(kind))}.")


def initialize(
    job_addresses: str | None = None, num_processes: int | None = None, process_id: int | None = None
) -> None:
    """Join this process with others, before anything is computed. Not needed for the devices of one machine.

    What is not given is read from the environment: ``KERAS_DISTRIBUTION_JOB_ADDRESSES``,
    ``KERAS_DISTRIBUTION_NUM_PROCESSES``, ``KERAS_DISTRIBUTION_PROCESS_ID``; else JAX asks the cluster.

    Args:
        job_addresses: "host:port" of the first process, or of all of them with commas between.
        num_processes: how many there are.
        process_id: number of this one.

    Raises:
        ValueError: the number of addresses is not that of the processes.

    References: Keras ``distribution.initialize``.
    """
    job_addresses = job_addresses or os.environ.get("KERAS_DISTRIBUTION_JOB_ADDRESSES")
    if num_processes is None and "KERAS_DISTRIBUTION_NUM_PROCESSES" in os.environ:
        num_processes = int(os.environ["KERAS_DISTRIBUTION_NUM_PROCESSES"])
    if process_id is None and "KERAS_DISTRIBUTION_PROCESS_ID" in os.environ:
        process_id = int(os.environ["KERAS_DISTRIBUTION_PROCESS_ID"])
    addresses = job_addresses.split(",") if job_addresses else []
    if len(addresses) > 1 and num_processes is not None and num_processes != len(addresses):
        raise ArgumentError(
            f"initialize(): `job_addresses` names {len(addresses)} processes, and `num_processes` is {num_processes}. "
            "Give one address, that of the first process, or one for each."
        )
    jax.distributed.initialize(
        coordinator_address=addresses[0] if addresses else None, num_processes=num_processes, process_id=process_id
    )
    if get_random_seed() is None:
        # All processes must draw the same weights.
        set_random_seed(len(jax.devices()) + 1)
