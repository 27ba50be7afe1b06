"""``tf.distribute.cluster_resolver``: where the processes of a cluster are."""

from __future__ import annotations

import json
import os
from typing import Any

from hornbeam.base.errors import NotSupportedError
from hornbeam.config.devices import list_logical_devices
from hornbeam.train.cluster import ClusterSpec

__all__ = ["ClusterResolver", "SimpleClusterResolver", "TFConfigClusterResolver", "TPUClusterResolver"]


class ClusterResolver:
    """Base of resolvers: a cluster and this process's place in it.

    References: TensorFlow ``tf.distribute.cluster_resolver.ClusterResolver``.
    """

    task_type: str | None = None
    task_id: int | None = None
    rpc_layer: str | None = None
    environment: str = ""

    def cluster_spec(self) -> ClusterSpec:
        """The cluster."""
        raise NotImplementedError(f"{type(self).__name__} must override `cluster_spec()`.")

    def master(self, task_type: str | None = None, task_id: int | None = None, rpc_layer: str | None = None) -> str:
        """Address of a task; an empty text for this process alone."""
        kind, number = task_type or self.task_type, self.task_id if task_id is None else task_id
        if kind is None or number is None:
            return ""
        layer = rpc_layer or self.rpc_layer
        address = self.cluster_spec().task_address(kind, number)
        return f"{layer}://{address}" if layer else address

    def num_accelerators(
        self, task_type: str | None = None, task_id: int | None = None, config_proto: Any = None
    ) -> dict[str, int]:
        """Accelerators of this process by kind."""
        found: dict[str, int] = {}
        for device in list_logical_devices():
            if device.device_type != "CPU":
                found[device.device_type] = found.get(device.device_type, 0) + 1
        return found


class SimpleClusterResolver(ClusterResolver):
    """A cluster that is given as it is.

    Args:
        cluster_spec: the cluster.
        master: address of the master.
        task_type: job of this process.
        task_id: number of this process in its job.
        environment: name of the surroundings.
        num_accelerators: accelerators by kind; by default those that there are.
        rpc_layer: protocol.
    """

    def __init__(
        self,
        cluster_spec: ClusterSpec,
        master: str = "",
        task_type: str | None = None,
        task_id: int | None = None,
        environment: str = "",
        num_accelerators: dict[str, int] | None = None,
        rpc_layer: str | None = None,
    ) -> None:
        if not isinstance(cluster_spec, ClusterSpec):
            raise TypeError(f"SimpleClusterResolver takes a `tf.train.ClusterSpec`. Received: {cluster_spec!r}")
        self._spec, self._master, self._accelerators = cluster_spec, master, num_accelerators
        self.task_type, self.task_id = task_type, task_id
        self.environment, self.rpc_layer = environment, rpc_layer

    def cluster_spec(self) -> ClusterSpec:
        """The cluster."""
        return self._spec

    def master(self, task_type: str | None = None, task_id: int | None = None, rpc_layer: str | None = None) -> str:
        """Address of a task, or of the master."""
        if task_type is None or task_id is None:
            return self._master
        return super().master(task_type, task_id, rpc_layer)

    def num_accelerators(
        self, task_type: str | None = None, task_id: int | None = None, config_proto: Any = None
    ) -> dict[str, int]:
        """Accelerators by kind."""
        return super().num_accelerators() if self._accelerators is None else self._accelerators


class TFConfigClusterResolver(ClusterResolver):
    """The cluster of the environment variable ``TF_CONFIG``.

    Args:
        task_type: job of this process, in place of that of the variable.
        task_id: number in its job, likewise.
        rpc_layer: protocol, likewise.
        environment: name of the surroundings, likewise.
    """

    def __init__(
        self,
        task_type: str | None = None,
        task_id: int | None = None,
        rpc_layer: str | None = None,
        environment: str | None = None,
    ) -> None:
        self._given = task_type, task_id
        self.rpc_layer = rpc_layer or self._config().get("rpc_layer", "grpc")
        self.environment = environment or self._config().get("environment", "")

    @staticmethod
    def _config() -> dict[str, Any]:
        return json.loads(os.environ.get("TF_CONFIG") or "{}")

    @property
    def task_type(self) -> str | None:  # type: ignore[override]
        """Job of this process."""
        return self._given[0] or self._config().get("task", {}).get("type")

    @property
    def task_id(self) -> int | None:  # type: ignore[override]
        """Number of this process in its job."""
        found = self._config().get("task", {}).get("index") if self._given[1] is None else self._given[1]
        return None if found is None else int(found)

    def cluster_spec(self) -> ClusterSpec:
        """The cluster; an empty one without the variable."""
        return ClusterSpec(self._config().get("cluster", {}))


class TPUClusterResolver(ClusterResolver):
    """Where a TPU is: the one that JAX sees.

    Args:
        tpu: accepted as None, "" or "local".
        zone: accepted as None.
        project: accepted as None.
        **options: accepted, without effect.

    Raises:
        ValueError: JAX sees no TPU.
    """

    def __init__(self, tpu: Any = None, zone: Any = None, project: Any = None, **options: Any) -> None:
        if tpu not in (None, "", "local"):
            raise NotSupportedError(
                f"TPUClusterResolver(tpu={tpu!r}): a TPU is found by JAX on its own machine. Run the program "
                "there, and "
                "leave the name out."
            )
        if not list_logical_devices("TPU"):
            raise ValueError(
                "TPUClusterResolver: JAX sees no TPU. Run on a machine that has one, or use "
                "`tf.distribute.MirroredStrategy()`."
            )
        self.task_type, self.task_id = "worker", 0

    @classmethod
    def connect(cls, tpu: Any = None, zone: Any = None, project: Any = None) -> TPUClusterResolver:
        """The TPU that JAX sees."""
        return cls(tpu, zone, project)

    def cluster_spec(self) -> ClusterSpec:
        """An empty cluster: the TPU belongs to this process."""
        return ClusterSpec({})

    def get_master(self) -> str:
        """An empty text: this process."""
        return ""
