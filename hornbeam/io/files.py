"""Whole files, and encodings of strings."""

from __future__ import annotations

import base64
import glob
import gzip
import os
import zlib
from typing import Any

import numpy as np

from hornbeam.core.tensor import from_host
from hornbeam.tensors.texts import each, file_error, one, path_of, strings, text

__all__ = ["decode_base64", "decode_compressed", "encode_base64", "matching_files", "read_file", "write_file"]


def read_file(filename: Any, name: str | None = None) -> Any:
    """Contents of a file, as one string tensor.

    Raises:
        tf.errors.NotFoundError: there is no such file.

    References: TensorFlow `tf.io.read_file`.
    """
    path = path_of(filename, "tf.io.read_file")
    try:
        with open(path, "rb") as file:
            contents = file.read()
    except OSError as error:
        raise file_error(error, "tf.io.read_file", path) from error
    return each(contents, bytes, "tf.io.read_file")


def write_file(filename: Any, contents: Any, name: str | None = None) -> None:
    """Write one string into a file; folders that are missing are made.

    References: TensorFlow `tf.io.write_file`.
    """
    path = path_of(filename, "tf.io.write_file")
    data = one(contents, "tf.io.write_file")
    try:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)
    except OSError as error:
        raise file_error(error, "tf.io.write_file", path) from error


def matching_files(pattern: Any, name: str | None = None) -> Any:
    """Names of the files that match a pattern (or one of several), sorted.

    References: TensorFlow `tf.io.matching_files`.
    """
    patterns = [text(item) for item in strings(pattern, "tf.io.matching_files").reshape(-1)]
    found = sorted({name for one_pattern in patterns for name in glob.glob(one_pattern)})
    return from_host(np.array([name.encode() for name in found], dtype=object))


def encode_base64(input: Any, pad: bool = False, name: str | None = None) -> Any:
    """Strings in base64 with the alphabet for web addresses.

    Args:
        input: strings.
        pad: fill up with ``=``.
    """

    def encode(item: bytes) -> bytes:
        out = base64.urlsafe_b64encode(item)
        return out if pad else out.rstrip(b"=")

    return each(input, encode, "tf.io.encode_base64")


def decode_base64(input: Any, name: str | None = None) -> Any:
    """The inverse of ``encode_base64``."""
    return each(
        input,
        lambda item: base64.urlsafe_b64decode(item + b"=" * (-len(item) % 4)),
        "tf.io.decode_base64",
    )


def decode_compressed(bytes: Any, compression_type: str = "", name: str | None = None) -> Any:
    """Strings without their compression.

    Args:
        bytes: strings.
        compression_type: ``"GZIP"``, ``"ZLIB"`` or an empty text for none.
    """
    decoders = {"": lambda item: item, "GZIP": gzip.decompress, "ZLIB": zlib.decompress}
    if compression_type not in decoders:
        raise ValueError(f"`compression_type` is one of {tuple(decoders)}. Received: {compression_type!r}")
    return each(bytes, decoders[compression_type], "tf.io.decode_compressed")
