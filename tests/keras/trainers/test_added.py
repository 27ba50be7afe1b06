"""Losses and metrics added to models and layers: symbolic ones, and values computed in ``call``."""

import json

import numpy as np
import pytest

import hornbeam as tf
import hornbeam.keras as keras
from hornbeam.keras import layers

RNG = np.random.default_rng(0)
X, Y = RNG.random((16, 3), dtype="float32"), RNG.random((16, 1), dtype="float32")


def test_symbolic_losses_and_metrics_of_a_functional_model():
    inputs, targets = keras.Input((3,)), keras.Input((1,))
    outputs = layers.Dense(1)(inputs)
    model = keras.Model([inputs, targets], outputs)
    loss = tf.reduce_mean(tf.abs(outputs - targets))
    model.add_loss(loss)
    model.add_loss(2.0 * tf.reduce_mean(tf.square(outputs - targets)))
    model.add_metric(loss, name="distance", aggregation="mean")
    assert len(model.losses) == 2 and len(model.layers) == 3
    model.compile("sgd")
    found = model.predict([X, Y], verbose=0)
    history = model.fit([X, Y], batch_size=16, epochs=2, verbose=0).history
    distance = np.abs(found - Y).mean()
    np.testing.assert_allclose(history["distance"][0], distance, rtol=1e-5)
    np.testing.assert_allclose(history["loss"][0], distance + 2 * ((found - Y) ** 2).mean(), rtol=1e-5)
    assert history["loss"][1] < history["loss"][0]
    # A call with values leaves values.
    model([X, Y])
    assert [float(one) > 0 for one in model.losses] == [True, True]


def test_layers_that_lead_to_a_loss_only_are_trained():
    inputs = keras.Input((3,))
    hidden = layers.Dense(2)(inputs)
    model = keras.Model(inputs, hidden)
    judge = layers.Dense(1, name="judge")
    model.add_loss(tf.reduce_mean(tf.square(judge(hidden))))
    assert any(one is judge.kernel for one in model.trainable_variables)
    before = np.array(judge.kernel)
    model.compile("sgd")
    model.fit(X, verbose=0)
    assert not np.allclose(before, judge.kernel.numpy())


@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_symbolic_losses_and_metrics_are_saved(tmp_path, suffix):
    inputs = keras.Input((3,))
    shared = layers.Dense(3, "tanh", name="shared")
    hidden = shared(inputs)
    model = keras.Model(inputs, layers.Dense(1)(hidden))
    model.add_loss(0.1 * tf.reduce_mean(tf.square(layers.Dense(1, name="judge")(shared(hidden)))))
    model.add_loss(keras.ops.mean(keras.ops.multiply(hidden, np.array([1, 2, 3], "float32"))))
    model.add_metric(tf.reduce_max(hidden), name="highest", aggregation="mean")
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    model.save(tmp_path / f"model.{suffix}")
    again = keras.models.load_model(tmp_path / f"model.{suffix}")
    wanted = model.evaluate(X, Y, verbose=0, return_dict=True)
    found = again.evaluate(X, Y, verbose=0, return_dict=True)
    assert set(found) == set(wanted) == {"loss", "highest"}
    assert found == pytest.approx(wanted, rel=1e-6)
    assert len(again.losses) == 2 and len(again.trainable_variables) == 6
    copy = keras.models.model_from_json(again.to_json())
    assert len(copy.losses) == 2 and "highest" in {one.name for one in copy.metrics}


def test_losses_and_metrics_that_a_file_holds_as_layers():
    def layer(kind, name, nodes, **config):
        return {"class_name": kind, "config": {"name": name, **config}, "name": name, "inbound_nodes": nodes}

    stored = [
        layer("InputLayer", "x", [], batch_input_shape=[None, 3], dtype="float32"),
        layer("Dense", "dense", [[["x", 0, 0, {}]]], units=2),
        layer("TFOpLambda", "square", [["dense", 0, 0, {}]], function="math.square"),
        layer("TFOpLambda", "mean", [["square", 0, 0, {}]], function="math.reduce_mean"),
        layer("AddLoss", "add_loss", [[["mean", 0, 0, {}]]], unconditional=False),
        layer("AddMetric", "add_metric", [[["mean", 0, 0, {}]]], aggregation="mean", metric_name="level"),
    ]
    config = {"name": "m", "layers": stored, "input_layers": [["x", 0, 0]], "output_layers": [["dense", 0, 0]]}
    text = json.dumps({"class_name": "Functional", "config": config, "keras_version": "2.15.0"})
    model = keras.models.model_from_json(text)
    model.compile("sgd")
    wanted = (model.predict(X, verbose=0) ** 2).mean()
    found = model.evaluate(X, verbose=0, return_dict=True)
    assert found == pytest.approx({"loss": wanted, "level": wanted}, rel=1e-5)


def test_a_symbolic_loss_needs_a_graph():
    with pytest.raises(ValueError, match="symbolic tensor was given to `add_loss`"):
        layers.Dense(1).add_loss(keras.Input((3,)))


class Endpoint(layers.Layer):
    """A layer that holds loss and metric itself."""

    def __init__(self, **options):
        super().__init__(**options)
        self.accuracy = keras.metrics.BinaryAccuracy(name="accuracy")

    def call(self, targets, logits):
        self.add_loss(tf.reduce_mean(tf.square(targets - logits)))
        self.add_metric(self.accuracy(targets, logits), name="ignored")
        self.add_metric(tf.reduce_mean(logits), name="level", aggregation="mean")
        return tf.nn.sigmoid(logits)


def test_metrics_added_in_call_are_reported_once():
    inputs, targets = keras.Input((3,)), keras.Input((1,))
    model = keras.Model([inputs, targets], Endpoint()(targets, layers.Dense(1)(inputs)))
    model.compile("sgd")
    labels = np.round(Y)
    history = model.fit([X, labels], batch_size=4, epochs=1, verbose=0).history
    assert set(history) == {"loss", "accuracy", "level"}
    results = model.evaluate([X, labels], verbose=0, return_dict=True)
    assert set(results) == set(history)
    assert {one.name for one in model.get_layer("endpoint").metrics} >= {"accuracy", "level"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (dict(name="a", aggregation="sum"), "'mean' or None"),
        (dict(name="a"), "outside of `call`"),
        ({}, "needs a name"),
    ],
)
def test_metrics_that_cannot_be_added(arguments, words):
    with pytest.raises(ValueError, match=words):
        layers.Dense(1).add_metric(tf.constant(1.0), **arguments)


class Halving(layers.Layer):
    """Assigns its trainable weight and reads it afterwards."""

    def build(self, input_shape):
        self.scale = self.add_weight(shape=(2,), initializer="ones", name="scale")

    def call(self, inputs):
        self.scale.assign(self.scale * 0.5)
        return inputs * self.scale


@pytest.mark.parametrize("compiled", [False, True])
def test_the_gradient_of_a_read_after_an_assignment_goes_to_the_variable(compiled):
    """As in TensorFlow: not through the assignment, but to the variable, for each read."""
    layer = Halving()
    layer.build((None, 2))
    outside = tf.Variable(1.0)
    given = tf.constant(3.0)

    def step():
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(given)
            first = tf.reduce_sum(layer(tf.constant([[1.0, 2.0]])) ** 2)
            outside.assign(given * 2.0)
            second = outside * outside
        return tape.gradient(first, layer.scale), tape.gradient(second, outside), tape.gradient(second, given)

    of_layer, of_variable, of_given = (tf.function(step) if compiled else step)()
    np.testing.assert_allclose(of_layer.numpy(), [1.0, 4.0])
    assert float(of_variable) == 12.0 and of_given is None


def test_training_a_layer_that_assigns_its_weight():
    model = keras.Sequential([keras.Input((2,)), Halving()])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.fit(np.array([[1.0, 2.0]], "float32"), np.ones((1, 2), "float32"), verbose=0)
    np.testing.assert_allclose(model.layers[0].scale.numpy(), [0.55, 0.5], rtol=1e-6)


class Parts(keras.Model):
    """Returns an inner result beside the last one."""

    def __init__(self):
        super().__init__()
        self.inner, self.outer = layers.Dense(3, "tanh"), layers.Dense(2)

    def call(self, inputs):
        inner = self.inner(inputs)
        return inner, self.outer(inner)


def functional_parts():
    inputs = keras.Input((3,))
    inner = layers.Dense(3, "tanh", name="inner")(inputs)
    whole = keras.Model(inputs, layers.Dense(2)(inner))
    return keras.Model(whole.inputs, [whole.get_layer("inner").output, whole.output])


@pytest.mark.parametrize("make", [Parts, functional_parts])
def test_gradients_between_the_outputs_of_a_model(make):
    model = make()
    # Called before without a tape: its compiled form must not serve the tape.
    model(X)
    weights = model.trainable_variables[2].numpy()

    def gradient(x):
        with tf.GradientTape() as tape:
            inner, outer = model(x)
            score = outer[:, tf.argmax(outer[0])]
        return tape.gradient(score, inner), tf.argmax(outer[0])

    for function in (gradient, tf.function(gradient)):
        found, best = function(tf.constant(X))
        np.testing.assert_allclose(found.numpy(), np.tile(weights[:, int(best)], (16, 1)), rtol=1e-6)
