"""Connectionist temporal classification: the loss, and decoding by the best path or by beam search."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.core.door import op
from hornbeam.ops.promotion import promote, to_dtype

__all__ = ["bounded_ctc_loss", "ctc_decode", "ctc_loss"]

_IMPOSSIBLE = -1e5
"""Log-probability that stands for "impossible" in the recursion of the loss; finite, so that gradients stay numbers."""


@op(static=("mask_index",))
def ctc_loss(target: Any, output: Any, target_length: Any, output_length: Any, mask_index: int = 0) -> jax.Array:
    """Connectionist temporal classification: ``-log`` of the probability of all alignments of the labels.

    Args:
        target: labels, (batch, max labels).
        output: logits, (batch, time, classes).
        target_length: number of labels of each sample, (batch,).
        output_length: number of time steps of each sample, (batch,).
        mask_index: class that stands for the blank.

    Returns:
        Loss per sample, (batch,), in float32 at least. About 1e5 if the labels do not fit into the time steps.

    References: Graves et al. 2006, section 4.1; Keras `ops.ctc_loss`.
    """
    return _ctc(target, output, target_length, output_length, mask_index, _IMPOSSIBLE)


@op(static=("mask_index", "impossible"))
def bounded_ctc_loss(
    target: Any, output: Any, target_length: Any, output_length: Any, mask_index: int = 0, impossible: float = -707.0
) -> jax.Array:
    """``ctc_loss`` with another log-probability for what cannot be: the loss of labels that do not fit is about that.

    Args:
        target: labels, (batch, max labels).
        output: logits, (batch, time, classes).
        target_length: number of labels of each sample, (batch,).
        output_length: number of time steps of each sample, (batch,).
        mask_index: class that stands for the blank.
        impossible: the log-probability; that of TensorFlow by default.
    """
    return _ctc(target, output, target_length, output_length, mask_index, impossible)


def _ctc(
    target: Any, output: Any, target_length: Any, output_length: Any, mask_index: int, impossible: float
) -> jax.Array:
    logits = promote(output, at_least="float32")[0]
    target, target_length, output_length = (to_dtype(part, "int32") for part in (target, target_length, output_length))
    batch, time, classes = logits.shape
    labels = target.shape[1]
    log_prob = jax.nn.log_softmax(logits, axis=-1)
    blank = jnp.swapaxes(log_prob[:, :, mask_index], 0, 1)[:, :, None]
    safe = jnp.broadcast_to(jnp.clip(target, 0, classes - 1)[:, None, :], (batch, time, labels))
    # A label that is no class costs nothing, as in Keras, where its one-hot row is zero.
    known = ((target >= 0) & (target < classes))[:, None, :]
    emitted = jnp.swapaxes(jnp.where(known, jnp.take_along_axis(log_prob, safe, axis=2), 0), 0, 1)
    running = jnp.swapaxes(jnp.arange(time)[None, :] < output_length[:, None], 0, 1)[:, :, None]
    # A label equal to the one before it needs a blank between them.
    again = jnp.pad((target[:, 1:] == target[:, :-1]).astype(logits.dtype), ((0, 0), (0, 1)))

    def entering(waiting: jax.Array, arriving: jax.Array) -> jax.Array:
        return jnp.concatenate([waiting[:, :1], jnp.logaddexp(waiting[:, 1:], arriving)], axis=1)

    # waiting[n]: n labels are done and the last step was blank; fresh[n]: label n was emitted just now.
    def step(state: tuple, inputs: tuple) -> tuple:
        waiting, fresh = state
        emit, rest, alive = inputs
        ready = entering(waiting, fresh + impossible * again)
        next_fresh = jnp.logaddexp(ready[:, :-1], fresh) + emit
        next_waiting = entering(ready + rest, fresh + rest + impossible * (1 - again))
        return (jnp.where(alive, next_waiting, waiting), jnp.where(alive, next_fresh, fresh)), None

    waiting = jnp.full((batch, labels + 1), impossible, logits.dtype).at[:, 0].set(0)
    fresh = jnp.full((batch, labels), impossible, logits.dtype)
    (waiting, fresh), _ = jax.lax.scan(step, (waiting, fresh), (emitted, blank, running))
    done = entering(waiting, fresh)
    counted = jnp.clip(target_length, 0, labels)[:, None]
    return -jnp.take_along_axis(done, counted, axis=1)[:, 0]


# --- decoding ------------------------------------------------------------------------------------
@op(static=("strategy", "beam_width", "top_paths", "merge_repeated", "mask_index"))
def ctc_decode(
    inputs: Any,
    sequence_lengths: Any,
    strategy: str = "greedy",
    beam_width: int = 100,
    top_paths: int = 1,
    merge_repeated: bool = True,
    mask_index: int | None = 0,
) -> tuple[jax.Array, jax.Array]:
    """Labels behind the outputs of a network trained with ``ctc_loss``.

    Args:
        inputs: logits, (batch, time, classes).
        sequence_lengths: number of time steps of each sample, (batch,).
        strategy: ``"greedy"`` takes the best class of each step, ``"beam_search"`` the best label sequences.
        beam_width: label sequences kept at each step of the beam search.
        top_paths: sequences returned by the beam search.
        merge_repeated: greedy only: merge runs of one class.
        mask_index: class that stands for the blank; None for the last one.

    Returns:
        Labels (paths, batch, time), -1 after the end, and scores: greedy (batch, 1), the negated sum of the best
        logits; beam search (batch, top_paths), log-probabilities.

    References: Keras `ops.ctc_decode`.
    """
    logits = promote(inputs, at_least="float32")[0]
    lengths = to_dtype(sequence_lengths, "int32")
    blank = logits.shape[-1] - 1 if mask_index is None else mask_index
    if strategy == "greedy":
        return _best_path(logits, lengths, merge_repeated, blank)
    if strategy == "beam_search":
        return _beam_search(logits, lengths, beam_width, top_paths, blank)
    raise ValueError(f"ctc_decode(): unknown strategy {strategy!r}. Choose 'greedy' or 'beam_search'.")


def _best_path(logits: jax.Array, lengths: jax.Array, merge_repeated: bool, blank: int) -> tuple[jax.Array, jax.Array]:
    over = jnp.arange(logits.shape[1])[None, :] >= lengths[:, None]
    scores = -jnp.sum(jnp.where(over, 0, jnp.max(logits, axis=-1)), axis=1, keepdims=True)
    best = jnp.where(over, blank, jnp.argmax(logits, axis=-1).astype(jnp.int32))
    silent = best == blank
    if merge_repeated:
        silent = silent | jnp.pad(best[:, 1:] == best[:, :-1], ((0, 0), (1, 0)))
    # A stable sort by "is silent" moves the labels to the front and keeps their order.
    order = jnp.argsort(silent, axis=-1, stable=True)
    labels = jnp.take_along_axis(jnp.where(silent, -1, best), order, axis=-1)
    return labels[None], scores


def _beam_search(
    logits: jax.Array, lengths: jax.Array, width: int, top_paths: int, blank: int
) -> tuple[jax.Array, jax.Array]:
    _, time, classes = logits.shape
    # Sorting breaks ties in favour of the last entry; with classes reversed that is the lowest, as in Keras.
    log_prob = jax.nn.log_softmax(logits, axis=-1)[:, :, ::-1]
    blank = classes - 1 - blank
    running = jnp.arange(time)[None, :] < lengths[:, None]
    rows = 2 * width * classes

    def summed(groups: jax.Array, scores: jax.Array) -> jax.Array:
        """Log of the summed probabilities of each group of equal paths."""
        top = jnp.max(scores)
        return jnp.log(jnp.zeros_like(scores).at[groups].add(jnp.exp(scores - top))) + top

    def grouped(paths: jax.Array) -> tuple[jax.Array, jax.Array]:
        unique, groups = jnp.unique(paths, return_inverse=True, size=rows, axis=0, fill_value=-1)
        return unique, groups.reshape(-1)

    # State: each path twice, ended by its last label (first half) and by a blank (second half), with scores.
    def extended(state: tuple, step: jax.Array) -> tuple:
        paths, scores, silent = (jnp.repeat(part, classes, axis=0) for part in state)
        end = jnp.argmax(paths == -1, axis=1)
        last = jnp.where(end == 0, -1, paths[jnp.arange(rows), end - 1])
        added = jnp.tile(jnp.arange(classes, dtype=jnp.int32).at[blank].set(-1), 2 * width)
        now_silent = added == -1
        added = jnp.where(~silent & (last == added), -1, added)
        return paths.at[jnp.arange(rows), end].set(added), scores + jnp.tile(step, 2 * width), now_silent

    def pruned(paths: jax.Array, scores: jax.Array, silent: jax.Array) -> tuple:
        unique, groups = grouped(paths)
        voiced_scores = summed(groups, jnp.where(silent, -jnp.inf, scores))
        silent_scores = summed(groups, jnp.where(silent, scores, -jnp.inf))
        kept = jnp.argsort(jnp.logaddexp(voiced_scores, silent_scores))[-width:]
        half = jnp.arange(2 * width) >= width
        return jnp.tile(unique[kept], (2, 1)), jnp.concatenate([voiced_scores[kept], silent_scores[kept]]), half

    def one_sample(first: jax.Array, steps: jax.Array, alive: jax.Array) -> tuple[jax.Array, jax.Array]:
        count = min(classes, width)
        best = jnp.argsort(first)[-count:].astype(jnp.int32)
        paths = jnp.full((2 * width, time), -1, jnp.int32).at[:count, 0].set(jnp.where(best == blank, -1, best))
        scores = jnp.full((2 * width,), -jnp.inf, first.dtype).at[:count].set(first[best])

        def step(state: tuple, inputs: tuple) -> tuple:
            values, go_on = inputs
            return jax.lax.cond(go_on, lambda s: pruned(*extended(s, values)), lambda s: s, state), None

        (paths, scores, _), _ = jax.lax.scan(step, (paths, scores, paths[:, 0] == -1), (steps, alive))
        unique, groups = grouped(paths)
        total = summed(groups, scores)
        chosen = jnp.argsort(total)[-top_paths:][::-1]
        return unique[chosen], total[chosen]

    paths, scores = jax.vmap(one_sample)(log_prob[:, 0], log_prob[:, 1:], running[:, 1:])
    return jnp.swapaxes(jnp.where(paths == -1, -1, classes - 1 - paths), 0, 1), scores
