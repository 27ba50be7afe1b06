"""Models that Keras 2 offered ready-made; the numbers are those of tf_keras 2.21."""

from __future__ import annotations

import numpy as np
import pytest

from hornbeam import keras
from tests.compat.spellings import no_notes, old_spellings  # noqa: F401 - fixtures

RNG = np.random.RandomState(0)
X = RNG.randn(64, 4).astype("float32")
Y = (X @ RNG.randn(4, 1)).astype("float32")
X2 = RNG.randn(64, 3).astype("float32")


def network():
    small = keras.initializers.Constant(0.1)
    return keras.Sequential(
        [
            keras.layers.Dense(5, "relu", kernel_initializer=small),
            keras.layers.Dense(1, kernel_initializer="ones"),
        ]
    )


def losses(model, x, y, optimizer, epochs=3, **options):
    model.compile(optimizer, "mse", **options)
    return model.fit(x, y, epochs=epochs, shuffle=False, verbose=0).history["loss"]


def test_linear_model():
    model = keras.models.LinearModel(kernel_regularizer="l2")
    np.testing.assert_allclose(losses(model, X, Y, "sgd"), [5.65414, 5.15714, 4.70551], atol=2e-5)
    assert [weight.shape for weight in model.get_weights()] == [(4, 1), (1,)]
    model = keras.models.LinearModel(units=2)
    found = losses(model, {"b": X, "a": X2}, np.hstack([Y, Y]), "sgd", epochs=2)
    np.testing.assert_allclose(found, [5.710318, 5.440475], atol=2e-5)
    assert [weight.shape for weight in model.get_weights()] == [(3, 2), (4, 2), (2,)]
    with pytest.raises(ValueError, match="inputs"):
        model({"a": X2})


def test_wide_and_deep(tmp_path):
    model = keras.models.WideDeepModel(keras.models.LinearModel(), network(), activation="tanh")
    found = losses(model, [X, X2], Y, ["sgd", "adam"])
    np.testing.assert_allclose(found, [5.61364, 5.24181, 4.93748], atol=3e-5)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.predict([X, X2], verbose=0), model.predict([X, X2], verbose=0))
    assert [type(one).__name__ for one in again._optimizer_pair] == ["SGD", "Adam"]
    model = keras.models.WideDeepModel(keras.models.LinearModel(), network(), activation="tanh")
    np.testing.assert_allclose(losses(model, [X, X2], Y, "rmsprop"), [5.6938, 5.63407, 5.59098], atol=3e-5)
    with pytest.raises(ValueError, match="two"):
        model.compile(["sgd"], "mse")


@pytest.mark.parametrize(
    ("splits", "expected", "total"),
    [(None, [9.01001, 7.03305, 5.96061], 1.288706), (4, [8.35047, 5.77209, 5.75224], 5.59643)],
)
def test_sharpness_aware_minimization(splits, expected, total, tmp_path):
    model = keras.models.SharpnessAwareMinimization(network(), rho=0.1, num_batch_splits=splits)
    np.testing.assert_allclose(losses(model, X, Y, "sgd"), expected, atol=2e-5)
    predicted = model.predict(X, verbose=0)
    np.testing.assert_allclose(np.abs(predicted).sum(), total, rtol=2e-4)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert (again.rho, again.num_batch_splits) == (0.1, splits)
    np.testing.assert_array_equal(again.predict(X, verbose=0), predicted)
