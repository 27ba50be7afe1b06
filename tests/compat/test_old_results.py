"""Results of models with several outputs, in the order and under the names of Keras 2.

The lists of names are what tf_keras 2.21 gives for these models.
"""

from __future__ import annotations

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.compat.configs import defaults
from tests.compat.spellings import old_spellings  # noqa: F401 - fixture

layers = keras.layers
RNG = np.random.RandomState(0)
X = RNG.rand(16, 3).astype("float32")
Y = RNG.randint(0, 2, (16, 1)).astype("float32")

CASES = {
    "a flat list is for all outputs": (
        ["zeta", "alpha"],
        {"loss": "binary_crossentropy", "metrics": ["accuracy", "mae"]},
        "loss zeta_loss alpha_loss zeta_accuracy zeta_mae alpha_accuracy alpha_mae",
    ),
    "by name": (
        ["zeta", "alpha"],
        {
            "loss": {"alpha": "mse", "zeta": "binary_crossentropy"},
            "metrics": {"alpha": ["mae", "accuracy"], "zeta": "mse"},
        },
        "loss zeta_loss alpha_loss zeta_mse alpha_mae alpha_accuracy",
    ),
    "weighted ones come with their output": (
        ["zeta", "alpha"],
        {"loss": "mse", "metrics": ["mae"], "weighted_metrics": ["mse"]},
        "loss zeta_loss alpha_loss zeta_mae zeta_mse alpha_mae alpha_mse",
    ),
    "no metrics": (["zeta", "alpha"], {"loss": "mse"}, "loss zeta_loss alpha_loss"),
    "a list for each output": (
        ["c", "a", "b"],
        {"loss": ["mse"] * 3, "loss_weights": [1, 0.5, 0.2], "metrics": [["mae"], ["accuracy"], []]},
        "loss c_loss a_loss b_loss c_mae a_accuracy",
    ),
    "one output": (["o"], {"loss": "mse", "metrics": ["mae", "accuracy"]}, "loss mae accuracy"),
}


def model_of(names):
    keras.utils.set_random_seed(1)
    inputs = keras.Input((3,))
    return keras.Model(inputs, [layers.Dense(1, activation="sigmoid", name=name)(inputs) for name in names])


@pytest.fixture
def generation(monkeypatch):
    return lambda name: monkeypatch.setenv("HORNBEAM_GENERATION", name)


@pytest.mark.parametrize("case", CASES)
def test_results_are_listed_output_by_output(case):
    outputs, arguments, expected = CASES[case]
    model = model_of(outputs)
    model.compile("sgd", **arguments)
    assert model.metrics_names == []
    targets = [Y] * len(outputs)
    found = model.evaluate(X, targets, verbose=0)
    assert model.metrics_names == expected.split()
    by_name = model.evaluate(X, targets, verbose=0, return_dict=True)
    np.testing.assert_allclose(found, [by_name[name] for name in expected.split()], rtol=1e-6)
    np.testing.assert_allclose(model.test_on_batch(X, targets), found, rtol=1e-6)
    history = model.fit(X, targets, verbose=0, validation_data=(X, targets)).history
    # Histories and results by name have that order too, and those of validation come last.
    assert list(history) == [start + name for start in ("", "val_") for name in expected.split()]
    assert list(by_name) == list(model.train_on_batch(X, targets, return_dict=True)) == expected.split()
    assert len(model.train_on_batch(X, targets)) == len(found)


def test_values_belong_to_their_names():
    model = model_of(["zeta", "alpha"])
    other = 1 - Y
    model.compile("sgd", "mse", metrics=["mae"])
    loss, zeta, alpha, zeta_mae, alpha_mae = model.evaluate(X, [Y, other], verbose=0)
    first, second = model.predict(X, verbose=0)
    expected = [((first - Y) ** 2).mean(), ((second - other) ** 2).mean()]
    np.testing.assert_allclose([loss, zeta, alpha], [sum(expected), *expected], rtol=1e-5)
    np.testing.assert_allclose([zeta_mae, alpha_mae], [abs(first - Y).mean(), abs(second - other).mean()], rtol=1e-5)


def test_the_only_loss_is_listed_with_its_output():
    model = model_of(["zeta", "alpha"])
    model.compile("sgd", {"zeta": "mse"}, metrics={"zeta": ["mae"]})
    loss, zeta, _ = model.evaluate(X, {"zeta": Y}, verbose=0)
    assert model.metrics_names == ["loss", "zeta_loss", "zeta_mae"] and loss == pytest.approx(zeta)


def test_metric_objects_are_copied_for_each_output():
    model = model_of(["zeta", "alpha"])
    model.compile("sgd", "mse", metrics=[keras.metrics.MeanAbsoluteError(name="one"), "mse"])
    found = model.evaluate(X, [Y, 1 - Y], verbose=0)
    assert model.metrics_names[3:] == ["zeta_one", "zeta_mse", "alpha_one", "alpha_mse"]
    assert found[3] != found[5]


def test_outputs_of_other_models_are_numbered():
    class Two(keras.Model):
        def __init__(self):
            super().__init__()
            self.a, self.b = layers.Dense(1), layers.Dense(1)

        def call(self, x):
            return self.a(x), self.b(x)

    model = Two()
    model.compile("sgd", "mse", metrics=["mae"])
    model.evaluate(X, (Y, Y), verbose=0)
    assert model.metrics_names == ["loss", "output_1_loss", "output_2_loss", "output_1_mae", "output_2_mae"]


def test_outputs_by_key_and_repeated_names():
    inputs = keras.Input((3,))
    model = keras.Model(inputs, {"q": layers.Dense(1)(inputs), "b": layers.Dense(1)(inputs)})
    model.compile("sgd", "mse", metrics=["mae", "mae"], weighted_metrics=["mae"])
    model.evaluate(X, {"q": Y, "b": Y}, verbose=0)
    assert model.metrics_names == [
        *("loss", "b_loss", "q_loss"),
        *("b_mae", "b_mae_1", "b_weighted_mae", "q_mae", "q_mae_1", "q_weighted_mae"),
    ]


@pytest.mark.parametrize("case", CASES)
def test_names_are_known_after_compile_in_the_first_tensorflow(case, generation):
    outputs, arguments, expected = CASES[case]
    generation("tf1")
    model = model_of(outputs)
    assert model.metrics_names == []
    model.compile("sgd", **arguments)
    assert model.metrics_names == expected.split()
    model.evaluate(X, [Y] * len(outputs), verbose=0)
    assert model.metrics_names == expected.split()


def test_programs_for_keras_3_get_its_order(generation):
    generation("keras3")
    outputs, arguments, _ = CASES["a flat list is for all outputs"]
    model = model_of(outputs)
    model.compile("sgd", **arguments)
    model.evaluate(X, [Y, Y], verbose=0)
    assert model.metrics_names == ["loss", "zeta_loss", "alpha_loss", "alpha_mae", "zeta_accuracy"]


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ("import keras\nx = keras.ops.ones(3)\n", True),
        ("from keras import layers, ops\n", True),
        ("import os\nos.environ['KERAS_BACKEND'] = 'jax'\n", True),
        ("import keras\nprint(keras.__version__)\nfrom keras.layers import Dense\n", False),
        ("from tensorflow import keras\nm.fit_generator(g)\n", False),
    ],
)
def test_words_of_the_program_tell(text, new, tmp_path, monkeypatch):
    import sys
    import types

    path = tmp_path / "program.py"
    path.write_text(text)
    main = types.ModuleType("__main__")
    main.__file__ = str(path)
    monkeypatch.setitem(sys.modules, "__main__", main)
    monkeypatch.delenv("HORNBEAM_GENERATION", raising=False)
    assert defaults.compiles_for_all_outputs() is not new
    main.__file__ = str(tmp_path / "not there")
    assert defaults.compiles_for_all_outputs()


def test_products_of_four_axes(generation):
    """Before Keras 2.3 all axes but the last two are batch axes."""
    x, y = RNG.rand(2, 3, 4, 5).astype("float32"), RNG.rand(2, 3, 5, 6).astype("float32")
    K = keras.backend
    cases = [
        ((x, y, None), "abij,abjk->abik"),
        ((x, y.swapaxes(2, 3), 3), "abij,abkj->abik"),
        ((x, x, 2), "abij,abik->abjk"),
    ]
    today = K.batch_dot(x, x, 3)
    assert today.shape == (2, 3, 4, 3, 4)
    generation("tf1")
    for arguments, equation in cases:
        expected = np.einsum(equation, *arguments[:2])
        np.testing.assert_allclose(
            K.batch_dot(*map(keras.ops.convert_to_tensor, arguments[:2]), arguments[2]), expected, rtol=1e-5
        )
    assert K.batch_dot(x[:, 0], y[:, 0]).shape == (2, 4, 6)
    # Routing of capsules: a tensor of three axes is taken as a batch of columns.
    for arguments, equation in (((x[..., 0], x, [2, 2]), "abi,abij->abj"), ((x[:, :, 0], x, [2, 3]), "abj,abij->abi")):
        found = K.batch_dot(*map(keras.ops.convert_to_tensor, arguments[:2]), arguments[2])
        np.testing.assert_allclose(found, np.einsum(equation, *arguments[:2]), rtol=1e-5)
    with pytest.raises(ValueError, match="last two axes"):
        K.batch_dot(x, x, (1, 1))


class OwnSteps(keras.Model):
    def train_step(self, data):
        return {**super().train_step(data), "extra": 1.0, "also": 2.0}


def test_histories_of_one_output_and_of_own_steps(generation):
    # The orders are those of tf_keras 2.21, but for the third one, which is Keras 3's.
    inputs = keras.Input((3,))
    outputs = layers.Dense(1)(inputs)
    seen = []
    for kind, asked, expected in (
        (keras.Model, "tf2", "loss mae acc val_loss val_mae val_acc lr"),
        (OwnSteps, "tf2", "loss mae acc extra also val_loss val_mae val_acc lr"),
        (keras.Model, "keras3", "acc loss mae val_acc val_loss val_mae lr"),
    ):
        generation(asked)
        model = kind(inputs, outputs)
        model.compile("sgd", "mse", metrics=["mae", "acc"])
        callbacks = [
            keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(list(logs))),
            keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(lr=0.1)),
        ]
        model.fit(X, Y, verbose=0, validation_data=(X, Y), callbacks=callbacks)
        assert seen[-1] == expected.split()[:-1]
        assert list(model.history.history) == expected.split()


@pytest.mark.usefixtures("old_spellings")
def test_metrics_named_by_their_class_have_their_own_names(tmp_path, monkeypatch):
    inputs = keras.Input((3,))
    model = keras.Model(inputs, layers.Dense(1, activation="sigmoid")(inputs))
    model.compile("sgd", "binary_crossentropy", metrics=["AUC", "Precision", "MSE", "accuracy"])
    checkpoint = keras.callbacks.ModelCheckpoint(
        str(tmp_path / "{val_AUC:.2f}-{val_precision:.2f}.weights.h5"),
        monitor="val_AUC",
        mode="max",
        save_weights_only=True,
    )
    stop = keras.callbacks.EarlyStopping("val_precision_1", mode="max")
    history = model.fit(X, Y, validation_data=(X, Y), verbose=0, callbacks=[checkpoint, stop]).history
    assert list(history)[:5] == ["loss", "auc", "precision", "MSE", "accuracy"]
    assert history["AUC"] is history["auc"] and history["val_Precision"] is history["val_precision"]
    assert "recall" not in history and stop.monitor == "val_precision"
    assert len(list(tmp_path.iterdir())) == 1
    monkeypatch.setenv("HORNBEAM_GENERATION", "keras3")
    model.compile("sgd", "binary_crossentropy", metrics=["AUC"])
    assert list(model.fit(X, Y, verbose=0).history) == ["AUC", "loss"]
