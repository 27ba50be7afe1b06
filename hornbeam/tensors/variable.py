"""``tf.Variable``: the variable with TensorFlow's constructor and names."""

from __future__ import annotations

import contextlib
import enum
import threading
from collections.abc import Callable, Iterator
from typing import Any

import jax

from hornbeam import ops
from hornbeam.base import dtypes, shapes
from hornbeam.base.errors import NotSupportedError
from hornbeam.core import scopes as scopes_module
from hornbeam.core import variable as core
from hornbeam.core.tensor import HostTensor, ReadValue, Tensor
from hornbeam.engine.jax_compat import Tracer
from hornbeam.ops.at import update_at
from hornbeam.tensors.face import tensor
from hornbeam.tensors.indexed_slices import IndexedSlices
from hornbeam.tensors.indexing import (
    gather,
    gather_nd,
    tensor_scatter_nd_add,
    tensor_scatter_nd_sub,
    tensor_scatter_nd_update,
)

__all__ = ["Variable", "VariableAggregation", "VariableSynchronization", "variable_creator_scope"]


class VariableSynchronization(enum.Enum):
    """When replicas of a variable are combined."""

    AUTO = 0
    NONE = 1
    ON_WRITE = 2
    ON_READ = 3


class VariableAggregation(enum.Enum):
    """How replicas of a variable are combined."""

    NONE = 0
    SUM = 1
    MEAN = 2
    ONLY_FIRST_REPLICA = 3


class _Creators(threading.local):
    stack: tuple[Callable, ...] = ()


_creators = _Creators()


@contextlib.contextmanager
def variable_creator_scope(variable_creator: Callable) -> Iterator[None]:
    """A ``with`` block in which ``tf.Variable(...)`` goes through a function.

    Args:
        variable_creator: takes the next creator and the keyword arguments of ``tf.Variable``, returns a variable.
            Weights that layers make by ``add_weight`` do not come by here.
    """
    before = _creators.stack
    _creators.stack = (*before, variable_creator)
    try:
        yield
    finally:
        _creators.stack = before


_ORDER = ("initial_value", "trainable", "validate_shape", "caching_device", "name", "variable_def", "dtype")
_ORDER += ("import_scope", "constraint", "synchronization", "aggregation", "shape")


class _AnyVariable(type):
    """Makes every variable, also a layer's, an instance of ``tf.Variable``."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, core.Variable) if cls is Variable else type.__instancecheck__(cls, instance)

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if cls is not Variable or not _creators.stack:
            return type.__call__(cls, *args, **kwargs)
        kwargs = {**dict(zip(_ORDER, args, strict=False)), **kwargs}

        def make(**given: Any) -> Any:
            return type.__call__(cls, **given)

        for creator in _creators.stack:
            make = _through(creator, make)
        return make(**kwargs)


def _through(creator: Callable, following: Callable) -> Callable:
    return lambda **kwargs: creator(following, **kwargs)


class Slice(ReadValue):
    """``variable[key]``: a tensor that can also set these entries of the variable."""

    __slots__ = ("_key", "_variable")

    def assign(self, value: Any, name: str | None = None) -> Any:
        """Set the entries; gives the variable."""
        return self._variable.assign(update_at(self._variable, value, self._key))


class Variable(core.Variable, metaclass=_AnyVariable):
    """A tensor whose value can be assigned.

    Args:
        initial_value: value, or a function without arguments that gives it.
        trainable: whether gradients are taken with respect to it; True by default, unless it is combined on read.
        validate_shape: shapes are always known here, so both values mean the same.
        caching_device: must be None.
        name: name; the attribute ``name`` then reads ``"name:0"``.
        variable_def: must be None.
        dtype: element type; that of the value by default.
        import_scope: must be None.
        constraint: function applied by optimizers after each update.
        synchronization: when replicas are combined.
        aggregation: how replicas are combined.
        shape: checked against the value; sizes that may change are not offered.
        experimental_enable_variable_lifting: variables made inside ``tf.function`` always live outside of it.

    Raises:
        ValueError: there is no initial value, or it has another shape.
        NotSupportedError: strings, unknown sizes, and what belongs to graphs.

    References: TensorFlow `tf.Variable`.
    """

    __slots__ = ()

    def __init__(
        self,
        initial_value: Any = None,
        trainable: bool | None = None,
        validate_shape: bool = True,
        caching_device: Any = None,
        name: str | None = None,
        variable_def: Any = None,
        dtype: Any = None,
        import_scope: str | None = None,
        constraint: Callable | None = None,
        synchronization: Any = VariableSynchronization.AUTO,
        aggregation: Any = VariableAggregation.NONE,
        shape: Any = None,
        experimental_enable_variable_lifting: bool = True,
    ) -> None:
        for key, value in (
            ("caching_device", caching_device),
            ("variable_def", variable_def),
            ("import_scope", import_scope),
        ):
            if value is not None:
                raise NotSupportedError(f"tf.Variable: `{key}` belongs to TensorFlow's graphs; leave it out.")
        if initial_value is None:
            raise ValueError("initial_value must be specified. Received: None.")
        synchronization = _word(synchronization, VariableSynchronization)
        value = _evaluated(initial_value, dtype)
        _check_shape(shape, value)
        super().__init__(
            value,
            dtype=None if dtype is None else dtypes.as_dtype(dtype),
            trainable=synchronization != "on_read" if trainable is None else bool(trainable),
            autocast=False,
            aggregation=_word(aggregation, VariableAggregation),
            synchronization=synchronization,
            name=name.replace("/", ".") if name else "Variable",
            constraint=constraint,
        )
        if name and "/" in name:
            self.path = "/".join((*scopes_module.scopes.names, name))

    @property
    def name(self) -> str:
        """Name with its scopes and output number, such as ``"scope/kernel:0"``."""
        return f"{self.path}:0"

    @name.setter
    def name(self, value: str) -> None:
        core.Variable.name.__set__(self, value)  # type: ignore[attr-defined]

    def __repr__(self) -> str:
        shown = f"<tf.Variable {self.name!r} shape={tuple(self._shape)} dtype={self._dtype.name}"
        if scopes_module.scopes.frame is not None or isinstance(self._array, Tracer):
            return shown + ">"
        return f"{shown}, numpy={self.read_value().__repr__().partition('numpy=')[2]}"

    def __getitem__(self, key: Any) -> Any:
        found = ops.get_item(self, key)
        if type(found) is not Tensor or scopes_module.scopes.tapes:
            return found  # with its place on the tape
        entries = Slice(found._value)
        entries._variable, entries._key = self, key
        return entries

    # --- TensorFlow's further methods ------------------------------------------------------------
    def assign_add(
        self, delta: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> Any:
        """Add to the value. Assignments are atomic, whatever ``use_locking`` says."""
        return super().assign_add(delta, read_value=read_value)

    def assign_sub(
        self, delta: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> Any:
        """Subtract from the value. Assignments are atomic, whatever ``use_locking`` says."""
        return super().assign_sub(delta, read_value=read_value)

    def set_shape(self, shape: Any) -> None:
        """Assert that the shape is compatible with ``shape``."""
        self.shape.assert_is_compatible_with(shape)

    def sparse_read(self, indices: Any, name: str | None = None) -> Any:
        """Slices along axis 0 (``tf.gather``)."""
        return gather(self, indices)

    def gather_nd(self, indices: Any, name: str | None = None) -> Any:
        """Slices by coordinates (``tf.gather_nd``)."""
        return gather_nd(self, indices)

    def scatter_nd_update(self, indices: Any, updates: Any, name: str | None = None) -> Variable:
        """Set the slices at ``indices``."""
        return self.assign(tensor_scatter_nd_update(self, indices, updates))

    def scatter_nd_add(self, indices: Any, updates: Any, name: str | None = None) -> Variable:
        """Add to the slices at ``indices``."""
        return self.assign(tensor_scatter_nd_add(self, indices, updates))

    def scatter_nd_sub(self, indices: Any, updates: Any, name: str | None = None) -> Variable:
        """Subtract from the slices at ``indices``."""
        return self.assign(tensor_scatter_nd_sub(self, indices, updates))

    def scatter_update(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Variable:
        """Set the rows of an ``IndexedSlices``; steps are in order here, with or without a lock."""
        return self.scatter_nd_update(*_rows(sparse_delta))

    def scatter_add(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Variable:
        """Add the rows of an ``IndexedSlices``."""
        return self.scatter_nd_add(*_rows(sparse_delta))

    def scatter_sub(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Variable:
        """Subtract the rows of an ``IndexedSlices``."""
        return self.scatter_nd_sub(*_rows(sparse_delta))

    @property
    def op(self) -> Variable:
        """The variable itself, which has a ``name`` as TensorFlow's operations have."""
        return self

    @property
    def graph(self) -> Any:
        """Raise: there is no graph.

        Raises:
            AttributeError: always, as for TensorFlow's eager variables.
        """
        raise AttributeError("Variable.graph: there are no graphs here.")


def _rows(slices: Any) -> tuple[Any, Any]:
    if not isinstance(slices, IndexedSlices):
        raise TypeError(f"Rows of a variable are given as a `tf.IndexedSlices`. Received: {slices!r}")
    return ops.expand_dims(slices.indices, -1), slices.values


def _word(value: Any, kind: type[enum.Enum]) -> str:
    if value is None:
        return "auto" if kind is VariableSynchronization else "none"
    if isinstance(value, kind):
        return value.name.lower()
    if isinstance(value, str) and value.upper() in kind.__members__:
        return value.lower()
    raise ValueError(f"Invalid value {value!r}; expected one of {list(kind.__members__)} of {kind.__name__}.")


def _evaluated(initial_value: Any, dtype: Any) -> Any:
    """The initial value itself, also inside a trace, where it must not depend on traced values."""
    value = initial_value
    with jax.ensure_compile_time_eval(), scopes_module.override(frame=None, tapes=(), autocast=None):
        if callable(value) and not isinstance(value, (core.Variable, Tensor)):
            value = value()
        if not isinstance(value, (core.Variable, Tensor, jax.Array, Tracer)):
            value = tensor(value, None if dtype is None else dtypes.as_dtype(dtype))
    if isinstance(value, HostTensor) or dtype == "string":
        raise NotSupportedError("tf.Variable: strings cannot be assigned on a device; keep them in a Python attribute.")
    return value


def _check_shape(shape: Any, value: Any) -> None:
    if shape is None:
        return
    wanted = shapes.TensorShape(shape)
    if not wanted.is_compatible_with(value.shape):
        raise ValueError(
            f"tf.Variable: the initial value does not fit `shape`. Expected {wanted}, received {tuple(value.shape)}."
        )
    if wanted.rank is None or not wanted.is_fully_defined():
        raise NotSupportedError(
            f"tf.Variable: shape {wanted} would allow values of other sizes, but compiled programs fix them.\n"
            "  fix:      give the full shape, and make a new variable where sizes change"
        )
