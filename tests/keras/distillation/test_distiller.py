"""Losses and training of `keras.distillation` equal the oracle's."""

from __future__ import annotations

import keras as oracle
import numpy as np
import pytest

from hornbeam import keras

pytestmark = pytest.mark.numeric
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(8, 4)).astype("float32"), rng.integers(0, 3, 8)
WEIGHTS = [rng.normal(size=shape).astype("float32") for shape in ((4, 5), (5,), (5, 3), (3,))]


def network(module, scale):
    layers = module.layers
    model = module.Sequential(
        [module.Input((4,)), layers.Dense(5, activation="tanh", name="inner"), layers.Dense(3, name="head")]
    )
    model.set_weights([weight * scale for weight in WEIGHTS])
    return model


def made(module):
    parts = module.distillation
    distiller = parts.Distiller(
        network(module, 1.0),
        network(module, 0.3),
        [
            parts.LogitsDistillation(2.0, module.losses.KLDivergence()),
            parts.FeatureDistillation("mse", "inner", "inner"),
        ],
        [1.0, 0.5],
        student_loss_weight=0.25,
    )
    distiller.compile(
        module.optimizers.SGD(0.1), module.losses.SparseCategoricalCrossentropy(from_logits=True), ["accuracy"]
    )
    return distiller


def test_training_equals_the_oracle(tmp_path):
    ours, theirs = made(keras), made(oracle)
    logs = [one.fit(X, Y, batch_size=4, epochs=2, shuffle=False, verbose=0).history for one in (ours, theirs)]
    assert set(logs[0]) == set(logs[1])
    for name, values in logs[1].items():
        np.testing.assert_allclose(logs[0][name], values, rtol=2e-5, err_msg=name)
    for mine, other in zip(ours.student.get_weights(), theirs.student.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, rtol=2e-5, atol=1e-6)
    np.testing.assert_array_equal(ours.teacher.get_weights()[0], WEIGHTS[0])
    found = ours.predict(X, verbose=0)
    ours.save(tmp_path / "distiller.keras")
    again = keras.models.load_model(tmp_path / "distiller.keras")
    np.testing.assert_allclose(again.predict(X, verbose=0), found, rtol=1e-6)
    assert again.distillation_losses[0].temperature == 2.0


@pytest.mark.parametrize("loss", ["kl_divergence", "mse", "categorical_crossentropy"])
def test_losses_equal_the_oracle(loss):
    first, second = np.abs(WEIGHTS[0]) + 0.1, np.abs(WEIGHTS[0][::-1]) + 0.2
    values = []
    for module in (keras, oracle):
        one = module.distillation.LogitsDistillation(3.0, loss)
        values.append([float(one.compute_loss(first, second))])
        nested = module.distillation.FeatureDistillation([loss, None])
        values[-1].append(float(nested.compute_loss([first, second], [second, first])))
        again = type(one).from_config(one.get_config())
        values[-1].append(float(again.compute_loss(first, second)))
    np.testing.assert_allclose(values[0], values[1], rtol=1e-5)


def test_what_does_not_fit():
    parts = keras.distillation
    teacher, student = network(keras, 1.0), network(keras, 0.3)
    other = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    for call, words in (
        (lambda: parts.Distiller(teacher, other, parts.LogitsDistillation()), "outputs of the same shapes"),
        (lambda: parts.Distiller(teacher, student, None), "distillation_losses"),
        (lambda: parts.Distiller(teacher, student, parts.LogitsDistillation(), student_loss_weight=2.0), "from 0 to 1"),
        (lambda: parts.Distiller(teacher, student, parts.FeatureDistillation("mse", "nobody")), "nobody"),
        (lambda: parts.Distiller(teacher, student, parts.LogitsDistillation()).compile("sgd"), "needs `loss`"),
        (lambda: parts.LogitsDistillation(0), "above 0"),
        (lambda: parts.FeatureDistillation([None, None]), "all are None"),
    ):
        with pytest.raises(ValueError, match=words):
            call()
