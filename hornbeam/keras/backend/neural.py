"""Activations, losses and normalisation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hornbeam import ops, sparse
from hornbeam.base import settings
from hornbeam.keras import activations
from hornbeam.nn import losses as nn_losses

elu = ops.elu
sigmoid = ops.sigmoid
softplus = ops.softplus
softsign = ops.softsign


def relu(x: Any, alpha: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
    """``x`` above the threshold, at most ``max_value``; ``alpha * (x - threshold)`` below."""
    return activations.relu(x, negative_slope=alpha, max_value=max_value, threshold=threshold)


def hard_sigmoid(x: Any) -> Any:
    """``0.2 * x + 0.5`` between 0 and 1."""
    return ops.clip(x * 0.2 + 0.5, 0.0, 1.0)


def softmax(x: Any, axis: int = -1) -> Any:
    """Exponentials divided by their sum along an axis; of tensors with two axes or more."""
    return activations.softmax(x, axis=axis)


# --- losses --------------------------------------------------------------------------------------
def _limited(output: Any) -> Any:
    small = settings.epsilon()
    return ops.clip(output, small, 1.0 - small)


def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Any:
    """Cross-entropy of each element; ``output`` is a probability, or a logit with ``from_logits``."""
    output = ops.convert_to_tensor(output) if not hasattr(output, "dtype") else output
    target = ops.cast(target, output.dtype)
    if from_logits:
        return nn_losses.sigmoid_cross_entropy_with_logits(labels=target, logits=output)
    small, output = settings.epsilon(), _limited(output)
    return -(target * ops.log(output + small) + (1 - target) * ops.log(1 - output + small))


def binary_focal_crossentropy(
    target: Any,
    output: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
) -> Any:
    """Cross-entropy of each element, less where the output is right already."""
    output = ops.convert_to_tensor(output) if not hasattr(output, "dtype") else output
    target = ops.cast(target, output.dtype)
    probability = ops.sigmoid(output) if from_logits else output
    right = target * probability + (1 - target) * (1 - probability)
    loss = ops.power(1.0 - right, gamma) * binary_crossentropy(target, output, from_logits)
    return (target * alpha + (1 - target) * (1 - alpha)) * loss if apply_class_balancing else loss


def categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    """Cross-entropy of distributions along an axis."""
    output = ops.convert_to_tensor(output) if not hasattr(output, "dtype") else output
    target = ops.cast(target, output.dtype)
    if from_logits:
        return nn_losses.softmax_cross_entropy_with_logits(labels=target, logits=output, axis=axis)
    output = output / ops.sum(output, axis=axis, keepdims=True)
    return -ops.sum(target * ops.log(_limited(output)), axis=axis)


def categorical_focal_crossentropy(
    target: Any, output: Any, alpha: Any = 0.25, gamma: float = 2.0, from_logits: bool = False, axis: int = -1
) -> Any:
    """Cross-entropy of distributions along an axis, less where the output is right already."""
    output = ops.convert_to_tensor(output) if not hasattr(output, "dtype") else output
    target = ops.cast(target, output.dtype)
    if from_logits:
        output = ops.softmax(output, axis=axis)
    output = _limited(output / ops.sum(output, axis=axis, keepdims=True))
    weight = ops.power(1.0 - output, gamma) * alpha
    return ops.sum(weight * -target * ops.log(output), axis=axis)


def sparse_categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1, ignore_class: int | None = None
) -> Any:
    """Cross-entropy for class numbers.

    Args:
        target: class numbers.
        output: probabilities, or logits with ``from_logits``.
        from_logits: what ``output`` is.
        axis: axis of the classes.
        ignore_class: a class number whose loss is 0.
    """
    output = ops.convert_to_tensor(output) if not hasattr(output, "dtype") else output
    target = ops.cast(target, "int32")
    if axis not in (-1, len(output.shape) - 1):
        output = ops.moveaxis(output, axis, -1)
    sizes = tuple(output.shape)
    if not from_logits:
        output = ops.log(_limited(output))
    if len(target.shape) != len(sizes) - 1:
        target = ops.reshape(target, (-1,) if len(sizes) == 2 else (-1, *sizes[1:-1]))
    wanted = target if ignore_class is None else ops.where(target == ignore_class, ops.zeros_like(target), target)
    # Probabilities are normalised too: their logarithms count as logits.
    loss = nn_losses.sparse_softmax_cross_entropy_with_logits(labels=wanted, logits=output)
    return loss if ignore_class is None else ops.where(target == ignore_class, ops.zeros_like(loss), loss)


def in_top_k(predictions: Any, targets: Any, k: int) -> Any:
    """Whether each target is among the ``k`` largest predictions of its row."""
    return ops.in_top_k(ops.cast(targets, "int32"), predictions, k)


# --- normalisation -------------------------------------------------------------------------------
def batch_normalization(
    x: Any, mean: Any, var: Any, beta: Any, gamma: Any, axis: int = -1, epsilon: float = 1e-3
) -> Any:
    """``(x - mean) / sqrt(var + epsilon) * gamma + beta``; ``beta`` and ``gamma`` may be None.

    Args:
        x: tensor.
        mean: mean, of one axis or broadcasting.
        var: variance, likewise.
        beta: what is added, likewise.
        gamma: what is multiplied, likewise.
        axis: axis of ``x`` that parameters of one axis belong to.
        epsilon: added to the variance.
    """
    rank = len(x.shape)
    place = axis % rank

    def placed(parameter: Any) -> Any:
        if parameter is None or len(parameter.shape) != 1 or place == rank - 1:
            return parameter
        return ops.reshape(parameter, [-1 if index == place else 1 for index in range(rank)])

    mean, var, beta, gamma = placed(mean), placed(var), placed(beta), placed(gamma)
    scale = ops.rsqrt(var + epsilon)
    if gamma is not None:
        scale = scale * gamma
    found = (x - mean) * scale
    return found if beta is None else found + beta


def normalize_batch_in_training(
    x: Any, gamma: Any, beta: Any, reduction_axes: Any, epsilon: float = 1e-3
) -> tuple[Any, Any, Any]:
    """The batch normalised with its own mean and variance.

    Returns:
        The normalised batch, its mean, its variance. The variance of pictures, reduced to their channels, is divided by
        one less than their number of pixels, as TensorFlow's fused kernel does.
    """
    axes = sorted(axis % len(x.shape) for axis in reduction_axes)
    mean, variance = ops.moments(x, axes=axes, keepdims=True)
    kept = [size for index, size in enumerate(x.shape) if index not in axes]
    shape = tuple(mean.shape)

    def placed(parameter: Any) -> Any:
        return None if parameter is None else ops.reshape(parameter, shape)

    normed = batch_normalization(x, mean, variance, placed(beta), placed(gamma), epsilon=epsilon)
    if len(x.shape) == 4 and axes in ([0, 1, 2], [0, 2, 3]):
        count = math.prod(x.shape[axis] for axis in axes)
        variance = variance * (count / (count - 1)) if count > 1 else variance
    return normed, ops.reshape(mean, kept), ops.reshape(variance, kept)


# --- sequences of labels -------------------------------------------------------------------------
def ctc_batch_cost(y_true: Any, y_pred: Any, input_length: Any, label_length: Any) -> Any:
    """Connectionist temporal classification loss; the last class is the blank.

    Args:
        y_true: labels, (batch, labels).
        y_pred: probabilities, (batch, time, classes).
        input_length: time steps of each sample, (batch, 1).
        label_length: labels of each sample, (batch, 1).

    Returns:
        Loss, (batch, 1).
    """
    logits = ops.log(y_pred + settings.epsilon())
    lengths = [ops.cast(ops.squeeze(length, -1), "int32") for length in (label_length, input_length)]
    loss = ops.ctc_loss(ops.cast(y_true, "int32"), logits, *lengths, mask_index=logits.shape[-1] - 1)
    return ops.expand_dims(loss, 1)


def ctc_label_dense_to_sparse(labels: Any, label_lengths: Any) -> sparse.SparseTensor:
    """Labels within their lengths as a sparse tensor.

    Args:
        labels: (batch, labels).
        label_lengths: (batch,).
    """
    values = np.asarray(labels)
    inside = np.arange(values.shape[1])[None, :] < np.asarray(label_lengths)[:, None]
    return sparse.SparseTensor(np.argwhere(inside), values[inside], values.shape)


def ctc_decode(
    y_pred: Any, input_length: Any, greedy: bool = True, beam_width: int = 100, top_paths: int = 1
) -> tuple[list[Any], Any]:
    """Labels behind the outputs of a network; the last class is the blank.

    Args:
        y_pred: probabilities, (batch, time, classes).
        input_length: time steps of each sample, (batch,).
        greedy: the best class of each step, or a beam search.
        beam_width: sequences kept by the search.
        top_paths: sequences that the search returns.

    Returns:
        A list of labels, each (batch, time) with -1 behind the end, and their scores.
    """
    logits = ops.log(y_pred + settings.epsilon())
    strategy = "greedy" if greedy else "beam_search"
    labels, scores = ops.ctc_decode(
        logits,
        ops.cast(input_length, "int32"),
        strategy=strategy,
        beam_width=beam_width,
        top_paths=top_paths,
        mask_index=logits.shape[-1] - 1,
    )
    return [labels[index] for index in range(1 if greedy else top_paths)], scores
