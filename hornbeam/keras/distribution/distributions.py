"""Distributions: which part of data, weights and outputs lies on which device."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jax
import numpy as np

from hornbeam.base.errors import NotSupportedError
from hornbeam.core import placement
from hornbeam.keras.distribution.devices import list_devices
from hornbeam.keras.distribution.layouts import DeviceMesh, LayoutMap, TensorLayout

__all__ = ["DataParallel", "Distribution", "ModelParallel", "distribution", "set_distribution"]
BATCH = "batch"


class Distribution:
    """Base of the distributions. Models made and trained while one is in force follow it.

    Args:
        device_mesh: the devices.
        batch_dim_name: axis of the mesh along which batches are cut.
        auto_shard_dataset: whether each of several processes takes its share of a data set.
    """

    def __init__(
        self, device_mesh: DeviceMesh, batch_dim_name: str | None = None, auto_shard_dataset: bool = True
    ) -> None:
        self._device_mesh = device_mesh
        self._batch_dim_name = batch_dim_name
        self._auto_shard_dataset = auto_shard_dataset

    @property
    def num_processes(self) -> int:
        """Processes that compute together."""
        return jax.process_count()

    @property
    def num_model_replicas(self) -> int:
        """Parts that a batch is cut into."""
        raise NotImplementedError

    @property
    def data_shard_id(self) -> int:
        """Number of the share of the data that this process takes."""
        return jax.process_index() // max(1, self.num_processes // self.num_model_replicas)

    @property
    def device_mesh(self) -> DeviceMesh:
        """The devices."""
        return self._device_mesh

    @property
    def batch_dim_name(self) -> str | None:
        """Axis of the mesh along which batches are cut."""
        return self._batch_dim_name

    @property
    def auto_shard_dataset(self) -> bool:
        """Whether each of several processes takes its share of a data set."""
        return self._auto_shard_dataset

    @auto_shard_dataset.setter
    def auto_shard_dataset(self, auto_shard_dataset: bool) -> None:
        self._auto_shard_dataset = auto_shard_dataset

    def get_data_layout(self, data_shape: Any) -> TensorLayout:
        """Layout of a batch: cut along its first axis."""
        return TensorLayout([self._batch_dim_name, *[None] * (len(data_shape) - 1)], self._device_mesh)

    def get_variable_layout(self, variable: Any) -> TensorLayout:
        """Layout of a variable: the one it was made with, else whole on each device."""
        given = getattr(variable, "_layout", None)
        return TensorLayout([None] * len(variable.shape), self._device_mesh) if given is None else given

    def get_tensor_layout(self, path: str) -> TensorLayout | None:
        """Layout of a layer's output, or None where it does not matter."""
        return None

    def distribute_dataset(self, dataset: Any) -> Any:
        """The data set itself, as one process takes all of it.

        Raises:
            NotSupportedError: there are several processes, and they are to share it.
        """
        if self.num_processes > 1 and self.auto_shard_dataset:
            raise NotSupportedError(
                "A data set is not shared out among processes by itself. Give each process its part, "
                "`dataset.shard(distribution.num_processes, distribution.data_shard_id)`, and make the distribution "
                "with `auto_shard_dataset=False`."
            )
        return dataset

    @contextmanager
    def scope(self) -> Iterator[Distribution]:
        """A ``with`` block in which the distribution is in force."""
        before = distribution()
        set_distribution(self)
        try:
            yield self
        finally:
            set_distribution(before)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} device_mesh={self.device_mesh}>"


class DataParallel(Distribution):
    """Each device has all weights and takes a part of each batch.

    Args:
        device_mesh: the devices in a row; of a grid the first axis counts.
        devices: their names instead; all there are by default.
        auto_shard_dataset: whether each of several processes takes its share of a data set.

    Raises:
        ValueError: ``device_mesh`` is no mesh.

    References: Keras ``distribution.DataParallel``.
    """

    def __init__(
        self, device_mesh: DeviceMesh | None = None, devices: Any = None, auto_shard_dataset: bool = True
    ) -> None:
        if device_mesh is None:
            names = np.array(list_devices() if devices is None else devices)
            device_mesh = DeviceMesh(names.shape, [BATCH], names)
        if not isinstance(device_mesh, DeviceMesh):
            raise ValueError(
                f"DataParallel: `device_mesh` is a DeviceMesh. Received: {device_mesh!r} of type "
                f"{type(device_mesh).__name__}"
            )
        if device_mesh.devices.ndim != 1:
            warnings.warn(
                f"DataParallel: batches are cut along the first axis of the mesh alone, which has "
                f"{device_mesh.devices.ndim} axes.",
                stacklevel=2,
            )
        super().__init__(device_mesh, device_mesh.axis_names[0], auto_shard_dataset)

    @property
    def num_model_replicas(self) -> int:
        """Parts that a batch is cut into: the devices."""
        return self.device_mesh.devices.size


class ModelParallel(Distribution):
    """Weights are cut as a layout map says, batches along one axis of its mesh.

    Args:
        layout_map: layouts by path; what is not in it lies whole on each device.
        batch_dim_name: axis of the mesh along which batches are cut; the first by default.
        auto_shard_dataset: whether each of several processes takes its share of a data set.
        **kwargs: ``device_mesh`` is accepted, and must be the map's.

    Raises:
        ValueError: there is no layout map, or it has no mesh.

    Example:
        layouts = LayoutMap(DeviceMesh((2, 4), ("batch", "model")))
        layouts[".*dense.*kernel"] = (None, "model")
        set_distribution(ModelParallel(layout_map=layouts))

    References: Keras ``distribution.ModelParallel``.
    """

    def __init__(
        self,
        *,
        layout_map: LayoutMap | None = None,
        batch_dim_name: str | None = None,
        auto_shard_dataset: bool = True,
        **kwargs: Any,
    ) -> None:
        mesh = kwargs.pop("device_mesh", None)
        if kwargs:
            raise TypeError(f"ModelParallel() got unexpected arguments {sorted(kwargs)}.")
        if not isinstance(layout_map, LayoutMap) or layout_map.device_mesh is None:
            raise ValueError(
                f"ModelParallel: `layout_map` is a LayoutMap with a mesh. Received: {layout_map!r}. Make one: "
                "`LayoutMap(device_mesh)`."
            )
        if mesh is not None and mesh is not layout_map.device_mesh:
            raise ValueError("ModelParallel: `device_mesh` is another one than the layout map's. Leave it out.")
        mesh = layout_map.device_mesh
        super().__init__(mesh, batch_dim_name or mesh.axis_names[0], auto_shard_dataset)
        self._layout_map = layout_map

    @property
    def num_model_replicas(self) -> int:
        """Parts that a batch is cut into."""
        return self.device_mesh.shape[list(self.device_mesh.axis_names).index(str(self.batch_dim_name))]

    def get_variable_layout(self, variable: Any) -> TensorLayout:
        """Layout of a variable: the one it was made with, else the map's, else whole on each device."""
        if getattr(variable, "_layout", None) is None:
            found = self._layout_map[variable.path]
            if found is not None:
                return found
        return super().get_variable_layout(variable)

    def get_tensor_layout(self, path: str) -> TensorLayout | None:
        """The map's layout of a layer's output, by the path "<layer>/output"."""
        return self._layout_map[path]


def distribution() -> Any:
    """The distribution in force, or None.

    References: Keras ``distribution.distribution``.
    """
    return placement.current()


def set_distribution(value: Distribution | None) -> None:
    """Put a distribution in force for models made and trained from now on; None ends it.

    References: Keras ``distribution.set_distribution``.
    """
    placement.choose(value)
