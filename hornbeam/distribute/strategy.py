"""``Strategy``: how work is spread over devices. The mirrored ones take several, all others one."""

from __future__ import annotations

import itertools
import json
import os
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

from hornbeam import ops
from hornbeam.base import registry
from hornbeam.base.errors import NotSupportedError, explain
from hornbeam.config.devices import find_device, list_logical_devices
from hornbeam.core import placement
from hornbeam.core.function import function
from hornbeam.core.scopes import scopes
from hornbeam.distribute import context
from hornbeam.distribute.context import ReplicaContext
from hornbeam.distribute.devices import first_device, mirrored_devices, one_device
from hornbeam.distribute.inputs import DistributedDataset, InputContext, PerReplicaBatches, ValueContext
from hornbeam.distribute.replicas import PerReplica, map_replicas, reduced, replicated

_KEPT_PROGRAMS = 64
_numbers = itertools.count(1)
"""Numbers of strategies, which variables remember."""


class Strategy:
    """How variables, batches and gradients are spread over devices.

    Build and compile a model inside ``scope()``; ``fit`` does the rest. In loops of one's own, ``run`` calls a step on
    each replica and ``reduce`` brings the results together.

    Args:
        extended: not used; strategies are made by their classes.

    References: TensorFlow ``tf.distribute.Strategy``.
    """

    def __init__(self, extended: Any = None) -> None:
        self.number = next(_numbers)
        self.extended = _Extended(self)
        self.cluster_resolver: Any = None
        self.devices: tuple[str, ...] = (first_device(),)
        self.distribution: Any = None
        self._programs: OrderedDict[Any, Any] = OrderedDict()

    @property
    def num_replicas_in_sync(self) -> int:
        """Number of replicas over which gradients are brought together."""
        return 1 if self.distribution is None else len(self.devices)

    def _spread_over(self, devices: Any) -> None:
        """Let each of several devices have the weights and take its part of each batch."""
        self.devices = mirrored_devices(type(self).__name__, devices)
        if len(self.devices) > 1:
            found = [find_device(name) for name in self.devices]
            self.distribution = registry.find("keras", "data parallel")(devices=found)
            placement.keep(self.number, self.distribution)

    # --- running ---------------------------------------------------------------------------------
    def scope(self) -> AbstractContextManager[Strategy]:
        """A ``with`` block in which the strategy is in force."""
        return context.entered(self)

    def run(self, fn: Callable, args: tuple = (), kwargs: dict[str, Any] | None = None, options: Any = None) -> Any:
        """Call a function on each replica, with the replica's part of the arguments.

        On several replicas it runs as one program, compiled as by ``tf.function``: optimizers sum the replicas'
        gradients, metrics count all samples, other variables become the mean over the replicas.

        Args:
            fn: the function.
            args: its arguments.
            kwargs: its arguments by name.
            options: accepted, without effect.
        """
        if self.distribution is not None and context.replica_context() is None:
            with context.entered(self):
                if scopes.frame is not None:
                    return replicated(self, fn, args, kwargs or {})
                return self._program(fn)(tuple(args), dict(kwargs or {}))
        with context.entered(self), ReplicaContext(self):
            return fn(*args, **(kwargs or {}))

    def _program(self, fn: Callable) -> Callable:
        """A function's compiled form on all replicas."""
        # A method is a new object each time that it is looked up.
        key = (getattr(fn, "__func__", fn), id(getattr(fn, "__self__", None)))
        if key not in self._programs:
            self._programs[key] = function(lambda args, kwargs: replicated(self, fn, args, kwargs), autograph=False)
            if len(self._programs) > _KEPT_PROGRAMS:
                self._programs.popitem(last=False)
        return self._programs[key]

    experimental_run_v2 = run

    def experimental_run(self, fn: Callable, input_iterator: Any = None) -> Any:
        """Call a function on each replica with the iterator's next elements."""
        return self.run(fn, args=() if input_iterator is None else (next(input_iterator),))

    # --- bringing together -----------------------------------------------------------------------
    def reduce(self, reduce_op: Any, value: Any, axis: int | None) -> Any:
        """The sum or mean over replicas, and over an axis of each if one is given.

        Args:
            reduce_op: "SUM", "MEAN" or a ``ReduceOp``.
            value: what ``run`` returned.
            axis: an axis of the value, or None.
        """
        return reduced(reduce_op, value, self.num_replicas_in_sync, axis)

    def gather(self, value: Any, axis: int) -> Any:
        """The values of all replicas, joined along an axis."""
        return map_replicas(
            lambda leaf: ops.concatenate(leaf.values, axis=axis) if isinstance(leaf, PerReplica) else leaf, value
        )

    def experimental_local_results(self, value: Any) -> tuple:
        """The values of this process's replicas, as a tuple."""
        if self.distribution is None:
            return (value,)
        return tuple(
            map_replicas(lambda leaf: leaf.values[i] if isinstance(leaf, PerReplica) else leaf, value)  # noqa: B023
            for i in range(self.num_replicas_in_sync)
        )

    unwrap = experimental_local_results

    def group(self, value: Any, name: str | None = None) -> None:
        """Nothing to wait for: operations run in order."""

    # --- data ------------------------------------------------------------------------------------
    def experimental_distribute_dataset(self, dataset: Any, options: Any = None) -> Any:
        """A data set whose batches are global ones, to be iterated and given to ``run``."""
        return DistributedDataset(dataset, self.num_replicas_in_sync)

    def distribute_datasets_from_function(self, dataset_fn: Callable, options: Any = None) -> Any:
        """A data set made by a function of an ``InputContext``."""
        made = dataset_fn(InputContext(1, 0, self.num_replicas_in_sync))
        return PerReplicaBatches(made, self.num_replicas_in_sync)

    experimental_distribute_datasets_from_function = distribute_datasets_from_function

    def experimental_distribute_values_from_function(self, value_fn: Callable) -> Any:
        """A value made by a function of a ``ValueContext`` for each replica."""
        count = self.num_replicas_in_sync
        values = tuple(value_fn(ValueContext(number, count)) for number in range(count))
        return values[0] if self.distribution is None else PerReplica(values)

    def make_dataset_iterator(self, dataset: Any) -> Iterator[Any]:
        """An iterator over a data set's batches."""
        return iter(self.experimental_distribute_dataset(dataset))

    def make_input_fn_iterator(self, input_fn: Callable, replication_mode: Any = None) -> Iterator[Any]:
        """An iterator over the batches of a function's data set."""
        return iter(self.distribute_datasets_from_function(input_fn))

    # --- other -----------------------------------------------------------------------------------
    def colocate_vars_with(self, colocate_with_variable: Any) -> AbstractContextManager[Strategy]:
        """A ``with`` block: new variables are on the device of that one, the only device."""
        return context.entered(self)

    def configure(
        self, session_config: Any = None, cluster_spec: Any = None, task_type: Any = None, task_id: Any = None
    ) -> None:
        """Raise: strategies are configured when they are made."""
        raise NotSupportedError("Strategy.configure() is not offered: give the cluster to the strategy's constructor.")

    def update_config_proto(self, config_proto: Any) -> Any:
        """The configuration as it is."""
        return config_proto

    def __repr__(self) -> str:
        return f"<{type(self).__name__} devices={self.devices}>"


class _Extended:
    """The inner face of a strategy, as far as programs look at it."""

    def __init__(self, strategy: Strategy) -> None:
        self._strategy = strategy

    @property
    def worker_devices(self) -> tuple[str, ...]:
        """Devices that compute."""
        return self._strategy.devices

    parameter_devices = worker_devices

    def reduce_to(self, reduce_op: Any, value: Any, destinations: Any = None, options: Any = None) -> Any:
        """The value, brought together."""
        return self._strategy.reduce(reduce_op, value, axis=None)

    def update(
        self, var: Any, fn: Callable, args: tuple = (), kwargs: dict[str, Any] | None = None, group: bool = True
    ):
        """Call a function that updates a variable."""
        return fn(var, *args, **(kwargs or {}))

    def variable_created_in_scope(self, v: Any) -> bool:
        """True: every variable is on the one device."""
        return True


class MirroredStrategy(Strategy):
    """Copies of the variables on the devices of one machine, kept in step.

    Models made and compiled in its scope are trained on all of the devices: each takes a part of every batch, and the
    numbers are those of one device (batch normalisation sees whole batches, too). For loops of one's own see ``run``.

    Args:
        devices: names of devices; by default all accelerators, else the CPU (all of its logical devices).
        cross_device_ops: how copies are kept in step; accepted, XLA chooses.

    Raises:
        ValueError: a device is not there.

    References: TensorFlow ``tf.distribute.MirroredStrategy``.
    """

    def __init__(self, devices: Any = None, cross_device_ops: Any = None) -> None:
        super().__init__()
        self._spread_over(devices)


class OneDeviceStrategy(Strategy):
    """Everything on one device.

    Args:
        device: its name.

    References: TensorFlow ``tf.distribute.OneDeviceStrategy``.
    """

    def __init__(self, device: str) -> None:
        super().__init__()
        self.devices = one_device(type(self).__name__, [device])


class CentralStorageStrategy(Strategy):
    """Variables in one place, computation on the devices.

    Args:
        compute_devices: names of devices; at most one.
        parameter_device: where variables are; the same device.

    References: TensorFlow ``tf.distribute.experimental.CentralStorageStrategy``.
    """

    def __init__(self, compute_devices: Any = None, parameter_device: Any = None) -> None:
        super().__init__()
        self.devices = one_device(type(self).__name__, compute_devices)


class MultiWorkerMirroredStrategy(Strategy):
    """Copies of the variables on several machines, kept in step.

    Alone it works as ``MirroredStrategy``. A ``TF_CONFIG`` in the environment, or a resolver, that names several
    workers is refused.

    Args:
        cluster_resolver: who says where the workers are; ``TF_CONFIG`` by default.
        communication_options: accepted; there is one worker.

    References: TensorFlow ``tf.distribute.MultiWorkerMirroredStrategy``.
    """

    def __init__(self, cluster_resolver: Any = None, communication_options: Any = None) -> None:
        super().__init__()
        self.cluster_resolver = cluster_resolver
        self._spread_over(None)
        workers = _worker_count(cluster_resolver)
        if workers > 1:
            raise NotSupportedError(
                explain(
                    "MultiWorkerMirroredStrategy works with one worker so far.",
                    expected="no TF_CONFIG, or one that names one worker",
                    received=f"{workers} workers",
                    fix="run on one machine, or start the processes with `jax.distributed.initialize`",
                )
            )


def _worker_count(resolver: Any) -> int:
    if resolver is not None:
        spec = resolver.cluster_spec().as_dict()
    else:
        try:
            spec = json.loads(os.environ.get("TF_CONFIG") or "{}").get("cluster", {})
        except ValueError as error:
            raise ValueError(
                f"TF_CONFIG is not JSON ({error}). Received: {os.environ['TF_CONFIG']!r}. Mend it, or unset it."
            ) from error
    return max(sum(len(spec.get(job, [])) for job in ("chief", "worker")), 1)


class ParameterServerStrategy(Strategy):
    """Variables on servers, computation on workers: not offered.

    Args:
        cluster_resolver: where servers and workers are.
        variable_partitioner: how variables are cut.

    Raises:
        NotSupportedError: always, with advice.

    References: TensorFlow ``tf.distribute.ParameterServerStrategy``.
    """

    def __init__(self, cluster_resolver: Any, variable_partitioner: Any = None) -> None:
        raise NotSupportedError(
            "ParameterServerStrategy is not offered. Use `MirroredStrategy`; for tables that do not fit on one device, "
            "shard them with `keras.distribution`."
        )


class TPUStrategy(Strategy):
    """Copies of the variables on the cores of a TPU.

    Args:
        tpu_cluster_resolver: where the TPU is.
        experimental_device_assignment: accepted as None.
        experimental_spmd_xla_partitioning: accepted as False.

    Raises:
        RuntimeError: there is no TPU.

    References: TensorFlow ``tf.distribute.TPUStrategy``.
    """

    def __init__(
        self,
        tpu_cluster_resolver: Any = None,
        experimental_device_assignment: Any = None,
        experimental_spmd_xla_partitioning: bool = False,
    ) -> None:
        super().__init__()
        found = [device.name for device in list_logical_devices("TPU")]
        if not found:
            raise RuntimeError(
                "TPUStrategy needs a TPU, and JAX sees none: `jax.devices()` lists what there is. Use "
                "`MirroredStrategy()`, which takes what it finds."
            )
        if experimental_device_assignment is not None or experimental_spmd_xla_partitioning:
            raise NotSupportedError("TPUStrategy: device assignments are not offered. Leave these arguments out.")
        self.cluster_resolver = tpu_cluster_resolver
        self.devices = (found[0],)


_default: list[Strategy] = []


def get_strategy() -> Strategy:
    """The strategy in force; outside of scopes, one for a single device."""
    found = context.current()
    if found is not None:
        return found
    if not _default:
        _default.append(Strategy())
    return _default[0]


def has_strategy() -> bool:
    """Whether the scope of a strategy is open."""
    return context.current() is not None


def in_cross_replica_context() -> bool:
    """Whether code runs in a strategy's scope but not in ``run``."""
    return context.replica_context() is None and has_strategy()


def get_replica_context() -> ReplicaContext | None:
    """The replica whose code runs; None in a scope outside of ``run``, and the only replica where there is no scope."""
    found = context.replica_context()
    if found is not None or has_strategy():
        return found
    return ReplicaContext(get_strategy())


def experimental_set_strategy(strategy: Strategy | None) -> None:
    """Set the strategy for the whole process, outside of scopes."""
    context.choose(strategy)
