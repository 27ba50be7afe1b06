"""``Hashing``."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.base import settings
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import HostTensor, from_host
from hornbeam.keras.layers.base.layer import Layer
from hornbeam.keras.layers.preprocessing import encoding
from hornbeam.keras.layers.preprocessing.vocabularies import common_config, pair_of
from hornbeam.lookup.tables import as_words, on_parts
from hornbeam.ops.host import hashes
from hornbeam.ragged import rows
from hornbeam.ragged.tensor import RaggedTensor
from hornbeam.sparse.tensor import SparseTensor
from hornbeam.strings.texts import texts_of


class Hashing(Layer):
    """A bin for each category by a hash of its text, without a vocabulary.

    Bins are FarmHash fingerprints modulo ``num_bins``, or SipHash with a salt; integers are hashed as their decimal
    text. They are computed on the host.

    Args:
        num_bins: number of bins; the mask's bin is one of them.
        mask_value: category that gets bin 0, which no other then gets.
        salt: key of the strong hash: an integer, or two.
        output_mode: ``int`` (bins), ``one_hot``, ``multi_hot`` or ``count`` (vectors).
        sparse: give sparse tensors (outside of models only).
        **kwargs: ``name``, ``dtype`` (int64 or int32 for bins).

    Input shape: any, strings or integers.
    Output shape: that of the input; with vectors, an axis for the bins in place of the last one.

    Example:
        >>> Hashing(num_bins=3)([["A"], ["B"], ["C"]]).numpy().ravel()
        array([1, 0, 1])

    References: Keras ``layers.Hashing``.
    """

    keeps_wide_integers = True
    runs_on_host = True

    def __init__(
        self,
        num_bins: int,
        mask_value: Any = None,
        salt: Any = None,
        output_mode: str = "int",
        sparse: bool = False,
        **kwargs: Any,
    ) -> None:
        if kwargs.get("dtype") is None:
            kwargs["dtype"] = "int64" if output_mode == "int" else settings.floatx()
        super().__init__(**kwargs)
        if num_bins is None or num_bins <= 0:
            raise ValueError(f"Hashing: `num_bins` must be 1 or more. Received: num_bins={num_bins}")
        if output_mode not in encoding.MODES:
            raise ValueError(f"Hashing: `output_mode` must be one of {encoding.MODES}. Received: {output_mode!r}")
        if output_mode == "int" and self._dtype_policy.name not in ("int32", "int64"):
            raise ValueError(f"Hashing: bins are of dtype int32 or int64. Received: dtype={kwargs['dtype']}")
        if sparse and output_mode == "int":
            raise ValueError("Hashing: `sparse=True` goes with output modes other than 'int'.")
        self.num_bins, self.mask_value, self.output_mode, self.sparse = num_bins, mask_value, output_mode, sparse
        self.strong_hash = salt is not None
        self.salt = None if salt is None else pair_of(salt, "Hashing")

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The input shape, with an axis for the bins where they are encoded."""
        shape = tuple(input_shape)
        return shape if self.output_mode == "int" else (*shape[:-1], self.num_bins)

    def compute_output_spec(self, inputs: Any) -> Any:
        """Symbolic output."""
        return KerasTensor(self.compute_output_shape(inputs.shape), self._dtype_policy.name)

    def call(self, inputs: Any) -> Any:
        """Bins of categories."""
        if isinstance(inputs, (RaggedTensor, SparseTensor)):
            return self._of_parts(inputs)
        if not isinstance(inputs, HostTensor) and hasattr(inputs, "_value") and encoding.is_traced(inputs):
            shape = tuple(inputs.shape)
            bins = encoding.on_host(self._bins, [inputs], shape, "int64")
            return self._encoded(bins)
        array = rows.host(inputs) if hasattr(inputs, "dtype") or not _holds_text(inputs) else texts_of(inputs)
        bins = self._bins(array)
        if self.output_mode == "int":
            return from_host(bins.astype(self._dtype_policy.name))
        return self._encoded(from_host(bins.astype(np.int32)))

    def _of_parts(self, inputs: Any) -> Any:
        if self.output_mode == "int":
            name = self._dtype_policy.name
            return on_parts(lambda part: from_host(self._bins(rows.host(part)).astype(name)), inputs)
        bins = on_parts(lambda part: from_host(self._bins(rows.host(part))), inputs)
        if isinstance(bins, RaggedTensor) and self.output_mode != "one_hot" and bins.ragged_rank == 1:
            numbers = np.asarray(bins.values._value)
            out = encoding.encode_rows(numbers, self.output_mode, self.num_bins, bins._splits)
            return from_host(out.astype(self._dtype_policy.compute_dtype))
        raise ValueError(
            f"Hashing '{self.name}': ragged and sparse inputs are hashed with output_mode='int' (ragged rows also with "
            f"'multi_hot' and 'count'). Received: output_mode={self.output_mode!r}"
        )

    def _encoded(self, bins: Any) -> Any:
        if self.output_mode == "int":
            return bins
        out = encoding.encode(bins, self.output_mode, self.num_bins, self._dtype_policy.compute_dtype)
        return encoding.sparse_output(out, "Hashing") if self.sparse else out

    def _bins(self, array: np.ndarray) -> np.ndarray:
        bins, masked = self.num_bins, None
        if self.mask_value is not None and bins > 1:
            bins -= 1
            mask = self.mask_value.encode() if isinstance(self.mask_value, str) else self.mask_value
            masked = array == mask
        if array.dtype.kind == "f":
            array = array.astype(np.int64)
        words = array if array.dtype == object else as_words(array)
        found = hashes.siphash(words, self.salt) if self.salt is not None else hashes.fingerprint64(words)
        found = (found % np.uint64(bins)).astype(np.int64)
        return found if masked is None else np.where(masked, 0, found + 1)

    def get_config(self) -> dict[str, Any]:
        """Arguments."""
        names = ("num_bins", "salt", "mask_value", "output_mode", "sparse")
        return {**common_config(self), **{name: getattr(self, name) for name in names}}


def _holds_text(x: Any) -> bool:
    while isinstance(x, (list, tuple)) and x:
        x = x[0]
    return isinstance(x, (str, bytes))
