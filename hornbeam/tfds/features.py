"""Kinds of features: what the values of an example are, and how their stored form is decoded.

References: TensorFlow Datasets ``tfds.features``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from hornbeam.base import dtypes
from hornbeam.base.errors import NotSupportedError, explain
from hornbeam.core.spec import TensorSpec
from hornbeam.ops.host.images import decode

__all__ = ["BBoxFeature", "ClassLabel", "FeaturesDict", "Image", "Scalar", "Sequence", "Tensor", "Text"]


class Tensor:
    """Numbers of one shape.

    Args:
        shape: sizes, None where they vary.
        dtype: element type.
    """

    def __init__(self, *, shape: Any = (), dtype: Any = "float32") -> None:
        self.shape = tuple(shape)
        self.dtype = dtypes.as_dtype(dtype)

    def spec(self) -> TensorSpec:
        """Spec of a value."""
        return TensorSpec(self.shape, self.dtype)

    def decode(self, stored: Any) -> Any:
        """A value from its stored list."""
        if isinstance(stored, list):  # bytes: a text, or the numbers' own bytes
            if self.dtype == dtypes.string:
                return _shaped(np.array(stored, dtype=object), self.shape)
            stored = np.frombuffer(b"".join(stored), self.dtype.as_numpy_dtype)
        return _shaped(np.asarray(stored).astype(self.dtype.as_numpy_dtype), self.shape)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(shape={self.shape}, dtype={self.dtype.name})"


def _shaped(values: np.ndarray, shape: tuple[int | None, ...]) -> Any:
    if not shape:
        return values.reshape(-1)[0]
    return values.reshape([-1 if size is None else size for size in shape])


class Scalar(Tensor):
    """One number."""

    def __init__(self, dtype: Any = "float32") -> None:
        super().__init__(shape=(), dtype=dtype)


class BBoxFeature(Tensor):
    """A box: upper, left, lower and right border, each 0 to 1."""

    def __init__(self) -> None:
        super().__init__(shape=(4,), dtype="float32")


class Text(Tensor):
    """A text."""

    def __init__(self) -> None:
        super().__init__(shape=(), dtype="string")

    def __repr__(self) -> str:
        return "Text(shape=(), dtype=string)"


class Image(Tensor):
    """A picture, stored as a picture file.

    Args:
        shape: height, width and channels, None where they vary.
        dtype: uint8 or uint16.
    """

    def __init__(self, *, shape: Any = (None, None, 3), dtype: Any = "uint8") -> None:
        super().__init__(shape=shape, dtype=dtype)

    def decode(self, stored: Any) -> np.ndarray:
        """Pixels of a picture file."""
        depth = 16 if self.dtype == dtypes.uint16 else 8
        return decode(stored[0], self.shape[-1] or 0, depth, where="tfds.features.Image")


class ClassLabel(Tensor):
    """One of several classes, as its number.

    Args:
        num_classes: how many; known from ``names`` if they are given.
        names: their names, in order.
    """

    def __init__(self, *, num_classes: int | None = None, names: Any = None) -> None:
        super().__init__(shape=(), dtype="int64")
        self.names = [str(number) for number in range(num_classes or 0)] if names is None else list(names)
        self.num_classes = num_classes if num_classes is not None else len(self.names)

    def int2str(self, int_value: int) -> str:
        """Name of a number."""
        return self.names[int(int_value)]

    def str2int(self, str_value: str) -> int:
        """Number of a name."""
        if str_value not in self.names:
            raise ValueError(f"No class is called {str_value!r}. Known: {', '.join(self.names[:20])}")
        return self.names.index(str_value)

    def __repr__(self) -> str:
        return f"ClassLabel(shape=(), dtype=int64, num_classes={self.num_classes})"


class Sequence:
    """Several values of one kind.

    Args:
        feature: the kind.
        length: how many, None if that varies.
    """

    def __init__(self, feature: Any, length: int | None = None) -> None:
        self.feature = feature
        self.length = length

    def spec(self) -> TensorSpec:
        """Spec of all of them."""
        inner = self.feature.spec()
        return TensorSpec((self.length, *inner.shape), inner.dtype)

    def decode(self, stored: Any) -> Any:
        """All values from their stored list."""
        if isinstance(self.feature, Image):
            return np.stack([self.feature.decode([each]) for each in stored])
        return Tensor(shape=(None, *self.feature.shape), dtype=self.feature.dtype).decode(stored)

    def __repr__(self) -> str:
        return f"Sequence({self.feature!r})"


class FeaturesDict(Mapping[str, Any]):
    """Features by name.

    Args:
        features: the kinds.
    """

    def __init__(self, features: Mapping[str, Any]) -> None:
        self._features = dict(features)

    def __getitem__(self, name: str) -> Any:
        return self._features[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._features)

    def __len__(self) -> int:
        return len(self._features)

    def spec(self) -> dict[str, Any]:
        """Specs by name."""
        return {name: feature.spec() for name, feature in self.items()}

    def decode(self, stored: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
        """Values from the stored lists of an example; names of inner features follow a slash."""
        found = {}
        for name, feature in self.items():
            key = f"{prefix}{name}"
            if isinstance(feature, FeaturesDict):
                found[name] = feature.decode(stored, f"{key}/")
            elif isinstance(feature, Sequence) and isinstance(feature.feature, FeaturesDict):
                inner = {one: Sequence(each) for one, each in feature.feature.items()}
                found[name] = FeaturesDict(inner).decode(stored, f"{key}/")
            else:
                found[name] = feature.decode(stored.get(key, []))
        return found

    def __repr__(self) -> str:
        inner = "\n".join(f"    '{name}': {feature!r}," for name, feature in self.items())
        return f"FeaturesDict({{\n{inner}\n}})"


def from_json(content: Mapping[str, Any], folder: str, name: str = "") -> Any:
    """A feature as ``features.json`` describes it.

    Args:
        content: the description.
        folder: where files with the names of classes are.
        name: of the feature, by which such files are called.

    Raises:
        NotSupportedError: a kind that is not read.
    """
    kind = str(content.get("pythonClassName") or content.get("type", "")).rpartition(".")[2]
    if kind == "FeaturesDict":
        inner = content["featuresDict"]["features"]
        return FeaturesDict(
            {each: from_json(inner[each], folder, f"{name}-{each}" if name else each) for each in inner}
        )
    if kind == "Sequence":
        inner = content["sequence"]
        length = int(inner.get("length", -1))
        feature = from_json(inner["feature"], folder, name)
        return Sequence(feature, None if length < 0 else length)
    if kind == "ClassLabel":
        path = os.path.join(folder, f"{name}.labels.txt")
        names = None
        if os.path.isfile(path):
            with open(path, encoding="utf-8") as file:
                names = file.read().splitlines()
        return ClassLabel(num_classes=int(content["classLabel"]["numClasses"]), names=names)
    if kind == "Image":
        given = content.get("image", {})
        return Image(shape=_shape(given, (None, None, 3)), dtype=given.get("dtype", "uint8"))
    if kind == "Text":
        return Text()
    if kind == "BBoxFeature":
        return BBoxFeature()
    if kind in ("Tensor", "Scalar"):
        given = content.get("tensor", {})
        encoding = given.get("encoding", "none")
        if encoding != "none":
            raise NotSupportedError(f"The feature {name!r} is packed by {encoding!r}, which is not read.")
        return Tensor(shape=_shape(given, ()), dtype=given.get("dtype", "float32"))
    raise NotSupportedError(
        explain(
            f"The feature {name!r} is of a kind that is not read.",
            expected=", ".join(__all__),
            received=kind or repr(content),
        )
    )


def _shape(given: Mapping[str, Any], default: tuple[int | None, ...]) -> tuple[int | None, ...]:
    if "shape" not in given:
        return default
    sizes = [int(size) for size in given["shape"].get("dimensions", [])]
    return tuple(None if size < 0 else size for size in sizes)
