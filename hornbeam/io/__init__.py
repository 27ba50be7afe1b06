"""Files, encoded pictures and records. References: TensorFlow ``tf.io``."""

from __future__ import annotations

import importlib
from typing import Any

from hornbeam.base import registry

_HOMES: dict[str, tuple[str, ...]] = {
    "hornbeam.io.files": (
        "decode_base64",
        "decode_compressed",
        "encode_base64",
        "matching_files",
        "read_file",
        "write_file",
    ),
    "hornbeam.io.json_examples": ("decode_json_example",),
    "hornbeam.io.lines": ("decode_csv", "decode_raw"),
    "hornbeam.io.parsing": (
        "FixedLenFeature",
        "FixedLenSequenceFeature",
        "RaggedFeature",
        "SparseFeature",
        "VarLenFeature",
        "parse_example",
        "parse_single_example",
    ),
    "hornbeam.io.pictures": (
        "decode_and_crop_jpeg",
        "decode_bmp",
        "decode_gif",
        "decode_image",
        "decode_jpeg",
        "decode_png",
        "decode_webp",
        "encode_jpeg",
        "encode_png",
        "extract_jpeg_shape",
        "is_jpeg",
    ),
    "hornbeam.io.records": ("TFRecordOptions", "TFRecordWriter"),
    "hornbeam.io.sequences": ("parse_sequence_example", "parse_single_sequence_example"),
    "hornbeam.io.sparse_tensors": ("deserialize_many_sparse", "serialize_many_sparse", "serialize_sparse"),
    "hornbeam.io.tensors": ("parse_tensor", "serialize_tensor"),
}
_NAMES = {name: module for module, names in _HOMES.items() for name in names}

__all__ = sorted([*_NAMES, "gfile"])


def __getattr__(name: str) -> Any:
    if name == "gfile":
        return importlib.import_module("hornbeam.io.gfile")
    if name in _NAMES:
        found = getattr(importlib.import_module(_NAMES[name]), name)
        globals()[name] = found
        return found
    raise registry.missing("hornbeam.io", name, __all__)


def __dir__() -> list[str]:
    return [*__all__]
