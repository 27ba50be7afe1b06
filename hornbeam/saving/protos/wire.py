"""Encoding and decoding of protocol buffer messages.

Decoding is lazy: a message keeps the bytes of its fields and decodes one when it is first asked for, so
that of a file with thousands of functions only those are decoded that somebody runs. All lengths are checked
against the bytes at hand, so nothing is ever allocated that the file does not hold.
"""

from __future__ import annotations

import struct
from typing import Any

from hornbeam.base.errors import CorruptFileError
from hornbeam.saving.protos.schema import MESSAGES, NUMBERS, SCALARS, Field

__all__ = ["Message", "decode", "encode", "message", "read_varint", "write_varint"]

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_WIRE_TYPES = {"int": _VARINT, "sint": _VARINT, "bool": _VARINT, "fixed32": _FIXED32, "float": _FIXED32,
               "double": _FIXED64}  # fmt: skip
_DEFAULTS: dict[str, Any] = {"int": 0, "sint": 0, "bool": False, "fixed32": 0, "float": 0.0, "double": 0.0, "str": "",
                             "bytes": b""}  # fmt: skip
_PACKED = {"fixed32": "I", "float": "f", "double": "d"}


class Message:
    """A message: fields are attributes, with the defaults of protocol buffers where the file says nothing.

    Args:
        kind: name of the message in the schema.
        raw: values as they stood in the file, by field number.
    """

    __slots__ = ("_kind", "_raw", "_unset", "_values")

    def __init__(self, kind: str, raw: dict[int, list[Any]] | None = None) -> None:
        object.__setattr__(self, "_kind", kind)
        object.__setattr__(self, "_raw", raw or {})
        object.__setattr__(self, "_values", {})
        # Empty lists, maps and messages handed out for fields without a value: they count once something is in them.
        object.__setattr__(self, "_unset", {})

    def __getattr__(self, name: str) -> Any:
        values = self._values
        if name in values:
            return values[name]
        field = MESSAGES[self._kind].get(name)
        if field is None:
            raise AttributeError(f"{self._kind} has no field {name!r}")
        if field.number in self._raw:
            values[name] = value = _interpret(field, self._raw[field.number])
            return value
        if name in self._unset:
            return self._unset[name]
        value = _interpret(field, [])
        if field.repeated or field.is_map or field.kind not in SCALARS:
            self._unset[name] = value
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in MESSAGES[self._kind]:
            raise AttributeError(f"{self._kind} has no field {name!r}")
        self._values[name] = value

    def has(self, name: str) -> bool:
        """Whether the file (or the program) gave the field a value."""
        field = MESSAGES[self._kind][name]
        if field.number in self._raw or name in self._values:
            return True
        value = self._unset.get(name)
        return any(map(value.has, MESSAGES[value._kind])) if isinstance(value, Message) else bool(value)

    def which(self) -> str | None:
        """Name of the first field that is set; for messages of which only one is."""
        for name in MESSAGES[self._kind]:
            if self.has(name):
                return name
        return None

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in MESSAGES[self._kind] if self.has(name))
        return f"{self._kind}({fields})"


def message(kind: str, **fields: Any) -> Message:
    """A new message."""
    made = Message(kind)
    for name, value in fields.items():
        setattr(made, name, value)
    return made


# --- decoding ------------------------------------------------------------------------------------
def read_varint(data: Any, start: int) -> tuple[int, int]:
    """A variable-length number and the position after it."""
    value = shift = 0
    while True:
        if start >= len(data) or shift > 63:
            raise CorruptFileError("A number in a protocol buffer is cut short or too long: the file is damaged.")
        byte = data[start]
        start += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, start
        shift += 7


def decode(kind: str, data: bytes) -> Message:
    """The message that ``data`` holds.

    Raises:
        CorruptFileError: the bytes are no such message.
    """
    known = NUMBERS[kind]
    raw: dict[int, list[Any]] = {}
    position, end = 0, len(data)
    while position < end:
        tag, position = read_varint(data, position)
        number, wire_type = tag >> 3, tag & 7
        start = position
        if wire_type == _VARINT:
            value, position = read_varint(data, position)
        elif wire_type == _BYTES:
            length, start = read_varint(data, position)
            position = start + length
            value = data[start:position]
        elif wire_type in (_FIXED32, _FIXED64):
            position = start + (4 if wire_type == _FIXED32 else 8)
            value = data[start:position]
        else:
            raise CorruptFileError(f"{kind}: field {number} has the unknown wire type {wire_type}.")
        if position > end or number == 0:
            raise CorruptFileError(f"{kind}: field {number} goes beyond the end of the message.")
        field = known.get(number)
        if field is not None:
            raw.setdefault(number, []).append((wire_type, value))
    return Message(kind, raw)


def _interpret(field: Field, raw: list[Any]) -> Any:
    if field.is_map:
        return dict(_map_entry(field, data) for wire_type, data in raw if wire_type == _BYTES)
    if field.kind not in SCALARS:
        made = [decode(field.kind, data) for wire_type, data in raw if wire_type == _BYTES]
        if field.repeated:
            return made
        return made[-1] if made else Message(field.kind)
    if not field.repeated:
        return _scalar(field, *raw[-1]) if raw else _DEFAULTS[field.kind]
    values: list[Any] = []
    for wire_type, data in raw:
        if wire_type == _BYTES and field.kind in _WIRE_TYPES:
            values += _unpacked(field.kind, data)
        else:
            values.append(_scalar(field, wire_type, data))
    return values


def _map_entry(field: Field, data: bytes) -> tuple[str, Any]:
    key, value, position = "", _DEFAULTS.get(field.kind), 0
    while position < len(data):
        tag, position = read_varint(data, position)
        if tag & 7 != _BYTES:
            raise CorruptFileError(f"Field {field.name}: a map entry is damaged.")
        length, start = read_varint(data, position)
        position = start + length
        if position > len(data):
            raise CorruptFileError(f"Field {field.name}: a map entry is cut short.")
        if tag >> 3 == 1:
            key = _text(data[start:position])
        elif tag >> 3 == 2:
            content = data[start:position]
            value = _text(content) if field.kind == "str" else decode(field.kind, content)
    return key, Message(field.kind) if value is None else value


def _text(data: bytes) -> str:
    try:
        return bytes(data).decode("utf-8")
    except UnicodeDecodeError as error:
        raise CorruptFileError(f"A name in a protocol buffer is not UTF-8 ({error}): the file is damaged.") from error


def _scalar(field: Field, wire_type: int, value: Any) -> Any:
    kind = field.kind
    if wire_type != _WIRE_TYPES.get(kind, _BYTES):
        raise CorruptFileError(f"Field {field.name} has wire type {wire_type}, which does not fit its kind {kind}.")
    if kind == "str":
        return _text(value)
    if kind == "bytes":
        return bytes(value)
    if kind in _PACKED:
        return struct.unpack("<" + _PACKED[kind], value)[0]
    return _number(kind, value)


def _number(kind: str, value: int) -> Any:
    if kind == "bool":
        return bool(value)
    if kind == "sint":
        return (value >> 1) ^ -(value & 1)
    return value - (1 << 64) if value >= 1 << 63 else value


def _unpacked(kind: str, data: bytes) -> list[Any]:
    if kind in _PACKED:
        size = struct.calcsize(_PACKED[kind])
        if len(data) % size:
            raise CorruptFileError("A packed field of a protocol buffer is cut short.")
        return list(struct.unpack(f"<{len(data) // size}{_PACKED[kind]}", data))
    values, position = [], 0
    while position < len(data):
        value, position = read_varint(data, position)
        values.append(_number(kind, value))
    return values


# --- encoding ------------------------------------------------------------------------------------
def write_varint(value: int) -> bytes:
    """A number in variable-length form; negative ones as 64-bit two's complement."""
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def encode(made: Message) -> bytes:
    """The bytes of a message."""
    out = bytearray()
    for name, field in MESSAGES[made._kind].items():
        if not made.has(name):
            continue
        value = getattr(made, name)
        if field.is_map:
            for key in sorted(value):
                entry = _chunk(1, key.encode("utf-8"))
                content = value[key]
                entry += _chunk(2, content.encode("utf-8") if isinstance(content, str) else encode(content))
                out += _chunk(field.number, entry)
        elif field.repeated and field.kind in _WIRE_TYPES:
            out += _chunk(field.number, b"".join(_bare(field.kind, item) for item in value))
        else:
            for item in value if field.repeated else [value]:
                out += _field(field, item)
    return bytes(out)


def _field(field: Field, value: Any) -> bytes:
    if field.kind not in SCALARS:
        return _chunk(field.number, encode(value))
    if field.kind in ("str", "bytes"):
        return _chunk(field.number, value.encode("utf-8") if isinstance(value, str) else value)
    return write_varint(field.number << 3 | _WIRE_TYPES[field.kind]) + _bare(field.kind, value)


def _bare(kind: str, value: Any) -> bytes:
    if kind in _PACKED:
        return struct.pack("<" + _PACKED[kind], value)
    if kind == "sint":
        return write_varint(int(value) << 1 ^ (int(value) >> 63))
    return write_varint(int(value))


def _chunk(number: int, content: bytes) -> bytes:
    return write_varint(number << 3 | _BYTES) + write_varint(len(content)) + content
