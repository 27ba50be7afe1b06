"""Steps of the form `train_step(self, state, data)`, as programs for Keras on JAX write them."""

from __future__ import annotations

import warnings

import jax
import numpy as np
import pytest

from hornbeam import keras
from tests.keras.trainers.test_custom_steps import X, Y, assert_same, body, trained

EVEN = (X[:48], Y[:48])  # batches of one size, as the mean loss of these steps counts each batch alike


class StateInStateOut(keras.Model):
    """Keras's guide for JAX: steps are functions of all state, differentiated by JAX."""

    def loss_and_updates(self, trainable, others, x, y, training=False):
        y_pred, others = self.stateless_call(trainable, others, x, training=training)
        return self.compute_loss(x, y, y_pred), (y_pred, others)

    def measured(self, state, y, y_pred, loss):
        logs, new = {}, []
        for metric in self.metrics:
            values = state[len(new) : len(new) + len(metric.variables)]
            given = (loss,) if metric.name == "loss" else (y, y_pred)
            values = metric.stateless_update_state(values, *given)
            logs[metric.name] = metric.stateless_result(values)
            new += values
        return logs, new

    def train_step(self, state, data):
        trainable, others, of_optimizer, of_metrics = state
        x, y = data
        differentiated = jax.value_and_grad(self.loss_and_updates, has_aux=True)
        (loss, (y_pred, others)), slopes = differentiated(trainable, others, x, y, training=True)
        trainable, of_optimizer = self.optimizer.stateless_apply(of_optimizer, slopes, trainable)
        logs, of_metrics = self.measured(of_metrics, y, y_pred, loss)
        return logs, (trainable, others, of_optimizer, of_metrics)

    def test_step(self, state, data):
        trainable, others, of_metrics = state
        x, y = data
        loss, (y_pred, others) = self.loss_and_updates(trainable, others, x, y)
        logs, of_metrics = self.measured(of_metrics, y, y_pred, loss)
        return logs, (trainable, others, of_metrics)

    def predict_step(self, state, data):
        trainable, others = state
        return self.stateless_call(trainable, others, data[0] if isinstance(data, tuple) else data)


def test_steps_of_state_and_data_train_as_the_plain_ones_do():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        own = trained(StateInStateOut, EVEN)
    plain = trained(keras.Model, EVEN)
    assert_same(own, plain)
    np.testing.assert_allclose(own.predict(X, verbose=0), plain.predict(X, verbose=0), rtol=1e-5)
    np.testing.assert_allclose(own.evaluate(*EVEN, 16, 0), plain.evaluate(*EVEN, 16, 0), rtol=1e-5)


def test_a_state_that_lacks_a_list_is_refused():
    class Short(StateInStateOut):
        def train_step(self, state, data):
            return {}, state[:3]

    model = body(Short)
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="a state of 4 lists"):
        model.fit(X, Y, verbose=0)
