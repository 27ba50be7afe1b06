"""Several texts made into one."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.base.errors import explain
from hornbeam.errors import InvalidArgumentError
from hornbeam.ops.host import strings as host
from hornbeam.ragged import rows
from hornbeam.ragged.operators import map_flat_values
from hornbeam.ragged.tensor import RaggedTensor
from hornbeam.strings.texts import number_of, strings, text, texts_of
from hornbeam.tensors.printing import format_tensor


def join(inputs: Any, separator: Any = "", name: str | None = None) -> Any:
    """Join tensors of texts element by element; single texts go with every element.

    Args:
        inputs: list of texts, string tensors or ragged tensors of equal shape.
        separator: what to put between.
        name: ignored, as eager tensors have no names.
    """
    if any(isinstance(item, RaggedTensor) for item in inputs):
        return map_flat_values(lambda *parts: join(list(parts), separator), *inputs)
    parts = [texts_of(item, "tf.strings.join") for item in inputs]
    shapes = {part.shape for part in parts if part.ndim}
    if len(shapes) > 1:
        raise InvalidArgumentError(None, None, f"tf.strings.join: the inputs have different shapes: {sorted(shapes)}.")
    shape = shapes.pop() if shapes else ()
    columns = [np.broadcast_to(part, shape).ravel().tolist() for part in parts]
    return strings(host.objects(list(map(text(separator).join, zip(*columns, strict=True))), shape))


def reduce_join(
    inputs: Any, axis: Any = None, keepdims: bool = False, separator: Any = "", name: str | None = None
) -> Any:
    """Join the texts along axes, one after another; along all of them in row-major order by default.

    References: TensorFlow `tf.strings.reduce_join`.
    """
    if isinstance(inputs, RaggedTensor):
        return _join_rows(inputs, axis, separator)
    texts = texts_of(inputs, "tf.strings.reduce_join")
    axes = list(range(texts.ndim))[::-1] if axis is None else np.atleast_1d(number_of(axis)).tolist()
    axes = [one + texts.ndim if one < 0 else one for one in axes]
    kept = [one for one in range(texts.ndim) if one not in axes]
    moved = texts.transpose(kept + axes[::-1])
    shape = tuple(texts.shape[one] for one in kept)
    table = moved.reshape(int(np.prod(shape)), -1)
    out = host.objects([text(separator).join(row) for row in table.tolist()], shape)
    return strings(np.expand_dims(out, tuple(sorted(axes))) if keepdims else out)


def _join_rows(inputs: RaggedTensor, axis: Any, separator: Any) -> Any:
    if axis is None:
        return reduce_join(inputs.flat_values, None, False, separator)
    place = int(axis) + inputs.ndim if int(axis) < 0 else int(axis)
    if isinstance(inputs.values, RaggedTensor) and place > 1:
        return inputs.with_values(_join_rows(inputs.values, place - 1, separator))
    if place != 1 or inputs.ndim != 2:
        raise ValueError(f"tf.strings.reduce_join: of ragged tensors the last axis is joined. Received: axis={axis}")
    glue = text(separator)
    return strings(host.objects([glue.join(row) for row in inputs.to_list()], (len(inputs),)))


def ngrams(
    data: Any,
    ngram_width: Any,
    separator: Any = " ",
    pad_values: Any = None,
    padding_width: int | None = None,
    preserve_short_sequences: bool = False,
    name: str | None = None,
) -> Any:
    """Runs of neighbouring words, joined.

    Args:
        data: texts of rank 1 or more, or ragged; the last axis is a row of words.
        ngram_width: words in a run, or several such numbers.
        separator: what to put between words.
        pad_values: text, or pair of texts, put before and behind each row.
        padding_width: how many of them; the width less 1 at most, and by default.
        preserve_short_sequences: give a row shorter than the run as a whole.
        name: ignored, as eager tensors have no names.

    Returns:
        Ragged tensor; a plain one for a plain input.

    References: TensorFlow `tf.strings.ngrams`.
    """
    widths = (int(ngram_width),) if isinstance(ngram_width, (int, np.integer)) else tuple(map(int, ngram_width))
    if not widths or min(widths) < 1:
        raise ValueError(f"tf.strings.ngrams: `ngram_width` must be at least 1. Received: {ngram_width!r}")
    plain = not isinstance(data, RaggedTensor)
    if plain:
        texts = texts_of(data, "tf.strings.ngrams")
        if not texts.ndim:
            raise InvalidArgumentError(None, None, "tf.strings.ngrams: `data` must have an axis of words.")
        flat, width = texts.reshape(-1).tolist(), texts.shape[-1]
        splits = np.arange(texts.size // width + 1 if width else 1) * width
    else:
        inner = data
        while isinstance(inner.values, RaggedTensor):
            inner = inner.values
        flat, splits = rows.host(inner.values).tolist(), inner._splits
    glue = text(separator)
    if pad_values is None:
        found, lengths = host.ngrams(flat, splits, widths, glue, preserve_short_sequences)
    else:
        found, lengths = _padded(flat, splits, widths, glue, (pad_values, padding_width, preserve_short_sequences))
    if plain:
        return strings(found.reshape(*texts.shape[:-1], -1) if texts.size else found.reshape(*texts.shape[:-1], 0))
    return _with_inner(data, RaggedTensor(strings(found), rows.splits_of(lengths)))


def _with_inner(data: RaggedTensor, inner: RaggedTensor) -> RaggedTensor:
    if not isinstance(data.values, RaggedTensor):
        return inner
    return RaggedTensor(_with_inner(data.values, inner), data._splits)


def _padded(flat: list[bytes], splits: np.ndarray, widths: tuple, glue: bytes, padding: tuple) -> tuple:
    """Runs of rows with padding at both ends, whose amount depends on the width."""
    values, most, keep_short = padding
    left, right = (text(part) for part in (values if isinstance(values, (tuple, list)) else (values, values)))
    found: list[bytes] = []
    lengths = []
    for start, stop in zip(splits[:-1].tolist(), splits[1:].tolist(), strict=True):
        before = len(found)
        for width in widths:
            count = width - 1 if most is None else min(most, width - 1)
            row = [left] * count + flat[start:stop] + [right] * count
            found += host.ngrams(row, np.array([0, len(row)]), (width,), glue)[0].tolist()
        if keep_short and stop > start and len(found) == before:
            found.append(glue.join(flat[start:stop]))
        lengths.append(len(found) - before)
    return host.objects(found, (len(found),)), np.asarray(lengths, np.int64)


def unsorted_segment_join(
    inputs: Any, segment_ids: Any, num_segments: Any, separator: Any = "", name: str | None = None
) -> Any:
    """Join the texts that have one segment number, in order."""
    texts, ids = texts_of(inputs, "tf.strings.unsorted_segment_join"), number_of(segment_ids)
    shape = (int(num_segments), *texts.shape[ids.ndim :])
    if ids.size and (ids.min() < 0 or ids.max() >= shape[0]):
        raise InvalidArgumentError(
            None,
            None,
            explain(
                "tf.strings.unsorted_segment_join: a segment number lies outside.",
                expected=f"numbers from 0 to {shape[0] - 1}",
                received=f"{ids.min()} to {ids.max()}",
            ),
        )
    table = texts.reshape(ids.size, -1)
    groups: list[list[list[bytes]]] = [[[] for _ in range(table.shape[1])] for _ in range(shape[0])]
    for number, row in zip(ids.reshape(-1).tolist(), table.tolist(), strict=True):
        for cell, one in zip(groups[number], row, strict=True):
            cell.append(one)
    glue = text(separator)
    return strings(host.objects([glue.join(cell) for row in groups for cell in row], shape))


def format(template: str, inputs: Any, placeholder: str = "{}", summarize: int = 3, name: str | None = None) -> Any:
    """Fill tensors into a text, written as ``tf.print`` writes them.

    Args:
        template: text with a placeholder for each input.
        inputs: tensor, or list of tensors.
        placeholder: what stands for an input.
        summarize: first and last entries of each axis to write; -1 for all.
        name: ignored, as eager tensors have no names.
    """
    items = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
    parts = template.split(placeholder)
    if len(parts) - 1 != len(items):
        raise ValueError(
            f"tf.strings.format: the template has {len(parts) - 1} placeholders {placeholder!r}, but {len(items)} "
            "inputs were given."
        )
    out = parts[0]
    for item, part in zip(items, parts[1:], strict=True):
        out += format_tensor(rows.host(item), summarize) + part
    return strings(np.array(out.encode(), object))
