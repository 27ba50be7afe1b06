"""Data sets under a strategy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


class DistributedDataset:
    """A data set under a strategy: each of its batches is spread over the replicas, of which there is one.

    Args:
        dataset: the data set.
    """

    def __init__(self, dataset: Any) -> None:
        self._dataset = dataset

    def __iter__(self) -> Iterator[Any]:
        return iter(self._dataset)

    def __len__(self) -> int:
        return len(self._dataset)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._dataset, name)


class InputContext:
    """What a function that makes a data set for one machine is told.

    Attributes:
        num_input_pipelines: number of machines.
        input_pipeline_id: number of this one.
        num_replicas_in_sync: replicas on all machines together.
    """

    def __init__(self, num_input_pipelines: int = 1, input_pipeline_id: int = 0, num_replicas_in_sync: int = 1) -> None:
        self.num_input_pipelines = num_input_pipelines
        self.input_pipeline_id = input_pipeline_id
        self.num_replicas_in_sync = num_replicas_in_sync

    def get_per_replica_batch_size(self, global_batch_size: int) -> int:
        """A replica's share of a batch.

        Raises:
            ValueError: the batch cannot be shared out evenly.
        """
        if global_batch_size % self.num_replicas_in_sync:
            raise ValueError(
                f"A batch of {global_batch_size} cannot be shared by {self.num_replicas_in_sync} replicas. Use a "
                "multiple of their number."
            )
        return global_batch_size // self.num_replicas_in_sync


class ValueContext:
    """What a function that makes a replica's value is told.

    Attributes:
        replica_id_in_sync_group: number of the replica.
        num_replicas_in_sync: number of replicas.
    """

    def __init__(self, replica_id_in_sync_group: int = 0, num_replicas_in_sync: int = 1) -> None:
        self.replica_id_in_sync_group = replica_id_in_sync_group
        self.num_replicas_in_sync = num_replicas_in_sync


class InputOptions:
    """Options of a distributed data set; batches are sent to the device ahead anyway.

    Attributes:
        experimental_fetch_to_device: send batches to the device ahead.
        experimental_per_replica_buffer_size: batches sent ahead.
    """

    def __init__(
        self,
        experimental_fetch_to_device: bool | None = None,
        experimental_replication_mode: Any = None,
        experimental_place_dataset_on_device: bool = False,
        experimental_per_replica_buffer_size: int = 1,
    ) -> None:
        self.experimental_fetch_to_device = experimental_fetch_to_device
        self.experimental_replication_mode = experimental_replication_mode
        self.experimental_place_dataset_on_device = experimental_place_dataset_on_device
        self.experimental_per_replica_buffer_size = experimental_per_replica_buffer_size
