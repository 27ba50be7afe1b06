"""``StringLookup``."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.keras.layers.preprocessing import encoding
from hornbeam.keras.layers.preprocessing.index_lookup import IndexLookup
from hornbeam.strings.texts import texts_of


class StringLookup(IndexLookup):
    """Numbers for words (or, inverted, words for numbers).

    The number 0 is that of the mask token if there is one; then come the unknown words, then the vocabulary. Words are
    looked up on the host: use the layer in a dataset's ``map``, or first in a functional or Sequential model.

    Args:
        max_tokens: size limit of the vocabulary, special tokens included; None for no limit.
        num_oov_indices: numbers for unknown words: with 0 they are an error, with more than 1 they are hashed.
        mask_token: word for masked inputs, which gets the number 0; None for none.
        oov_token: word that unknown numbers stand for with ``invert=True``.
        vocabulary: the words, or the path of a text file; learned with ``adapt`` if it is not given.
        idf_weights: weights of the words, in ``tf_idf`` mode.
        invert: from numbers to words.
        output_mode: ``int`` (numbers), ``one_hot``, ``multi_hot``, ``count`` or ``tf_idf`` (vectors).
        pad_to_max_tokens: vectors have ``max_tokens`` entries even if there are fewer words.
        sparse: give sparse tensors (outside of models only).
        encoding: encoding of the texts.
        name: name.
        salt: key of a strong hash for unknown words.

    Input shape: any, strings; also ragged.
    Output shape: that of the input; with vectors, an axis for the words in place of the last one.

    Example:
        >>> layer = StringLookup(vocabulary=["a", "b"])
        >>> layer(["b", "x"]).numpy()
        array([2, 0])

    References: Keras ``layers.StringLookup``.
    """

    input_dtype_hint = "string"

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: Any = None,
        oov_token: Any = "[UNK]",
        vocabulary: Any = None,
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        pad_to_max_tokens: bool = False,
        sparse: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        salt: Any = None,
        **kwargs: Any,
    ) -> None:
        self.encoding = encoding
        super().__init__(
            max_tokens=max_tokens,
            num_oov_indices=num_oov_indices,
            mask_token=mask_token,
            oov_token=oov_token,
            vocabulary=vocabulary,
            idf_weights=idf_weights,
            invert=invert,
            output_mode=output_mode,
            pad_to_max_tokens=pad_to_max_tokens,
            sparse=sparse,
            name=name,
            salt=salt,
            **kwargs,
        )

    def get_config(self) -> dict[str, Any]:
        """Arguments; a learned vocabulary is stored as a file instead."""
        config = super().get_config()
        del config["vocabulary_dtype"]
        return {**config, "encoding": self.encoding}

    def _words(self, x: Any) -> np.ndarray:
        return texts_of(x, f"StringLookup '{self.name}'")

    def _key(self, token: Any) -> bytes:
        return token if isinstance(token, bytes) else str(token).encode(self.encoding)

    def _spelled(self, token: bytes) -> str:
        return token.decode(self.encoding)

    def _traced(self, inputs: Any) -> Any:
        encoding.need_known(encoding.flat_of(inputs), f"StringLookup '{self.name}'")
