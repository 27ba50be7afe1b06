"""``IntegerLookup``."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.base import settings
from hornbeam.keras.layers.preprocessing import encoding
from hornbeam.keras.layers.preprocessing.index_lookup import IndexLookup
from hornbeam.lookup.tables import as_words, search
from hornbeam.ragged import rows


class IntegerLookup(IndexLookup):
    """Consecutive numbers for arbitrary integers (or, inverted, the integers for the numbers).

    Args:
        max_tokens: size limit of the vocabulary, special tokens included; None for no limit.
        num_oov_indices: numbers for unknown integers: with 0 they are an error, with more than 1 they are shared out.
        mask_token: integer for masked inputs, which gets the number 0; None for none.
        oov_token: integer that unknown numbers stand for with ``invert=True``.
        vocabulary: the integers, or the path of a text file; learned with ``adapt`` if it is not given.
        vocabulary_dtype: ``int64``.
        idf_weights: weights of the integers, in ``tf_idf`` mode.
        invert: from numbers to the integers.
        output_mode: ``int`` (numbers), ``one_hot``, ``multi_hot``, ``count`` or ``tf_idf`` (vectors).
        sparse: give sparse tensors (outside of models only).
        pad_to_max_tokens: vectors have ``max_tokens`` entries even if there are fewer integers.
        oov_method: how unknown integers are shared out: ``floormod`` (remainder) or ``farmhash``.
        salt: key of a strong hash for unknown integers, with ``farmhash``.
        name: name.

    Input shape: any, integers; also ragged.
    Output shape: that of the input; with vectors, an axis for the integers in place of the last one.

    References: Keras ``layers.IntegerLookup``.
    """

    vocabulary_dtype = "int64"
    runs_on_host = False
    input_dtype_hint = "int64"

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: int | None = None,
        oov_token: int = -1,
        vocabulary: Any = None,
        vocabulary_dtype: str = "int64",
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        sparse: bool = False,
        pad_to_max_tokens: bool = False,
        oov_method: str = "floormod",
        salt: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if vocabulary_dtype != "int64":
            raise ValueError(f"IntegerLookup: `vocabulary_dtype` must be 'int64'. Received: {vocabulary_dtype!r}")
        super().__init__(
            max_tokens=max_tokens,
            num_oov_indices=num_oov_indices,
            mask_token=mask_token,
            oov_token=oov_token,
            vocabulary=vocabulary,
            idf_weights=idf_weights,
            invert=invert,
            output_mode=output_mode,
            sparse=sparse,
            pad_to_max_tokens=pad_to_max_tokens,
            oov_method=oov_method,
            salt=salt,
            name=name,
            **kwargs,
        )

    def _words(self, x: Any) -> np.ndarray:
        array = rows.host(x)
        if array.dtype == object:
            raise TypeError(f"IntegerLookup '{self.name}' takes integers. Received: texts")
        return array.astype(np.int64)

    def _key(self, token: Any) -> int:
        return int(token)

    def _spelled(self, token: int) -> int:
        return int(token)

    def _bins(self, words: np.ndarray) -> np.ndarray:
        if self.oov_method == "floormod":
            return np.mod(words, self.num_oov_indices)
        return super()._bins(as_words(words))

    def _traced(self, inputs: Any) -> Any:
        """Inside compiled programs: a search among the sorted integers, or a call back to the host."""
        shape = tuple(inputs.shape)
        searched = self.num_oov_indices == 1 or (self.num_oov_indices > 1 and self.oov_method == "floormod")
        if searched:
            numbers = self._searched(inputs)
        else:
            numbers = encoding.on_host(lambda array: self._look_up(self._words(array)), [inputs], shape, "int64")
        if self.output_mode == "int":
            return numbers
        out = encoding.encode(numbers, self._row_mode(), self._depth(), settings.floatx())
        out = out if self.output_mode != "tf_idf" else ops.multiply(out, self._idf)
        return encoding.sparse_output(out, type(self).__name__) if self.sparse else out

    def _searched(self, inputs: Any) -> Any:
        if inputs.dtype.is_floating:
            inputs = ops.cast(inputs, "int32")
        names = np.array(self._tokens or (), np.int64)
        order = np.argsort(names)
        numbers = (np.arange(len(names)) + self._token_start)[order].astype(np.int32)
        if self.num_oov_indices == 1:
            unknown: Any = self._oov_start
        else:
            unknown = ops.add(ops.mod(inputs, self.num_oov_indices), self._oov_start)
        found = search(inputs, names[order], numbers, unknown) if len(names) else ops.zeros_like(inputs) + unknown
        if self.mask_token is not None:
            # Masked integers count for nothing in vectors: -1 is outside of them.
            found = ops.where(ops.equal(inputs, self.mask_token), 0 if self.output_mode == "int" else -1, found)
        return found
