"""Functions of each text on its own."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.base import dtypes
from hornbeam.core.tensor import HostTensor
from hornbeam.errors import InvalidArgumentError
from hornbeam.ops.host import hashes
from hornbeam.ops.host import strings as host
from hornbeam.strings.texts import elementwise, made, number_of, strings, text, texts_of

_WHITE = b" \t\n\r\v\f"


def _encoding(encoding: str) -> str:
    if encoding not in ("", "utf-8"):
        raise ValueError(f"`encoding` must be '' (ASCII letters) or 'utf-8' (all). Received: encoding={encoding!r}")
    return encoding


@elementwise
def lower(input: Any, encoding: str = "", name: str | None = None) -> Any:
    """Lower case: of ASCII letters only, or of all letters with ``encoding="utf-8"``.

    Example:
        >>> lower("CamelCase").numpy()
        b'camelcase'
    """
    return strings(host.lower(texts_of(input, "tf.strings.lower"), _encoding(encoding)))


@elementwise
def upper(input: Any, encoding: str = "", name: str | None = None) -> Any:
    """Upper case: of ASCII letters only, or of all letters with ``encoding="utf-8"``."""
    return strings(host.upper(texts_of(input, "tf.strings.upper"), _encoding(encoding)))


@elementwise
def strip(input: Any, name: str | None = None) -> Any:
    """Texts without the white space at both ends."""
    return strings(host.mapped(lambda one: one.strip(_WHITE), texts_of(input, "tf.strings.strip")))


@elementwise
def length(input: Any, unit: str = "BYTE", name: str | None = None) -> Any:
    """Length of each text (int32), in bytes or, with ``unit="UTF8_CHAR"``, in characters."""
    texts = texts_of(input, "tf.strings.length")
    measure = len if _unit(unit) == "BYTE" else _characters
    return made(np.array([measure(one) for one in texts.reshape(-1).tolist()], np.int32).reshape(texts.shape))


def _unit(unit: str) -> str:
    if unit not in ("BYTE", "UTF8_CHAR"):
        raise ValueError(f"`unit` must be 'BYTE' or 'UTF8_CHAR'. Received: unit={unit!r}")
    return unit


def _characters(one: bytes) -> int:
    """Characters: bytes that do not continue one."""
    return sum(byte & 0xC0 != 0x80 for byte in one)


@elementwise
def substr(input: Any, pos: Any, len: Any, unit: str = "BYTE", name: str | None = None) -> Any:
    """Part of each text.

    Args:
        input: texts.
        pos: where the part starts; negative numbers count from the end.
        len: its length; less is taken where the text ends before.
        unit: what both count: ``BYTE`` or ``UTF8_CHAR``.
        name: ignored, as eager tensors have no names.

    Raises:
        InvalidArgumentError: ``pos`` lies outside the text.
    """
    texts, starts, counts = np.broadcast_arrays(
        texts_of(input, "tf.strings.substr"), number_of(pos).astype(np.int64), number_of(len).astype(np.int64)
    )
    bytewise = _unit(unit) == "BYTE"
    found = [
        _part(one, start, count, bytewise)
        for one, start, count in zip(
            texts.ravel().tolist(), starts.ravel().tolist(), counts.ravel().tolist(), strict=True
        )
    ]
    return strings(host.objects(found, texts.shape))


def _part(one: bytes, start: int, count: int, bytewise: bool) -> bytes:
    whole: Any = one if bytewise else one.decode("utf-8", "surrogateescape")
    if not -whole.__len__() <= start <= whole.__len__():
        raise InvalidArgumentError(
            None, None, f"tf.strings.substr: `pos` {start} lies outside the text {one!r} of length {whole.__len__()}."
        )
    start = start + whole.__len__() if start < 0 else start
    part = whole[start : start + max(count, 0)]
    return part if bytewise else part.encode("utf-8", "surrogateescape")


@elementwise
def regex_replace(input: Any, pattern: Any, rewrite: Any, replace_global: bool = True, name: str | None = None) -> Any:
    r"""Replace what a regular expression (RE2 syntax) matches.

    Args:
        input: texts.
        pattern: regular expression.
        rewrite: what to put there; ``\1`` ... ``\9`` stand for groups, ``\0`` for all that matched.
        replace_global: every match, or only the first of each text.
        name: ignored, as eager tensors have no names.

    References: TensorFlow `tf.strings.regex_replace`.
    """
    with _as_invalid("regex_replace"):
        return strings(
            host.replace(texts_of(input, "tf.strings.regex_replace"), text(pattern), text(rewrite), replace_global)
        )


@elementwise
def regex_full_match(input: Any, pattern: Any, name: str | None = None) -> Any:
    """Whether a regular expression (RE2 syntax) matches the whole of each text."""
    with _as_invalid("regex_full_match"):
        return made(host.full_match(texts_of(input, "tf.strings.regex_full_match"), text(pattern)))


class _as_invalid:
    """Errors about patterns, raised as TensorFlow's kind of error."""

    def __init__(self, function: str) -> None:
        self.function = function

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if kind is ValueError:
            raise InvalidArgumentError(None, None, f"tf.strings.{self.function}: {error}") from error


@elementwise
def to_number(input: Any, out_type: Any = "float32", name: str | None = None) -> Any:
    """The numbers that texts spell.

    Args:
        input: texts; white space around a number is allowed.
        out_type: ``float32``, ``float64``, ``int32`` or ``int64``.
        name: ignored, as eager tensors have no names.

    Raises:
        InvalidArgumentError: a text is no such number.
    """
    kind = dtypes.as_dtype(out_type)
    if kind not in ("float32", "float64", "int32", "int64", "uint32", "uint64"):
        raise TypeError(f"tf.strings.to_number: `out_type` must be a float or an int of 32 or 64 bits, not {kind}.")
    texts = texts_of(input, "tf.strings.to_number")
    try:
        return made(host.numbers(texts, np.dtype(kind.as_numpy_dtype)))
    except ValueError as error:
        raise InvalidArgumentError(None, None, f"tf.strings.to_number: {str(error)!r} is no {kind.name}.") from error


@elementwise
def as_string(
    input: Any,
    precision: int = -1,
    scientific: bool = False,
    shortest: bool = False,
    width: int = -1,
    fill: str = "",
    name: str | None = None,
) -> Any:
    """Numbers as texts.

    Args:
        input: numbers or booleans (texts are returned as they are).
        precision: digits after the point of floats; 6 by default.
        scientific: floats with an exponent.
        shortest: floats with an exponent only where that is shorter.
        width: least number of characters.
        fill: what to fill up with: a space by default, ``"0"`` for zeros.
        name: ignored, as eager tensors have no names.
    """
    if isinstance(input, HostTensor):
        return input
    if scientific and shortest:
        raise ValueError("tf.strings.as_string: `scientific` and `shortest` exclude each other.")
    array = number_of(input)
    if array.dtype.kind in "SUO":
        return strings(texts_of(input))
    if array.dtype.kind == "V" or array.dtype.name in ("bfloat16", "float16"):
        array = array.astype(np.float32)
    return strings(host.spelled(array, precision, scientific, shortest, width, fill))


def _buckets(num_buckets: Any) -> Any:
    count = int(num_buckets)
    if count < 1:
        raise InvalidArgumentError(None, None, f"`num_buckets` must be at least 1. Received: num_buckets={count}")
    return np.uint64(count)


@elementwise
def to_hash_bucket_fast(input: Any, num_buckets: Any, name: str | None = None) -> Any:
    """Bucket of each text (int64): its FarmHash fingerprint modulo the number of buckets."""
    texts = texts_of(input, "tf.strings.to_hash_bucket_fast")
    return made((hashes.fingerprint64(texts) % _buckets(num_buckets)).astype(np.int64))


@elementwise
def to_hash_bucket_strong(input: Any, num_buckets: Any, key: Any, name: str | None = None) -> Any:
    """Bucket of each text (int64) by SipHash with a key of two numbers, which outsiders cannot guess collisions of."""
    if len(key) != 2:
        raise ValueError(f"tf.strings.to_hash_bucket_strong: `key` must be two integers. Received: key={key!r}")
    texts = texts_of(input, "tf.strings.to_hash_bucket_strong")
    return made((hashes.siphash(texts, key) % _buckets(num_buckets)).astype(np.int64))


@elementwise
def to_hash_bucket(input: Any, num_buckets: Any, name: str | None = None) -> Any:
    """Bucket of each text (int64), by the hash function of TensorFlow's first releases."""
    texts = texts_of(input, "tf.strings.to_hash_bucket")
    return made((hashes.murmur64(texts) % _buckets(num_buckets)).astype(np.int64))
