"""SavedModels that Keras on TensorFlow wrote: as Keras models, and as functions run by the interpreter."""

from pathlib import Path

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from hornbeam.base.errors import FileFormatError

DATA = Path(__file__).parent / "data"
pytestmark = [pytest.mark.format, pytest.mark.numeric]
NAMES = ("sequential_adam", "nested_rescaling", "cnn_custom_loss", "rnn_no_traces")


def arrays(name):
    with np.load(DATA / f"{name}.npz") as file:
        return {key: file[key] for key in file.files}


def io(name):
    found = arrays(f"{name}.io")
    return found["x0"], [found[key] for key in sorted(found) if key.startswith("y")]


def outputs(value):
    return [np.asarray(item) for item in (value if isinstance(value, (list, tuple)) else [value])]


@pytest.mark.parametrize("name", NAMES)
def test_as_keras_model(name):
    model = keras.models.load_model(DATA / name, compile=name != "cnn_custom_loss")
    x, expected = io(name)
    for found, wanted in zip(outputs(model.predict(x, verbose=0)), expected, strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_training_goes_on():
    model = keras.models.load_model(DATA / "sequential_adam")
    stored = arrays("sequential_adam.resume")
    losses = []
    for _ in stored["losses"]:
        model.reset_metrics()
        losses.append(float(np.ravel(model.train_on_batch(stored["rx0"], stored["ry0"]))[0]))
    np.testing.assert_allclose(losses, stored["losses"], rtol=2e-5)
    np.testing.assert_allclose(model.predict(stored["rx0"], verbose=0), stored["y_after"], atol=2e-5)


def test_unknown_loss_is_named():
    with pytest.raises((ValueError, TypeError), match="weird_loss"):
        keras.models.load_model(DATA / "cnn_custom_loss")

    def weird_loss(y_true, y_pred):
        return keras.ops.mean(keras.ops.abs(y_true - y_pred) ** 1.5, axis=-1)

    model = keras.models.load_model(DATA / "cnn_custom_loss", custom_objects={"weird_loss": weird_loss})
    assert model.compiled


def test_nested_flags_survive():
    model = keras.models.load_model(DATA / "nested_rescaling")
    assert not model.get_layer("inner").get_layer("ic").trainable
    assert len(model.trainable_weights) == 6


@pytest.mark.parametrize("name", ["sequential_adam", "nested_rescaling", "cnn_custom_loss"])
def test_through_the_interpreter(name):
    loaded = tf.saved_model.load(DATA / name)
    x, expected = io(name)
    serving = loaded.signatures["serving_default"]
    (key,) = serving.structured_input_signature[1]
    found = serving(**{key: x})
    by_shape = {value.shape: value for value in expected}
    for value in found.values():
        np.testing.assert_allclose(np.asarray(value), by_shape[tuple(value.shape)], atol=1e-5)
    called = loaded(x, training=False)
    for one, wanted in zip(outputs(called), expected, strict=True):
        np.testing.assert_allclose(one, wanted, atol=1e-5)


def test_gradients_through_the_interpreter():
    loaded, model = tf.saved_model.load(DATA / "sequential_adam"), keras.models.load_model(DATA / "sequential_adam")
    x = tf.constant(io("sequential_adam")[0])
    gradients = []
    for run, variables in (
        (loaded, loaded.signatures["serving_default"].variables),
        (model, model.trainable_variables),
    ):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(run(x, training=False)[:, 0])
        gradients.append([np.asarray(g) for g in tape.gradient(loss, variables)])
    for one, other in zip(*gradients, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_weights_alone():
    model = keras.models.load_model(DATA / "sequential_adam")
    again = keras.Sequential(
        [keras.Input((4,)), *(keras.layers.Dense(n, a, use_bias=b) for n, a, b in
                              ((8, "relu", True), (6, "tanh", False), (3, "softmax", True)))]
    )  # fmt: skip
    again.load_weights(DATA / "sequential_adam")
    for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_many_layers_through_the_interpreter():
    stored = arrays("cnn")
    loaded = tf.saved_model.load(DATA / "cnn")
    np.testing.assert_allclose(np.asarray(loaded(stored["x0"], training=False)), stored["y0"], atol=1e-5)
    model = keras.models.load_model(DATA / "cnn")
    np.testing.assert_allclose(model.predict(stored["x0"], verbose=0), stored["y0"], atol=1e-5)
    training = loaded(stored["x0"], training=True)
    np.testing.assert_allclose(np.asarray(training), np.asarray(model(stored["x0"], training=True)), atol=1e-4)


def test_function_calls_that_count_as_layers_in_the_file():
    stored = arrays("att")
    model = keras.models.load_model(DATA / "att")
    np.testing.assert_allclose(model.predict(stored["x0"], verbose=0), stored["y0"], atol=1e-5)
    np.testing.assert_allclose(np.asarray(tf.saved_model.load(DATA / "att")(stored["x0"])), stored["y0"], atol=1e-5)


def test_module_with_many_operations():
    stored = arrays("mod")
    loaded = tf.saved_model.load(DATA / "mod")
    found = loaded.f(stored["x0"], stored["x1"])
    expected = [stored[f"y{place}"] for place in range(len(found))]
    for place, (one, wanted) in enumerate(zip(found, expected, strict=True)):
        np.testing.assert_allclose(np.asarray(one), wanted, atol=1e-5, err_msg=str(place))
    # The condition in it depends on the data.
    negative = loaded.f(-stored["x0"], stored["x1"])
    np.testing.assert_allclose(np.asarray(negative[6]), -3 * stored["x0"][:, :3].sum(1), rtol=1e-5)
    assert loaded.f(stored["x0"][:2], stored["x1"][:2])[0].shape == (2, 3)
    with pytest.raises(ValueError, match="not compiled for"):
        loaded.f(stored["x0"][:, :2], stored["x1"])


def test_lists_that_grow_and_results_of_wide_types():
    stored = arrays("lists")
    loaded = tf.saved_model.load(DATA / "lists")
    x = stored["x"]
    np.testing.assert_allclose(np.asarray(loaded.states(x)), stored["states"], atol=1e-6)
    np.testing.assert_allclose(np.asarray(loaded.states(x[:2])), stored["states"][:2], atol=1e-6)
    pushed, last = loaded.pushed(x)
    np.testing.assert_array_equal(np.asarray(pushed), stored["pushed"])
    np.testing.assert_array_equal(np.asarray(last), stored["last"])
    places = loaded.places(x)
    expected = {name.removeprefix("places_"): array for name, array in stored.items() if name.startswith("places_")}
    assert places.keys() == expected.keys()
    for name, wanted in expected.items():
        assert np.asarray(places[name]).dtype == wanted.dtype
        np.testing.assert_allclose(np.asarray(places[name]), wanted, atol=1e-5, err_msg=name)


def test_a_class_that_is_not_at_hand():
    stored = arrays("sub2")
    model = keras.models.load_model(DATA / "sub2")
    np.testing.assert_allclose(model.predict(stored["x0"], verbose=0), stored["y0"], atol=1e-5)
    assert int(model.optimizer.iterations) == 1 and len(model.trainable_weights) == 4
    history = model.fit(stored["x0"], np.array([0, 1, 2]), epochs=4, verbose=0).history["loss"]
    assert history[-1] < history[0]


def test_damage_is_reported(tmp_path):
    content = (DATA / "sequential_adam/saved_model.pb").read_bytes()
    metadata = (DATA / "sequential_adam/keras_metadata.pb").read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(30):
        (tmp_path / "keras_metadata.pb").write_bytes(metadata)
        (tmp_path / "saved_model.pb").write_bytes(content[: rng.integers(0, len(content) // 2)])
        with pytest.raises((FileFormatError, ValueError, KeyError)):
            tf.saved_model.load(tmp_path).signatures["serving_default"](x=np.zeros((1, 4), "float32"))
    with pytest.raises((FileNotFoundError, OSError)):
        tf.saved_model.load(tmp_path / "nothing")
