"""``tf.data.Options``: what users may say about how a pipeline runs.

All of these are hints: no option changes which elements come, nor their order, which is always the same.
"""

from __future__ import annotations

import enum
from typing import Any


class AutoShardPolicy(enum.IntEnum):
    """How a data set is divided between machines."""

    OFF = -1
    AUTO = 0
    FILE = 1
    DATA = 2
    HINT = 3


class ExternalStatePolicy(enum.Enum):
    """What to do about state outside of a pipeline when it is copied."""

    WARN = 0
    IGNORE = 1
    FAIL = 2


class AutotuneAlgorithm(enum.Enum):
    """How ``AUTOTUNE`` finds its numbers."""

    DEFAULT = 0
    HILL_CLIMB = 1
    GRADIENT_DESCENT = 2
    MAX_PARALLELISM = 3
    STAGE_BASED = 4


class _Group:
    """Named settings, None unless set."""

    _names: tuple[str, ...] = ()

    def __init__(self) -> None:
        for name in self._names:
            object.__setattr__(self, name, None)

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self._names:
            raise AttributeError(f"{type(self).__name__} has no option {name!r}. There are: {', '.join(self._names)}.")
        object.__setattr__(self, name, value)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]

    def _merged(self, other: Any) -> Any:
        made = type(self)()
        for name in self._names:
            mine, theirs = getattr(self, name), getattr(other, name)
            both = mine._merged(theirs) if isinstance(mine, _Group) else mine if theirs is None else theirs
            setattr(made, name, both)
        return made


class AutotuneOptions(_Group):
    """Options of ``AUTOTUNE``."""

    _names = ("enabled", "cpu_budget", "ram_budget", "autotune_algorithm", "initial_parallelism", "min_parallelism")


class DistributeOptions(_Group):
    """Options of data sets on several machines."""

    _names = ("auto_shard_policy", "num_devices")


class OptimizationOptions(_Group):
    """Options of rewriting a pipeline."""

    _names = (
        "apply_default_optimizations",
        "filter_fusion",
        "filter_parallelization",
        "inject_prefetch",
        "map_and_batch_fusion",
        "map_and_filter_fusion",
        "map_fusion",
        "map_parallelization",
        "noop_elimination",
        "parallel_batch",
        "seq_interleave_prefetch",
        "shuffle_and_repeat_fusion",
        "warm_start",
    )


class ServiceOptions(_Group):
    """Options of the data service."""

    _names = ("pinned",)


class ThreadingOptions(_Group):
    """Options of threads."""

    _names = ("max_intra_op_parallelism", "private_threadpool_size")


class Options(_Group):
    """Options of a data set, given to ``Dataset.with_options``.

    Example:
        >>> options = tf.data.Options()
        >>> options.deterministic = True
        >>> dataset = dataset.with_options(options)

    References: TensorFlow `tf.data.Options`.
    """

    _names = (
        "autotune",
        "dataset_name",
        "deterministic",
        "experimental_deterministic",
        "experimental_distribute",
        "experimental_external_state_policy",
        "experimental_optimization",
        "experimental_service",
        "experimental_slack",
        "experimental_symbolic_checkpoint",
        "experimental_threading",
        "experimental_warm_start",
        "framework_type",
        "threading",
    )

    def __init__(self) -> None:
        super().__init__()
        self.autotune = AutotuneOptions()
        self.experimental_distribute = DistributeOptions()
        self.experimental_optimization = OptimizationOptions()
        self.experimental_service = ServiceOptions()
        self.threading = ThreadingOptions()
        self.experimental_threading = ThreadingOptions()

    def merge(self, options: Options) -> Options:
        """Both sets of options; the other's win where both are set."""
        return self._merged(options)
