"""Names that Keras dropped: found, or refused with advice."""

from __future__ import annotations

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from hornbeam.base.errors import NotSupportedError
from hornbeam.compat import measures, old_utils, refused
from hornbeam.compat.loading import load
from hornbeam.compat.names import FIRST, MODULES
from tests.compat.spellings import no_notes, old_spellings  # noqa: F401 - fixtures

layers = keras.layers


def entries() -> list[tuple[str, str, str]]:
    tables = {**MODULES, **{f"{module} ": names for module, names in FIRST.items()}}
    # Parts that other rooms bring are named by those rooms' own tests.
    absent = ("io.gfile", "keras.activations:relu6", "CuDNN")
    return [
        (module.strip(), name, home)
        for module, names in tables.items()
        for name, home in names.items()
        if not home.startswith(absent) and "CuDNN" not in home and "mobilenet" not in module
    ]


@pytest.mark.parametrize("module, name, home", entries())
def test_every_entry_of_the_tables_leads_somewhere(module, name, home):
    assert load(home) is not None or name == "UNUSED"


def test_old_classes_make_todays_and_count_as_their_classes():
    layer = layers.Convolution2D(3, 3, 3)
    assert type(layer) is layers.Conv2D and isinstance(layer, layers.Convolution2D)
    assert issubclass(layers.Conv2D, layers.Convolution2D)

    class Own(layers.Convolution2D):
        pass

    assert type(Own(3, (3, 3))) is Own and isinstance(Own(3, (3, 3)), layers.Conv2D)
    assert keras.optimizers.sgd is keras.optimizers.SGD and keras.initializers.normal is keras.initializers.RandomNormal


@pytest.mark.parametrize("name", list(refused.ADVICE))
def test_refused_names_say_what_to_do(name):
    stand_in = getattr(refused, name)
    with pytest.raises(NotSupportedError, match=name):
        stand_in(1, option=2)


def test_misspelt_names_get_a_hint():
    with pytest.raises(AttributeError, match="Did you mean 'Dense'"):
        _ = layers.Dens
    with pytest.raises(AttributeError, match="Did you mean 'ResNet50'"):
        _ = keras.applications.Resnet50
    assert not hasattr(keras.callbacks, "LearningRateSchduler")


# --- losses, metrics, constraints ----------------------------------------------------------------
RNG = np.random.default_rng(0)
TRUE = (RNG.random((6, 4)) > 0.5).astype("float32")
PRED = RNG.random((6, 4)).astype("float32")


def test_measures_of_a_batch_equal_their_formulas():
    found = PRED.round()
    hits, called, real = (TRUE * found).sum(), found.sum(), TRUE.sum()
    np.testing.assert_allclose(measures.precision(TRUE, PRED), hits / called, rtol=1e-5)
    np.testing.assert_allclose(measures.recall(TRUE, PRED), hits / real, rtol=1e-5)
    p, r = hits / called, hits / real
    np.testing.assert_allclose(measures.fmeasure(TRUE, PRED), 2 * p * r / (p + r), rtol=1e-5)
    np.testing.assert_allclose(measures.fbeta_score(TRUE, PRED, 2), 5 * p * r / (4 * p + r), rtol=1e-5)
    labels, column = np.float32([1, 0, 1]), np.float32([[0.9], [0.8], [0.1]])
    assert float(measures.precision(labels, column)) == pytest.approx(0.5)
    np.testing.assert_allclose(
        measures.matthews_correlation(TRUE, PRED), np.corrcoef(TRUE.ravel(), found.ravel())[0, 1], rtol=1e-4
    )
    cosine = (TRUE * PRED).sum(1) / np.linalg.norm(TRUE, axis=1) / np.linalg.norm(PRED, axis=1)
    np.testing.assert_allclose(measures.cosine_proximity(TRUE, PRED), -cosine, rtol=1e-5)


def test_streaming_measures():
    metric = measures.MeanRelativeError(normalizer=[1.0, 3.0, 0.0])
    metric.update_state([1.0, 3.0, 2.0], [2.0, 0.0, 9.0])
    np.testing.assert_allclose(metric.result(), (1 + 1 + 0) / 3, rtol=1e-6)
    mean = measures.MeanTensor()
    mean.update_state([0.0, 1.0])
    mean.update_state([4.0, 5.0], sample_weight=[1.0, 3.0])
    np.testing.assert_allclose(mean.result(), [2.0, 4.0])
    mean.reset_state()
    np.testing.assert_allclose(mean.result(), [0.0, 0.0])
    with pytest.raises(ValueError, match="one shape"):
        mean.update_state([1.0, 2.0, 3.0])


@pytest.mark.parametrize("size, rings", [(3, [0, 1]), (4, [1, 3]), (5, [1, 2, 3])])
def test_radial_constraint_makes_rings(size, rings):
    weight = RNG.normal(size=(size, size, 2, 3)).astype("float32")
    found = np.asarray(measures.RadialConstraint()(weight))
    assert found.shape == weight.shape
    for row in range(size):
        for column in range(size):
            ring = max(abs(2 * row - size + 1), abs(2 * column - size + 1)) // 2
            np.testing.assert_allclose(found[row, column], weight[rings[ring], rings[ring]])


# --- helpers -------------------------------------------------------------------------------------
def test_old_helpers():
    np.testing.assert_array_equal(old_utils.probas_to_classes([[0.2], [0.8]]), [0, 1])
    np.testing.assert_array_equal(old_utils.categorical_probas_to_classes([[0.1, 0.9], [0.7, 0.3]]), [1, 0])
    np.testing.assert_array_equal(old_utils.to_ordinal([0, 2, 3]), [[0, 0, 0], [1, 1, 0], [1, 1, 1]])
    kernel = RNG.normal(size=(3, 2, 1, 1))
    np.testing.assert_array_equal(old_utils.convert_kernel(kernel), kernel[::-1, ::-1])
    with pytest.raises(NotSupportedError, match="MirroredStrategy"):
        old_utils.multi_gpu_model(None, gpus=2)


def test_kernels_of_a_model_are_turned_round():
    model = keras.Sequential([layers.Conv2D(2, 3, input_shape=(5, 5, 1)), layers.Dense(1)])
    before = model.get_weights()
    old_utils.convert_all_kernels_in_model(model)
    after = model.get_weights()
    np.testing.assert_array_equal(after[0], before[0][::-1, ::-1])
    np.testing.assert_array_equal(after[2], before[2])


def test_queues_keep_the_order_and_pass_on_errors():
    class Numbers:
        def __len__(self):
            return 3

        def __getitem__(self, index):
            return index

    queue = old_utils.OrderedEnqueuer(Numbers())
    queue.start(workers=1, max_queue_size=2)
    batches = queue.get()
    assert [next(batches) for _ in range(7)] == [0, 1, 2, 0, 1, 2, 0]
    queue.stop()

    def failing():
        yield 1
        raise ValueError("bad batch")

    queue = old_utils.GeneratorEnqueuer(failing())
    queue.start()
    found = queue.get()
    assert next(found) == 1
    with pytest.raises(ValueError, match="bad batch"):
        next(found)


def test_hdf5_matrix_reads_its_part(tmp_path):
    import h5py

    data = np.arange(20.0).reshape(10, 2)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = data
    part = old_utils.HDF5Matrix(tmp_path / "a.h5", "x", start=2, end=8, normalizer=lambda rows: rows * 10)
    assert part.shape == (6, 2) and len(part) == 6 and part.ndim == 2
    np.testing.assert_array_equal(part[1:3], data[3:5] * 10)
    np.testing.assert_array_equal(part[[4, 0, 4]], data[[6, 2, 6]] * 10)
    np.testing.assert_array_equal(np.asarray(part), data[2:8] * 10)


def test_the_shape_of_a_networks_pictures():
    shape = load("keras.applications.imagenet_utils")._obtain_input_shape
    assert shape(None, 224, 32, "channels_last", require_flatten=True) == (224, 224, 3)
    assert shape(None, 224, 32, "channels_first", include_top=False) == (3, None, None)
    assert shape((64, 48, 1), 224, 32, None, require_flatten=False) == (64, 48, 1)
    for wrong in ((16, 64, 3), (None, 64, 3), (64, 64)):
        with pytest.raises(ValueError):
            shape(wrong, 224, 32, "channels_last", require_flatten=True)
    with pytest.raises(ValueError, match="224, 224, 3"):
        shape((64, 64, 3), 224, 32, "channels_last", True, weights="imagenet")


def test_networks_take_the_parts_of_keras_as_arguments():
    parts = {"backend": keras.backend, "layers": keras.layers, "models": keras.models, "utils": keras.utils}
    old = keras.applications
    assert old.get_submodules_from_kwargs({}) == tuple(parts.values()) and old._KERAS_LAYERS is keras.layers
    pixels = np.zeros((1, 4, 4, 3), "float32")
    given = old.imagenet_utils.preprocess_input(pixels.copy(), mode="tf", **parts)
    np.testing.assert_array_equal(given, pixels - 1)
    assert old.keras_modules_injection(lambda **found: sorted(found))() == sorted(parts)


def test_the_backends_name_and_settings(monkeypatch):
    K = keras.backend
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    assert K.backend() == K._BACKEND == "tensorflow" and keras.config.backend() == "jax"
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert K.backend() == "jax"
    assert K.epsilon() == K._EPSILON and K._IMAGE_DIM_ORDERING == "tf"


def test_helpers_of_training_and_kernels():
    assert keras.models.make_batches(10, 4) == [(0, 4), (4, 8), (8, 10)]
    first, second = keras.models.slice_X([np.arange(6), None], 2, 4)
    assert first.tolist() == [2, 3] and second is None
    assert keras.models.slice_arrays(np.arange(6), [5, 0]).tolist() == [5, 0]
    assert keras.initializers._compute_fans((3, 3, 4, 8)) == (36, 72)
    assert keras.initializers._compute_fans((8, 4, 3, 3), data_format="channels_first") == (36, 72)


def test_decorators_of_old_layers_leave_methods_as_they_are():
    interfaces = load("compat.old_interfaces")

    def call(self, x):
        return x

    assert interfaces.legacy_add_weight_support(call) is call
    assert interfaces.generate_legacy_interface(allowed_positional_args=["units"])(call) is call
    with pytest.raises(AttributeError):
        interfaces.legacy_unknown_support  # noqa: B018


def test_private_names_of_layers_and_optimizers():
    layer = keras.layers.Dense(2, dtype="float64", name="first")
    assert layer._compute_dtype == "float64" and layer._compute_dtype_object == tf.float64
    layer._name = "second"
    model = keras.Sequential([keras.layers.Input((3,)), layer])
    model._name = "whole"
    assert (layer._name, layer.name, model.name) == ("second", "second", "whole")
    assert model.get_layer("second") is layer
    optimizer = keras.optimizers.Adam(name="mine")
    assert optimizer._name == "mine" and optimizer._track_trackable(layer, "layer") is layer
    assert isinstance(keras.optimizers.get("sgd", use_legacy_optimizer=True), keras.optimizers.SGD)


def test_metrics_of_outputs_are_monitored_by_their_old_names(tmp_path):
    x = np.random.default_rng(0).random((24, 3)).astype("float32")
    y = (x[:, :1] > 0.5).astype("float32")
    inputs = keras.Input((3,))
    outputs = [keras.layers.Dense(1, activation="sigmoid", name=name)(inputs) for name in ("left", "right")]
    model = keras.Model(inputs, outputs)
    model.compile("sgd", "binary_crossentropy", metrics={"left": "accuracy"})
    saved = keras.callbacks.ModelCheckpoint(
        str(tmp_path / "w-{val_left_acc:.1f}.weights.h5"), "val_left_acc", save_best_only=True, save_weights_only=True
    )
    history = model.fit(x, [y, y], validation_data=(x, [y, y]), callbacks=[saved], verbose=0).history
    assert history["val_left_acc"] == history["val_left_accuracy"]
    assert len(list(tmp_path.iterdir())) == 1


X = np.random.default_rng(0).random((24, 3)).astype("float32")
Y = (X[:, :1] > 0.5).astype("float32")


def test_configs_in_the_form_before_keras_3():
    cases = [
        (keras.initializers, keras.initializers.Zeros(), {"class_name": "Zeros", "config": {}}),
        (keras.regularizers, keras.regularizers.L2(0.5), {"class_name": "L2", "config": {"l2": 0.5}}),
        (keras.constraints, keras.constraints.NonNeg(), {"class_name": "NonNeg", "config": {}}),
        (keras.losses, keras.losses.mean_squared_error, "mean_squared_error"),
        (keras.activations, keras.activations.relu, "relu"),
    ]
    for room, item, expected in cases:
        assert room.serialize(item, use_legacy_format=True) == expected
        again = room.deserialize(expected, use_legacy_format=True)
        assert again is item or type(again) is type(item)
    for room, item in [(keras.layers, keras.layers.Dense(2)), (keras.optimizers, keras.optimizers.SGD(0.1))]:
        config = room.serialize(item, use_legacy_format=True)
        assert set(config) == {"class_name", "config"} and "module" in room.serialize(item)
        assert room.deserialize(config).get_config() == item.get_config()


def test_logs_are_made_of_results():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    model.evaluate(X, Y, verbose=0)
    callbacks = keras.callbacks.CallbackList([keras.callbacks.History()])
    logs = callbacks.make_logs(model, {"size": 8}, [0.5, 0.75], "test", prefix="val_")
    first, second = (f"val_{name}" for name in model.metrics_names)
    assert logs == {"size": 8, first: 0.5, second: 0.75}
    assert callbacks.make_logs(model, {}, [1, 2], "predict") == {"outputs": [1, 2]}


def test_metrics_that_count_in_python():
    class Share(keras.metrics.PyMetric):
        def update_state(self, y_true, y_pred, sample_weight=None):
            assert not isinstance(np.asarray(y_true).sum(), tf.Tensor)
            self.rows += len(np.asarray(y_true))
            self.right += int((np.asarray(y_true).ravel() == (np.asarray(y_pred).ravel() > 0.5)).sum())

        def reset_state(self):
            self.rows = self.right = 0

        def result(self):
            return self.right / max(self.rows, 1)

    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, activation="sigmoid")])
    model.compile(keras.optimizers.SGD(1.0), "binary_crossentropy", metrics=[Share(name="share"), "accuracy"])
    history = model.fit(X, Y, batch_size=7, epochs=3, verbose=0, validation_data=(X, Y)).history
    np.testing.assert_allclose(history["share"], history["accuracy"], rtol=1e-6)
    np.testing.assert_allclose(history["val_share"], history["val_accuracy"], rtol=1e-6)
    alone = Share()
    alone.update_state(Y, Y)
    assert alone.result() == 1 and alone.rows == 24


def test_one_group_of_a_convolution():
    assert keras.layers.Conv2D(3, 3, groups=None)(np.ones((1, 5, 5, 2), "float32")).shape == (1, 3, 3, 3)
