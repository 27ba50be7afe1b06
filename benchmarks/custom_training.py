"""LeNet-5 trained in three ways: plain `fit`, `fit` with an overridden `train_step`, and a loop of one's own.

28x28x1, batches of 32. The loop goes over a `tf.data` pipeline and calls a step under `tf.function`: forward, loss,
`GradientTape`, `optimizer.apply_gradients`, two metrics. The overridden `train_step` does the same inside `fit`.
Each way is timed per training step in the steady state; what counts is also the ratio to plain `fit` of the same
framework. Keras 3 on JAX has no tape: there only plain `fit` is timed.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import digits
from harness import Options, Report, Variant, compare, framework

VARIANTS = [
    Variant("hornbeam", "hornbeam"),
    Variant("tf.keras (Keras 3)", "tf.keras"),
    Variant("tf.keras (Keras 2)", "tf_keras"),
    Variant("Keras 3 on JAX", "keras-jax"),
]
BATCH = 32
PLAIN, OVERRIDDEN, LOOP = "fit, per step", "fit with own train_step, per step", "own loop under tf.function, per step"


def _rows(quick: bool) -> int:
    return 640 if quick else 6400


def _network(keras: Any) -> Any:
    layers = keras.layers
    return keras.Sequential(
        [
            layers.Input((28, 28, 1)),
            layers.Conv2D(6, 5, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(16, 5, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(120, activation="relu"),
            layers.Dense(84, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )


def _own_model(tf: Any) -> Any:
    keras = tf.keras

    class Own(keras.Model):
        def __init__(self, inputs: Any, outputs: Any) -> None:
            super().__init__(inputs, outputs)
            self.loss_of = keras.losses.SparseCategoricalCrossentropy()
            self.mean_loss = keras.metrics.Mean(name="loss")
            self.accuracy = keras.metrics.SparseCategoricalAccuracy(name="accuracy")

        @property
        def metrics(self) -> list[Any]:
            return [self.mean_loss, self.accuracy]

        def train_step(self, data: Any) -> dict[str, Any]:
            images, labels = data
            with tf.GradientTape() as tape:
                found = self(images, training=True)
                loss = self.loss_of(labels, found)
            gradients = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))  # noqa: B905
            self.mean_loss.update_state(loss)
            self.accuracy.update_state(labels, found)
            return {metric.name: metric.result() for metric in self.metrics}

    network = _network(keras)
    model = Own(network.inputs, network.outputs[0])
    model.compile(optimizer=keras.optimizers.Adam())
    return model


def _plain_model(keras: Any) -> Any:
    model = _network(keras)
    model.compile(keras.optimizers.Adam(), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def _time_fit(keras: Any, report: Report, metric: str, model: Any, data: tuple[Any, Any], repeats: int) -> None:
    ends: list[float] = []

    class Clock(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            ends.append(time.perf_counter())

    history = model.fit(*data, batch_size=BATCH, epochs=1 + repeats, verbose=0, callbacks=[Clock()]).history
    ends[-1] = time.perf_counter()
    scale = 1e6 / (len(data[0]) // BATCH)
    report.values(metric, "us", [(after - before) * scale for before, after in pairwise(ends)])
    report.check(**{f"loss ({metric.split(',')[0]})": history["loss"][-1]})


def _loop(tf: Any, data: tuple[Any, Any]) -> Callable[[], float]:
    keras = tf.keras
    model, optimizer = _network(keras), keras.optimizers.Adam()
    loss_of = keras.losses.SparseCategoricalCrossentropy()
    mean_loss, accuracy = keras.metrics.Mean(), keras.metrics.SparseCategoricalAccuracy()
    batches = tf.data.Dataset.from_tensor_slices(data).batch(BATCH, drop_remainder=True).cache().prefetch(2)

    @tf.function
    def step(images: Any, labels: Any) -> None:
        with tf.GradientTape() as tape:
            found = model(images, training=True)
            loss = loss_of(labels, found)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))  # noqa: B905
        mean_loss.update_state(loss)
        accuracy.update_state(labels, found)

    def epoch() -> float:
        for images, labels in batches:
            step(images, labels)
        return float(mean_loss.result())  # waits for all steps

    return epoch


def work(name: str, options: Options, report: Report) -> None:
    """Measure one framework."""
    tf, keras = framework(name)
    images, labels = digits.load(_rows(options.quick))
    data = (images.reshape(-1, 28, 28, 1), labels)
    repeats = 2 if options.quick else 5
    with report.attempt(PLAIN):
        _time_fit(keras, report, PLAIN, _plain_model(keras), data, repeats)
    if name == "keras-jax":
        return
    with report.attempt(OVERRIDDEN):
        _time_fit(keras, report, OVERRIDDEN, _own_model(tf), data, repeats)
    with report.attempt(LOOP):
        run = _loop(tf, data)
        report.time(LOOP, run, repeats=repeats, steps=len(images) // BATCH)
        report.check(**{"loss (own loop)": run()})


if __name__ == "__main__":
    sys.exit(compare("LeNet-5 trained in three ways, batches of 32", VARIANTS, work, rows=_rows))
