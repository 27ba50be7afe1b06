"""``tf.config.threading``: numbers of CPU threads, which JAX takes from the environment."""

from __future__ import annotations

import os
import warnings

from hornbeam.engine.jax_compat import backend_started

__all__ = [
    "get_inter_op_parallelism_threads",
    "get_intra_op_parallelism_threads",
    "set_inter_op_parallelism_threads",
    "set_intra_op_parallelism_threads",
]

_numbers = {"inter": 0, "intra": 0}
_FLAG = "--xla_cpu_multi_thread_eigen=false"


def set_intra_op_parallelism_threads(num_threads: int) -> None:
    """Number of threads that one operation may use: 1 or (0) all. Before JAX starts; other numbers warn."""
    if num_threads == _numbers["intra"]:
        return
    if num_threads not in (0, 1) or backend_started():
        warnings.warn(
            f"set_intra_op_parallelism_threads({num_threads}) has no effect: JAX uses one thread or all of them, and "
            "decides at its start. Limit the process from outside, for instance by `taskset`.",
            stacklevel=2,
        )
        return
    flags = [flag for flag in os.environ.get("XLA_FLAGS", "").split() if flag != _FLAG]
    os.environ["XLA_FLAGS"] = " ".join([*flags, _FLAG] if num_threads == 1 else flags)
    _numbers["intra"] = num_threads


def get_intra_op_parallelism_threads() -> int:
    """Number of threads that one operation may use; 0 for all."""
    return _numbers["intra"]


def set_inter_op_parallelism_threads(num_threads: int) -> None:
    """Number of operations at a time: a program decides that itself, so other numbers than 0 warn."""
    if num_threads:
        warnings.warn(
            f"set_inter_op_parallelism_threads({num_threads}) has no effect: compiled programs order their operations.",
            stacklevel=2,
        )


def get_inter_op_parallelism_threads() -> int:
    """Number of operations at a time; 0 for what the program decides."""
    return _numbers["inter"]
