"""A name that may come first among positional arguments."""

from __future__ import annotations

import numpy as np

import hornbeam as tf
from hornbeam import keras


def test_weights_of_layers_and_metrics_may_be_named_first():
    class Own(keras.layers.Layer):
        def build(self, input_shape):
            self.a = self.add_weight("a", shape=[int(input_shape[-1]), 2])
            self.b = self.add_weight("b", (2,), "float32", "ones")
            self.c = self.add_weight((2,), "ones", name="c")

        def call(self, x):
            return tf.matmul(x, self.a) + self.b

    layer = Own()
    assert layer(np.ones((1, 3), "float32")).shape == (1, 2)
    assert [(w.name, tuple(w.shape)) for w in layer.weights] == [("a", (3, 2)), ("b", (2,)), ("c", (2,))]
    assert layer.b.numpy().tolist() == [1.0, 1.0]

    class Counted(keras.metrics.Metric):
        def __init__(self):
            super().__init__()
            self.pair = self.add_weight("pair", shape=(2,), initializer="ones")
            self.one = self.add_weight("one")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.one.assign_add(1.0)

        def result(self):
            return tf.reduce_sum(self.pair) + self.one

    metric = Counted()
    metric.update_state(1, 2)
    assert float(metric.result()) == 3.0


def test_the_name_l1_l2_asks_for_both_penalties():
    penalty = keras.regularizers.get("l1_l2")
    assert np.isclose(float(penalty(np.array([[1.0, -2.0], [3.0, 4.0]], "float32"))), 0.4)


def test_a_scalar_output_is_predicted_as_a_scalar_per_batch():
    inputs = keras.Input((4,))
    model = keras.Model(inputs, keras.ops.mean(inputs))
    assert model.predict(np.ones((3, 4)), verbose=0).shape == ()
    assert model.predict(np.ones((64, 4)), verbose=0).tolist() == [1.0, 1.0]
