"""Ways to bring values together, by name: how it is done, XLA chooses."""

from __future__ import annotations

import enum
from typing import Any

from hornbeam.distribute.replicas import reduced


class CrossDeviceOps:
    """How values of several devices are summed.

    References: TensorFlow ``tf.distribute.CrossDeviceOps``.
    """

    def reduce(self, reduce_op: Any, per_replica_value: Any, destinations: Any, options: Any = None) -> Any:
        """The sum or mean of the replicas' values."""
        return reduced(reduce_op, per_replica_value, 1)

    def batch_reduce(self, reduce_op: Any, value_destination_pairs: Any, options: Any = None) -> list[Any]:
        """The sums or means of several values."""
        return [reduced(reduce_op, value, 1) for value, _ in value_destination_pairs]

    def broadcast(self, tensor: Any, destinations: Any) -> Any:
        """The value for all devices."""
        return tensor


class HierarchicalCopyAllReduce(CrossDeviceOps):
    """Sums in a hierarchy of devices."""

    def __init__(self, num_packs: int = 1) -> None:
        self.num_packs = num_packs


class NcclAllReduce(CrossDeviceOps):
    """Sums by NCCL, which XLA uses on NVIDIA devices."""

    def __init__(self, num_packs: int = 1) -> None:
        self.num_packs = num_packs


class ReductionToOneDevice(CrossDeviceOps):
    """Sums on one device."""

    def __init__(self, reduce_to_device: Any = None, accumulation_fn: Any = None) -> None:
        self.reduce_to_device = reduce_to_device
        self.accumulation_fn = accumulation_fn


class CommunicationImplementation(enum.Enum):
    """Ways in which machines talk to each other."""

    AUTO = "AUTO"
    RING = "RING"
    NCCL = "NCCL"


class CommunicationOptions:
    """Options of the talk between machines.

    Attributes:
        bytes_per_pack: bytes sent at once.
        timeout_seconds: seconds to wait.
        implementation: a ``CommunicationImplementation``.
    """

    Implementation = CommunicationImplementation

    def __init__(
        self,
        bytes_per_pack: int = 0,
        timeout_seconds: float | None = None,
        implementation: CommunicationImplementation = CommunicationImplementation.AUTO,
    ) -> None:
        self.bytes_per_pack = bytes_per_pack
        self.timeout_seconds = timeout_seconds
        self.implementation = implementation
