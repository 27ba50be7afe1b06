"""What this machine and this installation offer."""

from __future__ import annotations

import importlib.util

from hornbeam.config.devices import get_device_details, list_physical_devices

__all__ = [
    "gpu_device_name",
    "is_built_with_cuda",
    "is_built_with_gpu_support",
    "is_built_with_rocm",
    "is_built_with_xla",
    "is_gpu_available",
]


def is_gpu_available(cuda_only: bool = False, min_cuda_compute_capability: tuple[int, int] | None = None) -> bool:
    """Whether there is a GPU to compute on.

    Args:
        cuda_only: count GPUs of NVIDIA only.
        min_cuda_compute_capability: (major, minor) that a GPU must have at least.

    References: TensorFlow ``tf.test.is_gpu_available``.
    """
    devices = list_physical_devices("GPU")
    if cuda_only or min_cuda_compute_capability:
        devices = [device for device in devices if _capability() >= (min_cuda_compute_capability or (0, 0))]
        return bool(devices) and is_built_with_cuda()
    return bool(devices)


def _capability() -> tuple[int, int]:
    found = [get_device_details(device).get("compute_capability") for device in list_physical_devices("GPU")]
    return max([capability for capability in found if capability], default=(0, 0))


def gpu_device_name() -> str:
    """Name of the first GPU, ``"/device:GPU:0"``; an empty text if there is none.

    References: TensorFlow ``tf.test.gpu_device_name``.
    """
    return "/device:GPU:0" if list_physical_devices("GPU") else ""


def is_built_with_cuda() -> bool:
    """Whether programs can be compiled for GPUs of NVIDIA: whether JAX has its CUDA plugin.

    References: TensorFlow ``tf.test.is_built_with_cuda``.
    """
    return any(_installed(f"jax_cuda{version}_plugin") for version in (11, 12, 13))


def is_built_with_rocm() -> bool:
    """Whether programs can be compiled for GPUs of AMD.

    References: TensorFlow ``tf.test.is_built_with_rocm``.
    """
    return any(_installed(f"jax_rocm{version}_plugin") for version in (60, 7))


def is_built_with_gpu_support() -> bool:
    """Whether programs can be compiled for GPUs of any kind.

    References: TensorFlow ``tf.test.is_built_with_gpu_support``.
    """
    return is_built_with_cuda() or is_built_with_rocm()


def is_built_with_xla() -> bool:
    """True: everything is compiled by XLA.

    References: TensorFlow ``tf.test.is_built_with_xla``.
    """
    return True


def _installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None
