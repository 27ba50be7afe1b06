"""State as plain data: what JSON holds, and arrays beside it. Nothing that is read back can run code."""

from __future__ import annotations

import base64
import random
from typing import Any

import numpy as np

__all__ = ["is_plain", "pack", "unpack"]

_MARK = "__kind__"
_SCALARS = (bool, int, float, str, type(None))
_BIT_GENERATORS = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")


def is_plain(value: Any, depth: int = 16) -> bool:
    """Whether ``pack`` takes a value: numbers, text, arrays, random generators, and lists, tuples, sets, dicts."""
    if type(value) in _SCALARS or isinstance(value, (bytes, random.Random, np.random.RandomState)):
        return True
    if isinstance(value, np.random.Generator):
        return type(value.bit_generator).__name__ in _BIT_GENERATORS
    if isinstance(value, (np.ndarray, np.generic)):
        return value.dtype.kind not in "OV" or value.dtype.name in ("bfloat16", "float8_e4m3fn", "float8_e5m2")
    if depth and type(value) in (list, tuple, set, frozenset):
        return all(is_plain(item, depth - 1) for item in value)
    if depth and type(value) is dict:
        return all(is_plain(part, depth - 1) for pair in value.items() for part in pair)
    return False


def pack(value: Any, arrays: list[np.ndarray]) -> Any:
    """A value in the form of JSON; its arrays are appended to ``arrays`` and named by number.

    Raises:
        TypeError: it is of a kind that cannot be kept.
    """
    if type(value) in _SCALARS:
        return value
    if isinstance(value, (np.ndarray, np.generic)):
        arrays.append(np.asarray(value))
        return {_MARK: "array" if isinstance(value, np.ndarray) else "number", "number": len(arrays) - 1}
    if isinstance(value, bytes):
        return {_MARK: "bytes", "text": base64.b64encode(value).decode()}
    if isinstance(value, random.Random):
        return {_MARK: "random", "state": pack(value.getstate(), arrays)}
    if isinstance(value, np.random.RandomState):
        return {_MARK: "RandomState", "state": pack(value.get_state(legacy=True), arrays)}
    if isinstance(value, np.random.Generator):
        return {_MARK: "Generator", "state": pack(value.bit_generator.state, arrays)}
    if type(value) is list:
        return [pack(item, arrays) for item in value]
    if type(value) in (tuple, set, frozenset):
        return {_MARK: type(value).__name__, "items": [pack(item, arrays) for item in value]}
    if type(value) is dict:
        if all(type(key) is str for key in value) and _MARK not in value:
            return {key: pack(item, arrays) for key, item in value.items()}
        return {_MARK: "dict", "items": [[pack(key, arrays), pack(item, arrays)] for key, item in value.items()]}
    raise TypeError(f"State of type {type(value).__name__} cannot be kept: {value!r}")


def unpack(value: Any, arrays: list[np.ndarray]) -> Any:
    """What ``pack`` was given.

    Raises:
        ValueError: the form is none that ``pack`` makes.
    """
    if isinstance(value, list):
        return [unpack(item, arrays) for item in value]
    if not isinstance(value, dict):
        return value
    kind = value.get(_MARK)
    if kind is None:
        return {key: unpack(item, arrays) for key, item in value.items()}
    if kind in ("array", "number"):
        array = arrays[value["number"]]
        return array if kind == "array" else array[()]
    if kind == "bytes":
        return base64.b64decode(value["text"])
    if kind in ("tuple", "set", "frozenset"):
        return {"tuple": tuple, "set": set, "frozenset": frozenset}[kind](unpack(value["items"], arrays))
    if kind == "dict":
        return {unpack(key, arrays): unpack(item, arrays) for key, item in value["items"]}
    return _generator(kind, unpack(value["state"], arrays))


def _generator(kind: str, state: Any) -> Any:
    if kind == "random":
        made = random.Random()
        made.setstate(state)
        return made
    if kind == "RandomState":
        legacy = np.random.RandomState()
        legacy.set_state(state)
        return legacy
    if kind == "Generator" and state.get("bit_generator") in _BIT_GENERATORS:
        bits = getattr(np.random, state["bit_generator"])()
        bits.state = state
        return np.random.Generator(bits)
    raise ValueError(f"Stored state is of an unknown kind: {kind!r}")
