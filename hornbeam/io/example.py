"""The messages of record files: ``Example`` and its parts.

References: TensorFlow ``tf.train.Example``, ``tf.train.SequenceExample``.
"""

from __future__ import annotations

from hornbeam.io.messages import Message

__all__ = [
    "BytesList",
    "Example",
    "Feature",
    "FeatureList",
    "FeatureLists",
    "Features",
    "FloatList",
    "Int64List",
    "SequenceExample",
]


class BytesList(Message):
    """``BytesList(value=[b"..."])``."""

    FIELDS = {"value": (1, "bytes")}


class FloatList(Message):
    """``FloatList(value=[0.5])``; numbers are stored as float32."""

    FIELDS = {"value": (1, "float")}


class Int64List(Message):
    """``Int64List(value=[1])``."""

    FIELDS = {"value": (1, "int64")}


class Feature(Message):
    """One list of values: ``Feature(bytes_list=...)``, ``Feature(float_list=...)`` or ``Feature(int64_list=...)``."""

    FIELDS = {"bytes_list": (1, BytesList), "float_list": (2, FloatList), "int64_list": (3, Int64List)}
    ONEOFS = {"kind": ("bytes_list", "float_list", "int64_list")}


class Features(Message):
    """Features by name: ``Features(feature={"label": Feature(...)})``."""

    FIELDS = {"feature": (1, ("map", Feature))}


class Example(Message):
    """One sample of a record file: ``Example(features=Features(...))``."""

    FIELDS = {"features": (1, Features)}


class FeatureList(Message):
    """Features one after another: ``FeatureList(feature=[Feature(...), ...])``."""

    FIELDS = {"feature": (1, ("list", Feature))}


class FeatureLists(Message):
    """Lists of features by name: ``FeatureLists(feature_list={"frames": FeatureList(...)})``."""

    FIELDS = {"feature_list": (1, ("map", FeatureList))}


class SequenceExample(Message):
    """One sample with parts that have a length: ``SequenceExample(context=Features(...), feature_lists=...)``."""

    FIELDS = {"context": (1, Features), "feature_lists": (2, FeatureLists)}
