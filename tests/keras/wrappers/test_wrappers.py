"""``keras.wrappers``: models as estimators of scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from hornbeam import keras

X = np.random.default_rng(0).normal(size=(40, 3)).astype("float32")
QUIET = {"epochs": 2, "verbose": 0}


def network(X, y, width=4, activation=None, loss="mse"):
    inputs = keras.Input((X.shape[1],))
    outputs = keras.layers.Dense(y.shape[1], activation=activation)(
        keras.layers.Dense(width, activation="relu")(inputs)
    )
    model = keras.Model(inputs, outputs)
    model.compile("adam", loss)
    return model


def test_classifier():
    labels = np.where(X[:, 0] > 0, "up", "down")
    options = {"activation": "softmax", "loss": "categorical_crossentropy"}
    found = keras.wrappers.SKLearnClassifier(network, model_kwargs=options, fit_kwargs=QUIET)
    assert found.fit(X, labels) is found
    outputs = found.decision_function(X)
    assert outputs.shape == (40, 2) and list(found.classes_) == ["down", "up"] and found.epoch_ == [0, 1]
    np.testing.assert_array_equal(found.predict(X), found.classes_[outputs.argmax(axis=1)])
    assert 0 <= found.score(X, labels) <= 1
    assert np.isfinite(cross_val_score(make_pipeline(StandardScaler(), found), X, labels, cv=2)).all()
    with pytest.raises(ValueError, match="one class"):
        found.fit(X, np.zeros(40, int))
    with pytest.raises(ValueError, match="of the kind 'continuous'"):
        found.fit(X, X[:, 0])


def test_regressor_trains_a_fresh_copy_of_a_model():
    model = network(X, X[:, :1])
    before = model.get_weights()
    found = keras.wrappers.SKLearnRegressor(model, fit_kwargs=QUIET)
    found.fit(X, X[:, 0])
    assert found.predict(X).shape == (40,)
    for first, second in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)
    copied = clone(found)
    assert copied.model is not model and copied.fit_kwargs == QUIET and not hasattr(copied, "model_")
    with pytest.raises(RuntimeError, match="compiled"):
        keras.wrappers.SKLearnRegressor(keras.Sequential([keras.layers.Dense(1)])).fit(X, X[:, 0])


def test_transformer():
    found = keras.wrappers.SKLearnTransformer(network, fit_kwargs=QUIET).fit(X, X[:, 0])
    assert found.transform(X).shape == (40, 1)


def test_missing_names():
    with pytest.raises(AttributeError, match="SKLearnClassifier"):
        _ = keras.wrappers.SKLearnClasifier
