"""``HashedCrossing``."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import HostTensor, Tensor, from_host
from hornbeam.keras.layers.base.layer import Layer
from hornbeam.keras.layers.preprocessing import encoding
from hornbeam.ops.host import hashes
from hornbeam.ragged import rows
from hornbeam.ragged.tensor import RaggedTensor
from hornbeam.sparse.tensor import SparseTensor

_KEY = np.uint64(0xDECAFCAFFE)


class HashedCrossing(Layer):
    """Bins of combinations of two or more features: a hash of all of them, modulo ``num_bins``.

    Args:
        num_bins: number of bins.
        output_mode: ``int`` (bins) or ``one_hot`` (vectors).
        sparse: give sparse tensors (outside of models only).
        name: name.
        dtype: dtype of the output; int64 for bins by default.

    Input shape: list of tensors of one shape: (), (batch,) or (batch, 1), strings or integers.
    Output shape: that of an input; with vectors, an axis for the bins.

    References: Keras ``layers.HashedCrossing``.
    """

    keeps_wide_integers = True
    runs_on_host = True

    def __init__(
        self,
        num_bins: int,
        output_mode: str = "int",
        sparse: bool = False,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        if output_mode == "int" and dtype is None:
            dtype = "int64"
        super().__init__(name=name, dtype=dtype, **kwargs)
        if output_mode not in ("int", "one_hot"):
            raise ValueError(f"HashedCrossing: `output_mode` must be 'int' or 'one_hot'. Received: {output_mode!r}")
        self.num_bins, self.output_mode, self.sparse = num_bins, output_mode, sparse

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of an input, with an axis for the bins where they are encoded."""
        shapes = [tuple(shape) for shape in input_shape]
        if len(shapes) < 2 or any(shape[-1:] != shapes[0][-1:] for shape in shapes):
            raise ValueError(f"HashedCrossing takes two or more inputs of one shape. Received: {input_shape}")
        shape = shapes[0]
        if self.output_mode == "int":
            return shape
        return (*(shape[:-1] if len(shape) > 1 and shape[-1] == 1 else shape), self.num_bins)

    def compute_output_spec(self, inputs: Any) -> Any:
        """Symbolic output."""
        self._check(inputs)
        shape = self.compute_output_shape([tensor.shape for tensor in inputs])
        return KerasTensor(shape, self._dtype_policy.name if self.output_mode == "int" else self.compute_dtype)

    def _check(self, inputs: Any) -> None:
        if not isinstance(inputs, (list, tuple)) or len(inputs) < 2:
            raise ValueError(f"HashedCrossing '{self.name}' takes a list of two or more inputs. Received: {inputs!r}")
        if any(isinstance(item, (RaggedTensor, SparseTensor)) for item in inputs):
            raise ValueError(f"HashedCrossing '{self.name}' takes dense tensors, no ragged or sparse ones.")
        shapes = [tuple(np.shape(item)) if not hasattr(item, "shape") else tuple(item.shape) for item in inputs]
        first = shapes[0]
        if len(first) > 2 or (len(first) == 2 and first[-1] != 1):
            raise ValueError(
                f"HashedCrossing '{self.name}': inputs have shape (), (batch,) or (batch, 1), not {first}."
            )
        if any(shape != first for shape in shapes[1:]):
            raise ValueError(f"HashedCrossing '{self.name}': inputs must have one shape. Received: {shapes}")

    def call(self, inputs: Any) -> Any:
        """Bins of combinations."""
        self._check(inputs)
        items = [item if isinstance(item, Tensor) else from_host(_array(item)) for item in inputs]
        for item in items:
            if not isinstance(item, HostTensor) and item.dtype.is_floating:
                raise ValueError(f"HashedCrossing '{self.name}' takes integers or strings. Received: {item.dtype.name}")
        if encoding.is_traced(items):
            return self._encoded(self._traced(items))
        bins = self._bins(*[rows.host(item) for item in items])
        if self.output_mode == "int":
            return from_host(bins.astype(self._dtype_policy.name))
        return self._encoded(from_host(bins.astype(np.int32)))

    def _traced(self, items: list[Any]) -> Any:
        texts = [rows.host(item) if isinstance(item, HostTensor) else None for item in items]
        numbers = [item for item in items if not isinstance(item, HostTensor)]

        def run(*arrays: np.ndarray) -> np.ndarray:
            queue = iter(arrays)
            return self._bins(*[next(queue) if text is None else text for text in texts])

        return encoding.on_host(run, numbers, tuple(items[0].shape), "int64")

    def _encoded(self, bins: Any) -> Any:
        if self.output_mode == "int":
            return bins
        out = encoding.encode(bins, "one_hot", self.num_bins, self.compute_dtype)
        return encoding.sparse_output(out, "HashedCrossing") if self.sparse else out

    def _bins(self, *features: np.ndarray) -> np.ndarray:
        found = np.full(features[0].shape, _KEY)
        with np.errstate(over="ignore"):
            for feature in features:
                part = hashes.fingerprint64(feature) if feature.dtype == object else feature.astype(np.int64)
                found = hashes.concatenate_fingerprints(found, part.astype(np.uint64))
        return (found % np.uint64(self.num_bins)).astype(np.int64)

    def get_config(self) -> dict[str, Any]:
        """Arguments."""
        return {
            "num_bins": self.num_bins,
            "output_mode": self.output_mode,
            "sparse": self.sparse,
            "name": self.name,
            "dtype": self._dtype_policy.name,
        }


def _array(item: Any) -> np.ndarray:
    array = np.asarray(item)
    return array.astype(np.int64) if array.dtype.kind in "iub" else array
