"""Sessions, their configuration, placeholders and global state: as far as they mean something without graphs."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from hornbeam.base import trees
from hornbeam.base.errors import NotSupportedError
from hornbeam.compat.notes import note
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import Tensor
from hornbeam.core.variable import Variable
from hornbeam.keras import backend
from hornbeam.keras.utils import clear_session
from hornbeam.random import set_seed

AUTO_REUSE = "auto_reuse"
"""Value of ``reuse`` in variable scopes."""


class _Options:
    """Options that may be set and read, without effect; unknown ones come into being when they are asked for."""

    def __init__(self, **options: Any) -> None:
        vars(self).update(options)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        vars(self)[name] = found = _Options()
        return found

    def __bool__(self) -> bool:
        return False


class GPUOptions(_Options):
    """Options of GPU memory; accepted, because memory is taken as it is needed."""


class OptimizerOptions(_Options):
    """Options of graph optimisers; accepted, because XLA does this work."""

    ON_1, ON_2, OFF = 1, 2, -1


class RunOptions(_Options):
    """Options of a run; accepted, without effect."""

    NO_TRACE, SOFTWARE_TRACE, HARDWARE_TRACE, FULL_TRACE = 0, 1, 2, 3


class ConfigProto(_Options):
    """Configuration of a session; accepted, without effect.

    Args:
        **options: ``gpu_options``, ``allow_soft_placement``, ``log_device_placement`` and the like.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"gpu_options": GPUOptions(), "graph_options": _Options(), **options})


class Graph(_Options):
    """Stands for a graph; whatever is built inside ``as_default`` is computed at once."""

    @contextlib.contextmanager
    def as_default(self) -> Iterator[Graph]:
        """A ``with`` block without effect."""
        yield self

    def finalize(self) -> None:
        """Nothing to do."""

    def get_operations(self) -> list[Any]:
        """Nothing: there are no graphs."""
        return []


class Session:
    """Gives values of tensors and variables, and of symbolic tensors that are fed.

    Args:
        target: nothing.
        graph: nothing; accepted.
        config: accepted, without effect.
    """

    def __init__(self, target: str = "", graph: Any = None, config: Any = None) -> None:
        if target:
            raise NotSupportedError(
                f"Session(target={target!r}): there are no servers of sessions. Use `tf.distribute` strategies."
            )
        self.graph = graph or Graph()
        self.config = config

    def run(self, fetches: Any, feed_dict: dict[Any, Any] | None = None, **options: Any) -> Any:
        """Values of tensors.

        Args:
            fetches: tensor, variable, symbolic tensor, step of an optimizer, or a nesting of them.
            feed_dict: symbolic tensor to its value.
            **options: accepted, without effect.
        """
        flat = trees.flatten(fetches)
        wanted = [one for one in flat if isinstance(one, KerasTensor)]
        steps = [one for one in flat if _is_step(one)]
        found: list[Any] = []
        if wanted or steps:
            fed = feed_dict or {}
            symbols = [symbol for symbol in fed if isinstance(symbol, KerasTensor)]
            found = backend.function(symbols, wanted, updates=steps)([fed[symbol] for symbol in symbols])
        rest = iter(found)

        def value(one: Any) -> Any:
            if isinstance(one, KerasTensor):
                return next(rest)
            if _is_step(one):
                return None
            if one is None or isinstance(one, (Tensor, Variable)):
                return None if one is None else one.numpy()
            if callable(one):
                return one()
            return one

        return trees.map_structure(value, fetches)

    def close(self) -> None:
        """Nothing to do."""

    @contextlib.contextmanager
    def as_default(self) -> Iterator[Session]:
        """A ``with`` block without effect."""
        yield self

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *details: Any) -> None:
        self.close()


def _is_step(fetch: Any) -> bool:
    """Whether it is what an optimizer's ``minimize`` gave for a symbolic loss."""
    return hasattr(fetch, "make") and hasattr(fetch, "tensors")


InteractiveSession = Session
_shared: list[Any] = []


def default_session() -> Session:
    """One session for the whole process."""
    if not _shared:
        _shared.append(Session())
    return _shared[0]


get_default_session = default_session


def get_default_graph() -> Graph:
    """The graph of that session."""
    return default_session().graph


def reset_default_graph() -> None:
    """Forget names and shared state, as ``keras.backend.clear_session`` does."""
    clear_session()


# --- variables -----------------------------------------------------------------------------------
def _started(*variables: Any, **options: Any) -> None:
    """Nothing to do: variables have values from the start."""


global_variables_initializer = local_variables_initializer = tables_initializer = _started
variables_initializer = initialize_all_variables = _started


def placeholder(dtype: Any, shape: Any = None, name: str | None = None) -> Any:
    """A symbolic tensor, to be fed to ``Session.run`` or ``keras.backend.function``."""
    return backend.placeholder(shape=shape, dtype=dtype, name=name)


def placeholder_with_default(input: Any, shape: Any, name: str | None = None) -> Any:
    """Raise: symbolic tensors have no values of their own."""
    raise NotSupportedError(
        "placeholder_with_default is not offered. Give the value as a default argument of a Python function."
    )


def _refused(name: str, advice: str) -> Callable:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise NotSupportedError(f"tf.compat.v1.{name} is not offered: {advice}.")

    refuse.__name__ = name
    refuse.__doc__ = f"Raise: {advice}."
    return refuse


global_variables = _refused("global_variables", "there is no list of all variables; ask the model for `weights`")
trainable_variables = _refused(
    "trainable_variables", "there is no list of all variables; ask the model for `trainable_weights`"
)
get_variable = _refused("get_variable", "make a `tf.Variable`, or a layer with `add_weight`")
get_variable_scope = _refused("get_variable_scope", "use `tf.name_scope`, and share layers instead of scopes")
variable_scope = _refused("variable_scope", "use `tf.name_scope`, and share layers instead of scopes")


class GraphKeys:
    """Names of collections."""

    GLOBAL_VARIABLES = "variables"
    TRAINABLE_VARIABLES = "trainable_variables"
    LOSSES = "losses"
    REGULARIZATION_LOSSES = "regularization_losses"
    UPDATE_OPS = "update_ops"
    SUMMARIES = "summaries"


# --- switches ------------------------------------------------------------------------------------
def set_random_seed(seed: int) -> None:
    """Set the seed of all draws; ``tf.random.set_seed`` today."""
    set_seed(seed)


def enable_eager_execution(config: Any = None, device_policy: Any = None, execution_mode: Any = None) -> None:
    """Nothing to do: tensors always have values."""


def disable_eager_execution() -> None:
    """Without effect: models are compiled anyway, and tensors always have values."""
    note("disable_eager_execution has no effect: `fit` and `predict` are compiled anyway. Leave it out.")


def enable_v2_behavior() -> None:
    """Nothing to do."""


enable_resource_variables = enable_v2_behavior


def disable_v2_behavior() -> None:
    """Without effect: there are no graphs and sessions behind the scenes."""
    note("disable_v2_behavior has no effect. Leave it out.")


disable_v2_tensorshape = disable_resource_variables = disable_v2_behavior


def executing_eagerly_outside_functions() -> bool:
    """True."""
    return True
