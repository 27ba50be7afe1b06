"""JSON and YAML from files: plain data only, of bounded size and depth."""

from __future__ import annotations

import base64
import binascii
import importlib
import json
import struct
from typing import Any

from hornbeam.base.errors import CorruptFileError, NotSupportedError, UnsafeFileError
from hornbeam.saving.limits import DEPTH_LIMIT, JSON_LIMIT_BYTES

__all__ = ["parse_json", "parse_yaml", "printable", "to_yaml"]


def printable(text: Any) -> str:
    """Text from a file, safe to show: control characters and markup openers appear as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in str(text))


def parse_json(text: str | bytes, source: str) -> Any:
    """Plain data from JSON text.

    Args:
        text: the text; bytes are UTF-8.
        source: how messages call it.

    Raises:
        CorruptFileError: no valid JSON, a key occurs twice, or it is nested too deeply.
        UnsafeFileError: it is too long.
    """
    if len(text) > JSON_LIMIT_BYTES:
        raise UnsafeFileError(f"{source} is {len(text)} bytes of JSON; more than {JSON_LIMIT_BYTES} are refused.")
    try:
        value = json.loads(text.decode("utf-8") if isinstance(text, bytes) else text, object_pairs_hook=_unique_keys)
    except (ValueError, RecursionError) as error:
        raise CorruptFileError(f"{source} is not valid JSON ({type(error).__name__}: {error}).") from error
    return _bounded(value, source)


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key occurs twice in one object")
    return found


def _bounded(value: Any, source: str) -> Any:
    stack = [(value, 1)]
    while stack:
        part, level = stack.pop()
        if level > DEPTH_LIMIT:
            raise CorruptFileError(f"{source} is nested more than {DEPTH_LIMIT} deep.")
        children = part.values() if isinstance(part, dict) else part if isinstance(part, (list, tuple)) else ()
        stack += [(child, level + 1) for child in children if isinstance(child, (dict, list, tuple))]
    return value


# --- YAML ----------------------------------------------------------------------------------------
_TUPLE = "tag:yaml.org,2002:python/tuple"
_SCALARS = frozenset(
    f"tag:yaml.org,2002:python/object/apply:numpy.{core}.multiarray.scalar" for core in ("core", "_core")
)
# NumPy's short names of number types, and the same for `struct`.
_NUMBERS = {"i1": "b", "i2": "h", "i4": "i", "i8": "q", "u1": "B", "u4": "I", "u8": "Q", "f4": "f", "f8": "d"}


def _yaml() -> Any:
    try:
        return importlib.import_module("yaml")
    except ModuleNotFoundError as error:
        raise NotSupportedError(
            'YAML needs PyYAML, which is not installed. Run `pip install "hornbeam[yaml]"`, or use `to_json` and '
            "`model_from_json`."
        ) from error


def parse_yaml(text: str | bytes, source: str) -> Any:
    """Plain data from YAML text. Tuples and single NumPy numbers are understood; every other tag is refused.

    Raises:
        UnsafeFileError: a tag that asks for a Python object, an alias, or too long a text.
        CorruptFileError: no valid YAML.
    """
    if len(text) > JSON_LIMIT_BYTES:
        raise UnsafeFileError(f"{source} is {len(text)} bytes of YAML; more than {JSON_LIMIT_BYTES} are refused.")
    yaml = _yaml()
    try:
        # The tree of nodes, before any value is made of it: nothing has run yet.
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        value = _value(tree, source, 1, _Budget(source, 1000 + len(text))) if tree is not None else None
    except (yaml.YAMLError, RecursionError, UnicodeDecodeError) as error:
        raise CorruptFileError(f"{source} is not valid YAML: {error}") from error
    return value


class _Budget:
    """How many values a text may give: aliases (`*name`) may repeat values, but not multiply the text's size."""

    def __init__(self, source: str, values: int) -> None:
        self.source, self.left = source, values

    def spend(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise UnsafeFileError(f"{self.source}: its aliases make far more values than it has text; this is refused.")


def _value(node: Any, source: str, depth: int, budget: _Budget) -> Any:
    yaml = _yaml()
    if depth > DEPTH_LIMIT:
        raise UnsafeFileError(f"{source} is nested more than {DEPTH_LIMIT} deep, or contains itself.")
    budget.spend()
    plain_scalar = isinstance(node, yaml.ScalarNode)
    if node.tag in _SCALARS:
        return _number(node, source)
    if isinstance(node, yaml.SequenceNode) and node.tag in ("tag:yaml.org,2002:seq", _TUPLE):
        return [_value(item, source, depth + 1, budget) for item in node.value]
    if isinstance(node, yaml.MappingNode) and node.tag == "tag:yaml.org,2002:map":
        found: dict[Any, Any] = {}
        for key_node, item in node.value:
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag == "tag:yaml.org,2002:merge":
                raise UnsafeFileError(f"{source}: a key that is no plain text is refused ({key_node.tag}).")
            key = key_node.value
            if key in found:
                raise CorruptFileError(f"{source}: the key {printable(key)!r} occurs twice in one mapping.")
            found[key] = _value(item, source, depth + 1, budget)
        return found
    if plain_scalar and node.tag.startswith("tag:yaml.org,2002:") and "python" not in node.tag:
        return yaml.SafeLoader.construct_object(_Constructor.of(yaml), node)
    raise UnsafeFileError(
        f"{source}: the YAML tag {printable(node.tag)!r} asks for a Python object, which is refused: reading it would "
        "let the file run code. Save the model again with a program that you trust, as JSON."
    )


class _Constructor:
    """PyYAML's own constructor of plain scalars, made once."""

    made: Any = None

    @classmethod
    def of(cls, yaml: Any) -> Any:
        if cls.made is None:
            cls.made = yaml.SafeLoader("")
        return cls.made


def _number(node: Any, source: str) -> Any:
    """A NumPy number, which old programs dumped as a call: decoded by hand from its type name and bytes."""
    try:
        kind, data = node.value
        (_, names), *_ = kind.value
        name = names.value[0].value
        return struct.unpack("<" + _NUMBERS[name], base64.b64decode(data.value, validate=False))[0]
    except (ValueError, KeyError, AttributeError, TypeError, IndexError, binascii.Error, struct.error) as error:
        raise UnsafeFileError(
            f"{source}: the YAML tag {node.tag!r} is only read for a single NumPy number, which this is not."
        ) from error


def to_yaml(value: Any, **kwargs: Any) -> str:
    """Plain data as YAML text, without tags.

    Args:
        value: dicts, lists, tuples, text and numbers.
        **kwargs: options of PyYAML's ``dump``.
    """
    return _yaml().safe_dump(_listed(value), **{"default_flow_style": False, **kwargs})


def _listed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _listed(item) for key, item in value.items()}
    return [_listed(item) for item in value] if isinstance(value, (list, tuple)) else value
