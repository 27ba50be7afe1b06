"""Losses over drawn classes, and the samplers that draw them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logsumexp

import hornbeam as tf

RNG = np.random.RandomState(3)
WEIGHTS, BIASES, INPUTS = RNG.randn(9, 4), RNG.randn(9), RNG.randn(5, 4)
LABELS = RNG.randint(0, 9, (5, 2))
SAMPLED = np.array([0, 3, 7, 1])
OF_TRUE, OF_SAMPLED = RNG.uniform(0.1, 0.9, (5, 2)), RNG.uniform(0.1, 0.9, 4)


def logits(hits):
    true = np.einsum("bd,btd->bt", INPUTS, WEIGHTS[LABELS]) + BIASES[LABELS] - np.log(OF_TRUE)
    others = INPUTS @ WEIGHTS[SAMPLED].T + BIASES[SAMPLED] - np.log(OF_SAMPLED)
    if hits:
        others[(LABELS[:, :, None] == SAMPLED).any(1)] = -np.inf
    return true, others


def given():
    arrays = [value.astype("float32") for value in (WEIGHTS, BIASES)]
    values = (SAMPLED, OF_TRUE.astype("float32"), OF_SAMPLED.astype("float32"))
    return (*arrays, LABELS, INPUTS.astype("float32"), 4, 9, 2, values)


@pytest.mark.parametrize("hits", [False, True])
def test_losses_of_given_samples_against_numpy(hits):
    true, others = logits(hits)
    softmax = logsumexp(np.concatenate([true, others], 1), axis=1) - true.mean(1)
    nce = (np.logaddexp(0, true) - true / 2).sum(1) + np.logaddexp(0, others).sum(1)
    np.testing.assert_allclose(tf.nn.sampled_softmax_loss(*given(), remove_accidental_hits=hits), softmax, rtol=1e-5)
    np.testing.assert_allclose(tf.nn.nce_loss(*given(), remove_accidental_hits=hits), nce, rtol=1e-5)


def test_drawn_losses_train_in_a_compiled_step():
    table = tf.Variable(WEIGHTS.astype("float32"))

    @tf.function
    def step(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.nce_loss(table, tf.zeros(9), LABELS[:, :1], x, num_sampled=3, num_classes=9))
        return loss, tape.gradient(loss, table)

    loss, slope = step(INPUTS.astype("float32"))
    assert np.isfinite(float(loss))
    assert np.abs(slope).sum() > 0
    assert not np.array_equal(step(INPUTS.astype("float32"))[0], loss)


def test_falling_probabilities():
    probability = np.log1p(1 / (np.arange(6) + 1)) / np.log(7)
    drawn, of_true, of_drawn = tf.random.log_uniform_candidate_sampler([[0], [5]], 1, 4000, False, 6, seed=1)
    np.testing.assert_allclose(np.bincount(drawn, minlength=6) / 4000, probability, atol=0.03)
    np.testing.assert_allclose(np.ravel(of_true), 4000 * probability[[0, 5]], rtol=1e-5)
    np.testing.assert_allclose(of_drawn, 4000 * probability[drawn.numpy()], rtol=1e-5)
    assert (drawn.dtype, of_true.shape) == ("int64", (2, 1))


def test_each_class_once():
    tf.random.set_seed(1)
    found, of_true = np.zeros(6), 0.0
    for _ in range(300):
        drawn, true, _ = tf.random.log_uniform_candidate_sampler([[2]], 1, 3, True, 6)
        assert len(set(drawn.numpy().tolist())) == 3
        found[drawn.numpy()] += 1
        of_true += float(true[0, 0])
    # On average a class is found as often as the sampler says.
    assert found[2] / 300 == pytest.approx(of_true / 300, abs=0.08)
    _, _, uniform = tf.random.uniform_candidate_sampler([[2]], 1, 6, True, 6)
    assert ((uniform.numpy() > 0.5) & (uniform.numpy() <= 1)).all()


def test_impossible_samples_are_refused():
    with pytest.raises(ValueError, match="7 different classes cannot be drawn from 6"):
        tf.random.uniform_candidate_sampler([[2]], 1, 7, True, 6)
    with pytest.raises(ValueError, match="num_true=2"):
        tf.random.uniform_candidate_sampler([[2]], 2, 3, True, 6)
