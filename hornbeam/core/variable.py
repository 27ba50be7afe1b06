"""``Variable``: a named, assignable tensor.

The array lies in one slot of the variable. Whole groups are read and written in one C-level call
(``read_all``, ``commit_all``), which no signal handler or other thread can cut in two: a training
step is either entirely visible or not at all.

Inside a frame (a pure program being traced, ``core.frame``) reads and writes go to the frame instead.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.base import dtypes, names, settings, shapes
from hornbeam.base.errors import ShapeError, StateError, TracedInitialValueError, explain
from hornbeam.core import placement
from hornbeam.core import scopes as scopes_module
from hornbeam.core.conversion import as_array, copy_array
from hornbeam.core.scopes import scopes
from hornbeam.core.tensor import ReadValue, Reference, Tensor, from_host, wrap
from hornbeam.core.waiting import commit_lock, waiting
from hornbeam.engine.jax_compat import Tracer, wide_types


class Variable:
    """A tensor whose value can be assigned.

    Args:
        initializer: initial value, or a function ``(shape, dtype)`` that makes it (then ``shape`` is needed),
            or a function without arguments.
        shape: sizes; taken from the value if not given.
        dtype: element type; taken from the value if not given (``floatx`` for Python floats).
        trainable: whether gradients are taken with respect to it.
        autocast: whether layers read it in their compute dtype.
        aggregation: how replicas are combined: ``"none"``, ``"mean"``, ``"sum"``, ``"only_first_replica"``.
        synchronization: when replicas are combined: ``"auto"``, ``"none"``, ``"on_write"``, ``"on_read"``.
        name: name; no slash.
        constraint: function applied by optimizers after each update.
        layout: where its parts lie; by default as the distribution in force says.

    References: Keras ``keras.Variable``, TensorFlow ``tf.Variable``.
    """

    __slots__ = (
        "__dict__",
        "__weakref__",
        "_dtype",
        "_held",
        "_lent",
        "_made_trainable",
        "_shape",
        "_trainable",
        "aggregation",
        "autocast",
        "constraint",
        "name",
        "overwrite_with_gradient",
        "path",
        "regularizer",
        "synchronization",
    )
    __array_priority__ = 100

    def __init__(
        self,
        initializer: Any,
        shape: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: str | None = "none",
        synchronization: str | None = "auto",
        name: str | None = None,
        *,
        constraint: Callable | None = None,
        layout: Any = None,
    ) -> None:
        name = name or names.auto_name(type(self).__name__)
        if not isinstance(name, str) or "/" in name:
            raise ValueError(
                "The name of a variable is a string without '/', which separates the parts of its path. "
                f"Received: name={name!r}"
            )
        self.name = name
        self.path = "/".join((*scopes.names, name))
        self._trainable = self._made_trainable = bool(trainable)
        self.autocast = bool(autocast)
        self._lent = False
        aggregation, synchronization = _choice(aggregation), _choice(synchronization)
        _check_choices(self.path, aggregation, synchronization, layout)
        self.aggregation = aggregation
        self.synchronization = synchronization
        self.constraint: Any = constraint
        self.regularizer: Any = None
        self.overwrite_with_gradient = False
        self._layout = layout
        if scopes.strategy is not None:
            self._strategy = scopes.strategy
        array = self._initial(initializer, shape, dtype)
        self._array = array
        self._shape = array.shape
        self._dtype = dtypes.from_numpy(array.dtype)
        if layout is not None or placement.current() is not None:
            self._layout = placement.layout_of(self)
            if type(array) is not np.ndarray:  # one that waits for its value
                with jax.ensure_compile_time_eval():
                    self._array = placement.placed(self, array)

    def _initial(self, initializer: Any, shape: Any, dtype: Any) -> Any:
        wanted = dtypes.as_dtype(dtype) if dtype is not None else None
        if scopes.defer_values and callable(initializer) and shape is not None:
            sizes = shapes.standardize(shape)
            self._pending = (initializer, sizes, dtype)
            kind = (wanted or dtypes.as_dtype(settings.floatx())).as_numpy_dtype
            # Takes no memory, whatever the shape: a file must not make us allocate what it does not hold.
            return np.broadcast_to(np.zeros((), kind), sizes)  # pyright: ignore[reportCallIssue, reportArgumentType]
        with jax.ensure_compile_time_eval(), scopes_module.override(frame=None, tapes=(), autocast=None):
            value = initializer
            if callable(initializer) and not isinstance(initializer, (Variable, Tensor)):
                if shape is None:
                    value = initializer()
                else:
                    value = initializer(
                        shapes.standardize(shape), dtype=(wanted or dtypes.as_dtype(settings.floatx())).name
                    )
            array = as_array(value, wanted)
            if isinstance(array, Tracer):
                raise TracedInitialValueError(
                    f"Variable {self.path}: its initial value is a traced tensor, which has no value outside the "
                    "compiled function. Create the variable from a concrete value or an initializer."
                )
            if shape is not None and tuple(array.shape) != shapes.standardize(shape):
                raise ShapeError(
                    explain(
                        f"Variable {self.path}: the initial value does not have the shape asked for.",
                        expected=f"shape {shapes.standardize(shape)}",
                        received=f"shape {tuple(array.shape)}",
                    )
                )
            return array

    # --- facts -----------------------------------------------------------------------------------
    @property
    def _array(self) -> Any:
        """The array that the variable holds once all calls that were asked for have been launched."""
        if waiting.calls and self in waiting.variables:
            waiting.settle()
        return _array_of(self)

    @_array.setter
    def _array(self, array: Any) -> None:
        if waiting.calls and self in waiting.variables:
            waiting.settle()
        _set_array(self, array)

    @property
    def shape(self) -> shapes.TensorShape:
        """Sizes of the axes."""
        return tuple.__new__(shapes.TensorShape, self._shape)

    @property
    def dtype(self) -> dtypes.DType:
        """Element type (the compute dtype while a layer autocasts)."""
        cast = scopes.autocast
        if cast is not None and self.autocast and self._dtype.is_floating:
            return dtypes.as_dtype(cast)
        return self._dtype

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self._shape)

    @property
    def trainable(self) -> bool:
        """Whether gradients are taken with respect to it."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)

    @property
    def handle(self) -> Variable:
        """The variable itself (TensorFlow has a resource handle here)."""
        return self

    @property
    def initializer(self) -> None:
        """Variables are always initialised; there is no operation to run."""
        return None

    @property
    def device(self) -> str:
        """Where the array lies."""
        return Tensor(self._array).device

    def get_shape(self) -> shapes.TensorShape:
        """Same as ``shape``."""
        return self.shape

    def ref(self) -> Reference:
        """Hashable reference."""
        return Reference(self)

    def is_initialized(self) -> bool:
        """True: a variable has a value from the start."""
        return True

    # --- reading ---------------------------------------------------------------------------------
    def read_array(self) -> Any:
        """The array as of now (a tracer inside a frame), in the autocast dtype if one is in force."""
        frame = scopes.frame
        if frame is None:
            # Another thread may be about to donate the array: from here on it must copy it first.
            with commit_lock:
                array = self._array
                self._lent = True
                if type(array) is np.ndarray:
                    array = held(self)
        else:
            array = frame.read(self)
        cast = scopes.autocast
        if cast is not None and self.autocast and self._dtype.is_floating and self._dtype != cast:
            array = array.astype(cast)
        return array

    @property
    def value(self) -> ReadValue:
        """The current value as a tensor (also callable, as TensorFlow's ``value()``)."""
        self._lent = True
        tensor = ReadValue(self.read_array())
        for tape in scopes.tapes:
            tape._alias(self, tensor)
        return tensor

    def read_value(self) -> Tensor:
        """The current value as a tensor."""
        self._lent = True
        tensor = wrap(self.read_array())
        for tape in scopes.tapes:
            tape._alias(self, tensor)
        return tensor

    def numpy(self) -> Any:
        """Copy of the current value as NumPy."""
        return Tensor(self.read_array()).numpy()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        # Always a copy: a view would die when the array is donated to the next training step.
        array = np.array(Tensor(self.read_array()).__array__())
        return array if dtype is None else array.astype(dtype, copy=False)

    def __jax_array__(self) -> Any:
        self._lent = True
        return self.read_value().__jax_array__()

    # --- writing ---------------------------------------------------------------------------------
    def assign(self, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True) -> Any:
        """Set the value.

        Args:
            value: array-like of the variable's shape; cast to its dtype.
            use_locking: every assignment is atomic, so both values mean the same.
            name: accepted for TensorFlow's sake; nothing carries it here.
            read_value: False returns ``None`` instead of the variable.

        Raises:
            ShapeError: the shape differs.
        """
        self._write(as_array(value, self._dtype))
        return self if read_value else None

    def assign_add(
        self, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> Any:
        """Add to the value; see ``assign``."""
        with commit_lock:
            self._write(_combined("add", self._unlent(), as_array(value, self._dtype)))
        return self if read_value else None

    def assign_sub(
        self, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> Any:
        """Subtract from the value; see ``assign``."""
        with commit_lock:
            self._write(_combined("subtract", self._unlent(), as_array(value, self._dtype)))
        return self if read_value else None

    def _unlent(self) -> Any:
        frame = scopes.frame
        return self._array if frame is None else frame.read(self)

    def _write(self, array: Any) -> None:
        if tuple(array.shape) != tuple(self._shape):
            raise ShapeError(
                f"Variable {self.path}: a value of shape {tuple(array.shape)} does not fit the variable's "
                f"shape {tuple(self._shape)}; assigned values must match it."
            )
        frame = scopes.frame
        if frame is not None:
            frame.write(self, array)
        elif isinstance(array, Tracer):
            raise StateError(
                f"Variable {self.path} was assigned a traced value outside of a function that Hornbeam compiles; it "
                "would outlive its trace. Return the value from the traced function and assign it outside."
            )
        else:
            self._array = array

    # --- protocols -------------------------------------------------------------------------------
    def __bool__(self) -> bool:
        return bool(self.read_value())

    def __int__(self) -> int:
        return int(self.read_value())

    def __float__(self) -> float:
        return float(self.read_value())

    def __index__(self) -> int:
        return self.read_value().__index__()

    def __len__(self) -> int:
        return len(self.read_value())

    def __format__(self, spec: str) -> str:
        return format(self.read_value(), spec) if spec else str(self)

    def __hash__(self) -> int:
        return id(self)

    def __deepcopy__(self, memo: dict) -> Variable:
        twin = object.__new__(type(self))
        memo[id(self)] = twin
        for slot in _KEPT:
            setattr(twin, slot, getattr(self, slot))
        twin.__dict__.update(self.__dict__)
        twin._array, twin._lent = copy_array(self._array), False
        return twin

    def __reduce__(self) -> tuple[Any, ...]:
        state = {slot: getattr(self, slot) for slot in _KEPT}
        return (_restore, (type(self), np.asarray(self), state, dict(self.__dict__)))

    def __repr__(self) -> str:
        value = "" if scopes.frame is not None else f", value={np.asarray(self._array)}"
        return f"<Variable path={self.path}, shape={tuple(self._shape)}, dtype={self._dtype.name}{value}>"


def _flatten(variable: Variable) -> tuple[tuple[Any, ...], None]:
    # A pytree of one leaf, its value, because that is how ``jnp`` functions and ``jit`` take objects.
    return (variable.__jax_array__(),), None


def _unflatten(_: Any, children: Any) -> Any:
    return Tensor(children[0])


jax.tree_util.register_pytree_node(Variable, _flatten, _unflatten)

_KEPT = (
    "_dtype",
    "_made_trainable",
    "_shape",
    "_trainable",
    "aggregation",
    "autocast",
    "constraint",
    "name",
    "overwrite_with_gradient",
    "path",
    "regularizer",
    "synchronization",
)
_array_of: Any = Variable.__dict__["_held"].__get__
_set_array: Any = Variable.__dict__["_held"].__set__
_is_lent: Any = Variable.__dict__["_lent"].__get__


def read_all(variables: Sequence[Variable]) -> list[Any]:
    """Arrays of many variables, all of the same moment."""
    if waiting.concerns(variables):
        waiting.settle()
    return list(map(_array_of, variables))


def commit_all(variables: Sequence[Variable], arrays: Iterable[Any], *then: Iterable[Any]) -> None:
    """Set many variables at once; no other thread and no signal sees half of it.

    Args:
        variables: the variables.
        arrays: their new arrays.
        then: iterators to run through afterwards, as a part of the same act.
    """
    if waiting.concerns(variables):
        waiting.settle()
    deque(chain(map(_set_array, variables, arrays), *then), maxlen=0)


def lend_all(variables: Sequence[Variable]) -> None:
    """Note that somebody outside keeps the arrays of these variables."""
    if waiting.concerns(variables):
        waiting.settle()
    for variable in variables:
        variable._lent = True


def reclaim(variables: Sequence[Variable]) -> None:
    """Before their arrays are donated: copy those of which someone outside may hold the array."""
    if waiting.concerns(variables):
        waiting.settle()
    if any(map(_is_lent, variables)):
        for variable in variables:
            if variable._lent:
                variable._array = copy_array(variable._array)
                variable._lent = False


_AGGREGATIONS = (None, "none", "mean", "sum", "only_first_replica")
_SYNCHRONIZATIONS = (None, "auto", "none", "on_write", "on_read")


def _choice(value: Any) -> Any:
    """A choice by name; TensorFlow's are members of enums."""
    return value.name.lower() if isinstance(value, enum.Enum) else value


def _check_choices(path: str, aggregation: Any, synchronization: Any, layout: Any) -> None:
    for argument, value, allowed in (
        ("aggregation", aggregation, _AGGREGATIONS),
        ("synchronization", synchronization, _SYNCHRONIZATIONS),
    ):
        if value not in allowed:
            raise ValueError(f"Variable {path}: invalid {argument}={value!r}; expected one of {allowed}.")
    if layout is not None and not isinstance(getattr(layout, "backend_layout", layout), jax.sharding.Sharding):
        raise ValueError(
            f"Variable {path}: `layout` is a `keras.distribution.TensorLayout` with a mesh, or a "
            f"`jax.sharding.Sharding`. Received: layout={layout!r}"
        )


def _combined(function: str, left: Any, right: Any) -> Any:
    if left.dtype.itemsize == 8:
        with wide_types(True):
            return _jitted[function](left, right)
    return _jitted[function](left, right)


_jitted = {"add": jax.jit(jnp.add), "subtract": jax.jit(jnp.subtract)}


def _restore(kind: type, array: np.ndarray, state: dict, extra: dict) -> Variable:
    variable = object.__new__(kind)
    for slot, value in state.items():
        setattr(variable, slot, value)
    variable.__dict__.update(extra)
    variable._array, variable._lent = from_host(array)._value, False
    return variable


def held(variable: Variable) -> Any:
    """The array of a variable, which gets its initial value now if that was deferred and nobody has set one since.

    Programs tell variables from constants by the identity of their arrays, and a placeholder has none that lasts.
    """
    if not scopes.defer_values and "_pending" in variable.__dict__:
        materialize([variable])
    return variable._array


def materialize(variables: Sequence[Variable]) -> None:
    """Give variables whose values were deferred, and have not been read from a file, their initial ones."""
    for variable in variables:
        pending = variable.__dict__.pop("_pending", None)
        if pending is not None and isinstance(variable._array, np.ndarray):
            with scopes_module.override(defer_values=False):
                variable._array = variable._initial(*pending)
