"""Texts as characters: decoding, encoding and splitting by code point."""

from __future__ import annotations

import codecs
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam.base.errors import NotSupportedError
from hornbeam.errors import InvalidArgumentError
from hornbeam.ops.host import strings as host
from hornbeam.ragged import rows
from hornbeam.ragged.tensor import RaggedTensor
from hornbeam.strings.texts import elementwise, fold, strings, texts_of

_REPLACEMENT = 0xFFFD
_CODECS = {"UTF-8": "utf-8", "UTF-16-BE": "utf-16-be", "UTF-32-BE": "utf-32-be"}


def _codec(encoding: str, where: str) -> str:
    try:
        return _CODECS.get(encoding) or codecs.lookup(encoding).name
    except LookupError as error:
        raise InvalidArgumentError(None, None, f"{where}: encoding {encoding!r} is not known.") from error


def _reader(encoding: str, errors: str, replacement_char: int, control: bool, where: str) -> Callable[[bytes], str]:
    """Function from bytes to characters."""
    if errors not in ("strict", "replace", "ignore"):
        raise ValueError(f"{where}: `errors` must be 'strict', 'replace' or 'ignore'. Received: errors={errors!r}")
    codec, other = _codec(encoding, where), chr(replacement_char)

    def read(one: bytes) -> str:
        try:
            found = one.decode(codec, errors)
        except UnicodeDecodeError as error:
            raise InvalidArgumentError(None, None, f"{where}: {one!r} is not valid {encoding}.") from error
        if errors == "replace" and replacement_char != _REPLACEMENT and "�" in found:
            found = found.replace("�", other)
        if control:
            swap = other if errors == "replace" else ""
            found = "".join(swap if ord(char) < 32 and char not in "\t\n\r" else char for char in found)
        return found

    return read


def _split_texts(input: Any, read: Callable[[bytes], str], make: Callable[[str], Any], where: str) -> tuple:
    texts = texts_of(input, where)
    found = [read(one) for one in texts.reshape(-1).tolist()]
    lengths = np.fromiter(map(len, found), np.int64, len(found))
    return texts, found, [make(char) for one in found for char in one], lengths


@elementwise
def unicode_decode(
    input: Any,
    input_encoding: str,
    errors: str = "replace",
    replacement_char: int = _REPLACEMENT,
    replace_control_characters: bool = False,
    name: str | None = None,
) -> Any:
    """Code points (int32) of each text, as a ragged tensor.

    Args:
        input: texts.
        input_encoding: ``"UTF-8"``, ``"UTF-16-BE"``, ``"UTF-32-BE"`` or another name that Python knows.
        errors: ``"replace"``, ``"ignore"`` or ``"strict"`` for bytes that are no characters.
        replacement_char: code point put in their place.
        replace_control_characters: treat control characters (below 32) as such, too.
        name: ignored, as eager tensors have no names.

    References: TensorFlow `tf.strings.unicode_decode`.
    """
    where = "tf.strings.unicode_decode"
    read = _reader(input_encoding, errors, replacement_char, replace_control_characters, where)
    texts, _, codes, lengths = _split_texts(input, read, ord, where)
    return fold(np.array(codes, np.int32), lengths, texts.shape)


@elementwise
def unicode_split(
    input: Any,
    input_encoding: str,
    errors: str = "replace",
    replacement_char: int = _REPLACEMENT,
    name: str | None = None,
) -> Any:
    """Characters of each text, as texts in the same encoding; see ``unicode_decode``."""
    where = "tf.strings.unicode_split"
    read = _reader(input_encoding, errors, replacement_char, False, where)
    codec = _codec(input_encoding, where)
    texts, _, parts, lengths = _split_texts(input, read, lambda char: char.encode(codec), where)
    return fold(host.objects(parts, (len(parts),)), lengths, texts.shape)


def _offsets(found: list[str], codec: str) -> np.ndarray:
    """Byte at which each character starts."""
    out: list[int] = []
    for one in found:
        place = 0
        for char in one:
            out.append(place)
            place += len(char.encode(codec))
    return np.array(out, np.int64)


def unicode_decode_with_offsets(
    input: Any,
    input_encoding: str,
    errors: str = "replace",
    replacement_char: int = _REPLACEMENT,
    replace_control_characters: bool = False,
    name: str | None = None,
) -> tuple[Any, Any]:
    """Code points of each text, and the byte at which each starts (int64)."""
    where = "tf.strings.unicode_decode_with_offsets"
    read = _reader(input_encoding, errors, replacement_char, replace_control_characters, where)
    texts, found, codes, lengths = _split_texts(input, read, ord, where)
    places = _offsets(found, _codec(input_encoding, where))
    return fold(np.array(codes, np.int32), lengths, texts.shape), fold(places, lengths, texts.shape)


def unicode_split_with_offsets(
    input: Any,
    input_encoding: str,
    errors: str = "replace",
    replacement_char: int = _REPLACEMENT,
    name: str | None = None,
) -> tuple[Any, Any]:
    """Characters of each text, and the byte at which each starts (int64)."""
    where = "tf.strings.unicode_split_with_offsets"
    read = _reader(input_encoding, errors, replacement_char, False, where)
    codec = _codec(input_encoding, where)
    texts, found, parts, lengths = _split_texts(input, read, lambda char: char.encode(codec), where)
    places = fold(_offsets(found, codec), lengths, texts.shape)
    return fold(host.objects(parts, (len(parts),)), lengths, texts.shape), places


def unicode_encode(
    input: Any,
    output_encoding: str,
    errors: str = "replace",
    replacement_char: int = _REPLACEMENT,
    name: str | None = None,
) -> Any:
    """Texts from code points; the last axis of ``input`` is a text.

    Args:
        input: code points, of rank 1 or more, ragged or not.
        output_encoding: ``"UTF-8"``, ``"UTF-16-BE"`` or ``"UTF-32-BE"``.
        errors: ``"replace"``, ``"ignore"`` or ``"strict"`` for numbers that are no code points.
        replacement_char: code point put in their place.
        name: ignored, as eager tensors have no names.
    """
    where = "tf.strings.unicode_encode"
    if isinstance(input, RaggedTensor) and isinstance(input.values, RaggedTensor):
        return input.with_values(unicode_encode(input.values, output_encoding, errors, replacement_char))
    if isinstance(input, RaggedTensor):
        codes, splits, shape = rows.host(input.values), input._splits, (len(input),)
    else:
        array = rows.host(input)
        codes, shape = array.reshape(-1), array.shape[:-1]
        splits = np.arange(int(np.prod(shape)) + 1) * array.shape[-1]
    codec = _codec(output_encoding, where)
    chars = [_character(code, errors, replacement_char, where) for code in codes.tolist()]
    bounds = splits.tolist()
    out = ["".join(chars[a:b]).encode(codec) for a, b in itertools.pairwise(bounds)]
    return strings(host.objects(out, shape))


def _character(code: int, errors: str, replacement_char: int, where: str) -> str:
    if 0 <= code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF:
        return chr(code)
    if errors == "strict":
        raise InvalidArgumentError(None, None, f"{where}: {code} is no code point.")
    return chr(replacement_char) if errors == "replace" else ""


@elementwise
def unicode_transcode(
    input: Any,
    input_encoding: str,
    output_encoding: str,
    errors: str = "replace",
    replacement_char: int = _REPLACEMENT,
    replace_control_characters: bool = False,
    name: str | None = None,
) -> Any:
    """Texts in another encoding; see ``unicode_decode`` for the arguments."""
    where = "tf.strings.unicode_transcode"
    read = _reader(input_encoding, errors, replacement_char, replace_control_characters, where)
    codec = _codec(output_encoding, where)
    return strings(host.mapped(lambda one: read(one).encode(codec), texts_of(input, where)))


def unicode_script(input: Any, name: str | None = None) -> Any:
    """Raise: the table of scripts is not part of Python."""
    raise NotSupportedError(
        "tf.strings.unicode_script is not offered, as Python has no table of scripts. Use the package `uniseg` or "
        "`unicodedata2` in a dataset's map through tf.numpy_function."
    )
