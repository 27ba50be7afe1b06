"""Connectionist temporal classification as ``tf.nn`` has it: time comes first, decoded labels are sparse tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.base.errors import TraceError
from hornbeam.core.tensor import from_host
from hornbeam.ops.ctc import bounded_ctc_loss
from hornbeam.sparse.functions import to_dense
from hornbeam.sparse.tensor import SparseTensor
from hornbeam.tensors.face import face, is_known, tensor

__all__ = ["ctc_beam_search_decoder", "ctc_greedy_decoder", "ctc_loss"]


@face
def ctc_loss(
    labels: Any,
    logits: Any,
    label_length: Any,
    logit_length: Any,
    logits_time_major: bool = True,
    unique: Any = None,
    blank_index: int | None = None,
    name: str | None = None,
) -> Any:
    """``-log`` of the probability of all alignments of the labels, per sample.

    Args:
        labels: classes, (batch, max labels); or a sparse tensor of them.
        logits: (time, batch, classes), or (batch, time, classes) if ``logits_time_major`` is False.
        label_length: number of labels of each sample, (batch,); None for sparse labels.
        logit_length: number of time steps of each sample, (batch,).
        logits_time_major: which of the axes of ``logits`` is time.
        unique: distinct labels that TensorFlow computes ahead to save time; the loss is the same without.
        blank_index: class that stands for the blank, 0 by default; negative ones count from the last class.

    Returns:
        (batch,), about 708 where the labels do not fit into the time steps.

    Raises:
        ValueError: ``blank_index`` is missing for sparse labels, or ``label_length`` for dense ones.

    References: TensorFlow `tf.nn.ctc_loss`; Graves et al. 2006.
    """
    if isinstance(labels, SparseTensor):
        if blank_index is None:
            raise ValueError("tf.nn.ctc_loss: sparse labels need `blank_index`; -1 is the last class.")
        counts = np.bincount(labels._indices[:, 0], minlength=int(labels._sizes[0]))
        label_length, labels = counts.astype(np.int32), to_dense(labels)
    if label_length is None:
        raise ValueError("tf.nn.ctc_loss: dense labels need `label_length`, the number of labels of each sample.")
    logits = _batch_first(logits) if logits_time_major else tensor(logits)
    return bounded_ctc_loss(tensor(labels), logits, label_length, logit_length, _class(blank_index or 0, logits))


def _batch_first(logits: Any) -> Any:
    return ops.swapaxes(tensor(logits), 0, 1)


def _class(index: int, logits: Any) -> int:
    count = int(logits.shape[-1])
    if not -count <= index < count:
        raise ValueError(f"`blank_index` must be one of the {count} classes. Received: blank_index={index}")
    return index % count


def _sparse_paths(paths: Any, name: str) -> list[SparseTensor]:
    """Label sequences (paths, batch, time) that are filled up with -1, each path as a sparse tensor."""
    if not is_known(paths):
        raise TraceError(
            f"{name}: the number of labels is not known inside compiled functions; "
            "use keras.ops.ctc_decode, whose result is dense."
        )
    found = []
    for path in np.asarray(paths):
        places = np.argwhere(path >= 0)
        longest = int(places[:, 1].max()) + 1 if len(places) else 0
        values = from_host(path[tuple(places.T)].astype(np.int64))
        found.append(SparseTensor(places, values, (len(path), longest)))
    return found


def ctc_greedy_decoder(
    inputs: Any, sequence_length: Any, merge_repeated: bool = True, blank_index: int | None = None
) -> tuple[list[SparseTensor], Any]:
    """Labels along the path of the best class of each time step.

    Args:
        inputs: logits, (time, batch, classes).
        sequence_length: number of time steps of each sample, (batch,).
        merge_repeated: runs of one class are one label.
        blank_index: class that stands for the blank, the last one by default.

    Returns:
        A list of one sparse tensor of labels (int64), and the negated sums of the best logits, (batch, 1).

    References: TensorFlow `tf.nn.ctc_greedy_decoder`.
    """
    logits = _batch_first(inputs)
    blank = _class(-1 if blank_index is None else blank_index, logits)
    paths, scores = ops.ctc_decode(
        logits, sequence_length, strategy="greedy", merge_repeated=merge_repeated, mask_index=blank
    )
    return _sparse_paths(paths, "tf.nn.ctc_greedy_decoder"), scores


def ctc_beam_search_decoder(
    inputs: Any, sequence_length: Any, beam_width: int = 100, top_paths: int = 1
) -> tuple[list[SparseTensor], Any]:
    """The most probable label sequences, found by beam search; the blank is the last class.

    Args:
        inputs: logits, (time, batch, classes).
        sequence_length: number of time steps of each sample, (batch,).
        beam_width: sequences kept at each step.
        top_paths: sequences returned.

    Returns:
        A list of ``top_paths`` sparse tensors of labels (int64), and log-probabilities, (batch, top_paths).

    References: TensorFlow `tf.nn.ctc_beam_search_decoder`.
    """
    paths, scores = ops.ctc_decode(
        _batch_first(inputs),
        sequence_length,
        strategy="beam_search",
        beam_width=beam_width,
        top_paths=top_paths,
        mask_index=None,
    )
    return _sparse_paths(paths, "tf.nn.ctc_beam_search_decoder"), scores
