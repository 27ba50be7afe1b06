"""Metrics of columns beside a loss of class numbers."""

from __future__ import annotations

import numpy as np

from hornbeam import keras


def test_mean_error_of_class_numbers_compares_with_each_column():
    x, y = np.ones((4, 2), "float32"), np.array([0, 1, 2, 1])
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["mae", "acc"])
    found = model.evaluate(x, y, verbose=0, return_dict=True)
    wanted = np.abs(y[:, None] - model.predict(x, verbose=0)).mean()
    np.testing.assert_allclose(found["mae"], wanted, rtol=1e-5)
    assert set(found) == {"loss", "mae", "acc"}
