"""A Keras model behind the calls of an estimator."""

from __future__ import annotations

import numpy as np
import pytest

import hornbeam as tf
from hornbeam.base.errors import NotSupportedError
from hornbeam.compat import estimator

X = np.random.default_rng(0).random((32, 2)).astype("float32")


def compiled():
    model = tf.keras.Sequential([tf.keras.layers.Dense(1, input_shape=(2,), name="out")])
    model.compile("sgd", "mse", metrics=["mae"])
    return model


def data(mode=None):
    return tf.data.Dataset.from_tensor_slices((X, X[:, :1])).batch(8).repeat()


@pytest.mark.filterwarnings("ignore:tf.estimator")
def test_train_evaluate_predict_and_go_on(tmp_path):
    model = compiled()
    found = estimator.model_to_estimator(model, model_dir=tmp_path / "est")
    assert found.train(data, steps=6) is found and found.latest_checkpoint()
    result = found.evaluate(data, steps=4)
    assert set(result) == {"loss", "mae", "global_step"} and result["global_step"] == 6
    features = tf.data.Dataset.from_tensor_slices(X).batch(8)
    outputs = list(found.predict(lambda: features))
    assert len(outputs) == 32
    np.testing.assert_allclose(outputs[0]["out"], model.predict(X[:1], verbose=0)[0], rtol=1e-5)
    again = estimator.model_to_estimator(compiled(), model_dir=tmp_path / "est")
    np.testing.assert_array_equal(again.get_variable_value(again.get_variable_names()[0]), model.get_weights()[0])
    again.train(data, max_steps=10)
    assert again.evaluate(data, steps=1)["global_step"] == 10
    result, exports = estimator.train_and_evaluate(
        again, estimator.TrainSpec(data, max_steps=11), estimator.EvalSpec(data, steps=2)
    )
    assert result["global_step"] == 11 and exports == []


@pytest.mark.filterwarnings("ignore:tf.estimator")
def test_refusals():
    with pytest.raises(NotSupportedError, match=r"keras\.Model"):
        estimator.DNNClassifier(hidden_units=[3])
    with pytest.raises(NotSupportedError, match="hooks"):
        estimator.model_to_estimator(compiled()).train(data, hooks=[object()])
    with pytest.raises(ValueError, match="not compiled"):
        estimator.model_to_estimator(tf.keras.Sequential([tf.keras.layers.Dense(1)]))
    with pytest.raises(ValueError, match="either"):
        estimator.model_to_estimator()
