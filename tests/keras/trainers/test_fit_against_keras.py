"""``fit``, ``evaluate`` and ``predict`` beside the real Keras: equal numbers, names and orders."""

from __future__ import annotations

import numpy as np
import pytest

from hornbeam import keras as ours
from tests.keras.trainers.twins import Twins, compare, theirs

RNG = np.random.RandomState(0)
X = RNG.rand(70, 4).astype("float32")
Y = (X.sum(axis=1, keepdims=True) > 2).astype("float32")
CLASSES = (X[:, 0] * 3).astype("int64")
WEIGHT = RNG.rand(70).astype("float32")


def mlp(keras):
    layers = keras.layers
    return keras.Sequential(
        [layers.Input((4,)), layers.Dense(8, activation="tanh"), layers.Dense(1, activation="sigmoid")]
    )


def classifier(keras):
    layers = keras.layers
    return keras.Sequential(
        [layers.Input((4,)), layers.Dense(6, activation="relu"), layers.Dense(3, activation="softmax")]
    )


def binary(keras, **more):
    return {
        "optimizer": keras.optimizers.Adam(0.02),
        "loss": "binary_crossentropy",
        "metrics": ["accuracy", "AUC"],
        **more,
    }


@pytest.mark.parametrize(
    "optimizer",
    ["sgd", "adam", lambda k: k.optimizers.SGD(0.1, momentum=0.9, nesterov=True, clipnorm=0.5)],
    ids=["sgd", "adam", "clipped momentum"],
)
def test_several_epochs_with_a_short_last_batch(optimizer):
    twins = Twins(
        mlp,
        lambda k: {
            "optimizer": optimizer(k) if callable(optimizer) else optimizer,
            "loss": "binary_crossentropy",
            "metrics": ["accuracy", "mae"],
        },
    )
    twins.fit(X, Y, epochs=3, batch_size=16)
    twins.evaluate(X, Y, batch_size=16)
    twins.predict(X, batch_size=16)


@pytest.mark.parametrize("spec", ["accuracy", "sparse", "objects", "function", "none"])
def test_metrics_of_a_classifier(spec):
    def arguments(k):
        metrics = {
            "accuracy": ["accuracy", "acc"],
            "sparse": ["sparse_categorical_accuracy", "SparseTopKCategoricalAccuracy"],
            "objects": [k.metrics.SparseCategoricalAccuracy(name="hit"), k.metrics.SparseCategoricalCrossentropy()],
            "function": [k.metrics.sparse_categorical_accuracy, k.losses.SparseCategoricalCrossentropy(name="again")],
            "none": None,
        }[spec]
        return {"optimizer": "adam", "loss": "sparse_categorical_crossentropy", "metrics": metrics}

    twins = Twins(classifier, arguments)
    twins.fit(X, CLASSES, epochs=2, batch_size=32, validation_data=(X[:20], CLASSES[:20]))
    twins.evaluate(X, CLASSES)


@pytest.mark.parametrize(("steps_per_execution", "eager"), [(1, False), (3, False), ("auto", True)])
def test_weights_and_weighted_metrics(steps_per_execution, eager):
    def arguments(k):
        # The real Keras runs as usual: what is compared are the ways to run here.
        own = k is ours
        return binary(
            k,
            metrics=["mae"],
            weighted_metrics=["mse", "accuracy"],
            run_eagerly=eager and own,
            steps_per_execution=steps_per_execution if own else 1,
        )

    twins = Twins(mlp, arguments)
    twins.fit(X, Y, sample_weight=WEIGHT, epochs=2, batch_size=16, validation_data=(X[:30], Y[:30], WEIGHT[:30]))
    twins.evaluate(X, Y, sample_weight=WEIGHT, batch_size=32)
    twins.fit(X, Y, class_weight={0: 0.5, 1: 3.0}, epochs=2, batch_size=20)


def test_jit_compile_false_equals_compiled():
    twins = Twins(mlp, lambda k: binary(k, jit_compile=k is not ours))
    twins.fit(X, Y, epochs=2)


def test_weights_by_time_step_and_masks():
    x = RNG.randint(0, 5, (20, 6))
    y = RNG.rand(20, 6, 1).astype("float32")
    weight = RNG.rand(20, 6).astype("float32")

    def build(k):
        return k.Sequential(
            [k.layers.Input((6,), dtype="int32"), k.layers.Embedding(5, 3, mask_zero=True), k.layers.Dense(1)]
        )

    # No metrics in fit: there Keras on JAX loses the mask on its way to them (in evaluate it does not).
    twins = Twins(build, lambda k: {"optimizer": "sgd", "loss": "mse"})
    twins.fit(x, y, epochs=2, batch_size=8)
    twins.fit(x, y, sample_weight=weight, epochs=2, batch_size=8)
    twins.evaluate(x, y, sample_weight=weight)
    for model, keras in ((twins.theirs, theirs), (twins.ours, ours)):
        model.compile(keras.optimizers.SGD(0.0), "mse", metrics=["mae"], weighted_metrics=["mse"])
    twins.evaluate(x, y)
    masked = twins.evaluate(x, y, sample_weight=weight, batch_size=20)
    assert twins.ours.fit(x, y, sample_weight=weight, batch_size=20, verbose=0).history["mae"] == [
        pytest.approx(masked["mae"])
    ]


def test_validation_split_frequency_steps_and_batch_size():
    twins = Twins(mlp, binary)
    twins.fit(X, Y, epochs=3, validation_split=0.3, validation_freq=2)
    twins.fit(X, Y, epochs=3, validation_split=0.3, validation_freq=[1, 3], validation_batch_size=5)
    twins.fit(X, Y, epochs=2, validation_data=(X, Y), validation_steps=2, validation_batch_size=8)
    twins.fit(X, Y, epochs=2, validation_data=(X, Y), validation_steps=4)
    twins.fit(X, Y, sample_weight=WEIGHT, epochs=1, validation_split=0.5)


def test_initial_epoch_and_zero_epochs():
    twins = Twins(mlp, binary)
    twins.fit(X, Y, epochs=5, initial_epoch=3)
    twins.fit(X, Y, epochs=2, initial_epoch=2)


@pytest.mark.filterwarnings("ignore:.*ran out of data")
@pytest.mark.parametrize(("steps", "batch_size"), [(2, 8), (9, 8), (5, 16), (4, None), (3, 32)])
def test_steps_per_epoch_goes_on_over_epochs(steps, batch_size):
    twins = Twins(mlp, binary)
    twins.fit(X, Y, epochs=5, steps_per_epoch=steps, batch_size=batch_size)


def test_regularizers_and_added_losses():
    def build(k):
        class Penalty(k.layers.Layer):
            def call(self, inputs):
                self.add_loss(0.01 * k.ops.sum(k.ops.square(inputs)))
                return inputs

        return k.Sequential(
            [
                k.layers.Input((4,)),
                k.layers.Dense(
                    5, kernel_regularizer="l2", bias_regularizer=k.regularizers.L1(0.1), activity_regularizer="l1"
                ),
                Penalty(),
                k.layers.Dense(1),
            ]
        )

    twins = Twins(build, lambda k: {"optimizer": "adam", "loss": "mse", "metrics": ["mae"]})
    twins.fit(X, Y, epochs=2, batch_size=16)
    twins.evaluate(X, Y)


def test_losses_of_layers_alone():
    def build(k):
        class Penalty(k.layers.Layer):
            def call(self, inputs):
                self.add_loss(k.ops.mean(k.ops.square(inputs)))
                return inputs

        return k.Sequential([k.layers.Input((4,)), k.layers.Dense(5), Penalty()])

    twins = Twins(build, lambda k: {"optimizer": "sgd"})
    twins.fit(X, epochs=2)


def test_batch_normalization_and_its_statistics():
    def build(k):
        return k.Sequential([k.layers.Input((4,)), k.layers.Dense(6), k.layers.BatchNormalization(), k.layers.Dense(1)])

    twins = Twins(build, lambda k: {"optimizer": "sgd", "loss": "mse"})
    twins.fit(X, Y, epochs=3, batch_size=16, validation_data=(X, Y))
    twins.predict(X)


@pytest.mark.filterwarnings("ignore:The model does not have any trainable")
def test_dropout_is_in_force_and_draws_anew_each_step():
    layer = ours.layers.Dropout(0.5, seed=7)
    model = ours.Sequential([ours.layers.Input((1000,)), layer])
    model.compile(
        "sgd", "mse", metrics=[ours.metrics.MeanMetricWrapper(lambda y, p: ours.ops.mean(p == 0), name="zeros")]
    )
    x = np.ones((4, 1000), "float32")
    drops = [model.train_on_batch(x, x, return_dict=True) for _ in range(2)]
    assert all(abs(one["zeros"] - 0.5) < 0.05 for one in drops)
    assert drops[0]["zeros"] != drops[1]["zeros"]
    assert layer.seed_generator.state.numpy().tolist() == [7, 2]
    assert model.evaluate(x, x, verbose=0) == [0.0, 0.0]


@pytest.mark.parametrize("shuffle", [True, "batch"])
def test_equal_seeds_give_the_orders_of_keras(shuffle):
    twins = Twins(mlp, binary)
    histories = []
    for model in (twins.theirs, twins.ours):
        np.random.seed(3)
        model.fit(X, Y, epochs=2, shuffle=shuffle, batch_size=16, verbose=0)
        histories.append(model.history.history)
    for name, values in histories[0].items():
        compare("shuffled history", values, histories[1][name])
    twins.compare_state()


def test_moving_average_of_weights_is_put_in_place_at_the_end():
    twins = Twins(mlp, lambda k: {"optimizer": k.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.8), "loss": "mse"})
    twins.fit(X, Y, epochs=2, batch_size=16)


def test_gradient_accumulation_and_loss_scaling():
    def arguments(k):
        return {
            "optimizer": k.optimizers.Adam(0.01, gradient_accumulation_steps=3, loss_scale_factor=8.0),
            "loss": "mse",
        }

    Twins(mlp, arguments).fit(X, Y, epochs=3, batch_size=16)


def test_learning_rate_schedules():
    def arguments(k):
        return {"optimizer": k.optimizers.SGD(k.optimizers.schedules.ExponentialDecay(0.1, 3, 0.5)), "loss": "mse"}

    Twins(mlp, arguments).fit(X, Y, epochs=3, batch_size=16)


def test_single_batches():
    twins = Twins(mlp, binary)
    for start in (0, 16, 40):
        rows = slice(start, start + 16)
        for method, more in (
            ("train_on_batch", {}),
            ("test_on_batch", {}),
            ("train_on_batch", {"sample_weight": WEIGHT[rows]}),
        ):
            expected = getattr(twins.theirs, method)(X[rows], Y[rows], **more)
            received = getattr(twins.ours, method)(X[rows], Y[rows], **more)
            compare(method, expected, received)
        expected = twins.theirs.train_on_batch(X[rows], Y[rows], class_weight={0: 2.0}, return_dict=True)
        received = twins.ours.train_on_batch(X[rows], Y[rows], class_weight={0: 2.0}, return_dict=True)
        assert list(expected) == list(received)
        compare("train_on_batch", list(expected.values()), list(received.values()))
    twins.compare_state()
    compare("predict_on_batch", twins.theirs.predict_on_batch(X[:7]), twins.ours.predict_on_batch(X[:7]))


def test_single_batches_may_go_on_with_the_metrics():
    model = mlp(ours)
    model.compile("sgd", "mse")
    model.optimizer.learning_rate = 0.0
    first = model.train_on_batch(X[:10], Y[:10])
    both = model.train_on_batch(X[10:20], Y[10:20], reset_metrics=False)
    assert both == pytest.approx(model.evaluate(X[:20], Y[:20], verbose=0), rel=1e-5)
    assert first == pytest.approx(model.evaluate(X[:10], Y[:10], verbose=0), rel=1e-5)


@pytest.mark.parametrize("loss", ["crossentropy", "ce"])
def test_crossentropy_by_the_shapes(loss):
    twins = Twins(classifier, lambda k: {"optimizer": "sgd", "loss": loss})
    twins.fit(X, CLASSES, epochs=1)


def test_several_losses_for_one_output_are_added():
    """(The real Keras takes the first one only, in silence.)"""
    model = mlp(ours)
    model.compile("sgd", ["mse", "mae"], loss_weights=[0.5, 2.0])
    results = model.evaluate(X, Y, return_dict=True, verbose=0)
    error = model.predict(X, verbose=0) - Y
    assert results["mse_loss"] == pytest.approx(np.mean(error**2), rel=1e-5)
    assert results["mae_loss"] == pytest.approx(np.mean(np.abs(error)), rel=1e-5)
    assert results["loss"] == pytest.approx(0.5 * results["mse_loss"] + 2 * results["mae_loss"], rel=1e-5)


def test_mixed_precision_scales_the_loss():
    def build(k):
        return k.Sequential(
            [k.layers.Input((4,)), k.layers.Dense(8, dtype="mixed_float16"), k.layers.Dense(1)], name="m"
        )

    model = build(ours)
    model.dtype_policy = "mixed_float16"
    model.compile("sgd", "mse")
    assert type(model.optimizer).__name__ == "LossScaleOptimizer"
    history = model.fit(X, Y, epochs=2, verbose=0).history["loss"]
    assert history[1] < history[0]
