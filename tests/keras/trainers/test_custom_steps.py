"""Steps of the user's own: as in TensorFlow's guides, as in Keras's, with two optimizers, compiled or not."""

from __future__ import annotations

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras

RNG = np.random.RandomState(2)
X = RNG.rand(50, 4).astype("float32")
Y = X.sum(axis=1, keepdims=True).astype("float32")
WEIGHT = RNG.rand(50).astype("float32")


def body(model_class):
    inputs = keras.Input((4,))
    model = model_class(inputs, keras.layers.Dense(1)(keras.layers.Dense(3, activation="tanh")(inputs)))
    rng = np.random.RandomState(0)
    model.set_weights([rng.rand(*w.shape).astype("float32") - 0.5 for w in model.get_weights()])
    return model


def trained(model_class, data=(X, Y), **compile_with):
    model = body(model_class)
    model.compile(**{"optimizer": keras.optimizers.Adam(0.02), "loss": "mse", "metrics": ["mae"], **compile_with})
    model.fit(*data, epochs=3, batch_size=16, shuffle=False, verbose=0, validation_data=data)
    return model


def assert_same(one, other):
    assert list(one.history.history) == list(other.history.history)
    for name, values in one.history.history.items():
        assert other.history.history[name] == pytest.approx(values, rel=1e-5), name
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


class TapeAndMetricsLoop(keras.Model):
    """The step of today's guides."""

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(y=y, y_pred=y_pred)
        variables = self.trainable_variables
        gradients = tape.gradient(loss, variables)
        self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss)
            else:
                metric.update_state(y, y_pred)
        return {metric.name: metric.result() for metric in self.metrics}

    def test_step(self, data):
        x, y = data
        y_pred = self(x, training=False)
        loss = self.compute_loss(y=y, y_pred=y_pred)
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss)
            else:
                metric.update_state(y, y_pred)
        return {metric.name: metric.result() for metric in self.metrics}


class CompiledLossAndMinimize(keras.Model):
    """The step of older guides."""

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compiled_loss(y, y_pred, regularization_losses=self.losses)
        self.optimizer.minimize(loss, self.trainable_variables, tape=tape)
        self.compiled_metrics.update_state(y, y_pred)
        return {m.name: m.result() for m in self.metrics}


class ComputeMetrics(keras.Model):
    """The step of Keras itself, spelled out."""

    def train_step(self, data):
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(x, y, y_pred, sample_weight)
        gradients = tape.gradient(loss, self.trainable_weights)
        self.optimizer.apply(gradients, self.trainable_weights)
        self.metrics[0].update_state(loss, sample_weight=tf.shape(x)[0])
        return self.compute_metrics(x, y, y_pred, sample_weight=sample_weight)


@pytest.mark.parametrize("eager", [False, True], ids=["compiled", "eager"])
@pytest.mark.parametrize("kind", [CompiledLossAndMinimize, ComputeMetrics])
def test_steps_written_out_equal_the_built_in_one(kind, eager):
    assert_same(trained(keras.Model), trained(kind, run_eagerly=eager))


def test_steps_that_loop_over_the_metrics():
    # Its mean of the loss counts batches, not samples; the batches must be of equal size for equal numbers.
    data = (X[:48], Y[:48])
    assert_same(trained(keras.Model, data), trained(TapeAndMetricsLoop, data))


def test_weights_reach_a_custom_step_as_a_third_part():
    plain, own = body(keras.Model), body(ComputeMetrics)
    for model in (plain, own):
        model.compile("sgd", "mse", metrics=["mae"], weighted_metrics=["mse"])
        model.fit(X, Y, sample_weight=WEIGHT, epochs=2, verbose=0, shuffle=False)
    assert_same(plain, own)


class OwnMetrics(keras.Model):
    """Metrics as attributes, the ``metrics`` property overridden, no compiled loss."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.loss_tracker = keras.metrics.Mean(name="loss")
        self.mae_metric = keras.metrics.MeanAbsoluteError(name="mae")

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = tf.reduce_mean(tf.square(y - y_pred))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        self.loss_tracker.update_state(loss)
        self.mae_metric.update_state(y, y_pred)
        return {"loss": self.loss_tracker.result(), "mae": self.mae_metric.result()}

    def test_step(self, data):
        x, y = data
        y_pred = self(x, training=False)
        self.loss_tracker.update_state(tf.reduce_mean(tf.square(y - y_pred)))
        self.mae_metric.update_state(y, y_pred)
        return {"loss": self.loss_tracker.result(), "mae": self.mae_metric.result()}

    @property
    def metrics(self):
        return [self.loss_tracker, self.mae_metric]


def test_own_metrics_are_reset_each_epoch():
    data = (X[:48], Y[:48])
    model = body(OwnMetrics)
    model.compile(optimizer=keras.optimizers.Adam(0.02))
    model.fit(*data, epochs=3, batch_size=16, shuffle=False, verbose=0, validation_data=data)
    assert_same(trained(keras.Model, data), model)
    assert model.evaluate(*data, batch_size=16, verbose=0) == pytest.approx(
        [model.history.history["val_loss"][-1], model.history.history["val_mae"][-1]]
    )
    assert model.metrics_names == ["loss", "mae"]


class OwnLoss(keras.Model):
    """``compute_loss`` overridden without the argument ``training``."""

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None):
        return tf.reduce_mean(tf.square(y - y_pred)) * 2.0


def test_compute_loss_of_older_signature():
    model = trained(OwnLoss)
    assert model.evaluate(X, Y, verbose=0)[0] == pytest.approx(
        2 * np.mean((model.predict(X, verbose=0) - Y) ** 2), rel=1e-5
    )


class OwnPrediction(keras.Model):
    """``predict_step`` gives a dict."""

    def predict_step(self, data):
        x = data[0] if isinstance(data, tuple) else data
        outputs = self(x, training=False)
        return {"value": outputs, "doubled": 2 * outputs}


def test_own_predict_step():
    model = body(OwnPrediction)
    found = model.predict(X, batch_size=16, verbose=0)
    assert set(found) == {"value", "doubled"}
    assert found["value"].shape == (50, 1)
    np.testing.assert_allclose(found["doubled"], 2 * found["value"])
    np.testing.assert_allclose(found["value"], body(keras.Model).predict(X, verbose=0), rtol=1e-6)


class Gan(keras.Model):
    """Two models, two optimizers, ``compile`` overridden, no ``call``."""

    def __init__(self, discriminator, generator):
        super().__init__()
        self.discriminator, self.generator = discriminator, generator
        self.d_tracker = keras.metrics.Mean(name="d_loss")
        self.g_tracker = keras.metrics.Mean(name="g_loss")
        self.seeds = keras.random.SeedGenerator(1337)

    def compile(self, d_optimizer, g_optimizer, loss_fn):
        super().compile()
        self.d_optimizer, self.g_optimizer, self.loss_fn = d_optimizer, g_optimizer, loss_fn

    @property
    def metrics(self):
        return [self.d_tracker, self.g_tracker]

    def train_step(self, real):
        if isinstance(real, tuple):
            real = real[0]
        rows = tf.shape(real)[0]
        noise = keras.random.normal((rows, 3), seed=self.seeds)
        mixed = tf.concat([self.generator(noise), real], axis=0)
        labels = tf.concat([tf.ones((rows, 1)), tf.zeros((rows, 1))], axis=0)
        with tf.GradientTape() as tape:
            d_loss = self.loss_fn(labels, self.discriminator(mixed))
        grads = tape.gradient(d_loss, self.discriminator.trainable_weights)
        self.d_optimizer.apply_gradients(zip(grads, self.discriminator.trainable_weights, strict=True))
        with tf.GradientTape() as tape:
            g_loss = self.loss_fn(tf.zeros((rows, 1)), self.discriminator(self.generator(noise)))
        grads = tape.gradient(g_loss, self.generator.trainable_weights)
        self.g_optimizer.apply_gradients(zip(grads, self.generator.trainable_weights, strict=True))
        self.d_tracker.update_state(d_loss)
        self.g_tracker.update_state(g_loss)
        return {"d_loss": self.d_tracker.result(), "g_loss": self.g_tracker.result()}


def gan(eager=False):
    keras.utils.set_random_seed(5)
    discriminator = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(5, activation="relu"), keras.layers.Dense(1)]
    )
    generator = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4)])
    model = Gan(discriminator, generator)
    model.compile(
        keras.optimizers.Adam(0.01), keras.optimizers.SGD(0.1), keras.losses.BinaryCrossentropy(from_logits=True)
    )
    model.run_eagerly = eager
    return model


def test_two_optimizers_and_no_call():
    compiled, eager = gan(), gan(eager=True)
    for model in (compiled, eager):
        model.fit(X, epochs=2, batch_size=16, shuffle=False, verbose=0)
        assert set(model.history.history) == {"d_loss", "g_loss"}
        assert int(model.d_optimizer.iterations) == int(model.g_optimizer.iterations) == 8
    for a, b in zip(compiled.get_weights(), eager.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-6)
    before = compiled.generator.get_weights()[0]
    compiled.g_optimizer.learning_rate = 0.0
    compiled.fit(X, epochs=1, verbose=0)
    np.testing.assert_array_equal(before, compiled.generator.get_weights()[0])


def test_an_option_of_a_second_optimizer_takes_effect():
    model = gan()
    model.fit(X, verbose=0)
    model.g_optimizer.clipvalue = 1e-9
    before = model.generator.get_weights()[0]
    model.fit(X, verbose=0)
    np.testing.assert_allclose(before, model.generator.get_weights()[0], atol=1e-7)


class Counting(keras.Model):
    """Changes a variable of its own in ``call``, and counts traces in Python."""

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(1)
        self.seen = tf.Variable(0, trainable=False)
        self.python_calls = 0

    def call(self, inputs, training=False):
        vars(self)["python_calls"] += 1
        if training:
            self.seen.assign_add(1)
        return self.dense(inputs)


def test_subclass_with_state_is_traced_once_per_shape():
    model = Counting()
    model.compile("sgd", "mse")
    model.fit(X[:48], Y[:48], batch_size=16, epochs=4, verbose=0)
    assert int(model.seen) == 12
    traced = model.python_calls
    model.fit(X[:48], Y[:48], batch_size=16, epochs=4, verbose=0)
    assert model.python_calls == traced
    assert int(model.seen) == 24


def test_layers_frozen_after_the_first_step_go_on_learning_until_compiled_again():
    model = body(keras.Model)
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    model.layers[1].trainable = False
    before = model.get_weights()
    with pytest.warns(UserWarning, match="compile"):
        model.fit(X, Y, verbose=0)
    assert not np.array_equal(before[0], model.get_weights()[0])
    model.compile("sgd", "mse")
    before = model.get_weights()
    model.fit(X, Y, verbose=0)
    np.testing.assert_array_equal(before[0], model.get_weights()[0])
    assert not np.array_equal(before[2], model.get_weights()[2])


def test_a_layer_added_later_takes_part():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    first = model.predict(X, verbose=0)
    model.add(keras.layers.Dense(2))
    assert model.predict(X, verbose=0).shape == (50, 2)
    model.pop()
    np.testing.assert_array_equal(model.predict(X, verbose=0), first)


def test_a_metric_that_returns_its_variable_survives_donation():
    class Largest(keras.metrics.Metric):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.value = self.add_variable((), "zeros", name="value")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.value.assign(tf.maximum(self.value, tf.reduce_max(tf.abs(y_true - y_pred))))

        def result(self):
            return self.value

    class Logs(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.kept = []

        def on_train_batch_end(self, batch, logs=None):
            self.kept.append(logs)

    model, logs = body(keras.Model), Logs()
    model.compile("sgd", "mse", metrics=[Largest(name="largest")])
    model.fit(X, Y, batch_size=10, epochs=2, verbose=0, callbacks=[logs], shuffle=False)
    values = [one["largest"] for one in logs.kept]
    assert values[:5] == sorted(values[:5]) and values[5] < values[4]
    assert model.history.history["largest"] == [values[4], values[9]]


def test_a_step_may_return_one_value_or_a_list():
    class Plain(keras.Model):
        def test_step(self, data):
            x, y = data
            return tf.reduce_mean(tf.abs(self(x) - y))

    model = body(Plain)
    model.compile("sgd", "mse")
    expected = np.abs(model.predict(X, verbose=0) - Y).mean()
    assert model.evaluate(X, Y, batch_size=50, verbose=0) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("where", ["call", "train_step"])
def test_python_decisions_on_tensors_run_eagerly_with_a_warning(where):
    class Decides(keras.Model):
        def call(self, inputs):
            if where == "call" and tf.reduce_sum(inputs) < 0:
                return inputs[:, :1]
            return inputs[:, 1:2] * self.factor

        def train_step(self, data):
            if where == "train_step" and tf.reduce_sum(data[0]) < 0:
                return {}
            return super().train_step(data)

    net = Decides()
    net.factor = net.add_weight((), "ones", name="factor")
    net.compile("sgd", "mse")
    with pytest.warns(
        UserWarning, match="train step of model .* needs the value of a tensor in Python .*line .*reduce_sum"
    ):
        net.fit(X, Y, verbose=0)
    assert int(net.optimizer.iterations) == 2
    net.fit(X, Y, verbose=0)


def test_functions_that_make_train_function_gives():
    net, twin = body(keras.Model), body(keras.Model)
    for model in (net, twin):
        model.compile("sgd", "mse")
    step = net.make_train_function()
    logs = step(iter([(X, Y)]))
    assert float(logs["loss"]) == pytest.approx(twin.train_on_batch(X, Y), rel=1e-6)
    assert int(net.optimizer.iterations) == 1
