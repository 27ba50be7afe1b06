"""Meshes of devices, and where the parts of an array lie on them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, MutableMapping, Sequence
from typing import Any

import jax
import numpy as np

from hornbeam.base.errors import explain
from hornbeam.core.conversion import as_array
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import Tensor, wrap
from hornbeam.core.variable import Variable
from hornbeam.engine.jax_compat import Tracer
from hornbeam.keras.distribution.devices import device_named, list_devices

__all__ = ["DeviceMesh", "LayoutMap", "TensorLayout", "distribute_tensor"]


class DeviceMesh:
    """Devices in a grid with named axes.

    Args:
        shape: sizes of the grid, such as ``(2, 4)``.
        axis_names: a name for each, such as ``("batch", "model")``.
        devices: names of devices, or devices; all there are by default.

    Raises:
        ValueError: sizes, names and devices do not fit together.

    References: Keras ``distribution.DeviceMesh``.
    """

    def __init__(self, shape: Sequence[int], axis_names: Sequence[str], devices: Any = None) -> None:
        if not shape or not axis_names or len(shape) != len(axis_names):
            raise ValueError(
                f"DeviceMesh: `axis_names` takes a name for each size in `shape`. Received: shape={shape}, "
                f"axis_names={axis_names}"
            )
        found = np.array(list_devices() if devices is None else devices)
        if math.prod(shape) != found.size:
            raise ValueError(
                explain(
                    "DeviceMesh: the grid does not fit the devices.",
                    expected=f"{math.prod(shape)} devices for shape {tuple(shape)}",
                    received=f"{found.size}: {found.ravel().tolist()}",
                    fix="choose other sizes; XLA_FLAGS=--xla_force_host_platform_device_count=N makes N CPU devices",
                )
            )
        self._shape, self._axis_names = shape, axis_names
        self._devices = found.reshape(shape)
        self._mesh: Any = None

    @property
    def shape(self) -> Sequence[int]:
        """Sizes of the grid."""
        return self._shape

    @property
    def axis_names(self) -> Sequence[str]:
        """Names of its axes."""
        return self._axis_names

    @property
    def devices(self) -> np.ndarray:
        """Names of the devices, in the grid."""
        return self._devices

    @property
    def backend_mesh(self) -> jax.sharding.Mesh:
        """The grid as JAX has it."""
        if self._mesh is None:
            devices = [device_named(one) for one in self._devices.ravel()]
            grid = np.empty(len(devices), object)
            grid[:] = devices
            self._mesh = jax.sharding.Mesh(grid.reshape(self._devices.shape), tuple(self._axis_names))
        return self._mesh

    def __repr__(self) -> str:
        return f"<{type(self).__name__} shape={self.shape}, axis_names={self.axis_names}>"


class TensorLayout:
    """For each axis of an array the axis of the mesh along which it is cut, or None where it stays whole.

    Args:
        axes: names of mesh axes, and None.
        device_mesh: the mesh; may be set later, once.

    Raises:
        ValueError: the mesh has no axis of such a name.

    References: Keras ``distribution.TensorLayout``.
    """

    def __init__(self, axes: Sequence[str | None], device_mesh: DeviceMesh | None = None) -> None:
        self._axes = tuple(axes)
        self._device_mesh = device_mesh
        self._sharding: Any = None
        self._check_axes()

    @property
    def axes(self) -> tuple[str | None, ...]:
        """Names of mesh axes, and None."""
        return self._axes

    @property
    def device_mesh(self) -> DeviceMesh | None:
        """The mesh."""
        return self._device_mesh

    @device_mesh.setter
    def device_mesh(self, device_mesh: DeviceMesh) -> None:
        if self._device_mesh is not None:
            raise ValueError(f"TensorLayout: the mesh can be set once. It is {self._device_mesh} already.")
        self._device_mesh = device_mesh
        self._check_axes()

    @property
    def backend_layout(self) -> jax.sharding.NamedSharding:
        """The layout as JAX has it.

        Raises:
            ValueError: there is no mesh yet.
        """
        if self._device_mesh is None:
            raise ValueError(f"TensorLayout(axes={self._axes}) has no mesh yet. Set `layout.device_mesh`.")
        if self._sharding is None:
            spec = jax.sharding.PartitionSpec(*self._axes)
            self._sharding = jax.sharding.NamedSharding(self._device_mesh.backend_mesh, spec)
        return self._sharding

    def placed(self, tensor: Any) -> Any:
        """A tensor with this layout; see ``distribute_tensor``."""
        return distribute_tensor(tensor, self)

    def _check_axes(self) -> None:
        if self._device_mesh is None:
            return
        unknown = {axis for axis in self._axes if axis is not None} - set(self._device_mesh.axis_names)
        if unknown:
            raise ValueError(
                f"TensorLayout: axes of the mesh are {tuple(self._device_mesh.axis_names)}. Received: {sorted(unknown)}"
            )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} axes={self.axes}, device_mesh={self.device_mesh}>"


class LayoutMap(MutableMapping):
    """Layouts of variables and layer outputs, by path.

    Keys are paths, such as "dense/kernel" or "dense/output", or regular expressions that have to match a whole path.

    Args:
        device_mesh: mesh of layouts that have none.

    Example:
        >>> layouts = LayoutMap(DeviceMesh((1, 1), ("batch", "model"), ["cpu:0"]))
        >>> layouts["dense.*kernel"] = (None, "model")

    References: Keras ``distribution.LayoutMap``.
    """

    def __init__(self, device_mesh: DeviceMesh | None) -> None:
        self._layouts: dict[str, TensorLayout] = {}
        self._device_mesh = device_mesh

    def __getitem__(self, key: str) -> TensorLayout | None:
        """Layout of a path: that of the equal key, else of the one key that matches it, else None."""
        if key in self._layouts:
            return self._layouts[key]
        matching = [pattern for pattern in self._layouts if re.fullmatch(pattern, key)]
        if len(matching) > 1:
            raise ValueError(
                f"LayoutMap: expected one key for the path '{key}'. Received: {matching} all match it. Make the keys "
                "narrower."
            )
        return self._layouts[matching[0]] if matching else None

    def __setitem__(self, key: str, layout: Any) -> None:
        if key in self._layouts:
            raise ValueError(f"LayoutMap: '{key}' has the layout {self._layouts[key]} already. Delete it first.")
        if isinstance(layout, tuple):
            layout = TensorLayout(layout)
        if not isinstance(layout, TensorLayout):
            raise ValueError(
                f"LayoutMap: a layout is a TensorLayout or a tuple of mesh axes. Received: {layout!r} of type "
                f"{type(layout).__name__}"
            )
        if layout.device_mesh is None and self._device_mesh is not None:
            layout.device_mesh = self._device_mesh
        self._layouts[key] = layout

    def __delitem__(self, key: str) -> None:
        del self._layouts[key]

    def __len__(self) -> int:
        return len(self._layouts)

    def __iter__(self) -> Iterator[str]:
        return iter(self._layouts)

    @property
    def device_mesh(self) -> DeviceMesh | None:
        """Mesh of layouts that have none."""
        return self._device_mesh


def distribute_tensor(tensor: Any, layout: Any) -> Any:
    """A tensor whose parts lie as a layout says; inside a compiled function, a demand that they do.

    Args:
        tensor: tensor or array; a symbolic one stays as it is.
        layout: ``TensorLayout``, or a ``jax.sharding.Sharding``.

    References: Keras ``distribution.distribute_tensor``.
    """
    if isinstance(tensor, KerasTensor):
        return tensor
    sharding = layout.backend_layout if isinstance(layout, TensorLayout) else layout
    raw = isinstance(tensor, jax.Array) and not isinstance(tensor, (Tensor, Variable))
    array: Any = tensor if raw else as_array(tensor)
    if isinstance(array, Tracer):
        found = jax.lax.with_sharding_constraint(array, sharding)
    elif array.sharding.is_equivalent_to(sharding, array.ndim):
        return tensor if raw else wrap(array)
    else:
        found = jax.device_put(array, sharding)
    return found if raw else wrap(found)
