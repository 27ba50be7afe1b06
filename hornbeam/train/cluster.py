"""``tf.train.ClusterSpec``: the addresses of the processes of a cluster."""

from __future__ import annotations

from typing import Any

__all__ = ["ClusterSpec"]


class ClusterSpec:
    """Jobs, their tasks and the addresses of these.

    Args:
        cluster: a dict from job name to a list of addresses, or to a dict of addresses by task number; or another spec.

    Raises:
        TypeError: something else.

    References: TensorFlow ``tf.train.ClusterSpec``.
    """

    def __init__(self, cluster: Any) -> None:
        if isinstance(cluster, ClusterSpec):
            cluster = cluster.as_dict()
        if not isinstance(cluster, dict):
            raise TypeError(f"A cluster is a dict from job names to addresses. Received: {cluster!r}")
        self._jobs: dict[str, dict[int, str]] = {}
        for job, tasks in cluster.items():
            numbered = tasks if isinstance(tasks, dict) else dict(enumerate(tasks))
            self._jobs[job] = {int(number): str(address) for number, address in sorted(numbered.items())}

    @property
    def jobs(self) -> list[str]:
        """Names of the jobs."""
        return list(self._jobs)

    def _job(self, job_name: str) -> dict[int, str]:
        if job_name not in self._jobs:
            raise ValueError(f"No such job in cluster: {job_name!r}. The jobs are {self.jobs}.")
        return self._jobs[job_name]

    def num_tasks(self, job_name: str) -> int:
        """Number of tasks of a job."""
        return len(self._job(job_name))

    def task_indices(self, job_name: str) -> list[int]:
        """Numbers of the tasks of a job."""
        return list(self._job(job_name))

    def task_address(self, job_name: str, task_index: int) -> str:
        """Address of a task."""
        tasks = self._job(job_name)
        if task_index not in tasks:
            raise ValueError(f"Job {job_name!r} has no task {task_index}; its tasks are {list(tasks)}.")
        return tasks[task_index]

    def job_tasks(self, job_name: str) -> list[str | None]:
        """Addresses of a job by number; None where a number is left out."""
        tasks = self._job(job_name)
        return [tasks.get(number) for number in range(max(tasks, default=-1) + 1)]

    def as_dict(self) -> dict[str, Any]:
        """The spec as the dict that makes it."""
        return {
            job: list(tasks.values()) if list(tasks) == list(range(len(tasks))) else dict(tasks)
            for job, tasks in self._jobs.items()
        }

    def __bool__(self) -> bool:
        return bool(self._jobs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ClusterSpec) and self._jobs == other._jobs

    def __hash__(self) -> int:
        return hash(tuple(self._jobs))

    def __repr__(self) -> str:
        return f"ClusterSpec({self.as_dict()!r})"
