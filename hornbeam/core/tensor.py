"""``Tensor``: a JAX array (or tracer) with the methods of ``tf.Tensor``.

The wrapper exists for one reason: an eager ``GradientTape`` must see ``x * x``. It is a registered
pytree with ``__jax_array__`` and ``__array__``, so ``jnp`` functions, ``jit``, ``grad`` and NumPy take it.

Three exact classes keep the hot path of the door to one type test:

- ``Tensor``      any dtype up to 32 bits
- ``WideTensor``  64-bit dtypes, whose ops run with JAX's wide types switched on
- ``HostTensor``  strings and objects, held as a NumPy array on the host
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from hornbeam.base import dtypes
from hornbeam.base.dtypes import DType
from hornbeam.base.errors import TapeError, TraceError
from hornbeam.base.shapes import TensorShape
from hornbeam.core.scopes import scopes
from hornbeam.engine import half_sums, products
from hornbeam.engine.jax_compat import ArrayImpl, Tracer, is_tracing, put, wide_types
from hornbeam.engine.memory import own_copy

# Here, because nothing is compiled before there are tensors.
half_sums.add_in_float32()
products.use_onednn()

_BY_NUMPY = dtypes._BY_NUMPY


class Tensor:
    """An array on the device. Made by ops and by ``convert_to_tensor``, not by calling the class."""

    __slots__ = ("__weakref__", "_keras_mask", "_logits", "_metric", "_value")
    __array_priority__ = 100

    if TYPE_CHECKING:
        # Put on the class by ``core.tensor_methods`` when ``hornbeam.ops`` is imported.
        __getitem__: Any
        __add__: Any
        __radd__: Any
        __sub__: Any
        __rsub__: Any
        __mul__: Any
        __rmul__: Any
        __truediv__: Any
        __rtruediv__: Any
        __floordiv__: Any
        __mod__: Any
        __pow__: Any
        __rpow__: Any
        __matmul__: Any
        __neg__: Any
        __abs__: Any
        __invert__: Any
        __and__: Any
        __or__: Any
        __lt__: Any
        __le__: Any
        __gt__: Any
        __ge__: Any
        reshape: Any
        astype: Any
        at: Any
        T: Any

    def __init__(self, value: Any) -> None:
        self._value = value

    # --- facts -----------------------------------------------------------------------------------
    @property
    def shape(self) -> TensorShape:
        """Sizes of the axes."""
        return tuple.__new__(TensorShape, self._value.shape)

    @property
    def dtype(self) -> DType:
        """Element type."""
        return _BY_NUMPY[self._value.dtype]

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self._value.ndim

    @property
    def size(self) -> int:
        """Number of elements."""
        return self._value.size

    @property
    def nbytes(self) -> int:
        """Bytes that the elements take."""
        return self._value.size * self._value.dtype.itemsize

    @property
    def itemsize(self) -> int:
        """Bytes per element."""
        return self._value.dtype.itemsize

    @property
    def value(self) -> Any:
        """The JAX array (or tracer) itself, for code that calls ``jax.lax`` directly."""
        return self.__jax_array__()

    @property
    def device(self) -> str:
        """Where the tensor lies, in TensorFlow's spelling."""
        if isinstance(self._value, ArrayImpl):
            where = next(iter(self._value.devices()))
            kind = {"cpu": "CPU", "tpu": "TPU"}.get(where.platform, "GPU")
            return f"/job:localhost/replica:0/task:0/device:{kind}:{where.id}"
        return ""

    @property
    def name(self) -> str:
        """Eager tensors have no name in TensorFlow; here it is always ``"tensor"``."""
        return "tensor"

    @property
    def sharding(self) -> Any:
        """How the array is laid over devices (JAX)."""
        return self._value.sharding

    def get_shape(self) -> TensorShape:
        """Same as ``shape``."""
        return self.shape

    def set_shape(self, shape: Any) -> None:
        """Assert that the shape is compatible with ``shape``."""
        self.shape.assert_is_compatible_with(shape)

    def ref(self) -> Reference:
        """Hashable reference, for sets and dict keys."""
        return Reference(self)

    def devices(self) -> Any:
        """Devices that hold the array (JAX)."""
        return self._value.devices()

    def block_until_ready(self) -> Tensor:
        """Wait until the value has been computed."""
        if isinstance(self._value, ArrayImpl):
            self._value.block_until_ready()
        return self

    # --- leaving the device ----------------------------------------------------------------------
    def numpy(self) -> Any:
        """Copy to NumPy; a NumPy scalar for a tensor without axes.

        Raises:
            TraceError: inside a compiled function the value is not known yet.
        """
        self._need_value(".numpy()")
        return np.array(self._value)[()]

    def tolist(self) -> Any:
        """Nested Python lists (a Python scalar for a tensor without axes)."""
        self._need_value(".tolist()")
        return np.asarray(self._value).tolist()

    def item(self, *index: int) -> Any:
        """One element as a Python scalar."""
        self._need_value(".item()")
        return np.asarray(self._value).item(*index)

    def _need_value(self, what: str) -> None:
        if isinstance(self._value, Tracer):
            raise TraceError(
                f"{what} was called on a tensor inside a compiled function, where values are not known yet.\n"
                f"  received: a traced tensor of shape {tuple(self._value.shape)}, dtype {self._value.dtype}\n"
                "  fix:      use tensor operations instead, or run eagerly: `run_eagerly=True` in compile(), "
                "or tf.config.run_functions_eagerly(True)"
            )

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        self._need_value("NumPy conversion")
        array = np.asarray(self._value)
        if dtype is not None:
            array = array.astype(dtype, copy=False)
        return array.copy() if copy else array

    def __jax_array__(self) -> Any:
        if scopes.tapes:
            for tape in scopes.tapes:
                if tape._watches(self):
                    raise TapeError(
                        "A plain jax/jnp function was applied to a tensor that a GradientTape watches; the tape "
                        "cannot see it, and the gradient would silently be lost.\n"
                        "  fix:      use the tf or keras.ops function of that name, or do the jnp work inside a layer"
                    )
        return self._value

    def __dlpack__(self, **kwargs: Any) -> Any:
        return self._value.__dlpack__(**kwargs)

    def __dlpack_device__(self) -> Any:
        return self._value.__dlpack_device__()

    # --- Python protocols ------------------------------------------------------------------------
    def __bool__(self) -> bool:
        return bool(self._value)

    # One element is a number whatever the rank, as it was in NumPy when many programs were written.
    def __int__(self) -> int:
        return int(self._value.reshape(()) if self._value.size == 1 else self._value)

    def __float__(self) -> float:
        return float(self._value.reshape(()) if self._value.size == 1 else self._value)

    def __complex__(self) -> complex:
        return complex(self._value)

    def __index__(self) -> int:
        return self._value.__index__()

    def __round__(self, digits: int | None = None) -> Any:
        return round(float(self._value), digits) if digits is not None else round(float(self._value))

    def __len__(self) -> int:
        if not self._value.ndim:
            raise TypeError("Scalar tensor has no `len()`")
        return self._value.shape[0]

    def __format__(self, spec: str) -> str:
        if isinstance(self._value, Tracer):
            return format(str(self), spec)
        # As TensorFlow does: the bare value, so that f"{loss}" reads like a number.
        array = np.asarray(self._value)
        return format(array if array.ndim else array.item() if spec else array[()], spec)

    __hash__ = None  # type: ignore[assignment]

    def __copy__(self) -> Tensor:
        return type(self)(self._value)

    def __deepcopy__(self, memo: Any) -> Tensor:
        # Arrays never change, so two tensors may share one.
        return type(self)(self._value)

    def __reduce__(self) -> tuple[Any, ...]:
        return (_from_numpy, (np.asarray(self),))

    def __repr__(self) -> str:
        if isinstance(self._value, Tracer):
            return f"<tf.Tensor: shape={tuple(self.shape)}, dtype={self.dtype.name} (traced)>"
        return f"<tf.Tensor: shape={tuple(self.shape)}, dtype={self.dtype.name}, numpy={_text(self._value, repr)}>"

    def __str__(self) -> str:
        if isinstance(self._value, Tracer):
            return f"tf.Tensor(shape={tuple(self.shape)}, dtype={self.dtype.name}, traced)"
        return f"tf.Tensor({_text(self._value, str)}, shape={tuple(self.shape)}, dtype={self.dtype.name})"


def _text(value: Any, form: Any) -> str:
    array = np.asarray(value)
    if not array.ndim:
        return str(array[()])
    text = form(array)
    return f"\n{text}" if "\n" in text else text


class WideTensor(Tensor):
    """A tensor of 64-bit elements."""

    __slots__ = ()


class HostTensor(Tensor):
    """A tensor of strings (NumPy object array of ``bytes``), which never leaves the host."""

    __slots__ = ()

    @property
    def dtype(self) -> DType:
        """``tf.string``."""
        return dtypes.string

    def numpy(self) -> Any:
        """Copy to NumPy; ``bytes`` for a tensor without axes."""
        return self._value.copy() if self._value.ndim else self._value[()]

    def __jax_array__(self) -> Any:
        raise TypeError(
            "A string tensor cannot enter a computation on the device.\n"
            "  fix:      turn the strings into numbers first, e.g. with StringLookup, TextVectorization or tf.strings"
        )

    def __repr__(self) -> str:
        value = self._value if self._value.ndim else self._value[()]
        return f"<tf.Tensor: shape={tuple(self.shape)}, dtype=string, numpy={value!r}>"

    def __str__(self) -> str:
        value = self._value if self._value.ndim else self._value[()]
        return f"tf.Tensor({value}, shape={tuple(self.shape)}, dtype=string)"


class ReadValue(Tensor):
    """What ``variable.value`` gives: a tensor that may also be called, for code that writes ``variable.value()``."""

    __slots__ = ()

    def __call__(self) -> Tensor:
        """The tensor itself, which tapes know as the variable's; one of 64 bits as a tensor of such elements."""
        return self if self._value.dtype.itemsize < 8 else wrap(self._value)


class Reference:
    """Hashable stand-in of a tensor or variable: equal only to references of the same object."""

    __slots__ = ("_object",)

    def __init__(self, target: Any) -> None:
        self._object = target

    def deref(self) -> Any:
        """The object referred to."""
        return self._object

    def __hash__(self) -> int:
        return id(self._object)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reference) and self._object is other._object


def wrap(value: Any) -> Tensor:
    """Tensor of the right class around a JAX array or tracer."""
    return (
        WideTensor(value)
        if (value.dtype.itemsize == 8 and dtypes.is_wide(value.dtype.name)) or (value.dtype.itemsize == 16)
        else Tensor(value)
    )


def _from_numpy(array: np.ndarray) -> Tensor:
    return from_host(array)


def from_host(array: np.ndarray) -> Tensor:
    """Tensor from a NumPy array, which is copied to the device with its dtype kept."""
    kind = array.dtype.kind
    if kind in "SUO":
        return HostTensor(_as_bytes(array))
    if array.dtype.byteorder not in "=|":
        array = array.astype(array.dtype.newbyteorder("="))
    if kind in "iufc" and dtypes.is_wide(array.dtype.name):
        with wide_types(True):
            return WideTensor(jax.device_put(np.array(array)))
    dtypes.from_numpy(array.dtype)  # refuses dates, long doubles and structures
    if not is_tracing():
        return Tensor(put(own_copy(array)))
    if kind in "iub" and array.size <= _FEW:
        # They may be sizes, which stay known inside a trace; see `door`.
        with jax.ensure_compile_time_eval():
            return Tensor(jax.numpy.array(array))
    return Tensor(jax.numpy.array(array))


_FEW = 8


def _as_bytes(array: np.ndarray) -> np.ndarray:
    out = np.empty(array.shape, dtype=object)
    flat = out.reshape(-1)
    for index, item in enumerate(array.reshape(-1)):
        flat[index] = (
            item.encode("utf-8") if isinstance(item, str) else bytes(item) if isinstance(item, np.bytes_) else item
        )
    return out


def _flatten(tensor: Tensor) -> tuple[tuple, type]:
    # This is how jnp functions get at the array: the same check as in ``__jax_array__``.
    return (tensor.__jax_array__() if scopes.tapes else tensor._value,), type(tensor)


def _unflatten(kind: type, children: Any) -> Tensor:
    return kind(children[0])


for _kind in (Tensor, WideTensor, HostTensor):
    jax.tree_util.register_pytree_node(_kind, _flatten, _unflatten)
jax.tree_util.register_pytree_node(ReadValue, _flatten, lambda _, children: Tensor(children[0]))
