"""Data sets under a strategy."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from hornbeam import ops
from hornbeam.distribute.replicas import joined, map_replicas, shared_out


class DistributedDataset:
    """A data set under a strategy: each of its batches is spread over the replicas.

    Args:
        dataset: the data set.
        replicas: number of replicas; several get a ``PerReplica`` in the place of each array.
    """

    def __init__(self, dataset: Any, replicas: int = 1) -> None:
        self._dataset = dataset
        self._replicas = replicas

    def __iter__(self) -> Iterator[Any]:
        if self._replicas == 1:
            return iter(self._dataset)
        return (shared_out(batch, self._replicas) for batch in self._dataset)

    @property
    def _whole_batches(self) -> Any:
        """Batches as ``fit`` takes them."""
        return self._dataset

    def __len__(self) -> int:
        return len(self._dataset)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._dataset, name)


class PerReplicaBatches(DistributedDataset):
    """A data set whose batches are those of single replicas: as many as there are replicas make a step.

    Raises:
        NotSupportedError: while iterating: the last step has too few.
    """

    def __iter__(self) -> Iterator[Any]:
        if self._replicas == 1:
            return iter(self._dataset)
        return self._grouped()

    def _grouped(self) -> Iterator[Any]:
        batches = iter(self._dataset)
        while group := list(itertools.islice(batches, self._replicas)):
            yield joined(group, self._replicas)

    @property
    def _whole_batches(self) -> Any:
        return self._dataset if self._replicas == 1 else _Whole(self)

    def __len__(self) -> int:
        return -(-len(self._dataset) // self._replicas)


class _Whole:
    """Batches of all replicas together, one after the other."""

    def __init__(self, parts: PerReplicaBatches) -> None:
        self._parts = parts

    def __iter__(self) -> Iterator[Any]:
        return (
            map_replicas(lambda leaf: ops.concatenate(leaf.values, axis=0) if leaf is not None else None, batch)
            for batch in self._parts
        )

    def __len__(self) -> int:
        return len(self._parts)


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
