"""``LazyLogs``: metric values that are read from the device when somebody looks at them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from hornbeam.core.tensor import Tensor

_MISSING = object()


class LazyLogs(dict):
    """A dict of logs, sorted by name unless an order is given, whose values become Python floats when they are read.

    Reading a value waits for the device; asking for names, the length or membership does not. What cannot be turned
    into a float (text, arrays of more than one number) is given as it is, arrays as NumPy arrays. Inner dicts are
    flattened.

    Args:
        logs: names and values: tensors, arrays, numbers.
        order: names that come first, in this order.

    Example:
        >>> logs = LazyLogs({"loss": hornbeam.constant(0.5)})
        >>> logs["loss"]
        0.5
    """

    __slots__ = ("_unread",)

    def __init__(self, logs: Mapping[str, Any] | None = None, order: Iterable[str] = ()) -> None:
        flat: dict[str, Any] = {}
        _flatten(logs, flat)
        if order:
            flat = {name: flat[name] for name in order if name in flat} | flat
        super().__init__(flat)
        self._unread = {name for name, value in flat.items() if type(value) is not float}

    @classmethod
    def of(cls, logs: Mapping[str, Any] | None) -> LazyLogs:
        """``logs`` themselves if they are lazy already."""
        return logs if isinstance(logs, LazyLogs) else cls(logs)

    # --- reading ---------------------------------------------------------------------------------
    def _read(self, name: str) -> Any:
        value = as_python(dict.__getitem__(self, name))
        dict.__setitem__(self, name, value)
        self._unread.discard(name)
        return value

    def _read_all(self) -> None:
        if not self._unread:
            return
        pending = [name for name in dict.keys(self) if name in self._unread]
        for name in pending:
            # All copies to the host are started before the first one is waited for.
            start = getattr(_array_of(dict.__getitem__(self, name)), "copy_to_host_async", None)
            if start is not None:
                start()
        for name in pending:
            self._read(name)
        self._unread.clear()

    def __getitem__(self, name: str) -> Any:
        return self._read(name) if name in self._unread and name in self else dict.__getitem__(self, name)

    def get(self, name: str, default: Any = None) -> Any:
        """Value of a name, ``default`` if there is none."""
        if name not in self:
            return default
        return self[name]

    def __iter__(self) -> Any:
        # An own `__iter__` keeps `dict(logs)` and `f(**logs)` from copying what has not been read.
        return dict.__iter__(self)

    def items(self) -> Any:
        """Names and values."""
        self._read_all()
        return dict.items(self)

    def values(self) -> Any:
        """Values."""
        self._read_all()
        return dict.values(self)

    def copy(self) -> dict[str, Any]:
        """A plain dict of the values."""
        return dict(self.items())

    def __repr__(self) -> str:
        self._read_all()
        return dict.__repr__(self)

    def __eq__(self, other: object) -> bool:
        self._read_all()
        if isinstance(other, LazyLogs):
            other._read_all()
        return dict.__eq__(self, other) is True

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None  # type: ignore[assignment]

    def __or__(self, other: Any) -> Any:
        return self.copy() | dict(other) if isinstance(other, Mapping) else NotImplemented

    def __ror__(self, other: Any) -> Any:
        return dict(other) | self.copy() if isinstance(other, Mapping) else NotImplemented

    def __reduce_ex__(self, protocol: Any) -> Any:
        return (dict, (self.copy(),))

    # --- writing ---------------------------------------------------------------------------------
    def __setitem__(self, name: str, value: Any) -> None:
        self._unread.discard(name)
        dict.__setitem__(self, name, value)

    def __ior__(self, other: Any) -> LazyLogs:
        self.update(other)
        return self

    def update(self, *others: Any, **named: Any) -> None:
        """Set several values."""
        for name, value in dict(*others, **named).items():
            self[name] = value

    def setdefault(self, name: str, default: Any = None) -> Any:
        """Value of a name, which is set to ``default`` first if there is none."""
        if name not in self:
            self[name] = default
        return self[name]

    def pop(self, name: str, default: Any = _MISSING) -> Any:
        """Remove a name and return its value."""
        if name in self:
            value = self[name]
            del self[name]
            return value
        if default is _MISSING:
            raise KeyError(name)
        return default

    def popitem(self) -> tuple[str, Any]:
        """Remove the last name and return it with its value."""
        self._read_all()
        return dict.popitem(self)


def _flatten(logs: Mapping[str, Any] | None, into: dict[str, Any]) -> None:
    if not logs:
        return
    pairs: Iterable[tuple[str, Any]] = dict.items(logs) if isinstance(logs, dict) else logs.items()
    for name, value in sorted(pairs, key=_name):
        if isinstance(value, dict):
            _flatten(value, into)
        else:
            into[name] = value


def _name(pair: tuple[str, Any]) -> str:
    return pair[0]


def _array_of(value: Any) -> Any:
    return getattr(value, "_value", value) if isinstance(value, Tensor) else value


def as_python(value: Any) -> Any:
    """A float where possible; NumPy for other tensors and arrays; everything else as it is."""
    if type(value) is float:
        return value
    if isinstance(value, Tensor) or hasattr(value, "ndim"):
        value = np.asarray(value)
        if value.size != 1 or value.dtype.kind == "c":
            return value
        value = value.reshape(())[()]
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return value
