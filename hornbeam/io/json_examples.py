"""``Example`` messages written as JSON."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam.core.tensor import from_host
from hornbeam.errors import InvalidArgumentError
from hornbeam.io.example import BytesList, Example, Feature, Features, FloatList, Int64List
from hornbeam.tensors.texts import strings

__all__ = ["decode_json_example"]

_KINDS: dict[str, tuple[str, type, Callable]] = {
    "bytesList": ("bytes_list", BytesList, base64.b64decode),
    "floatList": ("float_list", FloatList, float),
    "int64List": ("int64_list", Int64List, int),
}
_KINDS |= {kind[0]: kind for kind in _KINDS.values()}


def decode_json_example(json_examples: Any, name: str | None = None) -> Any:
    """Serialized ``Example`` messages of their JSON forms.

    Args:
        json_examples: texts in the JSON form of protocol buffers: bytes in base 64, integers as texts or numbers.

    Returns:
        String tensor of the same shape, for ``parse_example``.

    Raises:
        tf.errors.InvalidArgumentError: a text is no such form.

    References: TensorFlow `tf.io.decode_json_example`.
    """
    texts = strings(json_examples, "tf.io.decode_json_example")
    out = np.empty(texts.shape, object)
    for place in np.ndindex(texts.shape):
        try:
            out[place] = _example(json.loads(bytes(texts[place]))).SerializeToString()
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            raise InvalidArgumentError(
                None, None, f"tf.io.decode_json_example: text {place or ''} is no Example in JSON ({error})."
            ) from error
    return from_host(out)


def _example(parsed: dict[str, Any]) -> Example:
    given = parsed.get("features", {}).get("feature", {})
    return Example(features=Features(feature={name: _feature(lists) for name, lists in given.items()}))


def _feature(lists: dict[str, Any]) -> Feature:
    made = {}
    for word, values in lists.items():
        name, kind, convert = _KINDS[word]
        made[name] = kind(value=[convert(value) for value in values.get("value", [])])
    return Feature(**made)
