"""``keras.wrappers.scikit_learn``."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, cross_val_score

from hornbeam import keras
from hornbeam.compat.old_sklearn import KerasClassifier, KerasRegressor

X = np.random.default_rng(0).normal(size=(30, 3)).astype("float32")
LABELS = np.where(X[:, 0] > 0, "up", "down")

pytestmark = pytest.mark.filterwarnings("ignore:keras.wrappers.scikit_learn")


def classifier(width=4, units=1):
    out = keras.layers.Dense(units, activation="sigmoid" if units == 1 else "softmax")
    model = keras.Sequential([keras.layers.Dense(width, activation="relu", input_shape=(3,)), out])
    loss = "binary_crossentropy" if units == 1 else "categorical_crossentropy"
    model.compile("adam", loss, metrics=["accuracy"])
    return model


def regressor():
    model = keras.Sequential([keras.layers.Dense(1, input_shape=(3,))])
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize("units", [1, 2])
def test_classifier(units):
    found = KerasClassifier(build_fn=classifier, units=units, epochs=2, batch_size=10, verbose=0)
    history = found.fit(X, LABELS)
    assert len(history.history["loss"]) == 2 and list(found.classes_) == ["down", "up"]
    numbers = found.predict_proba(X)
    assert numbers.shape == (30, 2)
    np.testing.assert_allclose(numbers.sum(axis=1), 1, rtol=1e-5)
    labels = found.predict(X)
    np.testing.assert_array_equal(labels.reshape(-1), found.classes_[numbers.argmax(axis=1)])
    assert found.score(X, LABELS) == pytest.approx(np.mean(labels.reshape(-1) == LABELS), abs=1e-6)


def test_regressor_scores_minus_the_loss():
    found = KerasRegressor(regressor, epochs=1, verbose=0)
    found.fit(X, X[:, 0])
    assert found.predict(X).shape == (30,)
    assert found.score(X, X[:, 0], verbose=0) == pytest.approx(-np.mean((found.predict(X) - X[:, 0]) ** 2), rel=1e-4)


def test_parameters_and_searches():
    found = KerasClassifier(classifier, width=3, verbose=0)
    assert found.get_params() == {"build_fn": classifier, "width": 3, "verbose": 0}
    with pytest.raises(ValueError, match="depth"):
        KerasClassifier(classifier, depth=3)
    search = GridSearchCV(KerasClassifier(classifier, verbose=0), {"width": [2, 4]}, cv=2).fit(
        X, (X[:, 0] > 0).astype(int)
    )
    assert search.best_params_["width"] in (2, 4)
    assert np.isfinite(cross_val_score(KerasRegressor(regressor, verbose=0), X, X[:, 0], cv=2)).all()
