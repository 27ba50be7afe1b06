"""Training on several devices.

References: Keras ``keras.distribution``.
"""

from hornbeam.keras.distribution.devices import get_device_count, initialize, list_devices
from hornbeam.keras.distribution.distributions import (
    DataParallel,
    Distribution,
    ModelParallel,
    distribution,
    set_distribution,
)
from hornbeam.keras.distribution.layouts import DeviceMesh, LayoutMap, TensorLayout, distribute_tensor

__all__ = [
    "DataParallel",
    "DeviceMesh",
    "Distribution",
    "LayoutMap",
    "ModelParallel",
    "TensorLayout",
    "distribute_tensor",
    "distribution",
    "get_device_count",
    "initialize",
    "list_devices",
    "set_distribution",
]
