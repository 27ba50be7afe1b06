"""A model that was compiled but never trained comes back from its file, whoever wrote it."""

import keras as oracle
import numpy as np
import pytest

from hornbeam import keras


@pytest.mark.parametrize("writer", [keras, oracle], ids=["ours", "keras"])
def test_compiled_but_untrained(writer, tmp_path):
    model = writer.Sequential([writer.Input((6,)), writer.layers.Dense(3)])
    model.compile("adam", "mse", metrics=["mae"])
    model.save(tmp_path / "untrained.keras")
    back = keras.models.load_model(tmp_path / "untrained.keras")
    for got, want in zip(back.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(got, np.asarray(want))
    history = back.fit(np.ones((4, 6)), np.ones((4, 3)), verbose=0)
    assert int(back.optimizer.iterations) == 1 and np.isfinite(history.history["loss"][0])


def test_trained_state_still_comes_back_whole(tmp_path):
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
    model.compile("adam", "mse")
    x, y = np.random.default_rng(0).normal(size=(8, 6)), np.ones((8, 3))
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "m.keras")
    back = keras.models.load_model(tmp_path / "m.keras")
    for one in (model, back):
        one.fit(x, y, verbose=0, shuffle=False)
    for got, want in zip(back.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(got, want)
