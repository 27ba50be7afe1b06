"""Joining a cluster of processes."""

from __future__ import annotations

from typing import Any

from hornbeam.base.errors import NotSupportedError

__all__ = ["experimental_connect_to_cluster", "experimental_connect_to_host"]


def experimental_connect_to_cluster(
    cluster_spec_or_resolver: Any,
    job_name: str = "localhost",
    task_index: int = 0,
    protocol: str | None = None,
    make_master_device_default: bool = True,
    cluster_device_filters: Any = None,
) -> None:
    """Join the cluster of a spec or resolver; there is nothing to do for one process.

    Args:
        cluster_spec_or_resolver: a ``tf.train.ClusterSpec``, or a resolver that gives one.
        job_name: job of this process.
        task_index: number of this process in its job.
        protocol: accepted, without effect.
        make_master_device_default: accepted, without effect.
        cluster_device_filters: accepted, without effect.

    Raises:
        NotSupportedError: the cluster has several processes.
    """
    found = cluster_spec_or_resolver
    spec = found.cluster_spec() if hasattr(found, "cluster_spec") else found
    tasks = sum(spec.num_tasks(job) for job in spec.jobs)
    if tasks > 1:
        raise NotSupportedError(
            f"tf.config.experimental_connect_to_cluster: the cluster has {tasks} processes. Start each of them with "
            "`jax.distributed.initialize(coordinator_address, num_processes, process_id)`."
        )


def experimental_connect_to_host(remote_host: Any = None, job_name: str = "worker") -> None:
    """Raise: devices of other machines are not used from here.

    Raises:
        NotSupportedError: always.
    """
    raise NotSupportedError(
        f"tf.config.experimental_connect_to_host({remote_host!r}): run the program on that machine instead."
    )
