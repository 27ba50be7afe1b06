"""Small protocol messages as Python objects: what the messages of record files need, without the protobuf package."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any

import numpy as np

from hornbeam.errors import InvalidArgumentError
from hornbeam.io import wire

__all__ = ["Message", "MessageMap"]


class MessageMap(MutableMapping):
    """Names and messages; reading a name that is not there makes an empty message under it."""

    def __init__(self, kind: type, items: Any = None) -> None:
        self._kind = kind
        self._items: dict[str, Any] = {}
        for key, value in dict(items or {}).items():
            self[key] = value

    def __getitem__(self, key: Any) -> Any:
        key = _name(key)
        if key not in self._items:
            self._items[key] = self._kind()
        return self._items[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        if not isinstance(value, self._kind):
            raise TypeError(f"Expected {self._kind.__name__} under {key!r}, received {type(value).__name__}.")
        self._items[_name(key)] = value

    def __delitem__(self, key: Any) -> None:
        del self._items[_name(key)]

    def __contains__(self, key: object) -> bool:
        return _name(key) in self._items

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def get(self, key: Any, default: Any = None) -> Any:
        """The message under a name, if there is one."""
        return self._items.get(_name(key), default)

    def get_or_create(self, key: Any) -> Any:
        """The message under a name, made if need be."""
        return self[key]

    def __repr__(self) -> str:
        return repr(self._items)


def _name(key: Any) -> Any:
    return key.decode("utf-8") if isinstance(key, bytes) else key


class Message:
    """A message with named fields, given to the constructor and read and set as attributes.

    Subclasses name their fields in ``FIELDS``: (number, kind), where the kind is ``"bytes"``, ``"float"`` or
    ``"int64"`` (lists of them), a message class, ``("map", class)`` or ``("list", class)``.
    """

    FIELDS: dict[str, tuple[int, Any]] = {}
    ONEOFS: dict[str, tuple[str, ...]] = {}

    def __init__(self, **given: Any) -> None:
        vars(self)["_values"] = {}
        vars(self)["_given"] = set()
        for name, value in given.items():
            if name not in self.FIELDS:
                raise ValueError(f'Protocol message {type(self).__name__} has no "{name}" field.')
            if value is not None:
                self._put(name, value)

    def _put(self, name: str, value: Any) -> None:
        kind = self.FIELDS[name][1]
        if isinstance(kind, type):
            if isinstance(value, dict):
                value = kind(**value)
            if not isinstance(value, kind):
                raise TypeError(f"{type(self).__name__}.{name}: expected {kind.__name__}, received {value!r}.")
            for group in self.ONEOFS.values():
                if name in group:
                    for other in group:
                        self.ClearField(other)
        elif isinstance(kind, tuple):
            value = MessageMap(kind[1], value) if kind[0] == "map" else list(value)
        else:
            value = _checked(value, kind, f"{type(self).__name__}.{name}")
        self._values[name] = value
        self._given.add(name)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self.FIELDS:
            raise AttributeError(f"{type(self).__name__} has no field {name!r}; it has {list(self.FIELDS)}.", name=name)
        if name not in self._values:
            kind = self.FIELDS[name][1]
            if isinstance(kind, type):
                self._values[name] = kind()
            elif isinstance(kind, tuple) and kind[0] == "map":
                self._values[name] = MessageMap(kind[1])
            else:
                self._values[name] = []
        return self._values[name]

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self.FIELDS:
            raise AttributeError(f"{type(self).__name__} has no field {name!r}; it has {list(self.FIELDS)}.", name=name)
        raise AttributeError(
            f"{type(self).__name__}.{name} holds several values and cannot be assigned. Use "
            f"`.{name}.extend(...)`, `.{name}[:] = ...` or `.{name}.CopyFrom(...)`."
        )

    # --- binary form -----------------------------------------------------------------------------
    def SerializeToString(self, deterministic: bool | None = None) -> bytes:
        """The message as bytes."""
        out = b""
        for name, (number, kind) in self.FIELDS.items():
            if not self._is_set(name):
                continue
            value = self._values[name]
            if isinstance(kind, type):
                out += wire.bytes_field(number, value.SerializeToString())
            elif isinstance(kind, tuple):
                out += _several(number, kind[0], value)
            elif kind == "bytes":
                out += b"".join(wire.bytes_field(number, item) for item in _checked(value, kind, name))
            elif len(value):
                packed = _checked(value, kind, name)
                form = np.asarray(packed, "<f4").tobytes() if kind == "float" else wire.packed_varints(packed)
                out += wire.bytes_field(number, form)
        return out

    SerializePartialToString = SerializeToString

    @classmethod
    def FromString(cls, serialized: Any) -> Any:
        """A message from its bytes."""
        message = cls()
        message.MergeFromString(serialized)
        return message

    def ParseFromString(self, serialized: Any) -> int:
        """Replace the contents by those that the bytes hold; returns how many bytes there were."""
        self.Clear()
        return self.MergeFromString(serialized)

    def MergeFromString(self, serialized: Any) -> int:
        """Add the contents that the bytes hold."""
        if hasattr(serialized, "numpy"):
            serialized = serialized.numpy()
        data = bytes(serialized)
        by_number = {number: (name, kind) for name, (number, kind) in self.FIELDS.items()}
        try:
            for number, form, value in wire.fields(data):
                if number in by_number:
                    self._take(*by_number[number], form, value)
        except ValueError as error:
            raise InvalidArgumentError(None, None, f"Not a {type(self).__name__} message: {error}.") from error
        return len(data)

    def _take(self, name: str, kind: Any, form: int, value: Any) -> None:
        if kind in ("float", "int64"):
            numbers = (wire.floats if kind == "float" else wire.integers)(form, value)
            getattr(self, name).extend(numbers.tolist())
        elif not isinstance(value, bytes):
            raise ValueError(f"the field {name} has the wrong form")
        elif kind == "bytes":
            getattr(self, name).append(value)
        elif isinstance(kind, type):
            part = self._values.get(name) or kind()
            part.MergeFromString(value)
            self._put(name, part)
        elif kind[0] == "list":
            getattr(self, name).append(kind[1].FromString(value))
        else:
            entry = {number: item for number, _, item in wire.fields(value)}
            getattr(self, name)[entry.get(1, b"")] = kind[1].FromString(entry.get(2, b""))
        self._given.add(name)

    # --- presence --------------------------------------------------------------------------------
    def _is_set(self, name: str) -> bool:
        if name not in self._values:
            return False
        value = self._values[name]
        if isinstance(value, Message):
            return name in self._given or bool(value.ListFields())
        return len(value) > 0

    def HasField(self, name: str) -> bool:
        """True if a message field, or one of a group, is set."""
        if name in self.ONEOFS:
            return self.WhichOneof(name) is not None
        if not isinstance(self.FIELDS.get(name, (0, None))[1], type):
            raise ValueError(f"{type(self).__name__} has no field {name!r} whose presence is known.")
        return self._is_set(name)

    def WhichOneof(self, group: str) -> str | None:
        """Name of the field that is set in a group."""
        if group not in self.ONEOFS:
            raise ValueError(f"{type(self).__name__} has no group {group!r}.")
        return next((name for name in reversed(self.ONEOFS[group]) if self._is_set(name)), None)

    def ListFields(self) -> list[tuple[str, Any]]:
        """Names and values of the fields that are set."""
        return [(name, self._values[name]) for name in self.FIELDS if self._is_set(name)]

    def ClearField(self, name: str) -> None:
        """Empty one field."""
        self._values.pop(name, None)
        self._given.discard(name)

    def Clear(self) -> None:
        """Empty all fields."""
        self._values.clear()
        self._given.clear()

    def CopyFrom(self, other: Any) -> None:
        """Become a copy of another message."""
        data = other.SerializeToString()
        self.ParseFromString(data)

    def MergeFrom(self, other: Any) -> None:
        """Add the contents of another message."""
        self.MergeFromString(other.SerializeToString())

    def SetInParent(self) -> None:
        """Nothing needs to be done: the parent looks at the contents."""

    def ByteSize(self) -> int:
        """Length of the binary form."""
        return len(self.SerializeToString())

    def IsInitialized(self, errors: list | None = None) -> bool:
        """True: no field is required."""
        return True

    def FindInitializationErrors(self) -> list[str]:
        """Names of required fields that are missing: none."""
        return []

    def DiscardUnknownFields(self) -> None:
        """Unknown fields are never kept."""

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self.SerializeToString() == other.SerializeToString()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return _described(self)

    def __reduce__(self) -> Any:
        return (type(self).FromString, (self.SerializeToString(),))

    def __deepcopy__(self, memo: Any) -> Any:
        return type(self).FromString(self.SerializeToString())


def _several(number: int, form: str, value: Any) -> bytes:
    if form == "list":
        return b"".join(wire.bytes_field(number, item.SerializeToString()) for item in value)
    entries = (
        wire.bytes_field(1, key.encode("utf-8")) + wire.bytes_field(2, value[key].SerializeToString())
        for key in sorted(value)
    )
    return b"".join(wire.bytes_field(number, entry) for entry in entries)


def _checked(value: Any, kind: str, where: str) -> list:
    if isinstance(value, (bytes, str)):
        raise TypeError(f"{where}: expected a list, received {type(value).__name__}; write `[value]`.")
    items = [item.numpy() if hasattr(item, "numpy") else item for item in value]
    if kind == "bytes":
        for item in items:
            if not isinstance(item, (bytes, bytearray)):
                raise TypeError(
                    f"{where}: expected bytes, received {type(item).__name__}; encode text first: `text.encode()`."
                )
        return [bytes(item) for item in items]
    for item in items:
        whole = isinstance(item, (int, np.integer, np.bool_))
        if not (whole or (kind == "float" and isinstance(item, (float, np.floating)))):
            raise TypeError(f"{where}: expected {kind} numbers, received {item!r}.")
    return [int(item) for item in items] if kind == "int64" else [float(item) for item in items]


def _described(message: Message, indent: str = "") -> str:
    out = ""
    for name, value in message.ListFields():
        if isinstance(value, MessageMap):
            for key in sorted(value):
                inner = _described(value[key], indent + "    ")
                out += (
                    f'{indent}{name} {{\n{indent}  key: "{key}"\n{indent}  value {{\n{inner}{indent}  }}\n{indent}}}\n'
                )
            continue
        for item in [value] if isinstance(value, Message) else value:
            if isinstance(item, Message):
                out += f"{indent}{name} {{\n{_described(item, indent + '  ')}{indent}}}\n"
            elif isinstance(item, bytes):
                shown = repr(item)[2:-1].replace('"', '\\"')
                out += f'{indent}{name}: "{shown}"\n'
            else:
                shown = f"{np.float32(item):.9g}" if isinstance(item, float) else str(item)
                out += f"{indent}{name}: {shown}\n"
    return out
