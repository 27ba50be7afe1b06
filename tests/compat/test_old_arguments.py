"""Old arguments give the same layer, optimizer or run as today's."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.base.errors import NotSupportedError
from hornbeam.compat import notes
from tests.compat.spellings import no_notes, old_spellings  # noqa: F401 - fixtures

layers = keras.layers

SAME = [
    (
        lambda: layers.Dense(output_dim=4, init="uniform", bias=False),
        lambda: layers.Dense(4, kernel_initializer="uniform", use_bias=False),
    ),
    (
        lambda: layers.Dense(4, "glorot_normal", "relu"),
        lambda: layers.Dense(4, "relu", kernel_initializer="glorot_normal"),
    ),
    (
        lambda: layers.Dense(4, W_regularizer="l2", b_constraint="non_neg"),
        lambda: layers.Dense(4, kernel_regularizer="l2", bias_constraint="non_neg"),
    ),
    (lambda: layers.Dropout(p=0.3), lambda: layers.Dropout(0.3)),
    (lambda: layers.GaussianNoise(sigma=0.2), lambda: layers.GaussianNoise(0.2)),
    (lambda: layers.Convolution2D(4, 3, 5), lambda: layers.Conv2D(4, (3, 5))),
    (
        lambda: layers.Convolution2D(4, 3, 3, "he_normal", "relu"),
        lambda: layers.Conv2D(4, (3, 3), kernel_initializer="he_normal", activation="relu"),
    ),
    (lambda: layers.Conv2D(4, 3, 3, border_mode="same"), lambda: layers.Conv2D(4, (3, 3), padding="same")),
    (lambda: layers.Conv2D(4, 3, 3, activation="relu"), lambda: layers.Conv2D(4, 3, strides=3, activation="relu")),
    (lambda: layers.Conv2D(4, 3, nb_col=5), lambda: layers.Conv2D(4, (3, 5))),
    (
        lambda: layers.Conv2D(nb_filter=4, nb_row=3, nb_col=2, subsample=(2, 2), dim_ordering="th"),
        lambda: layers.Conv2D(4, (3, 2), (2, 2), data_format="channels_first"),
    ),
    (
        lambda: layers.AtrousConvolution2D(4, 3, 3, atrous_rate=(2, 2)),
        lambda: layers.Conv2D(4, (3, 3), dilation_rate=(2, 2)),
    ),
    (
        lambda: layers.Deconvolution2D(4, 3, 3, (None, 9, 9, 4), subsample=(2, 2)),
        lambda: layers.Conv2DTranspose(4, (3, 3), (2, 2)),
    ),
    (
        lambda: layers.SeparableConvolution2D(4, 3, 3, init="zero"),
        lambda: layers.SeparableConv2D(4, (3, 3), depthwise_initializer="zero", pointwise_initializer="zero"),
    ),
    (
        lambda: layers.Convolution1D(4, 3, border_mode="causal", subsample_length=2),
        lambda: layers.Conv1D(4, 3, 2, "causal"),
    ),
    (lambda: layers.Convolution3D(4, 2, 3, 4), lambda: layers.Conv3D(4, (2, 3, 4))),
    (lambda: layers.Conv3D(4, kernel_dim1=2, kernel_dim2=3, kernel_dim3=4), lambda: layers.Conv3D(4, (2, 3, 4))),
    (lambda: layers.MaxPooling1D(pool_length=3, stride=2), lambda: layers.MaxPooling1D(3, 2)),
    (
        lambda: layers.MaxPooling2D(border_mode="same", dim_ordering="tf"),
        lambda: layers.MaxPooling2D((2, 2), padding="same", data_format="channels_last"),
    ),
    (lambda: layers.AveragePooling1D(), lambda: layers.AveragePooling1D(2)),
    (lambda: layers.ZeroPadding2D({"top_pad": 1, "right_pad": 3}), lambda: layers.ZeroPadding2D(((1, 0), (0, 3)))),
    (lambda: layers.UpSampling1D(length=3), lambda: layers.UpSampling1D(3)),
    (
        lambda: layers.BatchNormalization(mode=0, beta_init="one", fused=True),
        lambda: layers.BatchNormalization(beta_initializer="one"),
    ),
    (
        lambda: layers.BatchNormalization(1e-5, 0, 1, 0.9),
        lambda: layers.BatchNormalization(axis=1, epsilon=1e-5, momentum=0.9),
    ),
    (
        lambda: layers.Embedding(5, 3, init="zero", W_regularizer="l1"),
        lambda: layers.Embedding(5, 3, embeddings_initializer="zero", embeddings_regularizer="l1"),
    ),
    (lambda: layers.PReLU(init="one"), lambda: layers.PReLU("one")),
    (lambda: layers.Softmax(robust_masking=False), lambda: layers.Softmax()),
]


@pytest.mark.parametrize("old, new", SAME)
def test_old_arguments_make_the_same_layer(old, new):
    first, second = old().get_config(), new().get_config()
    first.pop("name"), second.pop("name")
    assert first == second


REFUSED = [
    lambda: layers.BatchNormalization(mode=1),
    lambda: layers.BatchNormalization(renorm=True),
    lambda: keras.optimizers.Nadam(schedule_decay=0.1),
    lambda: keras.callbacks.ModelCheckpoint("a.keras", load_weights_on_restart=True),
]


@pytest.mark.parametrize("call", REFUSED)
def test_what_changed_results_and_has_no_successor_is_refused_with_advice(call):
    with pytest.raises(NotSupportedError, match="fix:"):
        call()


def test_the_same_argument_under_both_names_is_refused():
    with pytest.raises(TypeError, match="mean the same"):
        layers.Dense(units=3, output_dim=4)
    with pytest.raises(TypeError, match=r"unexpected|nrecognized"):
        layers.Dense(3, outputdim=4)


def test_each_note_is_given_once_at_the_users_line():
    notes.forget()
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        for _ in range(3):
            layers.Dropout(p=0.3)
    assert [str(one.message) for one in seen] == ["Dropout: argument `p` is called `rate` now."]
    assert seen[0].filename == __file__ and seen[0].category is DeprecationWarning


def test_initial_weights_are_set_once_the_layer_is_built():
    kernel, bias = np.arange(6.0).reshape(2, 3), np.ones(3)
    layer = layers.Dense(3, weights=[kernel, bias])
    np.testing.assert_allclose(layer(np.array([[1.0, 2.0]])), [[1.0, 2.0]] @ kernel + bias)
    model = keras.Sequential([layers.Embedding(2, 3, weights=[kernel])])
    np.testing.assert_allclose(model(np.array([[1, 0]])), kernel[None, ::-1])


def test_initializers_of_a_shape_alone_are_taken():
    layer = layers.Dense(3, init=lambda shape, name=None: keras.backend.variable(np.full(shape, 2.0), name=name))
    np.testing.assert_allclose(layer(np.ones((1, 4))), np.full((1, 3), 8.0))


# --- models and optimizers -----------------------------------------------------------------------
X = np.random.default_rng(0).random((24, 3)).astype("float32")
Y = X.sum(axis=1, keepdims=True)


def small() -> keras.Sequential:
    return keras.Sequential([layers.Dense(1, input_dim=3, init="zero")])


@pytest.mark.parametrize("decay", [0.0, 0.5])
def test_decay_divides_a_rate_that_can_still_be_set(decay):
    """One weight, gradient 1: each step subtracts the rate, lr / (1 + decay * step)."""
    optimizer = keras.optimizers.SGD(lr=0.1, decay=decay)
    weight = keras.Variable(0.0)
    expected = 0.0
    for step in range(4):
        if step == 2:
            keras.backend.set_value(optimizer.lr, 0.2)
        optimizer.apply_gradients([(np.float32(1.0), weight)])
        expected -= (0.1 if step < 2 else 0.2) / (1 + decay * step)
    np.testing.assert_allclose(weight, expected, rtol=1e-6)
    optimizer.learning_rate = 0.7
    assert float(np.asarray(keras.backend.get_value(optimizer.lr))) == pytest.approx(0.7)


def test_decay_in_fit_and_in_files():
    model = small()
    model.compile(keras.optimizers.SGD(lr=0.1, decay=0.5), "mse")
    weights, expected = model.get_weights(), []
    kernel, bias = weights[0].astype("float64"), weights[1].astype("float64")
    for step in range(6):
        rows = slice(8 * (step % 3), 8 * (step % 3) + 8)
        error = X[rows] @ kernel + bias - Y[rows]
        rate = 0.1 / (1 + 0.5 * step)
        expected.append(float(np.mean(error**2)))
        kernel = kernel - rate * 2 * X[rows].T @ error / 8
        bias = bias - rate * 2 * error.mean(axis=0)
    model.fit(X, Y, batch_size=8, nb_epoch=2, shuffle=False, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], kernel, rtol=1e-4)
    config = model.optimizer.get_config()["learning_rate"]
    assert config["class_name"] == "InverseTimeDecay" and config["config"]["initial_learning_rate"] == pytest.approx(
        0.1
    )


def test_a_rate_with_decay_follows_a_scheduler():
    model = small()
    model.compile(keras.optimizers.SGD(lr=0.1, decay=1e-6), "mse")
    scheduler = keras.callbacks.LearningRateScheduler(lambda epoch: 0.05 / (epoch + 1))
    history = model.fit(X, Y, nb_epoch=2, verbose=0, callbacks=[scheduler])
    np.testing.assert_allclose(history.history["lr"], [0.05, 0.025], rtol=1e-4)


def test_old_arguments_of_models():
    a, b = layers.Input((3,)), layers.Input((3,))
    model = keras.Model(input=[a, b], output=layers.add([a, b]), name="two")
    assert model.name == "two" and len(model.inputs) == 2
    model = small()
    model.compile("sgd", "mse", ["mae"], class_mode="binary", experimental_run_tf_function=False)
    history = model.fit(X, Y, nb_epoch=2, verbose=0)
    assert set(history.history) == {"loss", "mae"} and history.epoch == [0, 1]
    assert history.history["mean_absolute_error"] == history.history["mae"]
    with pytest.raises(KeyError):
        history.history["acc"]
    model.compile("sgd", ["mse"], [2.0])
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(
        2 * float(np.mean((model.predict(X, verbose=0) - Y) ** 2)), rel=1e-5
    )


def test_show_accuracy_adds_the_metric():
    model = keras.Sequential([layers.Dense(1, input_dim=3, activation="sigmoid")])
    model.compile("sgd", "binary_crossentropy")
    history = model.fit(X, (Y > 1.5).astype("float32"), nb_epoch=2, verbose=0, show_accuracy=True)
    assert set(history.history) == {"loss", "accuracy"}
    assert len(model.evaluate(X, (Y > 1.5).astype("float32"), verbose=0, show_accuracy=True)) == 2


def test_old_arguments_of_functions_and_small_objects():
    assert keras.utils.to_categorical([0, 2], nb_classes=4).shape == (2, 4)
    assert keras.utils.to_categorical(y=[0, 2], dtype="int32").dtype == np.int32
    np.testing.assert_allclose(keras.activations.relu(np.array([-2.0, 1.0]), alpha=0.1), [-0.2, 1.0], rtol=1e-6)
    assert keras.regularizers.l2(l=0.3).get_config() == pytest.approx({"l2": 0.3})
    assert keras.constraints.maxnorm(m=3).get_config()["max_value"] == 3
    assert keras.callbacks.ReduceLROnPlateau(epsilon=0.25).min_delta == 0.25
    assert keras.optimizers.Adam(epsilon=None, jit_compile=False).epsilon == keras.backend.epsilon()
