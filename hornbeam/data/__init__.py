"""``tf.data``: pipelines from arrays, generators and files to batches.

Parts are loaded when first asked for (PEP 562).

References: TensorFlow `tf.data`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from hornbeam.base import registry as _registry

if TYPE_CHECKING:
    from hornbeam.data import experimental as experimental
    from hornbeam.data.dataset import Dataset as Dataset
    from hornbeam.data.files import FixedLengthRecordDataset as FixedLengthRecordDataset
    from hornbeam.data.files import TextLineDataset as TextLineDataset
    from hornbeam.data.files import TFRecordDataset as TFRecordDataset
    from hornbeam.data.iterators import Iterator as Iterator
    from hornbeam.data.iterators import NumpyIterator as NumpyIterator
    from hornbeam.data.iterators import Optional as Optional
    from hornbeam.data.options import Options as Options
    from hornbeam.data.options import ThreadingOptions as ThreadingOptions
    from hornbeam.data.structure import DatasetSpec as DatasetSpec

AUTOTUNE = -1
INFINITE_CARDINALITY = -1
UNKNOWN_CARDINALITY = -2

_HOMES = {
    "Dataset": "dataset",
    "DatasetSpec": "structure",
    "FixedLengthRecordDataset": "files",
    "Iterator": "iterators",
    "NumpyIterator": "iterators",
    "Optional": "iterators",
    "Options": "options",
    "TFRecordDataset": "files",
    "TextLineDataset": "files",
    "ThreadingOptions": "options",
}
"""Module that holds each public name."""

__all__ = sorted([*_HOMES, "AUTOTUNE", "INFINITE_CARDINALITY", "UNKNOWN_CARDINALITY", "experimental"])


def __getattr__(name: str) -> Any:
    if name == "experimental":
        return importlib.import_module("hornbeam.data.experimental")
    if name not in _HOMES:
        raise _registry.missing("hornbeam.data", name, __all__)
    found = globals()[name] = getattr(importlib.import_module(f"hornbeam.data.{_HOMES[name]}"), name)
    return found


def __dir__() -> list[str]:
    return list(__all__)
