"""Dtypes as users name them, and the one promotion rule of Hornbeam.

A ``DType`` *is* its name: a ``str``, so that it equals ``"float32"``, goes into JSON and
NumPy takes it; it also carries TensorFlow's attributes (``is_floating``, ``as_numpy_dtype`` ...).

Promotion (``result_type``) follows the lattice that JAX and Keras share, with Python
scalars weak. 64-bit types take part in it as in NumPy; nothing becomes 64-bit by itself.
"""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

from hornbeam.base.errors import explain

_NUMPY: dict[str, Any] = {
    "bool": np.bool_,
    "int8": np.int8,
    "int16": np.int16,
    "int32": np.int32,
    "int64": np.int64,
    "uint8": np.uint8,
    "uint16": np.uint16,
    "uint32": np.uint32,
    "uint64": np.uint64,
    "float16": np.float16,
    "bfloat16": ml_dtypes.bfloat16,
    "float32": np.float32,
    "float64": np.float64,
    "complex64": np.complex64,
    "complex128": np.complex128,
    "float8_e4m3fn": ml_dtypes.float8_e4m3fn,
    "float8_e5m2": ml_dtypes.float8_e5m2,
    "int4": ml_dtypes.int4,
    "uint4": ml_dtypes.uint4,
    "string": np.object_,
    "variant": np.object_,
    "resource": np.object_,
}
WIDE = frozenset({"float64", "int64", "uint64", "complex128"})
FLOATS = ("bfloat16", "float16", "float32", "float64")
_ALIASES = {"half": "float16", "float": "float32", "double": "float64", "int": "int32", "complex": "complex64"}


class DType(str):
    """A dtype by name, with TensorFlow's attributes."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """Plain name, such as ``"float32"``."""
        return str.__str__(self)

    @property
    def as_numpy_dtype(self) -> Any:
        """The NumPy scalar type (``numpy.object_`` for strings)."""
        return _NUMPY[self]

    @property
    def base_dtype(self) -> DType:
        """The dtype itself; there are no reference dtypes here."""
        return self

    @property
    def real_dtype(self) -> DType:
        """Dtype of the real part."""
        return {"complex64": float32, "complex128": float64}.get(self, self)

    @property
    def is_floating(self) -> bool:
        """True for float types, 8 and 16 bit ones included."""
        return self.startswith(("float", "bfloat"))

    @property
    def is_integer(self) -> bool:
        """True for signed and unsigned integers; bool is not one."""
        return self.startswith(("int", "uint"))

    @property
    def is_complex(self) -> bool:
        """True for complex64 and complex128."""
        return self.startswith("complex")

    @property
    def is_bool(self) -> bool:
        """True for bool."""
        return self.name == "bool"

    @property
    def is_unsigned(self) -> bool:
        """True for unsigned integers."""
        return self.startswith("uint")

    @property
    def is_numpy_compatible(self) -> bool:
        """True where NumPy has an equal type."""
        return self.name not in ("variant", "resource")

    @property
    def size(self) -> int:
        """Bytes per element (1 for types without a fixed size, as in TensorFlow)."""
        return 1 if self.as_numpy_dtype is np.object_ else np.dtype(self.as_numpy_dtype).itemsize

    @property
    def min(self) -> Any:
        """Smallest finite value."""
        return self._limits()[0]

    @property
    def max(self) -> Any:
        """Largest finite value."""
        return self._limits()[1]

    @property
    def limits(self) -> tuple[Any, Any]:
        """Smallest and largest finite value."""
        return self._limits()

    def _limits(self) -> tuple[Any, Any]:
        if self.is_bool:
            return (False, True)
        if self.is_integer:
            info = ml_dtypes.iinfo(self.as_numpy_dtype)
            return (int(info.min), int(info.max))
        if self.is_floating:
            finfo = ml_dtypes.finfo(self.as_numpy_dtype)
            return (finfo.min, finfo.max)
        raise TypeError(f"dtype {self.name} has no smallest and largest value.")

    def is_compatible_with(self, other: Any) -> bool:
        """True if both name the same dtype."""
        return self == as_dtype(other)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, str):
            return str.__eq__(self, other)
        try:
            return str.__eq__(self, as_dtype(other))
        except (TypeError, ValueError):
            return False

    def __ne__(self, other: object) -> bool:
        return not self.__eq__(other)

    __hash__ = str.__hash__

    def __repr__(self) -> str:
        return f"tf.{str.__str__(self)}"

    def __reduce__(self) -> tuple[Any, ...]:
        return (DType, (str.__str__(self),))


TABLE: dict[str, DType] = {name: DType(name) for name in _NUMPY}
_BY_NUMPY: dict[Any, DType] = {np.dtype(kind): TABLE[name] for name, kind in _NUMPY.items() if kind is not np.object_}
_BY_NUMPY[np.dtype(object)] = TABLE["string"]
_PYTHON: dict[Any, DType] = {
    bool: TABLE["bool"],
    int: TABLE["int32"],
    float: TABLE["float32"],
    complex: TABLE["complex64"],
}
_PYTHON[str] = _PYTHON[bytes] = TABLE["string"]

bool_ = TABLE["bool"]
int8, int16, int32, int64 = TABLE["int8"], TABLE["int16"], TABLE["int32"], TABLE["int64"]
uint8, uint16, uint32, uint64 = TABLE["uint8"], TABLE["uint16"], TABLE["uint32"], TABLE["uint64"]
float16, bfloat16, float32, float64 = TABLE["float16"], TABLE["bfloat16"], TABLE["float32"], TABLE["float64"]
complex64, complex128 = TABLE["complex64"], TABLE["complex128"]
string, variant, resource = TABLE["string"], TABLE["variant"], TABLE["resource"]


def as_dtype(dtype: Any) -> DType:
    """Turn any spelling of a dtype into the ``DType`` of that name.

    Args:
        dtype: name, NumPy dtype or scalar type, Python ``float``/``int``/``bool``/``str`` type,
            or an object with a ``dtype`` attribute.

    Raises:
        TypeError: nothing of that name is known.
    """
    kind = type(dtype)
    if kind is DType:
        return dtype
    if isinstance(dtype, str):
        known = TABLE.get(dtype) or TABLE.get(_ALIASES.get(dtype, ""))
        if known is not None:
            return known
        if dtype.startswith("torch.") or dtype.startswith("<dtype: '"):
            return as_dtype(dtype.removeprefix("torch.").removeprefix("<dtype: '").removesuffix("'>"))
    elif isinstance(dtype, np.dtype):
        return from_numpy(dtype)
    elif dtype in _PYTHON:
        return _PYTHON[dtype]
    elif isinstance(dtype, type) and issubclass(dtype, np.generic):
        return from_numpy(np.dtype(dtype))
    elif (inner := getattr(dtype, "dtype", None)) is not None and inner is not dtype:
        return as_dtype(inner)
    try:
        return from_numpy(np.dtype(dtype))
    except TypeError as error:
        where = f"Unknown dtype {dtype!r}."
        raise TypeError(explain(where, expected="one of " + ", ".join(sorted(TABLE)))) from error


def from_numpy(dtype: np.dtype) -> DType:
    """``DType`` of a NumPy dtype, whatever its byte order; text of any width is ``string``."""
    known = _BY_NUMPY.get(dtype)
    if known is not None:
        return known
    if dtype.kind in "SUOT":
        return string
    known = _BY_NUMPY.get(dtype.newbyteorder("="))
    if known is None:
        raise TypeError(
            f"NumPy dtype {dtype} has no counterpart here. Convert the array first: dates to numbers by "
            "`.astype('int64')`, long doubles to `float64`, structures field by field."
        )
    return known


def is_wide(dtype: Any) -> bool:
    """True for the 64-bit number types (and complex128), which JAX computes only on request."""
    return dtype in WIDE


# --- promotion -----------------------------------------------------------------------------------
# Weak kinds are the types of Python scalars. Each node lists what it promotes to directly; the
# result of two nodes is their lowest common upper bound. float64 beside int64 stays as in NumPy.
_UPWARD: dict[str, tuple[str, ...]] = {
    "bool": ("int*",),
    "int*": ("uint8", "int8"),
    "uint8": ("int16", "uint16"),
    "uint16": ("int32", "uint32"),
    "uint32": ("int64", "uint64"),
    "uint64": ("float*",),
    "int8": ("int16",),
    "int16": ("int32",),
    "int32": ("int64",),
    "int64": ("float*",),
    "float*": ("bfloat16", "float16", "complex*"),
    "bfloat16": ("float32",),
    "float16": ("float32",),
    "float32": ("float64", "complex64"),
    "float64": ("complex128",),
    "complex*": ("complex64",),
    "complex64": ("complex128",),
    "complex128": (),
}
_WEAK_DEFAULT = {"int*": "int32", "float*": "float32", "complex*": "complex64"}
_WEAK_OF: dict[Any, str] = {bool: "bool", int: "int*", float: "float*", complex: "complex*"}


def _upper_bounds() -> dict[str, frozenset[str]]:
    bounds: dict[str, frozenset[str]] = {}
    pending = list(_UPWARD)
    while pending:
        node = pending.pop(0)
        if all(up in bounds for up in _UPWARD[node]):
            bounds[node] = frozenset({node}).union(*(bounds[up] for up in _UPWARD[node]))
        else:
            pending.append(node)
    return bounds


_BOUNDS = _upper_bounds()
_JOINED: dict[tuple[str, str], str] = {}


def _join(a: str, b: str) -> str:
    if a == b:
        return a
    known = _JOINED.get((a, b))
    if known is None:
        if a not in _BOUNDS or b not in _BOUNDS:
            raise TypeError(f"dtypes {a} and {b} do not promote to a common one; cast one of them first.")
        common = _BOUNDS[a] & _BOUNDS[b]
        known = next(node for node in common if common == _BOUNDS[node])
        _JOINED[(a, b)] = known
    return known


def _stands_alone(name: str) -> bool:
    """True for the types that promote to nothing but themselves."""
    return name in ("int4", "uint4") or name.startswith("float8")


def result_type(*operands: Any) -> DType:
    """Dtype that the operands promote to.

    Args:
        *operands: dtypes in any spelling, or the Python types ``bool``, ``int``, ``float``, ``complex``,
            or Python scalars, which are weak: they raise the kind but not the width.

    Returns:
        The common dtype, e.g. ``result_type("int32", float)`` is float32 and
        ``result_type("float16", 1.0)`` is float16.
    """
    joined = "bool"
    wide = False
    for operand in operands:
        kind = type(operand)
        weak = _WEAK_OF.get(operand) if kind is type else _WEAK_OF.get(kind)
        if weak is not None:
            joined = _join(joined, weak)
        else:
            name = as_dtype(operand).name
            if _stands_alone(name) and all(as_dtype(other) == name for other in operands):
                return TABLE[name]
            joined = _join(joined, name)
            wide = wide or name in WIDE
    if joined == "int64" and not wide:
        joined = "int32"  # uint32 beside a signed type: nothing becomes 64-bit by itself
    return TABLE[_WEAK_DEFAULT.get(joined, joined)]
