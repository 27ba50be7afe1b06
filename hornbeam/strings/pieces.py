"""Texts cut into pieces: ragged tensors."""

from __future__ import annotations

from typing import Any

from hornbeam.ops.host import strings as host
from hornbeam.strings.texts import elementwise, fold, text, texts_of


@elementwise
def split(input: Any, sep: Any = None, maxsplit: int = -1, name: str | None = None) -> Any:
    """Split each text at a separator.

    Args:
        input: texts of any shape, or a ragged tensor of texts.
        sep: separator; runs of white space if it is None or empty.
        maxsplit: at most so many cuts; -1 for all.
        name: ignored, as eager tensors have no names.

    Returns:
        Ragged tensor with one axis more; a plain vector for a single text.

    References: TensorFlow `tf.strings.split`.
    """
    texts = texts_of(input, "tf.strings.split")
    parts, lengths = host.split(texts, text(sep) if sep is not None else b"", maxsplit)
    return fold(parts, lengths, texts.shape)


@elementwise
def bytes_split(input: Any, name: str | None = None) -> Any:
    """The bytes of each text, as texts of one byte."""
    texts = texts_of(input, "tf.strings.bytes_split")
    parts, lengths = host.split_all(lambda one: [one[at : at + 1] for at in range(len(one))], texts)
    return fold(parts, lengths, texts.shape)


__all__ = ["bytes_split", "split"]
